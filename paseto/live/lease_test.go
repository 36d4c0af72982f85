package live_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// shared counts a subject's rights over both keepers.
func shared(limit int, excess live.Excess) setting {
	return setting{cfg: live.Config{PerSubject: limit, OnExcess: excess}, leases: true}
}

// TestLostLease ends a right only if there is no place for it any more.
func TestLostLease(t *testing.T) {
	t.Parallel()
	displaces := func(change func(*denylist.Lease)) func(s *testdenylist.Store) {
		return func(s *testdenylist.Store) {
			for _, held := range s.Leases() {
				change(&held)
				s.Tell(denylist.Event{Kind: denylist.EventDisplaced, Lease: held})
			}
		}
	}
	for _, test := range []struct {
		name   string
		happen func(s *testdenylist.Store)
		ends   bool
		within time.Duration
	}{
		{"others have the places", func(s *testdenylist.Store) { s.ReplaceAll("other") }, true, 30 * time.Second / 3},
		{"others have the places, and there is a gap", func(s *testdenylist.Store) {
			s.ReplaceAll("other")
			s.Tell(denylist.Event{Kind: denylist.EventMissed})
		}, true, time.Second},
		{"displaced", displaces(func(*denylist.Lease) {}), true, 0},
		{"all are lost, as in a failover", func(s *testdenylist.Store) { s.ReplaceAll("") }, false, 0},
		{"store is down for a while", func(s *testdenylist.Store) {
			s.OnCall(func(string) error { return errDown })
			time.Sleep(time.Hour)
			s.OnCall(nil)
		}, false, 0},
		{"another's lease is displaced", displaces(func(l *denylist.Lease) { l.Holder = "other:1" }), false, 0},
		{"one of another use is displaced", displaces(func(l *denylist.Lease) { l.Key = "rooms:alice" }), false, 0},
		{"another subject's is displaced", displaces(func(l *denylist.Lease) { l.Key += "x" }), false, 0},
		{"one of a right before is displaced", displaces(func(l *denylist.Lease) { l.Holder += "x" }), false, 0},
	} {
		for excess, cause := range map[live.Excess]paseto.Code{live.RejectNewest: live.ErrTooMany, live.ReplaceOldest: live.ErrReplaced} {
			run(t, test.name+", "+string(excess), shared(1, excess), func(k keeping) {
				a := k.of("alice")
				synctest.Wait()
				test.happen(k.store)
				if test.ends {
					a.checkEnds(cause, 0, test.within)
					k.store.ReplaceAll("")
					return
				}
				time.Sleep(time.Minute)
				a.checkStays("alice")
				if n := len(k.store.Leases()); n != 1 {
					k.Errorf("%d leases are held, want alice's", n)
				}
			})
		}
	}
}

// TestLeaseRenewedMeanwhile: a right that ends, or a keeper that is shut down, while all
// leases are renewed gives its own back, and does not leave it to end by itself.
func TestLeaseRenewedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(k keeping, a held){
		"released": func(_ keeping, a held) { a.Release() },
		"shutdown": func(k keeping, a held) {
			go func() {
				if cause := <-a.told; !errors.Is(cause, live.ErrShutdown) {
					k.Errorf("the right ended with %v", cause)
				}
				a.Release()
			}()
			go func() { _ = k.Shutdown(context.Background()) }()
		},
	} {
		runTwo(t, name, shared(1, live.RejectNewest), func(here, there keeping) {
			a := here.of("alice")
			here.store.OnCall(func(call string) error {
				if call == "renew" {
					here.store.OnCall(nil)
					end(here, a)
					synctest.Wait() // as far as it comes
				}
				return nil
			})
			time.Sleep(30 * time.Second / 2)
			there.of("alice").checkStays("alice, who came back")
		})
	}
}

// TestLeaseAcquiredSlowly: the newest right keeps the place that it was given, although
// there was none when all leases were renewed.
func TestLeaseAcquiredSlowly(t *testing.T) {
	t.Parallel()
	keepTwo(t, shared(1, live.ReplaceOldest), func(here, there keeping) {
		oldest := here.of("alice")
		synctest.Wait()
		here.store.OnCall(func(call string) error {
			if call == "acquire" {
				here.store.OnCall(nil)
				time.Sleep(30 * time.Second / 2)
			}
			return nil
		})
		newest := there.of("alice")
		oldest.checkEnds(live.ErrReplaced, 0, 0)
		newest.checkStays("alice, who came last")
	})
}

// TestLeasesAreGivenBack on every way out; keep checks that none is left behind.
func TestLeasesAreGivenBack(t *testing.T) {
	t.Parallel()
	lost := errors.New("the answer is lost")
	for _, test := range []struct {
		name string
		way  func(k keeping, claims *paseto.Claims)
	}{
		{"released", func(k keeping, _ *paseto.Claims) { k.of("alice").Release() }},
		{"ended", func(k keeping, _ *paseto.Claims) { k.of("alice").End(live.ErrPanic) }},
		{"given up", func(k keeping, _ *paseto.Claims) { k.of("alice").GiveUp(live.ErrPanic) }},
		{"revoked", func(k keeping, _ *paseto.Claims) {
			k.must(k.auth.RevokeSubject(k.Context(), "alice", k.of("alice").Claims().IssuedAt))
			time.Sleep(time.Second) // so that the next token is of another second
		}},
		{"expired", func(k keeping, _ *paseto.Claims) {
			g := paseto.Grant{Subject: "alice", TTL: time.Minute}
			k.open(&g)
			time.Sleep(time.Hour)
		}},
		{"ended while it is acquired", func(k keeping, claims *paseto.Claims) {
			var pending *live.Right
			k.store.OnCall(func(call string) error {
				if call == "acquire" {
					k.store.OnCall(nil)
					pending.End(live.ErrPanic)
					synctest.Wait()
				}
				return nil
			})
			pending, _ = k.Reserve(k.Context(), nil, nil)
			if err := pending.Admit(k.Context(), claims); !errors.Is(err, live.ErrPanic) {
				k.Errorf("Admit = %v", err)
			}
			synctest.Wait()
			if n := len(k.store.Leases()); n > 1 { // although it is not released
				k.Errorf("%d leases are held, want bob's", n)
			}
			pending.Release()
		}},
		{"released while it is acquired", func(k keeping, claims *paseto.Claims) {
			pending, err := k.Reserve(k.Context(), nil, nil)
			k.must(err)
			k.store.OnCall(func(call string) error {
				if call == "acquire" {
					k.store.OnCall(nil)
					pending.Release()
					synctest.Wait() // given back before there is something
				}
				return nil
			})
			if err := pending.Admit(k.Context(), claims); !errors.Is(err, live.ErrClosed) {
				k.Errorf("Admit = %v, want the cause", err)
			}
		}},
		{"the answer is lost", func(k keeping, claims *paseto.Claims) {
			k.store.OnAnswer(func() error { return lost })
			_, err := k.tryOpen(nil, claims)
			checkCode(k.T, err, paseto.ErrUnavailable)
			k.store.OnAnswer(nil)
		}},
		{"the caller has gone", func(k keeping, claims *paseto.Claims) {
			ctx, cancel := context.WithCancel(k.Context())
			k.store.OnAnswer(func() error { cancel(); return ctx.Err() })
			if _, err := k.Open(ctx, claims, nil, nil); !errors.Is(err, context.Canceled) {
				k.Errorf("Open = %v, want the context's error", err)
			}
			k.store.OnAnswer(nil)
		}},
	} {
		run(t, test.name, shared(1, live.RejectNewest), func(k keeping) {
			k.of("bob")
			test.way(k, k.verify(lasting("alice")))
			synctest.Wait()
			if n := len(k.store.Leases()); n != 1 {
				k.Errorf("%d leases are held, want bob's", n)
			}
			k.of("alice").checkStays("alice, who came back")
		})
	}
}

// TestLeaseStoreDown lets in nobody whom it should count, unless the operator wants it
// otherwise.
func TestLeaseStoreDown(t *testing.T) {
	t.Parallel()
	for _, failOpen := range []bool{false, true} {
		with := shared(1, live.RejectNewest)
		with.tokens.Denylist.FailOpen = failOpen
		run(t, map[bool]string{false: "fail closed", true: "fail open"}[failOpen], with, func(k keeping) {
			k.store.OnCall(func(string) error { return errDown })
			k.open(nil).checkStays("nobody")
			k.open(&paseto.Grant{}).checkStays("somebody")
			for range 2 {
				a, err := k.tryOpen(nil, k.verify(lasting("alice")))
				if failOpen {
					if err != nil {
						k.Fatal(err)
					}
					a.checkStays("alice")
					continue
				}
				checkCode(k.T, err, paseto.ErrUnavailable)
			}
			time.Sleep(30 * time.Second)
			if got := k.log.String(); !strings.Contains(got, errDown.Error()) || failOpen && !strings.Contains(got, "level=ERROR") {
				k.Errorf("log is %q", got)
			}
		})
	}
}

// TestSubjectTooLongToCount is the token's fault, not the store's.
func TestSubjectTooLongToCount(t *testing.T) {
	t.Parallel()
	keep(t, shared(1, live.RejectNewest), func(k keeping) {
		claims := *k.verify(lasting("alice"))
		claims.Subject = strings.Repeat("x", denylist.MaxID)
		_, err := k.tryOpen(nil, &claims)
		checkCode(k.T, err, paseto.ErrClaims)
	})
}

// TestLeasesUnasked where nothing is to be counted.
func TestLeasesUnasked(t *testing.T) {
	t.Parallel()
	keep(t, setting{leases: true}, func(k keeping) {
		k.store.OnCall(func(call string) error {
			k.Errorf("asked to %s", call)
			return nil
		})
		k.of("alice").Release()
		time.Sleep(time.Minute)
		k.store.OnCall(nil)
	})
}

// TestReleaseThatHangs holds up a shutdown no longer than it may, and is tried again.
func TestReleaseThatHangs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		hangs bool          // the second time too
		has   time.Duration // the shutdown
		most  time.Duration
	}{
		{"once", false, time.Hour, 0},
		{"once, without time", false, 0, 0},
		{"for ever", true, time.Hour, 30 * time.Second},
		{"for ever, with little time", true, 5 * time.Second, 6 * time.Second},
		{"for ever, without time", true, 0, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKeeping(t, shared(1, live.RejectNewest), testdenylist.New(t))
				var calls atomic.Int32
				released := make(chan struct{}, 2)
				k.store.OnRelease(func(ctx context.Context) {
					if calls.Add(1) == 1 || test.hangs {
						released <- struct{}{}
						<-ctx.Done()
					}
				})
				k.of("alice").Release()
				<-released
				ctx, cancel := context.WithTimeout(t.Context(), test.has)
				defer cancel()
				began := time.Now()
				_ = k.Shutdown(ctx)
				if took := time.Since(began); took > test.most {
					t.Errorf("the shutdown took %s, want %s at most", took, test.most)
				}
				if n := len(k.store.Leases()); (n > 0) != test.hangs {
					t.Errorf("%d leases are left behind", n)
				}
			})
		})
	}
}

// Wrappers of a store: one hides what that offers besides, and one does not.
type (
	hidingStore struct{ denylist.Store }
	clearStore  struct{ denylist.Store }
	sharedStore struct{ denylist.Store }
)

func (c clearStore) Unwrap() denylist.Store { return c.Store }

func (sharedStore) Shared() bool { return true }

// TestLeasesOfTheDenylist are taken by themselves, also out of a wrapper that lets them be
// seen. Where a limit counts in this process alone, and more may be meant, the log says so.
func TestLeasesOfTheDenylist(t *testing.T) {
	t.Parallel()
	const none, hidden, apart = "", "store=live_test.hidingStore", "store=live_test.sharedStore"
	alone := []live.Option{live.WithLeases(nil)}
	memory := func(s *testdenylist.Store) denylist.Store { return s.Store }
	for _, test := range []struct {
		name   string
		store  func(s *testdenylist.Store) denylist.Store
		limit  int
		opts   []live.Option
		leased bool
		warns  string
	}{
		{"leases", func(s *testdenylist.Store) denylist.Store { return s }, 3, nil, true, none},
		{"wrapped", func(s *testdenylist.Store) denylist.Store { return clearStore{clearStore{s}} }, 3, nil, true, none},
		{"hidden", func(s *testdenylist.Store) denylist.Store { return hidingStore{s} }, 3, nil, false, hidden},
		{"hidden, and nothing is limited", func(s *testdenylist.Store) denylist.Store { return hidingStore{s} }, 0, nil, false, none},
		{"not wanted", func(s *testdenylist.Store) denylist.Store { return s }, 3, alone, false, none},
		{"hidden, and not wanted", func(s *testdenylist.Store) denylist.Store { return hidingStore{s} }, 3, alone, false, none},
		{"shared without leases", func(s *testdenylist.Store) denylist.Store { return sharedStore{memory(s)} }, 3, nil, false, apart},
		{"memory", memory, 3, nil, false, none},
		{"wrapped memory", func(s *testdenylist.Store) denylist.Store { return clearStore{memory(s)} }, 3, nil, false, none},
		{"hidden memory", func(s *testdenylist.Store) denylist.Store { return hidingStore{memory(s)} }, 3, nil, false, hidden},
		{"none at all", func(*testdenylist.Store) denylist.Store { return nil }, 3, nil, false, none},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, log := testdenylist.New(t), &testlog.Buffer{}
			opts := []paseto.Option{}
			if store := test.store(s); store != nil {
				opts = append(opts, paseto.WithDenylist(store))
			}
			auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{localKey}}, opts...)
			if err != nil {
				t.Fatal(err)
			}
			k := newKeeper(t, auth, live.Config{PerSubject: test.limit}, append(test.opts, live.WithLogger(slog.New(slog.NewTextHandler(log, nil))))...)
			warned := log.String()
			if test.warns == none && warned != "" || !strings.Contains(warned, test.warns) ||
				test.warns != none && !strings.Contains(warned, "counted in this process alone") {
				t.Errorf("the log says %q, want %q", warned, test.warns)
			}
			token, err := auth.IssueAccess(lasting("alice"))
			if err != nil {
				t.Fatal(err)
			}
			r, err := k.Open(t.Context(), token.Claims, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if leased := len(s.Leases()) > 0; leased != test.leased {
				t.Errorf("a lease is held: %t, want %t", leased, test.leased)
			}
			r.Release()
			if err := k.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
