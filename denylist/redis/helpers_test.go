package redis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/denylisttest"
	"github.com/pasetokit/pasetokit/denylist/redis"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// eventually fails the test unless ok holds within patience.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}

// harness opens stores by cfg that do not meet, each with a prefix of its own. Their calls may take long: a thousand at a
// time do on a busy machine.
func harness(cfg redis.Config) denylisttest.Harness {
	cfg.Timeout = patience
	prefixes := make(map[denylist.Store]string)
	open := func(t testing.TB, prefix string) denylist.Store {
		t.Helper()
		cfg := cfg
		cfg.Prefix = prefix
		store, err := redis.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		prefixes[store] = prefix
		return store
	}
	var h denylisttest.Harness
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

// openStore opens a store that the test's end closes. A short timeout may need a second attempt on a busy machine.
func openStore(t testing.TB, cfg redis.Config, opts ...redis.Option) *redis.Store {
	t.Helper()
	var s *redis.Store
	eventually(t, "the store opens", func() bool {
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

// slack is what a call may take beyond its timeout on a machine that is busy with other tests.
const slack = 3 * time.Second

// bounded makes a call, which must not take much longer than the timeout of its store.
func bounded(t testing.TB, timeout time.Duration, call func() error) error {
	t.Helper()
	begun := time.Now()
	err := call()
	if took := time.Since(begun); took > timeout+slack {
		t.Errorf("a call with a timeout of %s took %s", timeout, took)
	}
	return err
}

// calls makes one call of every kind with an identifier and returns their errors by the kind.
func calls(t testing.TB, s *redis.Store, timeout time.Duration, id string) map[string]error {
	t.Helper()
	ctx, until := t.Context(), time.Now().Add(time.Hour)
	return map[string]error{
		"Revoke": bounded(t, timeout, func() error {
			return s.Revoke(ctx, denylist.Revocation{TokenID: id, Until: until})
		}),
		"Revoked": bounded(t, timeout, func() error {
			_, err := s.Revoked(ctx, denylist.Token{ID: id + " of another", Session: id, Subject: id})
			return err
		}),
		"Consume": bounded(t, timeout, func() error {
			_, _, err := s.Consume(ctx, id, "value", until)
			return err
		}),
	}
}

// works reports whether every kind of call succeeds. Those that do not say that the store is away.
func works(t testing.TB, s *redis.Store, id string) bool {
	t.Helper()
	ok := true
	for name, err := range calls(t, s, redis.DefaultTimeout, id) {
		if err != nil && !errors.Is(err, denylist.ErrUnavailable) {
			t.Errorf("%s: %v, want an error that wraps ErrUnavailable", name, err)
		}
		ok = ok && err == nil
	}
	return ok
}

// wantUnavailable checks that no kind of call succeeds, and that none takes long.
func wantUnavailable(t testing.TB, s *redis.Store, timeout time.Duration) {
	t.Helper()
	for name, err := range calls(t, s, timeout, "in vain") {
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
	awaitEvent(t, events, "the watch is in force", func(e denylist.Event) bool { return e.Missed })
	return events
}

// awaitEvent drops events until the one that is wanted comes.
func awaitEvent(t testing.TB, events <-chan denylist.Event, what string, wanted func(denylist.Event) bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case e := <-events:
			if wanted(e) {
				return
			}
		case <-timeout:
			t.Fatalf("no such event: %s", what)
		}
	}
}

func wantRevoked(t testing.TB, s *redis.Store, id string, want bool) {
	t.Helper()
	got, err := s.Revoked(t.Context(), denylist.Token{ID: id})
	if err != nil || got != want {
		t.Fatalf("Revoked(%s) = %t, %v; want %t", id, got, err, want)
	}
}

func revoke(t testing.TB, s *redis.Store, id string) {
	t.Helper()
	if err := s.Revoke(t.Context(), denylist.Revocation{TokenID: id, Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatalf("Revoke(%s): %v", id, err)
	}
}
