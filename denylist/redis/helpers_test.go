package redis_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/denylisttest"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// patience is the longest Timeout that a store takes.
const patience = time.Minute

// harness opens stores by cfg that do not meet, each with a prefix of its own. Their calls may take long, as a thousand at
// a time do on a busy machine, and their clock is moved by hand.
func harness(cfg redis.Config) denylisttest.Harness {
	cfg.Timeout = patience
	clock := testclock.New(time.Now())
	prefixes := make(map[denylist.Store]string)
	open := func(t testing.TB, prefix string) denylist.Store {
		t.Helper()
		cfg := cfg
		cfg.Prefix = prefix
		store, err := redis.Open(t.Context(), cfg, redis.WithClock(clock.Now))
		if err != nil {
			t.Fatal(err)
		}
		prefixes[store] = prefix
		return store
	}
	h := denylisttest.Harness{Now: clock.Now, Advance: clock.Advance}
	h.Open = func(t testing.TB) denylist.Store {
		t.Helper()
		return open(t, t.Name()+":")
	}
	h.Peer = func(t testing.TB, s denylist.Store) denylist.Store {
		t.Helper()
		return open(t, prefixes[s])
	}
	h.Reopen = func(t testing.TB, s denylist.Store) denylist.Store {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		return open(t, prefixes[s])
	}
	return h
}

// openStore opens a store that the test's end closes. Its calls may take long unless the configuration says otherwise: then
// the opening may need a second attempt on a busy machine.
func openStore(t testing.TB, cfg redis.Config, opts ...redis.Option) *redis.Store {
	t.Helper()
	cfg.Timeout = cmp.Or(cfg.Timeout, patience)
	var s *redis.Store
	testtool.Eventually(t, "the store opens", func() bool {
		var err error
		if s, err = redis.Open(t.Context(), cfg, opts...); err != nil && !errors.Is(err, denylist.ErrUnavailable) {
			t.Fatalf("Open: %v", err)
		}
		return err == nil
	})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// hasty is the timeout of stores whose calls are to fail while a server is silent. On a busy machine others fail too:
// what makes these calls tries again.
const hasty = time.Second

// bounded makes a call, which must return whatever the server does.
func bounded(t testing.TB, call func() error) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- call() }()
	return testtool.Await(t, ended, "the call returns")
}

// calls makes one call of every kind with an identifier and returns their errors by the kind.
func calls(t testing.TB, s *redis.Store, id string) map[string]error {
	t.Helper()
	ctx, until := t.Context(), time.Now().Add(time.Hour)
	return map[string]error{
		"Revoke": bounded(t, func() error {
			return s.Revoke(ctx, denylist.Revocation{TokenID: id, Until: until})
		}),
		"Revoked": bounded(t, func() error {
			_, err := s.Revoked(ctx, denylist.Token{ID: id + " of another", Session: id, Subject: id})
			return err
		}),
		"Consume": bounded(t, func() error {
			_, _, err := s.Consume(ctx, id, "value", until)
			return err
		}),
		"Advance": bounded(t, func() error {
			_, _, err := s.Advance(ctx, id+" advances", "", "value", until)
			return err
		}),
	}
}

// works reports whether every kind of call succeeds. Those that do not say that the store is away.
func works(t testing.TB, s *redis.Store, id string) bool {
	t.Helper()
	ok := true
	for name, err := range calls(t, s, id) {
		if err != nil && !errors.Is(err, denylist.ErrUnavailable) {
			t.Errorf("%s: %v, want an error that wraps ErrUnavailable", name, err)
		}
		ok = ok && err == nil
	}
	return ok
}

// wantUnavailable checks that no kind of call succeeds.
func wantUnavailable(t testing.TB, s *redis.Store) {
	t.Helper()
	for name, err := range calls(t, s, "in vain") {
		if !errors.Is(err, denylist.ErrUnavailable) {
			t.Errorf("%s: %v, want an error that wraps ErrUnavailable", name, err)
		}
	}
}

// startWatch reports the events of a watch until the test ends. It is in force.
func startWatch(t testing.TB, s *redis.Store) <-chan denylist.Event {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	events, ended := make(chan denylist.Event), make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Watch(ctx, func(e denylist.Event) {
			select {
			case events <- e:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	awaitEvent(t, events, "the watch is in force", func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
	return events
}

// awaitEvent drops events until the one that is wanted comes.
func awaitEvent(t testing.TB, events <-chan denylist.Event, what string, wanted func(denylist.Event) bool) {
	t.Helper()
	for {
		if wanted(testtool.Await(t, events, what)) {
			return
		}
	}
}

// late reports that a call failed because the server, or this process, did not get to run in time.
func late(err error) bool { return err != nil && strings.Contains(err.Error(), "no answer within") }

func wantRevoked(t testing.TB, s *redis.Store, id string, want bool) {
	t.Helper()
	testtool.Eventually(t, "an answer comes", func() bool {
		got, err := s.Revoked(t.Context(), denylist.Token{ID: id})
		if !late(err) && (err != nil || got != want) {
			t.Fatalf("Revoked(%s) = %t, %v; want %t", id, got, err, want)
		}
		return err == nil
	})
}

func revoke(t testing.TB, s *redis.Store, id string) {
	t.Helper()
	testtool.Eventually(t, "it is recorded", func() bool {
		err := s.Revoke(t.Context(), denylist.Revocation{TokenID: id, Until: time.Now().Add(time.Hour)})
		if err != nil && !late(err) {
			t.Fatalf("Revoke(%s): %v", id, err)
		}
		return err == nil
	})
}
