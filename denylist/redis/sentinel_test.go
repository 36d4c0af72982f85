package redis_test

import (
	"net"
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/denylisttest"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
)

// TestSentinel runs the suite on a primary that is found by asking Sentinels, all of which want passwords.
func TestSentinel(t *testing.T) {
	t.Parallel()
	_, _, cfg := startSentinel(t, 1)
	denylisttest.Run(t, harness(cfg))
}

// startSentinel starts a primary with replicas and three Sentinels.
func startSentinel(t *testing.T, replicas int) (*redistest.Server, *redistest.Sentinels, redis.Config) {
	t.Helper()
	const name, password, sentinelPassword = "denylist", "horse", "staple"
	// Whoever becomes the primary must be followed with the password as well.
	args := []string{"--requirepass", password, "--masterauth", password}
	primary := redistest.Start(t, args...)
	for range replicas {
		redistest.StartReplica(t, primary, args...)
	}
	sentinels := redistest.StartSentinel(t, primary, name, 3, "requirepass "+sentinelPassword)
	return primary, sentinels, redis.Config{
		Addresses:           sentinels.Addrs(),
		SentinelMaster:      name,
		Credentials:         redis.StaticCredentials("", password),
		SentinelCredentials: redis.StaticCredentials("", sentinelPassword),
		MinReplicas:         1,
	}
}

// TestReplacedPrimary has the Sentinels name another server, while the old one
// goes on as a primary, as one does that is cut off from them. Its watch would
// hear nothing there.
func TestReplacedPrimary(t *testing.T) {
	t.Parallel()
	const name = "denylist"
	before, after := redistest.Start(t), redistest.Start(t)
	sentinels := redistest.StartSentinel(t, before, name, 1)
	cfg := redis.Config{Addresses: sentinels.Addrs(), SentinelMaster: name}
	events := startWatch(t, openStore(t, cfg))

	host, port, err := net.SplitHostPort(after.Addr())
	if err != nil {
		t.Fatal(err)
	}
	sentinels.Command(t, "SENTINEL", "REMOVE", name)
	sentinels.Command(t, "SENTINEL", "MONITOR", name, host, port, "1")
	awaitEvent(t, events, "the gap", func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
	if err := openStore(t, cfg).Revoke(t.Context(), denylist.Revocation{TokenID: "a"}); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, "the revocation", func(e denylist.Event) bool { return e.Revocation.TokenID == "a" })
}
