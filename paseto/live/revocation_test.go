package live_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// TestRevocation ends at once what it is about, in every process, and looks at nothing else.
func TestRevocation(t *testing.T) {
	t.Parallel()
	type claims map[string]*paseto.Claims
	before := []string{"phone", "phone again", "tablet", "laptop"}
	for _, test := range []struct {
		name   string
		revoke func(ctx context.Context, auth *paseto.Authorizer, c claims) error
		ends   []string
		named  int // how many each keeper looks at
	}{
		{"token", func(ctx context.Context, auth *paseto.Authorizer, c claims) error {
			return auth.Revoke(ctx, c["phone"])
		}, []string{"phone", "phone again"}, 2},
		{"token of no session", func(ctx context.Context, auth *paseto.Authorizer, c claims) error {
			return auth.Revoke(ctx, c["laptop"])
		}, []string{"laptop"}, 1},
		{"token of no subject", func(ctx context.Context, auth *paseto.Authorizer, c claims) error {
			return auth.Revoke(ctx, c["machine"])
		}, []string{"machine"}, 1},
		{"session", func(ctx context.Context, auth *paseto.Authorizer, c claims) error {
			return auth.RevokeSession(ctx, c["phone"].Session)
		}, []string{"phone", "phone again", "tablet"}, 4},
		{"subject, now", func(ctx context.Context, auth *paseto.Authorizer, _ claims) error {
			return auth.RevokeSubject(ctx, "alice", time.Time{})
		}, append([]string{"later"}, before...), 6},
		{"subject, up to the second of issue", func(ctx context.Context, auth *paseto.Authorizer, c claims) error {
			return auth.RevokeSubject(ctx, "alice", c["phone"].IssuedAt)
		}, before, 6},
		{"subject, up to the second before that of issue", func(ctx context.Context, auth *paseto.Authorizer, c claims) error {
			return auth.RevokeSubject(ctx, "alice", c["phone"].IssuedAt.Add(-1))
		}, nil, 6},
		{"all sessions but a new one", func(ctx context.Context, auth *paseto.Authorizer, _ claims) error {
			_, err := auth.ReplaceSessions(ctx, paseto.Grant{Subject: "alice"})
			return err
		}, append([]string{"later"}, before...), 6},
		{"type that is not looked up", func(ctx context.Context, auth *paseto.Authorizer, c claims) error {
			return auth.Revoke(ctx, c["invited"])
		}, nil, 1},
		{"a token that nobody is here with", func(ctx context.Context, auth *paseto.Authorizer, _ claims) error {
			return auth.Revoke(ctx, &paseto.Claims{ID: "unknown"})
		}, nil, 0},
	} {
		runTwo(t, test.name, setting{}, func(here, there keeping) {
			known := claims{}
			rights := map[string][2]held{}
			open := func(name string, c *paseto.Claims) {
				known[name] = c
				var both [2]held
				for i, k := range []keeping{here, there} {
					var err error
					if both[i], err = k.tryOpen(nil, c); err != nil {
						k.Fatal(err)
					}
				}
				rights[name] = both
			}
			phone := here.verify(alice(0))
			invite, err := here.auth.Issue("invite", alice(0))
			if err != nil {
				here.Fatal(err)
			}
			open("phone", phone)
			open("phone again", phone)
			open("tablet", here.verify(alice(0)))
			open("laptop", here.verify(paseto.Grant{Subject: "alice"}))
			open("bob", here.verify(paseto.Grant{Subject: "bob", Session: "s2"}))
			open("machine", here.verify(paseto.Grant{}))
			open("invited", invite.Claims)
			open("anonymous", nil)
			time.Sleep(2 * time.Second)
			open("later", here.verify(paseto.Grant{Subject: "alice", Session: "s3"}))
			synctest.Wait()
			looked := []int{here.Visited(), there.Visited()}
			here.must(test.revoke(here.Context(), here.auth, known))
			synctest.Wait()
			for i, k := range []keeping{here, there} {
				if n := k.Visited() - looked[i]; n != test.named {
					k.Errorf("the keeper looks at %d rights, want %d", n, test.named)
				}
			}
			for name, both := range rights {
				for _, h := range both {
					if slices.Contains(test.ends, name) {
						h.checkEnds(paseto.ErrRevoked, 0, 0)
					} else {
						h.checkStays(name)
					}
				}
			}
		})
	}
}

// TestRevocationDuringAdmission: a right is registered, and then checked again, so that none
// slips between. Whenever a revocation comes, nothing is left of the right; and the
// denylist need not tell of what was revoked before the check.
func TestRevocationDuringAdmission(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		revokes string // when
		told    bool   // whether the denylist tells of it
	}{
		{"before it is registered", "before", false},
		{"registered, before the check", "early", false},
		{"before the check, which fails to see it", "early", true},
		{"after the check", "late", true},
		{"while a place is asked for", "acquire", true},
		{"while a place is asked for, and there is a gap", "acquire", false},
	} {
		for _, leases := range []bool{false, true} {
			if test.revokes == "acquire" && !leases {
				continue
			}
			run(t, fmt.Sprintf("%s, leases %t", test.name, leases), setting{cfg: live.Config{PerSubject: 1, RecheckInterval: time.Hour}, leases: leases}, func(k keeping) {
				k.of("bob") // the watch is in force
				synctest.Wait()
				claims := k.verify(lasting("alice"))
				revoke := func() {
					if !test.told { // a watch that is broken tells of nothing, and then of a gap
						k.store.OnTell(func(e denylist.Event) bool { return e.Kind != denylist.EventRevoked })
					}
					k.must(k.auth.Revoke(context.WithoutCancel(k.Context()), claims))
					synctest.Wait()
					if !test.told && test.revokes == "acquire" {
						k.store.Tell(denylist.Event{Kind: denylist.EventMissed})
						time.Sleep(2 * time.Second)
					}
				}
				k.store.OnLook(func(ctx context.Context, token denylist.Token) (bool, error) {
					if token.Subject != "alice" {
						return false, nil
					}
					k.store.OnLook(nil)
					if test.revokes == "early" {
						revoke()
					}
					revoked, err := k.store.Revoked(ctx, token)
					if test.revokes == "late" {
						revoke()
					}
					return revoked && (!test.told || test.revokes != "early"), err
				})
				k.store.OnCall(func(call string) error {
					if call == "acquire" && test.revokes == "acquire" {
						revoke()
					}
					return nil
				})
				if test.revokes == "before" {
					revoke()
				}
				_, err := k.tryOpen(nil, claims)
				checkCode(k.T, err, paseto.ErrRevoked)
				synctest.Wait()
				if s := k.Stats(); s.Places != 1 || s.Opened != 1 {
					k.Errorf("stats are %+v, want those of bob alone", s)
				}
				if n := len(k.store.Leases()); leases && n != 1 {
					k.Errorf("%d leases are held, want that of bob", n)
				}
				k.store.OnTell(nil)
			})
		}
	}
}

// TestOneEnd: whatever ends a right at the same time, it ends once, with one cause, of which
// its holder, its context and the observer are told.
func TestOneEnd(t *testing.T) {
	t.Parallel()
	const rounds = 200
	var ended sync.Map // the cause by right
	observe := func(e live.Event) {
		if _, before := ended.LoadOrStore(e.Right, e.Err); e.Kind == live.EventEnded && before {
			t.Error("the end of a right is told twice")
		}
		if e.Kind != live.EventEnded {
			ended.Delete(e.Right)
		}
	}
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{localKey}}, paseto.WithDenylist(testdenylist.New(t)))
	if err != nil {
		t.Fatal(err)
	}
	k := newKeeper(t, auth, live.Config{PerSubject: 2, OnExcess: live.ReplaceOldest, RenewInterval: paseto.NoLimit}, live.WithObserver(observe))
	issue := func(session string) paseto.Issued {
		token, err := auth.IssueAccess(paseto.Grant{Subject: "alice", Session: session})
		if err != nil {
			t.Error(err)
		}
		return token
	}
	for n := range rounds {
		session := fmt.Sprint("s", n)
		first, newer, other := issue(session), issue(session), issue("other")
		told := make(holder, 10)
		r, err := k.Open(t.Context(), first.Claims, nil, told)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		var ends atomic.Int32
		for _, act := range []func(){
			func() { _ = auth.Revoke(context.WithoutCancel(t.Context()), first.Claims) },
			func() { _ = auth.RevokeSession(context.WithoutCancel(t.Context()), session) },
			func() {
				if r.End(live.ErrPanic) {
					ends.Add(1)
				}
			},
			func() {
				if n%3 == 0 && r.GiveUp(live.ErrClosed) {
					ends.Add(1)
					told <- live.ErrClosed // it knows
				}
			},
			func() { _ = r.Renew(t.Context(), newer.Token.Reveal()) },
			func() {
				if o, err := k.Open(t.Context(), other.Claims, nil, nil); err == nil {
					if p, err := k.Open(t.Context(), other.Claims, nil, nil); err == nil {
						p.Release()
					}
					o.Release()
				}
			},
			func() { _ = k.Recheck(t.Context()) },
			func() { _ = r.Err() },
		} {
			group.Go(act)
		}
		group.Wait()
		cause := <-told
		group.Go(r.Release)
		r.Release()
		group.Wait()
		if seen, _ := ended.Load(r); !errors.Is(context.Cause(r.Context()), cause) || seen != context.Cause(r.Context()) || len(told) > 0 || ends.Load() > 1 {
			t.Errorf("the holder is told %v and %d times more, the observer %v, and the context ends with %v", cause, len(told), seen, context.Cause(r.Context()))
		}
	}
	if s := k.Stats(); s.Places != 0 || s.Open != 0 {
		t.Errorf("stats are %+v", s)
	}
	if err := k.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
