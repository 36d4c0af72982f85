package live_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// witness notes what an observer is told.
type witness struct {
	mu   sync.Mutex
	seen []live.Event
}

func (w *witness) observe(e live.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, e)
}

func (w *witness) take() []live.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// TestObserver is told what happens to each right, in order, with the claims in force and
// the cause; and the counts agree.
func TestObserver(t *testing.T) {
	t.Parallel()
	var w witness
	keep(t, setting{cfg: live.Config{PerSubject: 1}, opts: []live.Option{live.WithObserver(w.observe)}}, func(k keeping) {
		check := func(r *live.Right, want ...live.Event) {
			k.Helper()
			got := w.take()
			if len(got) != len(want) {
				k.Errorf("told are %v, want %v", got, want)
				return
			}
			for i, e := range got {
				if e.Kind != want[i].Kind || e.Right != r || e.Claims != want[i].Claims || !errors.Is(e.Err, want[i].Err) || e.Err != nil && want[i].Err == nil {
					k.Errorf("event %d is %+v, want %+v", i, e, want[i])
				}
			}
		}
		h := k.openOn(picky, &anHour)
		first := h.Claims()
		check(h.Right, live.Event{Kind: live.EventOpened, Claims: first})
		k.must(h.Renew(k.Context(), k.token(longer())))
		second := h.Claims()
		check(h.Right, live.Event{Kind: live.EventRenewed, Claims: second})
		_ = h.Renew(k.Context(), k.token(anHour))
		check(h.Right, live.Event{Kind: live.EventRenewalRefused, Claims: second, Err: live.ErrOlder})
		_, err := k.tryOpen(nil, k.verify(anHour)) // which who asked for it reports
		checkCode(k.T, err, live.ErrTooMany)
		check(nil)
		k.Report(live.Event{Kind: live.EventRefused, Err: live.ErrTooMany})
		k.Report(live.Event{Kind: live.EventPanicked, Err: live.ErrPanic})
		check(nil, live.Event{Kind: live.EventRefused, Err: live.ErrTooMany}, live.Event{Kind: live.EventPanicked, Err: live.ErrPanic})
		h.End(live.ErrLifetime)
		check(nil)
		if s, want := k.Stats(), (live.Stats{Places: 1, Opened: 1, Refused: 1, Renewed: 1, Panicked: 1}); s != want {
			k.Errorf("stats are %+v, want %+v", s, want)
		}
		h.Release()
		check(h.Right, live.Event{Kind: live.EventEnded, Claims: second, Err: live.ErrLifetime})

		h = k.open(nil)
		h.Release()
		check(h.Right, live.Event{Kind: live.EventOpened}, live.Event{Kind: live.EventEnded, Err: live.ErrClosed})
		if s, want := k.Stats(), (live.Stats{Opened: 2, Ended: 2, Refused: 1, Renewed: 1, Panicked: 1}); s != want {
			k.Errorf("stats are %+v, want %+v", s, want)
		}
	})
}

// ranting is a holder and an observer that panics.
type ranting struct{}

func (ranting) RightEnded(error) { panic("oh dear") }
func (ranting) Cut()             { panic("oh dear") }

// TestPanics of an observer and of holders are logged, and harm no other right.
func TestPanics(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []live.Option
		logs string
	}{
		"observer": {[]live.Option{live.WithObserver(func(live.Event) { panic("oh dear") })}, "observer of rights panicked"},
		"holder":   {nil, "holder of a right panicked"},
	} {
		run(t, name, setting{cfg: live.Config{PerSubject: 2}, opts: test.opts}, func(k keeping) {
			var rights []*live.Right
			for range 2 {
				g := paseto.Grant{Subject: "alice", TTL: time.Minute}
				r, err := k.Open(k.Context(), k.verify(g), nil, ranting{})
				if err != nil {
					k.Fatal(err)
				}
				rights = append(rights, r)
			}
			other := k.of("bob")
			time.Sleep(time.Hour)
			for _, r := range rights {
				if !r.Ended() {
					k.Error("a right goes on")
				}
				r.Release()
			}
			other.checkStays("bob")
			if got := k.log.String(); !strings.Contains(got, test.logs) || !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "oh dear") {
				k.Errorf("log is %q", got)
			}
			if s := k.Stats(); s.Open != 1 || s.Opened != 3 || s.Ended != 2 || s.Panicked != 0 {
				k.Errorf("stats are %+v", s)
			}
		})
	}
}

// TestOpenPanics: a denylist that panics costs no place.
func TestOpenPanics(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		claims := k.verify(lasting("alice"))
		k.store.OnLook(func(context.Context, denylist.Token) (bool, error) { panic("oh dear") })
		func() {
			defer func() {
				if recover() == nil {
					k.Error("the panic goes nowhere")
				}
			}()
			_, _ = k.tryOpen(nil, claims)
		}()
		if s := k.Stats(); s.Places != 0 {
			k.Errorf("stats are %+v", s)
		}
	})
}

// TestRefusalsAreLogged without end, but for those of one subject.
func TestRefusalsAreLogged(t *testing.T) {
	t.Parallel()
	keep(t, setting{cfg: live.Config{RenewInterval: paseto.NoLimit}}, func(k keeping) {
		a, b := k.openOn(picky, &anHour), k.of("bob")
		for range 100 {
			_ = a.Renew(k.Context(), "garbage")
		}
		_ = b.Renew(k.Context(), "garbage")
		lines := slices.DeleteFunc(strings.Split(k.log.String(), "\n"), func(line string) bool { return !strings.Contains(line, "renewal refused") })
		of := func(subject string) (n int) {
			for _, line := range lines {
				if strings.Contains(line, subject) {
					n++
				}
			}
			return n
		}
		if of("alice") != 20 || of("bob") != 1 || !strings.Contains(lines[0], "level=INFO") || !strings.Contains(lines[0], "route=picky") {
			k.Errorf("%d lines are about alice and %d about bob: %q", of("alice"), of("bob"), lines)
		}
	})
}
