package redis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/denylisttest"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// TestMain looks for goroutines left behind. Some of the client's sleep for up to
// five seconds before they find that there is nothing left for them to do.
func TestMain(m *testing.M) {
	const client = "github.com/redis/rueidis."
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(client+"(*call).DelayDo.func1"),
		goleak.IgnoreAnyFunction(client+"(*clusterClient)._refresh.func2"),
		goleak.IgnoreAnyFunction(client+"(*clusterClient).redirectOrNew.func1"),
	)
}

// TestStore runs the contract on a single server.
func TestStore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		cacheTTL time.Duration
	}{
		{"cached", 0},
		{"not cached", redis.NoCache},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			denylisttest.Run(t, harness(redis.Config{Addresses: []string{server.Addr()}, CacheTTL: test.cacheTTL}))
		})
	}
}

// TestApart: stores with different prefixes or databases know nothing of each
// other.
func TestApart(t *testing.T) {
	t.Parallel()
	address := []string{redistest.Start(t).Addr()}
	until := time.Now().Add(time.Hour)
	one := openStore(t, redis.Config{Addresses: address})
	for _, test := range []struct {
		name string
		cfg  redis.Config
	}{
		{"prefix", redis.Config{Addresses: address, Prefix: "other:"}},
		{"database", redis.Config{Addresses: address, Database: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			other := openStore(t, test.cfg)
			events := startWatch(t, other)
			wantRevoked(t, other, "a", false)
			revoke(t, one, "a")
			wantRevoked(t, other, "a", false)
			for _, s := range []*redis.Store{one, other} {
				if _, first, err := s.Consume(t.Context(), "key for "+test.name, "", until); !first || err != nil {
					t.Errorf("Consume = %t, %v; want to be first", first, err)
				}
			}
			revoke(t, other, "b")
			if e := <-events; e.Revocation.TokenID != "b" {
				t.Errorf("the watch tells of %+v, want what the store itself recorded", e)
			}
			wantRevoked(t, one, "b", false)
		})
	}
}

// TestOwnContext: a call that a caller's context ends says so; one that the
// Timeout ends says that the store is unavailable.
func TestOwnContext(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}, Timeout: hasty})
	server.Pause()
	t.Cleanup(server.Resume)

	cancelled := func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		return ctx, cancel
	}
	expired := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), 20*time.Millisecond)
	}
	patient := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), time.Minute)
	}
	for _, test := range []struct {
		name    string
		context func() (context.Context, context.CancelFunc)
		want    error
		not     error
	}{
		{"cancelled", cancelled, context.Canceled, denylist.ErrUnavailable},
		{"expired", expired, context.DeadlineExceeded, denylist.ErrUnavailable},
		{"timeout", patient, denylist.ErrUnavailable, context.DeadlineExceeded},
		{"timeout again", patient, denylist.ErrUnavailable, context.DeadlineExceeded},
	} {
		for name, call := range map[string]func(ctx context.Context) error{
			"Revoke": func(ctx context.Context) error { return store.Revoke(ctx, denylist.Revocation{TokenID: "a"}) },
			"Revoked": func(ctx context.Context) error {
				_, err := store.Revoked(ctx, denylist.Token{ID: "a"})
				return err
			},
			"Consume": func(ctx context.Context) error {
				_, _, err := store.Consume(ctx, "k", "", time.Time{})
				return err
			},
		} {
			t.Run(fmt.Sprint(test.name, " ", name), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := test.context()
				defer cancel()
				err := bounded(t, func() error { return call(ctx) })
				if !errors.Is(err, test.want) || errors.Is(err, test.not) {
					t.Errorf("%s = %v, want %v", name, err, test.want)
				}
			})
		}
	}
}

// TestManyCallersOfASilentServer: however many wait for a server that hangs,
// each comes back, and the next ones do.
func TestManyCallersOfASilentServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}, Timeout: hasty})
	server.Pause()
	ended := make(chan struct{})
	const callers = 2000 // twice as many as the client lets wait
	for i := range callers {
		go func() {
			for range 3 {
				if _, err := store.Revoked(t.Context(), denylist.Token{ID: fmt.Sprint(i)}); !errors.Is(err, denylist.ErrUnavailable) {
					t.Errorf("Revoked: %v, want ErrUnavailable", err)
				}
			}
			ended <- struct{}{}
		}()
	}
	for range callers {
		testtool.Await(t, ended, "all calls return")
	}
	server.Resume()
	testtool.Eventually(t, "the store works again", func() bool { return works(t, store, "x") })
}
