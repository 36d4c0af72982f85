package config_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// memory returns a store that is closed at the end of the test.
func memory(t *testing.T) denylist.Store {
	t.Helper()
	store := denylist.NewMemory()
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// leasing is a store that counts leases, which last until they are given back.
type leasing struct {
	denylist.Store
	mu   sync.Mutex
	held []denylist.Lease
}

func (s *leasing) Acquire(_ context.Context, a denylist.Acquisition) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	others := 0
	for _, other := range s.held {
		if other.Key == a.Lease.Key {
			others++
		}
	}
	if others >= a.Limit {
		return false, nil
	}
	s.held = append(s.held, a.Lease)
	return true, nil
}

func (s *leasing) Renew(context.Context, denylist.Renewal) ([]denylist.Lease, error) {
	return nil, nil
}

func (s *leasing) Release(_ context.Context, leases ...denylist.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = slices.DeleteFunc(s.held, func(l denylist.Lease) bool { return slices.Contains(leases, l) })
	return nil
}

// TestLeases: two programs count the connections of a subject together if their
// store has leases, and else each for itself.
func TestLeases(t *testing.T) {
	t.Parallel()
	twoDoors := func(t *testing.T, store denylist.Store) (one, other door) {
		t.Helper()
		limited := func(c *config.Config) { c.Live.PerSubject = 1 }
		return guarded(t, limited, config.WithStore(store)), guarded(t, limited, config.WithStore(store))
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		one, other := twoDoors(t, memory(t))
		wantOpen(t, one.enter(t, "alice"))
		wantOpen(t, other.enter(t, "alice"))
		wantClosed(t, other.enter(t, "alice"), wsauth.CloseTryAgainLater, live.ErrTooMany)
	})
	t.Run("hidden", func(t *testing.T) {
		t.Parallel()
		one, other := twoDoors(t, hidingStore{&leasing{Store: memory(t)}})
		wantOpen(t, one.enter(t, "alice"))
		wantOpen(t, other.enter(t, "alice"))
	})
	t.Run("shared", func(t *testing.T) {
		t.Parallel()
		one, other := twoDoors(t, clearStore{&leasing{Store: memory(t)}})
		wantOpen(t, one.enter(t, "alice"))
		wantClosed(t, other.enter(t, "alice"), wsauth.CloseTryAgainLater, live.ErrTooMany)
		wantOpen(t, other.enter(t, "bob"))
		one.shut(t)
		wantOpen(t, other.enter(t, "alice"))
	})
}

// failing is a store that can be cut off.
type failing struct {
	denylist.Store
	off atomic.Bool
}

func (s *failing) Revoked(ctx context.Context, token denylist.Token) (bool, error) {
	if s.off.Load() {
		return false, denylist.ErrUnavailable
	}
	return s.Store.Revoked(ctx, token)
}

func TestMaxUnchecked(t *testing.T) {
	t.Parallel()
	store := &failing{Store: memory(t)}
	d := guarded(t, func(c *config.Config) {
		c.Live.RecheckInterval, c.Live.MaxUnchecked = 10*time.Millisecond, time.Millisecond
	}, config.WithStore(store))
	ws := d.enter(t, "alice")
	wantOpen(t, ws)
	store.off.Store(true)
	wantClosed(t, ws, wsauth.CloseTryAgainLater, paseto.ErrUnavailable)
}

type roomKey struct{}

// TestWithConnContext: what the option takes of a handshake is the handler's.
func TestWithConnContext(t *testing.T) {
	t.Parallel()
	remember := func(ctx context.Context, r *http.Request) context.Context {
		return context.WithValue(ctx, roomKey{}, r.Header.Get("Room"))
	}
	for _, test := range []struct {
		name string
		opts []config.Option
		want any
	}{
		{"default", nil, nil},
		{"nil", []config.Option{nil, config.WithConnContext(nil)}, nil},
		{"given", []config.Option{config.WithConnContext(remember)}, "kitchen"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rooms, subjects := make(chan any, 1), make(chan string, 1)
			d := serve(t, open(t, with(func(*config.Config) {}), test.opts...), func(ctx context.Context, _ *wsauth.Conn) {
				rooms <- ctx.Value(roomKey{})
				subjects <- paseto.FromContext(ctx).Subject
			})
			h := d.access(t, "alice")
			h.Set("Room", "kitchen")
			d.wantStatus(t, h, http.StatusSwitchingProtocols)
			if got := testtool.Await(t, rooms, "a room"); got != test.want {
				t.Errorf("the room is %v, want %v", got, test.want)
			}
			if got := testtool.Await(t, subjects, "a subject"); got != "alice" {
				t.Errorf("the subject is %s", got)
			}
		})
	}
}

// TestWithRightObserver follows a refused handshake, and a connection.
func TestWithRightObserver(t *testing.T) {
	t.Parallel()
	events := make(chan live.Event, 10)
	d := guarded(t, func(c *config.Config) { c.WebSocket.Reject = "http" },
		config.WithRightObserver(nil), config.WithRightObserver(func(e live.Event) { events <- e }))
	d.wantStatus(t, nil, http.StatusUnauthorized)
	ws := d.enter(t, "alice")
	wantOpen(t, ws)
	check(t, ws.Close())
	for _, want := range []live.EventKind{live.EventRefused, live.EventOpened, live.EventEnded} {
		e := testtool.Await(t, events, "an event")
		if e.Kind != want {
			t.Fatalf("the event is %s, want %s", e.Kind, want)
		}
		if refused := want == live.EventRefused; refused != errors.Is(e.Err, paseto.ErrNoToken) {
			t.Errorf("%s: the error is %v", e.Kind, e.Err)
		}
	}
}
