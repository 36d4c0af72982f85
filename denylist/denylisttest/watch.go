package denylisttest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// watching runs a watch in the background. Its events come over events, which
// has room for few, so that a test decides how slow the watcher is.
type watching struct {
	events chan denylist.Event
	ended  chan error
	cancel context.CancelFunc
}

// watch starts a watch and waits until it is in force.
func watch(t *testing.T, s denylist.Store) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watching{events: make(chan denylist.Event), ended: make(chan error, 1), cancel: cancel}
	go func() {
		w.ended <- s.Watch(ctx, func(e denylist.Event) {
			select {
			case w.events <- e:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(cancel)
	if e := w.next(t); e.Kind != denylist.EventMissed {
		t.Fatalf("the first event is %+v, want EventMissed", e)
	}
	return w
}

func (w *watching) next(t *testing.T) denylist.Event {
	t.Helper()
	select {
	case e := <-w.events:
		return e
	case err := <-w.ended:
		t.Fatalf("the watch ended: %v", err)
	case <-time.After(testtool.Patience):
		t.Fatal("no event came")
	}
	panic("unreachable")
}

func (w *watching) wantEnd(t *testing.T, want error) {
	t.Helper()
	select {
	case err := <-w.ended:
		if !errors.Is(err, want) {
			t.Errorf("Watch = %v, want %v", err, want)
		}
	case <-time.After(testtool.Patience):
		t.Fatal("the watch did not end")
	}
}

func testWatch(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour).Truncate(time.Second)
	revoke(t, s, denylist.Revocation{TokenID: "before the watch", Until: until})
	one, two := watch(t, s), watch(t, s)
	made := []denylist.Revocation{
		{TokenID: "a", Until: until},
		{Session: "b\x00", Until: until},
		{Subject: "c", IssuedBefore: until.Add(-time.Minute), Until: until},
		{Subject: "d e", IssuedBefore: until.Add(-time.Minute), Except: " f\x00 g", Until: until},
		{TokenID: "for ever"},
	}
	for i := range 100 {
		made = append(made, denylist.Revocation{TokenID: fmt.Sprint(i), Until: until})
	}
	for _, r := range made {
		revoke(t, s, r)
	}
	for _, w := range []*watching{one, two} {
		for _, want := range made {
			e := w.next(t)
			if e.Kind != denylist.EventRevoked || !same(e.Revocation, want) {
				t.Fatalf("the watch tells of %+v, want the revocation %+v", e, want)
			}
		}
	}
	consume(t, s, "k", "v", until, "v", true)
	revoke(t, s, denylist.Revocation{TokenID: "last", Until: until})
	if e := one.next(t); e.Kind != denylist.EventRevoked || e.Revocation.TokenID != "last" {
		t.Errorf("after Consume and Revoke the watch tells of %+v, want the revocation", e)
	}
}

func same(a, b denylist.Revocation) bool {
	return a.TokenID == b.TokenID && a.Session == b.Session && a.Subject == b.Subject && a.Except == b.Except &&
		a.IssuedBefore.Equal(b.IssuedBefore) && a.Until.Equal(b.Until)
}

// testSlowWatcher makes far more records than a watcher takes: no Revoke may
// wait for it, and in the end it has heard of all or that it missed some.
func testSlowWatcher(t *testing.T, h Harness, s denylist.Store) {
	const n = 20_000
	until := h.Now().Add(time.Hour)
	w := watch(t, s)
	together(100, func(i int) { // a durable store keeps what comes together at one cost
		for j := i; j < n; j += 100 {
			if err := s.Revoke(t.Context(), denylist.Revocation{TokenID: fmt.Sprint(j), Until: until}); err != nil {
				t.Errorf("Revoke: %v", err)
				return
			}
		}
	})
	for heard := 0; heard < n; heard++ {
		if w.next(t).Kind == denylist.EventMissed {
			return
		}
	}
}

func testWatchCancelled(t *testing.T, h Harness, s denylist.Store) {
	w := watch(t, s)
	w.cancel()
	w.wantEnd(t, context.Canceled)
	revoke(t, s, denylist.Revocation{TokenID: "a", Until: h.Now().Add(time.Hour)})
}

func testWatchClosed(t *testing.T, h Harness, s denylist.Store) {
	w := watch(t, s)
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	w.wantEnd(t, denylist.ErrClosed)
}
