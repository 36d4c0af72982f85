package wsauth_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// ending is when and how a client's connection ended.
type ending struct {
	at  time.Duration
	err error
}

// crowded opens so many connections in a bubble, and shuts their guard down. It
// returns their ends in order, and when and with what Shutdown returned.
func crowded(t *testing.T, connections int, cfg setup, ctx func() (context.Context, context.CancelFunc)) (ends []ending, returned ending) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := newRelay(t)
		auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store), paseto.WithClock(time.Now))
		b := newBubble(t, auth, store, cfg, func(ctx context.Context, conn *wsauth.Conn) { _ = readUntilError(ctx, conn) })
		all := make(chan ending, connections)
		send := bearer(access(t, auth, paseto.Grant{Subject: "alice"}))
		began := time.Now()
		for range connections {
			ws := b.dial(send)
			go func() {
				err := endOf(ws)
				all <- ending{time.Since(began), err}
			}()
		}
		synctest.Wait()
		until, cancel := ctx()
		defer cancel()
		err := b.guard.Shutdown(until)
		returned = ending{time.Since(began), err}
		if n := b.guard.Stats().Connections; err == nil && n > 0 {
			t.Errorf("%d connections are open after Shutdown", n)
		}
		for range connections {
			ends = append(ends, <-all)
		}
	})
	slices.SortFunc(ends, func(a, b ending) int { return cmp.Compare(a.at, b.at) })
	return ends, returned
}

// within returns a context that ends so much later, and never if that is zero.
func within(d time.Duration) func() (context.Context, context.CancelFunc) {
	return func() (context.Context, context.CancelFunc) {
		if d == 0 {
			return context.WithCancel(context.Background())
		}
		return context.WithTimeout(context.Background(), d)
	}
}

// TestShutdownInBatches closes a few connections at a time, at the rate that is
// configured, or at one with which all are told before the context ends.
func TestShutdownInBatches(t *testing.T) {
	t.Parallel()
	const pause, jitter = 100 * time.Millisecond, 50 * time.Millisecond
	for _, test := range []struct {
		name        string
		connections int
		rate        int
		deadline    time.Duration
		batch       int
	}{
		{"default rate", 250, 0, 0, 100},
		{"slow", 300, 100, 0, 10},
		{"one at a time", 12, 10, 0, 1},
		{"in no haste", 12, 10, time.Hour, 1},
		{"all in one batch", 50, 500, 0, 50},
		{"a deadline that makes haste", 100, 10, time.Second, 20},
		{"a deadline that leaves no time", 100, 10, time.Millisecond, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ends, returned := crowded(t, test.connections, setup{Config: wsauth.Config{}, live: live.Config{ShutdownRate: test.rate}}, within(test.deadline))
			if last := ends[len(ends)-1].at; returned.err != nil || returned.at < last {
				t.Errorf("Shutdown returned %v after %s; the last connection ended after %s", returned.err, returned.at, last)
			}
			var pauses []time.Duration
			for i, end := range ends {
				if !isClose(end.err, wsauth.CloseGoingAway, shuttingDown) {
					t.Errorf("a connection ended with %v", end.err)
				}
				if i%test.batch > 0 && end.at != ends[i-1].at {
					t.Errorf("connection %d ended %s after the one before, want batches of %d", i, end.at-ends[i-1].at, test.batch)
				}
				if i > 0 && i%test.batch == 0 {
					pauses = append(pauses, end.at-ends[i-1].at)
				}
			}
			for _, p := range pauses {
				if p < pause-jitter || p > pause+jitter {
					t.Errorf("the time between two batches is %s, want %s to %s", p, pause-jitter, pause+jitter)
				}
			}
			slices.Sort(pauses)
			if len(pauses) > 5 && pauses[0] == pauses[len(pauses)-1] {
				t.Errorf("all pauses are %s", pauses[0])
			}
		})
	}
}

// TestShutdownCode tells clients whether the server will be back.
func TestShutdownCode(t *testing.T) {
	t.Parallel()
	for _, code := range []wsauth.CloseCode{0, wsauth.CloseGoingAway, wsauth.CloseServiceRestart} {
		for _, codes := range []wsauth.CloseCodes{wsauth.StandardCodes, wsauth.PrivateCodes} {
			t.Run(fmt.Sprint(code, codes), func(t *testing.T) {
				t.Parallel()
				ends, _ := crowded(t, 1, setup{Config: wsauth.Config{ShutdownCode: code, CloseCodes: codes}}, within(0))
				if !isClose(ends[0].err, cmp.Or(code, wsauth.CloseGoingAway), shuttingDown) {
					t.Errorf("the connection ended with %v", ends[0].err)
				}
			})
		}
	}
}

// TestShutdownWithoutTime ends the connections and all that the guard has running, as
// the end of the bubble proves, and says that they were not given their time.
func TestShutdownWithoutTime(t *testing.T) {
	t.Parallel()
	for _, connections := range []int{1, 500} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			t.Parallel()
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			ends, returned := crowded(t, connections, setup{Config: wsauth.Config{}}, func() (context.Context, context.CancelFunc) { return ended, cancel })
			if !errors.Is(returned.err, context.Canceled) || returned.at != 0 {
				t.Errorf("Shutdown returned %v after %s, want the context's error at once", returned.err, returned.at)
			}
			if last := ends[len(ends)-1].at; last > 0 {
				t.Errorf("the last connection ended after %s", last)
			}
		})
	}
}

// TestShutdownWaitsForTheWatch, so that a program may close its denylist right
// afterwards.
func TestShutdownWaitsForTheWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, ended := newRelay(t), false
		store.watch = func(ctx context.Context, _ func(denylist.Event)) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
			return ctx.Err()
		}
		auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store), paseto.WithClock(time.Now))
		b := newBubble(t, auth, store, setup{Config: wsauth.Config{}}, echo)
		b.join(lasting("alice")).checkStays("alice")
		b.shutDown()
		if !ended {
			t.Error("the denylist is still watched after Shutdown")
		}
	})
}

// TestShutdownTwice returns from both when all are gone, and has nothing to do the
// third time.
func TestShutdownTwice(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	auth := newAuthorizer(t, paseto.Config{})
	guard := closable(t, auth, setup{Config: wsauth.Config{}})
	srv := listen(t, guard.Require(paseto.Requirement{Optional: true}, func(ctx context.Context, conn *wsauth.Conn) {
		greet(ctx, conn)
		<-release
	}))
	ws := connect(t, srv, none())
	checkMessage(t, ws, "hello")
	one, two := shutdown(t.Context(), guard), shutdown(t.Context(), guard)
	checkClosed(t, ws, wsauth.CloseGoingAway, shuttingDown)
	select {
	case err := <-one:
		t.Errorf("the first Shutdown returned %v while a handler was running", err)
	case err := <-two:
		t.Errorf("the second Shutdown returned %v while a handler was running", err)
	default:
	}
	close(release)
	for _, done := range []<-chan error{one, two, shutdown(t.Context(), guard)} {
		if err := wait(t, done, "Shutdown"); err != nil {
			t.Error(err)
		}
	}
}

// TestShutdownAgainstHandshakes lets nobody in who would be forgotten: each client is
// refused, or told of the shutdown.
func TestShutdownAgainstHandshakes(t *testing.T) {
	t.Parallel()
	const clients, before = 16, 50
	auth := newAuthorizer(t, paseto.Config{})
	guard := closable(t, auth, setup{Config: wsauth.Config{}})
	srv := listen(t, guard.Require(paseto.Requirement{}, echo))
	send := bearer(access(t, auth, paseto.Grant{Subject: "alice"}))
	ctx := t.Context()
	var opened atomic.Int32
	enough := make(chan struct{})
	var dialers, readers sync.WaitGroup
	for range clients {
		dialers.Go(func() {
			for {
				ws, status, err := tryDial(ctx, srv, send)
				if ws == nil {
					if err != nil || status != http.StatusServiceUnavailable {
						t.Errorf("the handshake is answered with status %d, error %v", status, err)
					}
					return
				}
				if opened.Add(1) == before {
					close(enough)
				}
				readers.Go(func() {
					defer ws.Close()
					if err := endOf(ws); !isClose(err, wsauth.CloseGoingAway, shuttingDown) {
						t.Errorf("a connection ended with %v", err)
					}
				})
			}
		})
	}
	wait(t, enough, "connections")
	if err := guard.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if got := guard.Stats(); got != (wsauth.Stats{}) {
		t.Errorf("Stats are %+v after the shutdown", got)
	}
	dialers.Wait()
	readers.Wait()
}
