package wsauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// leasing runs a test in a bubble with two guards that count together.
func leasing(t *testing.T, cfg setup, test func(l *ledger, here, there bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(l), paseto.WithClock(time.Now))
		nodes := [2]bubble{}
		for i := range nodes {
			nodes[i] = newBubble(t, auth, l.relay, cfg, echo, live.WithLeases(l))
		}
		defer func() {
			for _, b := range nodes {
				b.shutDown()
			}
			for _, left := range l.leases() {
				t.Errorf("the lease %v is left behind", left)
			}
		}()
		test(l, nodes[0], nodes[1])
	})
}

// TestLeasesCountTogether refuses on one server whoever has all places on another, for
// as long as he has them.
func TestLeasesCountTogether(t *testing.T) {
	t.Parallel()
	leasing(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 2}}, func(_ *ledger, here, there bubble) {
		one, two := here.join(lasting("alice")), there.join(lasting("alice"))
		bob := there.join(lasting("bob"))
		for range 3 {
			for _, node := range []bubble{here, there} {
				node.join(lasting("alice")).checkEnds(wsauth.CloseTryAgainLater, tooMany, 0, 0)
			}
			time.Sleep(time.Hour) // in which leases end that are not renewed
		}
		one.checkStays("alice, here")
		two.checkStays("alice, there")
		_ = one.ws.Close()
		synctest.Wait()
		there.join(lasting("alice")).checkStays("alice, in the place that came free")
		bob.checkStays("bob")
	})
}

// TestLeasesReplaceTogether closes the oldest connection, on whatever server it is.
func TestLeasesReplaceTogether(t *testing.T) {
	t.Parallel()
	cfg := setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 2, OnExcess: live.ReplaceOldest}}
	leasing(t, cfg, func(l *ledger, here, there bubble) {
		clients := []member{here.join(lasting("alice")), here.join(lasting("alice"))}
		bob := here.join(lasting("bob"))
		for n := range 6 {
			node := here
			if n%3 > 0 {
				node = there
			}
			clients = append(clients, node.join(lasting("alice")))
			clients[0].checkEnds(wsauth.ClosePolicyViolation, replaced, 0, 0)
			clients = clients[1:]
			synctest.Wait()
			if n := len(l.leases()); n != 3 {
				here.Errorf("%d leases are held, want alice's two and bob's", n)
			}
		}
		for _, m := range append(clients, bob) {
			m.checkStays(m.token.Claims.Subject)
		}
	})
}

// TestLostLease ends a connection only if there is no place for it any more.
func TestLostLease(t *testing.T) {
	t.Parallel()
	displaces := func(change func(*denylist.Lease)) func(l *ledger) {
		return func(l *ledger) {
			for _, held := range l.leases() {
				change(&held)
				l.tell(denylist.Event{Kind: denylist.EventDisplaced, Lease: held})
			}
		}
	}
	for _, test := range []struct {
		name   string
		happen func(l *ledger)
		ends   bool
		within time.Duration
	}{
		{"others have the places", func(l *ledger) { l.replaceAll("other") }, true, 30 * time.Second / 3},
		{"others have the places, which nobody told", func(l *ledger) {
			l.replaceAll("other")
			l.tell(denylist.Event{Kind: denylist.EventMissed})
		}, true, 0},
		{"displaced", displaces(func(*denylist.Lease) {}), true, 0},
		{"all are lost, as in a failover", func(l *ledger) { l.replaceAll("") }, false, 0},
		{"store is down for a while", func(l *ledger) {
			l.onCall(func(string) error { return errStoreDown })
			time.Sleep(time.Hour)
			l.onCall(nil)
		}, false, 0},
		{"another's lease is displaced", displaces(func(l *denylist.Lease) { l.Holder = "other:1" }), false, 0},
		{"one of another use is displaced", displaces(func(l *denylist.Lease) { l.Key = "rooms:alice" }), false, 0},
		{"another subject's is displaced", displaces(func(l *denylist.Lease) { l.Key += "x" }), false, 0},
		{"one of a connection before is displaced", displaces(func(l *denylist.Lease) { l.Holder += "x" }), false, 0},
	} {
		for excess, end := range map[live.Excess]wsauth.Closure{
			live.RejectNewest:  {Cause: live.ErrTooMany, Standard: wsauth.CloseTryAgainLater},
			live.ReplaceOldest: {Cause: live.ErrReplaced, Standard: wsauth.ClosePolicyViolation},
		} {
			t.Run(test.name+", "+string(excess), func(t *testing.T) {
				t.Parallel()
				leasing(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 1, OnExcess: excess}}, func(l *ledger, here, _ bubble) {
					alice := here.join(lasting("alice"))
					synctest.Wait()
					test.happen(l)
					if test.ends {
						alice.checkEnds(end.Standard, end.Cause.Message(), 0, max(test.within, time.Second))
						l.replaceAll("")
						return
					}
					time.Sleep(time.Minute)
					alice.checkStays("alice")
					if n := len(l.leases()); n != 1 {
						here.Errorf("%d leases are held, want alice's", n)
					}
				})
			})
		}
	}
}

// TestLeaseRenewedAfterRelease is given back, and not left to end by itself.
func TestLeaseRenewedAfterRelease(t *testing.T) {
	t.Parallel()
	leasing(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 1}}, func(l *ledger, here, there bubble) {
		alice := here.join(lasting("alice"))
		l.onCall(func(call string) error {
			if call == "renew" {
				l.onCall(nil)
				_ = alice.ws.Close()
				synctest.Wait()
				if n := len(l.leases()); n > 0 {
					here.Errorf("%d leases are held by a connection that is gone", n)
				}
			}
			return nil
		})
		time.Sleep(30 * time.Second / 2)
		synctest.Wait()
		there.join(lasting("alice")).checkStays("alice, who came back")
	})
}

// TestLeaseRenewedDuringShutdown is given back as well.
func TestLeaseRenewedDuringShutdown(t *testing.T) {
	t.Parallel()
	leasing(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 1}}, func(l *ledger, here, there bubble) {
		here.join(lasting("alice"))
		l.onCall(func(call string) error {
			if call == "renew" {
				l.onCall(nil)
				go here.shutDown()
				synctest.Wait() // as far as it comes
			}
			return nil
		})
		time.Sleep(30 * time.Second / 2)
		synctest.Wait()
		there.join(lasting("alice")).checkStays("alice, who came back")
	})
}

// TestLeaseRenewedWhileAcquired: the newest connection keeps the place that it was
// given, although there was none when all leases were renewed.
func TestLeaseRenewedWhileAcquired(t *testing.T) {
	t.Parallel()
	cfg := setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 1, OnExcess: live.ReplaceOldest}}
	leasing(t, cfg, func(l *ledger, here, there bubble) {
		oldest := here.join(lasting("alice"))
		synctest.Wait()
		l.onCall(func(call string) error {
			if call == "acquire" {
				l.onCall(nil)
				time.Sleep(30 * time.Second / 2) // a slow store
			}
			return nil
		})
		newest := there.join(lasting("alice"))
		oldest.checkEnds(wsauth.ClosePolicyViolation, replaced, 0, 0)
		newest.checkStays("alice, who came last")
	})
}

// TestClosingConnectionsDoNotCount, on this server or another, however long their
// handlers take.
func TestClosingConnectionsDoNotCount(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		t.Run(map[bool]string{false: "counted alone", true: "counted together"}[shared], func(t *testing.T) {
			t.Parallel()
			var opts []any
			if shared {
				opts = append(opts, live.WithLeases(newLedger(t)))
			}
			release := make(chan struct{})
			s := newStage(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 1}}, func(ctx context.Context, conn *wsauth.Conn) {
				greet(ctx, conn)
				<-release
			}, opts...)
			defer close(release)
			send := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
			for range 3 {
				ws := connect(t, s.srv, send)
				checkMessage(t, ws, "hello")
				_ = ws.Close()
				until(t, "it is being closed", func() bool { return countOf(s.guard, "alice") == 0 })
			}
		})
	}
}

// TestLeasesAreGivenBack on every way out, and at a shutdown.
func TestLeasesAreGivenBack(t *testing.T) {
	t.Parallel()
	for _, way := range waysOut() {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			s, _ := way.walk(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 1}}, live.WithLeases(l))
			until(t, "the lease is given back", func() bool { return len(l.leases()) == 0 })
			send := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
			var ws *websocket.Conn
			until(t, "there is a place", func() bool { // which one that breaks off may yet have for a moment
				ws, _ = dial(t, s.srv, send)
				return ws != nil
			})
			checkMessage(t, ws, "hello")
			if n := len(l.leases()); n != 1 {
				t.Errorf("%d leases are held, want one", n)
			}
			done := shutdown(t.Context(), s.guard)
			checkClosed(t, ws, wsauth.CloseGoingAway, shuttingDown)
			if err := wait(t, done, "Shutdown"); err != nil {
				t.Error(err)
			}
			if n := len(l.leases()); n != 0 {
				t.Errorf("%d leases are held after the shutdown", n)
			}
		})
	}
}

// TestLeaseStoreDown lets in nobody whom it should count, unless the operator wants it
// otherwise.
func TestLeaseStoreDown(t *testing.T) {
	t.Parallel()
	for _, failOpen := range []bool{false, true} {
		t.Run(map[bool]string{false: "fail closed", true: "fail open"}[failOpen], func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			l.onCall(func(string) error { return errStoreDown })
			logger, log := newLogger()
			auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: failOpen}})
			guard := newGuard(t, auth, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 1}}, live.WithLeases(l), logger)
			srv := listen(t, guard.Require(paseto.Requirement{Optional: true}, echo))
			for _, send := range []handshake{none(), bearer(access(t, auth, paseto.Grant{}))} {
				checkEcho(t, connect(t, srv, send), "nobody counts me")
			}
			ws, resp := dial(t, srv, bearer(access(t, auth, paseto.Grant{Subject: "alice"})))
			if failOpen {
				if ws == nil {
					t.Fatalf("the handshake is refused with %s", resp.Status)
				}
				checkEcho(t, ws, "nobody counts me")
			} else {
				if ws != nil {
					t.Fatal("the handshake succeeded")
				}
				checkProblem(t, resp, http.StatusServiceUnavailable, "denylist_unavailable", unavailable)
			}
			if got := log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, errStoreDown.Error()) {
				t.Errorf("log is %q", got)
			}
		})
	}
}

// TestLeasesUnasked where nothing is to be counted.
func TestLeasesUnasked(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.onCall(func(call string) error {
		t.Errorf("asked to %s", call)
		return nil
	})
	s := newStage(t, setup{Config: wsauth.Config{}}, greet, live.WithLeases(l))
	ws := connect(t, s.srv, bearer(access(t, s.auth, paseto.Grant{Subject: "alice"})))
	checkMessage(t, ws, "hello")
	leave(t, ws)
}
