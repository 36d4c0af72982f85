package live_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// leaver is a holder that releases its right when it is told of the end.
type leaver struct {
	right *live.Right
	ends  chan<- ending
	cut   chan<- struct{}
}

// ending is when and how a right ended.
type ending struct {
	at    time.Time
	cause error
}

func (l *leaver) RightEnded(cause error) {
	l.ends <- ending{time.Now(), cause}
	if l.cut == nil {
		go l.right.Release()
	}
}

func (l *leaver) Cut() {
	if l.cut != nil {
		l.cut <- struct{}{}
		go l.right.Release()
	}
}

// crowd opens so many rights whose holders leave when they are told, or when they are cut.
func crowd(k keeping, n int, cut chan<- struct{}) <-chan ending {
	k.Helper()
	ends := make(chan ending, n)
	claims := k.verify(lasting("alice"))
	for range n {
		l := &leaver{ends: ends, cut: cut}
		var err error
		if l.right, err = k.Reserve(k.Context(), nil, l); err != nil {
			k.Fatal(err)
		}
		if err := l.right.Admit(k.Context(), claims); err != nil || !l.right.Start() {
			k.Fatal(err)
		}
	}
	return ends
}

// TestShutdownInBatches ends a few rights at a time, at the rate that is configured, or at
// one with which all are told before the context ends.
func TestShutdownInBatches(t *testing.T) {
	t.Parallel()
	const pause, jitter = 100 * time.Millisecond, 50 * time.Millisecond
	for _, test := range []struct {
		name     string
		rights   int
		rate     int
		deadline time.Duration
		batch    int
	}{
		{"default rate", 250, 0, 0, 100},
		{"slow", 300, 100, 0, 10},
		{"one at a time", 12, 1, 0, 1},
		{"in no haste", 12, 10, time.Hour, 1},
		{"all in one batch", 50, 500, 0, 50},
		{"a deadline that makes haste", 100, 10, time.Second, 20},
		{"a deadline that leaves no time", 100, 10, time.Millisecond, 100},
		{"none", 0, 0, 0, 1},
	} {
		run(t, test.name, setting{cfg: live.Config{ShutdownRate: test.rate}}, func(k keeping) {
			all := crowd(k, test.rights, nil)
			ctx, cancel := context.WithCancel(k.Context())
			if test.deadline > 0 {
				ctx, cancel = context.WithTimeout(k.Context(), test.deadline)
			}
			defer cancel()
			began := time.Now()
			if err := k.Shutdown(ctx); err != nil {
				k.Errorf("Shutdown = %v", err)
			}
			var ends []ending
			for range test.rights {
				ends = append(ends, <-all)
			}
			slices.SortFunc(ends, func(a, b ending) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
			var pauses []time.Duration
			for i, end := range ends {
				if !errors.Is(end.cause, live.ErrShutdown) || i == 0 && !end.at.Equal(began) {
					k.Errorf("right %d ended with %v after %s", i, end.cause, end.at.Sub(began))
				}
				if i%test.batch > 0 && !end.at.Equal(ends[i-1].at) {
					k.Errorf("right %d ended %s after the one before, want batches of %d", i, end.at.Sub(ends[i-1].at), test.batch)
				}
				if i > 0 && i%test.batch == 0 {
					pauses = append(pauses, end.at.Sub(ends[i-1].at))
				}
			}
			slices.Sort(pauses)
			if n := len(pauses); n > 0 && (pauses[0] < pause-jitter || pauses[n-1] > pause+jitter) || n > 5 && pauses[0] == pauses[n-1] {
				k.Errorf("the times between two batches are %v, want different ones from %s to %s", pauses, pause-jitter, pause+jitter)
			}
			if s := k.Stats(); s.Open != 0 || s.Places != 0 || s.Ended != uint64(test.rights) {
				k.Errorf("stats are %+v", s)
			}
		})
	}
}

// TestShutdownWithoutTime ends the rights at once, and cuts those who do not leave.
func TestShutdownWithoutTime(t *testing.T) {
	t.Parallel()
	const rights = 500
	for _, begun := range []bool{false, true} {
		run(t, map[bool]string{false: "context has ended before", true: "context ends meanwhile"}[begun], setting{}, func(k keeping) {
			cut := make(chan struct{}, rights)
			all := crowd(k, rights, cut)
			ctx, cancel := context.WithCancel(k.Context())
			if begun {
				time.AfterFunc(time.Hour, cancel)
			} else {
				cancel()
			}
			began := time.Now()
			if err := k.Shutdown(ctx); !errors.Is(err, context.Canceled) {
				k.Errorf("Shutdown = %v, want the context's error", err)
			}
			if took := time.Since(began); (took > 0) != begun {
				k.Errorf("Shutdown took %s", took)
			}
			for range rights {
				<-cut
				if end := <-all; !errors.Is(end.cause, live.ErrShutdown) {
					k.Errorf("a right ended with %v", end.cause)
				}
			}
			if err := k.Shutdown(k.Context()); err != nil {
				k.Errorf("the second Shutdown = %v", err)
			}
		})
	}
}

// TestShutdownRefuses what comes when it has begun, and has nothing left running when it
// returns, twice or not.
func TestShutdownRefuses(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		watched := false
		k.store.OnWatch(func(ctx context.Context, _ func(denylist.Event)) error {
			watched = true
			<-ctx.Done()
			time.Sleep(time.Second)
			watched = false
			return ctx.Err()
		})
		a := k.of("alice")
		early, err := k.Reserve(k.Context(), nil, nil)
		if err != nil {
			k.Fatal(err)
		}
		synctest.Wait()
		select {
		case <-k.Done():
			k.Error("Done is closed before the shutdown")
		default:
		}
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- k.Shutdown(k.Context()) }()
		}
		<-k.Done()
		_, err = k.tryOpen(nil, nil)
		checkCode(k.T, err, live.ErrShutdown)
		time.Sleep(time.Second)
		checkCode(k.T, early.Admit(k.Context(), k.verify(lasting("bob"))), live.ErrShutdown)
		if early.Start() {
			k.Error("a right is opened during a shutdown")
		}
		early.Release()
		if len(done) > 0 {
			k.Error("Shutdown returns before all is released")
		}
		a.checkEnds(live.ErrShutdown, 0, 0)
		for range 2 {
			if err := <-done; err != nil || watched {
				k.Errorf("Shutdown = %v, and the denylist is watched: %t", err, watched)
			}
		}
	})
}

// TestShutdownAgainstOpening forgets nobody: each right is refused or told.
func TestShutdownAgainstOpening(t *testing.T) {
	t.Parallel()
	const callers = 16
	keep(t, setting{cfg: live.Config{ShutdownRate: 1_000_000}}, func(k keeping) {
		claims := k.verify(lasting("alice"))
		var group sync.WaitGroup
		enough := make(chan struct{}, callers)
		for range callers {
			group.Go(func() {
				for n := 0; ; n++ {
					h, err := k.tryOpen(nil, claims)
					if err != nil {
						checkCode(k.T, err, live.ErrShutdown)
						return
					}
					group.Go(func() {
						<-h.Context().Done()
						if cause := <-h.told; !errors.Is(cause, live.ErrShutdown) {
							k.Errorf("a right ended with %v", cause)
						}
						h.Release()
					})
					if n == 20 {
						enough <- struct{}{}
					}
				}
			})
		}
		<-enough
		k.must(k.Shutdown(k.Context()))
		group.Wait()
		if s := k.Stats(); s.Places != 0 || s.Open != 0 || s.Opened != s.Ended {
			k.Errorf("stats are %+v", s)
		}
	})
}

// server is a [live.Server].
type server struct {
	shutdown func(ctx context.Context) error
	closed   bool
}

func (s *server) Shutdown(ctx context.Context) error { return s.shutdown(ctx) }
func (s *server) Close() error                       { s.closed = true; return errDown }

// TestShutdownOfServers at the same time: neither waits for the other.
func TestShutdownOfServers(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		a := k.of("alice")
		slow := &server{shutdown: func(context.Context) error { time.Sleep(time.Hour); return nil }}
		stuck := &server{shutdown: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		broken := &server{shutdown: func(context.Context) error { panic("oh dear") }}
		ctx, cancel := context.WithTimeout(k.Context(), 2*time.Hour)
		defer cancel()
		done := make(chan error, 1)
		began := time.Now()
		go func() { done <- k.Shutdown(ctx, slow, nil, stuck, broken) }()
		a.checkEnds(live.ErrShutdown, 0, 0)
		err := <-done
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "oh dear") || time.Since(began) != 2*time.Hour {
			k.Errorf("Shutdown = %v after %s, want the context's error and the panic", err, time.Since(began))
		}
		if slow.closed || !stuck.closed {
			k.Errorf("closed is the slow server: %t, and the stuck one: %t", slow.closed, stuck.closed)
		}
	})
}

// TestShutdownNamesHandlers that have not returned, the oldest first and not too many.
func TestShutdownNamesHandlers(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		gone, cancel := context.WithCancel(k.Context())
		cancel()
		var rights []held
		for n := range 24 {
			g := lasting(fmt.Sprintf("subject\n%02d", n))
			rights = append(rights, k.openOn(&live.Route{Name: "GET /events"}, &g))
			time.Sleep(time.Second)
		}
		k.openOn(door, nil)
		rights[3].Returned()
		rights[4].Release()
		pending, err := k.Reserve(k.Context(), nil, nil) // is waited for, and has no handler
		if err != nil {
			k.Fatal(err)
		}
		defer pending.Release()
		_ = k.Shutdown(gone)
		got := k.log.String()
		if strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=WARN") || !strings.Contains(got, "handlers=23") || !strings.Contains(got, "not_named=3") {
			k.Errorf("log is %s", got)
		}
		if !strings.Contains(got, "GET /events of") || !strings.Contains(got, "open for 24s") || strings.Index(got, "00") > strings.Index(got, "n01") {
			k.Errorf("log is %s", got)
		}
		for _, not := range []string{"n03", "n04", "n22"} {
			if strings.Contains(got, not) {
				k.Errorf("log names %s: %s", not, got)
			}
		}
		for r := range k.Rights() {
			k.Errorf("%v is open", r.Claims())
		}
	})
}
