package live_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// ofSubject is how many rights a subject has in a hall. Each has a session of its own.
const ofSubject = 10

// hall is a keeper of many rights, of which nothing looks at all.
type hall struct {
	testing.TB
	*live.Keeper
	auth   *paseto.Authorizer
	store  *testdenylist.Store
	claims []*paseto.Claims
	rights []*live.Right
}

func newHall(t testing.TB, n int, cfg live.Config) *hall {
	t.Helper()
	cfg.RecheckInterval, cfg.MaxUnchecked, cfg.RenewInterval = 24*time.Hour, paseto.NoLimit, paseto.NoLimit
	h := &hall{TB: t, store: testdenylist.New(t), claims: make([]*paseto.Claims, n), rights: make([]*live.Right, n)}
	h.store.OnTell(func(e denylist.Event) bool { return e.Kind == denylist.EventRevoked })
	var err error
	if h.auth, err = paseto.New(paseto.Config{Keys: []paseto.Key{localKey}}, paseto.WithDenylist(denylist.Store(h.store))); err != nil {
		t.Fatal(err)
	}
	h.Keeper = newKeeper(t, h.auth, cfg, live.WithLeases(nil))
	t.Cleanup(func() {
		for _, r := range h.rights {
			if r != nil {
				r.Release()
			}
		}
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	for i := range h.claims {
		h.claims[i] = &paseto.Claims{
			Type: paseto.TypeAccess, ID: fmt.Sprint("t", i), Session: fmt.Sprint("s", i), Subject: fmt.Sprint("u", i/ofSubject),
			IssuedAt: time.Now(), ExpiresAt: expires.Add(time.Duration(rand.N(3600)) * time.Second),
		}
	}
	return h
}

// fill opens a right for each of the claims.
func (h *hall) fill() *hall {
	for i := range h.rights {
		h.open(i)
	}
	return h
}

func (h *hall) open(i int) {
	r, err := h.Open(context.Background(), h.claims[i], nil, nil)
	if err != nil {
		h.Fatal(err)
	}
	h.rights[i] = r
}

// token returns one that renews a right.
func (h *hall) token(i int) string {
	c := h.claims[i]
	token, err := h.auth.IssueAccess(paseto.Grant{Subject: c.Subject, Session: c.Session, ExpiresAt: c.ExpiresAt.Add(time.Hour)})
	if err != nil {
		h.Fatal(err)
	}
	return token.Token.Reveal()
}

// revoke has the denylist tell of a revocation, and checks that it ends rights, which the
// caller may then open again.
func (h *hall) revoke(r denylist.Revocation, rights []*live.Right) {
	h.store.Tell(denylist.Event{Kind: denylist.EventRevoked, Revocation: r})
	for _, r := range rights {
		if !r.Ended() {
			h.Fatal("a right goes on that is revoked")
		}
	}
}

// acts are what is done to one right, or those of one subject, among many. Each begins with
// the first of the subject's rights.
func (h *hall) acts() map[string]func(i int, token string) {
	return map[string]func(i int, token string){
		"open": func(i int, _ string) {
			r, err := h.Open(context.Background(), h.claims[i], nil, nil)
			if err != nil {
				h.Fatal(err)
			}
			r.Release()
		},
		"renew": func(i int, token string) {
			if err := h.rights[i].Renew(context.Background(), token); err != nil {
				h.Fatal(err)
			}
		},
		"revoke session": func(i int, _ string) {
			h.revoke(denylist.Revocation{Session: h.claims[i].Session}, h.rights[i:i+1])
		},
		"revoke subject": func(i int, _ string) {
			h.revoke(denylist.Revocation{Subject: h.claims[i].Subject, IssuedBefore: time.Now()}, h.rights[i:i+ofSubject])
		},
	}
}

// again opens what an act has ended.
func (h *hall) again(i int) {
	for n := i; n < i+ofSubject; n++ {
		if h.rights[n].Ended() {
			h.rights[n].Release()
			h.open(n)
		}
	}
}

// TestMillion: what is done to some rights looks at those alone, whatever else there is.
func TestMillion(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 10_000
	}
	h := newHall(t, n, live.Config{}).fill()
	if looked := h.Visited(); looked > 0 {
		t.Errorf("to open %d rights the keeper looks at %d", n, looked)
	}
	for name, act := range h.acts() {
		want := map[string]int{"open": 0, "renew": 0, "revoke session": 1, "revoke subject": ofSubject}[name]
		for range 5 {
			i := rand.N(n/ofSubject) * ofSubject
			token := h.token(i)
			looked := h.Visited()
			act(i, token)
			if got := h.Visited() - looked; got != want {
				t.Errorf("to %s among %d rights the keeper looks at %d, want %d", name, n, got, want)
			}
			h.again(i)
		}
	}
}

// BenchmarkRights measures the same among few rights and among many, with cold caches.
func BenchmarkRights(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		h := newHall(b, n, live.Config{}).fill()
		const tokens = 5000
		for _, name := range []string{"open", "renew", "revoke session", "revoke subject"} {
			act := h.acts()[name]
			b.Run(fmt.Sprintf("%s/rights=%d", name, n), func(b *testing.B) {
				h.TB = b
				var at [tokens]int
				var token [tokens]string
				for i := range at {
					at[i] = rand.N(n/ofSubject) * ofSubject
					if name == "renew" {
						token[i] = h.token(at[i])
					}
				}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					act(at[i%tokens], token[i%tokens])
					if h.rights[at[i%tokens]].Ended() {
						b.StopTimer()
						h.again(at[i%tokens])
						b.StartTimer()
					}
				}
			})
		}
	}
}

// crowded opens so many rights of one subject.
func crowded(t testing.TB, n int, excess live.Excess) *hall {
	t.Helper()
	h := newHall(t, n+1, live.Config{PerSubject: n + 1, OnExcess: excess})
	for _, c := range h.claims {
		c.Subject = "alice"
	}
	h.fill()
	return h
}

// TestAdmissionCost is the same whatever a subject has open already: it looks at no other
// right but the one that it replaces, and allocates the same.
func TestAdmissionCost(t *testing.T) {
	for _, excess := range []live.Excess{live.RejectNewest, live.ReplaceOldest} {
		var bytes, allocs [2]float64
		for i, n := range []int{10, 8000} {
			h := crowded(t, n, excess)
			admit := func() {
				if excess == live.RejectNewest {
					h.rights[0].Release() // else there is no place
				}
				old := h.rights[0]
				h.rights = append(h.rights[1:], nil)
				r, err := h.Open(context.Background(), h.claims[0], nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				h.rights[n] = r
				old.Release()
			}
			looked := h.Visited()
			admit()
			if got := h.Visited() - looked; got > 1 {
				t.Errorf("%s: to admit one beside %d the keeper looks at %d rights", excess, n, got)
			}
			allocs[i] = testing.AllocsPerRun(100, admit)
			bytes[i] = bytesPerRun(1000, admit)
		}
		if allocs[1] > allocs[0]+1 || bytes[1] > bytes[0]+100 {
			t.Errorf("%s: to admit one beside 10 and 8000 takes %v allocations, %.0f bytes", excess, allocs, bytes)
		}
	}
}

// bytesPerRun is [testing.AllocsPerRun] for bytes.
func bytesPerRun(runs int, f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)
}

func BenchmarkAdmission(b *testing.B) {
	for _, n := range []int{10, 8000} {
		h := crowded(b, n, live.RejectNewest)
		h.rights[0].Release()
		b.Run(fmt.Sprintf("open=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := h.Open(context.Background(), h.claims[0], nil, nil)
				if err != nil {
					b.Fatal(err)
				}
				r.Release()
			}
		})
	}
}

// TestSizeOfARight that is held, beside its claims.
func TestSizeOfARight(t *testing.T) {
	const n, most = 100_000, 600
	if live.RightSize > 224 { // the next size of an allocation is 240
		t.Errorf("a Right has %d bytes by itself", live.RightSize)
	}
	h := newHall(t, n, live.Config{PerSubject: n, MaxLifetime: time.Hour})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what finalizers held
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	h.fill()
	if each := (heap() - before) / n; each > most {
		t.Errorf("a held right takes %d bytes, want %d at most", each, most)
	} else {
		t.Logf("a held right takes %d bytes, %d of them by itself", each, live.RightSize)
	}
}
