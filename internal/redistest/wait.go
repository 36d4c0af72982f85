package redistest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

const patience = testtool.Patience

// permanent is an error that more attempts will not mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// within repeats an attempt until it succeeds, and returns its last error if it does not in time.
func within(d time.Duration, attempt func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(d); ; <-tick.C {
		err := attempt()
		if err == nil || errors.As(err, new(permanent)) || time.Now().After(deadline) {
			return err
		}
	}
}

// until fails the test unless an attempt succeeds.
func until(t testing.TB, what string, attempt func() error) {
	t.Helper()
	if err := within(patience, attempt); err != nil {
		t.Fatalf("not so: %s: %v", what, err)
	}
}

const (
	// Ports from which FreePort chooses: below those that systems give to outgoing connections, lest one of these take
	// the port of a server that is to be restarted, or a client that knocks in vain at a closed port reach itself.
	lowestPort  = 10_000
	highestPort = 21_999
	// busOffset is how far above its port a node of a Redis Cluster has the one for its fellow nodes.
	busOffset = 10_000
)

// FreePort returns a port that was free a moment ago, as was that of a cluster bus beside it. The system gives it to
// nobody who does not ask for it by its number.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1) //nolint:gosec // No secret.
		if isFree(port) && isFree(port+busOffset) {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) //nolint:noctx // It waits for nothing.
	if err != nil {
		return false
	}
	return l.Close() == nil
}
