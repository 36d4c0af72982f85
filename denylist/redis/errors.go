package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
)

// ErrNotReplicated is wrapped by the error of Revoke, Consume and Advance when
// fewer than [Config.MinReplicas] replicas acknowledged the record in time. It
// wraps [denylist.ErrUnavailable]. The primary has the record, and a failover may
// lose it. A Revoke can be repeated. A Consume or Advance that is repeated finds
// the record of the first attempt, and is not the one that made it.
const ErrNotReplicated notReplicated = "redis: too few replicas have the record"

// notReplicated is the type of [ErrNotReplicated].
type notReplicated string

// Error returns the text, after that of the error that it wraps.
func (e notReplicated) Error() string { return e.Unwrap().Error() + ": " + string(e) }

// Unwrap returns [denylist.ErrUnavailable].
func (notReplicated) Unwrap() error { return denylist.ErrUnavailable }

// unavailable wraps [denylist.ErrUnavailable] and says why.
func unavailable(err error) error {
	if errors.Is(err, denylist.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: redis: %w", denylist.ErrUnavailable, err)
}

// failed returns what a call that did not succeed returns: the store is closed,
// the caller's context has ended, or else Redis is unavailable.
func (s *Store) failed(ctx context.Context, err error) error {
	if s.closed() {
		return denylist.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) { // which ctx has not noticed yet
		return context.DeadlineExceeded
	}
	if strings.Contains(err.Error(), "READONLY") { // the server is the primary no more
		s.servers.soon()
	}
	return unavailable(reason(err, s.timeout))
}

// reason returns err in words of use to whoever operates Redis. A context that
// ended inside is not the caller's, and must not look like it.
func reason(err error, timeout time.Duration) error {
	switch {
	case isTimeout(err):
		return fmt.Errorf("no answer within %s", timeout)
	case errors.Is(err, context.Canceled), errors.Is(err, rueidis.ErrClosing):
		return errors.New("the connection was given up")
	case isEnd(err):
		return errors.New("the server closed the connection")
	}
	return err
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// foreign reports that err is the end of another call's context: one with which
// this call shared a connection attempt or a request. It was not sent then.
func foreign(ctx context.Context, err error) bool {
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	return ended && ctx.Err() == nil
}

const grantIt = "grant the user what the documentation of this package lists under Permissions"

// refusals are what servers answer, or do, to a configuration that does not fit
// them, and how to mend it.
var refusals = []struct{ text, advice string }{
	{"WRONGPASS", "check Credentials, and with Sentinels SentinelCredentials"},
	{"NOAUTH", "the server wants a password: set Credentials, or SentinelCredentials if it is a Sentinel"},
	{"SELECT is not allowed in cluster mode", "a cluster has only database 0: leave Database 0"},
	{"DB index is out of range", "the server has no database of the number Database"},
	{"No such master", "the Sentinels do not know SentinelMaster by this name"},
	{"unknown command 'SENTINEL'", "Addresses are servers, no Sentinels: give the addresses of the Sentinels, or no SentinelMaster"},
	{"READONLY", "the server is a replica: give the primary's address, or those of the Sentinels and SentinelMaster"},
	{"cluster support disabled", "Addresses are several servers that are no cluster: give a single one, or those of the Sentinels and SentinelMaster"},
	{"NOPERM", grantIt},
	{"The user executing the script", grantIt},
	{"first record does not look like a TLS handshake", "the port does not speak TLS: give the port that does, or no TLS"},
	{"remote error: tls", "see that TLS holds a certificate that the server accepts"},
	{"failed to verify certificate", "see that TLS has the server's authority in RootCAs and the name of its certificate"},
	{"the slot has no redis node", "the cluster has no node for some of its slots: see CLUSTER INFO"},
	{rueidis.ErrNoCache.Error(), "the server cannot tell what is out of date: use Redis 6.2 or later, or set CacheTTL to NoCache"},
}

// refused returns the error of [Open] for what the client said.
func refused(err error, cfg Config) error {
	for _, r := range refusals {
		if strings.Contains(err.Error(), r.text) {
			return fmt.Errorf("redis: %w; %s", err, r.advice)
		}
	}
	if _, ok := rueidis.IsRedisErr(err); (ok || errors.As(err, new(refusal))) && !temporary(err) {
		return fmt.Errorf("redis: %w", err)
	}
	why, ended := reason(err, cfg.Timeout), isEnd(err) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	switch {
	case cfg.TLS == nil && (ended || isTimeout(err) || errors.Is(err, errForeign)):
		why = fmt.Errorf("%w; if the port speaks TLS, set TLS", why)
	case cfg.TLS != nil && ended:
		why = fmt.Errorf("%w; if the server wants a certificate, see that TLS holds one that it accepts", why)
	case cfg.TLS != nil && isTimeout(err):
		why = fmt.Errorf("%w; if the port does not speak TLS, give one that does, or no TLS", why)
	}
	return unavailable(why)
}

// temporary reports that a server answers so only for a while.
func temporary(err error) bool {
	for _, code := range []string{"LOADING", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "BUSY", "OOM", "MISCONF", "NOREPLICAS", "max number of clients"} {
		if strings.Contains(err.Error(), code) {
			return true
		}
	}
	return false
}
