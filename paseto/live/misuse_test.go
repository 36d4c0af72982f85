package live_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// busy is a context of which something is asked while a right is made of it.
type busy struct {
	context.Context
	asked func()
}

func (b busy) Value(key any) any {
	b.asked()
	return b.Context.Value(key)
}

func (b busy) Done() <-chan struct{} {
	b.asked()
	return b.Context.Done()
}

// TestReserveDuringAWalk: a right that is found is whole.
func TestReserveDuringAWalk(t *testing.T) {
	t.Parallel()
	for name, walk := range map[string]func(k keeping){
		"shutdown": func(k keeping) {
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			_ = k.Shutdown(ended)
		},
		"recheck": func(k keeping) { _ = k.Recheck(k.Context()) },
	} {
		run(t, name, setting{}, func(k keeping) {
			var once sync.Once
			parent, cancel := context.WithCancel(k.Context())
			defer cancel()
			r, err := k.Reserve(busy{parent, func() { once.Do(func() { walk(k) }) }}, nil, nil)
			if err != nil {
				checkCode(k.T, err, live.ErrShutdown)
				return
			}
			r.Release()
		})
	}
}

// TestOrderOfCalls: a right that is used in another order than it should be lets nobody in,
// and gives back what it has.
func TestOrderOfCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		use  func(k keeping, r *live.Right, claims *paseto.Claims)
	}{
		{"Start before Admit", func(k keeping, r *live.Right, _ *paseto.Claims) {
			if r.Start() || k.Stats().Open > 0 || r.Ended() {
				k.Error("a right without claims is opened")
			}
		}},
		{"Start twice", func(k keeping, r *live.Right, claims *paseto.Claims) {
			if err := r.Admit(k.Context(), claims); err != nil || !r.Start() || r.Start() {
				k.Errorf("Admit = %v; the right is not opened once", err)
			}
			if s := k.Stats(); s.Open != 1 || s.Opened != 1 {
				k.Errorf("stats are %+v", s)
			}
		}},
		{"Start after End", func(k keeping, r *live.Right, claims *paseto.Claims) {
			if err := r.Admit(k.Context(), claims); err != nil || !r.End(live.ErrPanic) || r.Start() {
				k.Errorf("Admit = %v; what has ended is opened", err)
			}
		}},
		{"Admit after End", func(k keeping, r *live.Right, claims *paseto.Claims) {
			r.End(live.ErrPanic)
			for _, c := range []*paseto.Claims{claims, nil} {
				if err := r.Admit(k.Context(), c); !errors.Is(err, live.ErrPanic) || r.Claims() != nil {
					k.Errorf("Admit = %v, claims %v; want the cause", err, r.Claims())
				}
			}
		}},
		{"Admit after Release", func(k keeping, r *live.Right, claims *paseto.Claims) {
			r.Release()
			if err := r.Admit(k.Context(), claims); !errors.Is(err, live.ErrClosed) || r.Start() {
				k.Errorf("Admit = %v, want ErrClosed", err)
			}
		}},
		{"Admit twice", func(k keeping, r *live.Right, claims *paseto.Claims) {
			k.must(r.Admit(k.Context(), claims))
			for _, c := range []*paseto.Claims{claims, k.verify(lasting("bob")), nil} {
				err := r.Admit(k.Context(), c)
				checkCode(k.T, err, live.ErrOtherSubject)
				if r.Claims() != claims {
					k.Errorf("the claims are %v, want those that it had", r.Claims())
				}
			}
			k.must(k.auth.Revoke(k.Context(), claims))
			synctest.Wait()
			if !r.Ended() {
				k.Error("a revocation does not find the right any more")
			}
		}},
		{"End twice", func(k keeping, r *live.Right, _ *paseto.Claims) {
			if !r.End(live.ErrPanic) || r.End(live.ErrReplaced) || r.GiveUp(live.ErrReplaced) {
				k.Error("a right ends more than once")
			}
			if cause := context.Cause(r.Context()); cause != error(live.ErrPanic) {
				k.Errorf("the cause is %v, want the first", cause)
			}
		}},
		{"End for nothing", func(k keeping, _ *live.Right, claims *paseto.Claims) {
			h, err := k.tryOpen(nil, claims)
			k.must(err)
			h.End(nil)
			h.checkEnds(live.ErrClosed, 0, 0)
		}},
		{"give up for nothing", func(k keeping, r *live.Right, _ *paseto.Claims) {
			r.GiveUp(nil)
			checkCode(k.T, r.Err(), live.ErrClosed)
		}},
		{"Release twice", func(k keeping, r *live.Right, claims *paseto.Claims) {
			if err := r.Admit(k.Context(), claims); err != nil || !r.Start() {
				k.Errorf("Admit = %v", err)
			}
			other := k.of("alice")
			r.Release()
			r.Release()
			if s := k.Stats(); s.Places != 1 || s.Open != 1 || s.Ended != 1 {
				k.Errorf("stats are %+v", s)
			}
			other.checkStays("alice")
		}},
		{"Release alone", func(k keeping, r *live.Right, _ *paseto.Claims) {
			r.Release()
			if s := k.Stats(); s != (live.Stats{}) {
				k.Errorf("stats are %+v", s)
			}
		}},
		{"Renew before Admit", func(k keeping, r *live.Right, _ *paseto.Claims) {
			err := r.Renew(k.Context(), k.token(lasting("alice")))
			checkCode(k.T, err, live.ErrOtherSubject)
			if r.Claims() != nil {
				k.Error("a token is in force that was not admitted")
			}
		}},
	} {
		for _, leases := range []bool{false, true} {
			run(t, map[bool]string{false: test.name, true: test.name + ", with leases"}[leases], setting{cfg: live.Config{PerSubject: 2}, leases: leases}, func(k keeping) {
				r, err := k.Reserve(k.Context(), nil, nil)
				if err != nil {
					k.Fatal(err)
				}
				test.use(k, r, k.verify(lasting("alice")))
				r.Release()
				synctest.Wait()
				if k.Stats().Open == 0 { // else there is another
					for range 2 {
						k.of("alice") // nothing of the first one counts
					}
				}
			})
		}
	}
}

// TestNew says everything that is wrong.
func TestNew(t *testing.T) {
	t.Parallel()
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{localKey}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		auth *paseto.Authorizer
		cfg  live.Config
		want bool
	}{
		"plain":         {auth, live.Config{}, true},
		"no Authorizer": {nil, live.Config{}, false},
		"wrong":         {auth, live.Config{PerSubject: -5, OnExcess: "perhaps"}, false},
	} {
		k, err := live.New(test.auth, test.cfg, nil, live.WithLogger(nil), live.WithObserver(nil))
		if test.want != (err == nil) || err != nil && !errors.Is(err, paseto.ErrConfig) {
			t.Errorf("%s: New = %v", name, err)
		}
		if err == nil && (k.Authorizer() != auth || k.Config().RenewInterval == 0 || k.Config().PerSubject != 0) {
			t.Errorf("%s: the keeper has %+v", name, k.Config())
		}
	}
}
