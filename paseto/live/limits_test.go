package live_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// TestMaxRights refuses a right when all places are taken. Rights that have yet to show a token
// take places too, and so do ended rights, until they are released.
func TestMaxRights(t *testing.T) {
	t.Parallel()
	keep(t, setting{cfg: live.Config{MaxRights: 3}}, func(k keeping) {
		pending, err := k.Reserve(k.Context(), nil, nil)
		if err != nil {
			k.Fatal(err)
		}
		a, anonymous := k.of("alice"), k.open(nil)
		full := func() {
			k.Helper()
			_, err := k.tryOpen(nil, nil)
			checkCode(k.T, err, live.ErrOverload)
		}
		full()
		a.End(live.ErrPanic)
		full()
		if s := k.Stats(); s.Open != 1 || s.Places != 3 {
			k.Errorf("stats are %+v", s)
		}
		for _, release := range []func(){a.Release, pending.Release, anonymous.Release} {
			release()
			k.of("bob")
			full()
		}
	})
}

// elsewhere returns the keeper that counts with another one, which is itself where none does.
func elsewhere(with setting, here, there keeping) keeping {
	if with.leases {
		return there
	}
	return here
}

// TestPerSubject lets in as many as may be, for as long as they last, and keeps no place when
// they have ended, also if they are not released yet.
func TestPerSubject(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]setting{
		"alone": {cfg: live.Config{PerSubject: 2}}, "together": {cfg: live.Config{PerSubject: 2}, leases: true},
	} {
		runTwo(t, name, with, func(k, there keeping) {
			there = elsewhere(with, k, there)
			b := there.of("bob")
			for range 3 {
				one, two := k.of("alice"), there.of("alice")
				for range 3 {
					for _, node := range []keeping{k, there} {
						_, err := node.tryOpen(nil, node.verify(lasting("alice")))
						checkCode(k.T, err, live.ErrTooMany)
					}
					time.Sleep(time.Hour) // in which leases end that are not renewed
				}
				one.End(live.ErrPanic)
				synctest.Wait()
				three := k.of("alice")
				two.Release()
				three.GiveUp(live.ErrClosed)
				synctest.Wait()
				one.Release()
			}
			for range 5 { // of whom nobody knows whose they are
				k.open(nil).checkStays("nobody")
				k.open(&paseto.Grant{Session: "s1"}).checkStays("somebody")
			}
			b.checkStays("bob")
		})
	}
}

// TestReplaceOldest ends the rights that were opened first, in their order, and looks at
// those alone.
func TestReplaceOldest(t *testing.T) {
	t.Parallel()
	const limit = 5
	for _, leases := range []bool{false, true} {
		with := setting{cfg: live.Config{PerSubject: limit, OnExcess: live.ReplaceOldest}, leases: leases}
		runTwo(t, map[bool]string{false: "alone", true: "together"}[leases], with, func(k, there keeping) {
			there = elsewhere(with, k, there)
			b := there.of("bob")
			k.open(nil)
			time.Sleep(2 * time.Second) // the first look at all is over
			var rights []held
			for n := range 3 * limit {
				node := []keeping{k, there}[min(1, n%3)]
				looked := k.Visited()
				rights = append(rights, node.of("alice"))
				if n == limit-1 { // a renewal makes none younger
					k.must(rights[0].Renew(k.Context(), k.token(paseto.Grant{Subject: "alice", TTL: 30 * 24 * time.Hour})))
				}
				if len(rights) > limit {
					rights[0].checkEnds(live.ErrReplaced, 0, 0)
					rights = rights[1:]
				}
				if n := k.Visited() - looked; n > 1 {
					k.Errorf("the keeper looks at %d rights to replace one", n)
				}
			}
			for _, h := range append(rights, b) {
				h.checkStays(h.Claims().Subject)
			}
		})
	}
}

// TestRefusedReplacesNobody, although its token was right at first.
func TestRefusedReplacesNobody(t *testing.T) {
	t.Parallel()
	keep(t, setting{cfg: live.Config{PerSubject: 1, OnExcess: live.ReplaceOldest}}, func(k keeping) {
		a, other := k.of("alice"), k.verify(lasting("alice"))
		k.must(k.auth.Revoke(k.Context(), other))
		_, err := k.tryOpen(nil, other)
		checkCode(k.T, err, paseto.ErrRevoked)
		a.checkStays("alice")
	})
}

// TestPressure opens rights at once: there are never more than the limit, nor fewer in the end.
func TestPressure(t *testing.T) {
	t.Parallel()
	const callers, limit = 100, 5
	for _, leases := range []bool{false, true} {
		for _, excess := range []live.Excess{live.RejectNewest, live.ReplaceOldest} {
			run(t, map[bool]string{false: "alone, ", true: "together, "}[leases]+string(excess), setting{cfg: live.Config{PerSubject: limit, OnExcess: excess}, leases: leases}, func(k keeping) {
				for range 3 {
					var group sync.WaitGroup
					for range callers {
						claims := k.verify(lasting("alice"))
						group.Go(func() {
							if _, err := k.tryOpen(nil, claims); err != nil && !errors.Is(err, live.ErrTooMany) && !errors.Is(err, live.ErrReplaced) {
								k.Error(err)
							}
						})
					}
					group.Wait()
					synctest.Wait()
					open := slices.Collect(k.RightsOf("alice"))
					if s := k.Stats(); len(open) != limit || s.Open != limit {
						k.Errorf("%d rights are open, stats are %+v, want %d", len(open), s, limit)
					}
					for _, r := range open {
						r.Release()
					}
					synctest.Wait()
				}
			})
		}
	}
}

// TestRightsOf yields what is open of a subject, the oldest first, and Rights all.
func TestRightsOf(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		one, two, three := k.of("alice"), k.of("alice"), k.of("alice")
		b, anonymous := k.of("bob"), k.open(nil)
		pending, err := k.Reserve(k.Context(), nil, nil)
		if err != nil {
			k.Fatal(err)
		}
		defer pending.Release()
		two.End(live.ErrPanic)
		if got := slices.Collect(k.RightsOf("alice")); !slices.Equal(got, []*live.Right{one.Right, three.Right}) {
			k.Errorf("alice has %v", got)
		}
		all := slices.Collect(k.Rights())
		for _, h := range []held{one, three, b, anonymous} {
			if !slices.Contains(all, h.Right) || len(all) != 4 {
				k.Errorf("Rights yields %d, without one that is open", len(all))
			}
		}
		for range k.Rights() {
			break
		}
		for range k.RightsOf("alice") {
			break
		}
		if got := slices.Collect(k.RightsOf("")); len(got) > 0 {
			k.Errorf("nobody has %v", got)
		}
		if h, ok := one.Holder().(holder); !ok || h == nil || one.Route() == nil {
			k.Errorf("the holder is %v, the route %v", one.Holder(), one.Route())
		}
	})
}
