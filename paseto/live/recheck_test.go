package live_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// down is the answer of a denylist that is.
func down(context.Context, denylist.Token) (bool, error) { return false, errDown }

// hangs is the answer of one that has none.
func hangs(ctx context.Context, _ denylist.Token) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// TestUnheardRevocation is found all the same: at once if the denylist knows of a gap, when
// it can be watched again, or at the next look at all rights.
func TestUnheardRevocation(t *testing.T) {
	t.Parallel()
	type watch = func(ctx context.Context, unheard <-chan struct{}, fn func(denylist.Event)) error
	tells := func(e denylist.Event) watch {
		return func(ctx context.Context, unheard <-chan struct{}, fn func(denylist.Event)) error {
			<-unheard
			fn(e)
			<-ctx.Done()
			return ctx.Err()
		}
	}
	returns := func(err error, atOnce bool) watch {
		return func(_ context.Context, unheard <-chan struct{}, _ func(denylist.Event)) error {
			if !atOnce {
				<-unheard
			}
			return err
		}
	}
	silent := func(ctx context.Context, _ <-chan struct{}, _ func(denylist.Event)) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for _, test := range []struct {
		name   string
		cfg    live.Config
		watch  watch // until the revocation is missed
		within time.Duration
	}{
		{"gap", live.Config{}, tells(denylist.Event{Kind: denylist.EventMissed}), 0},
		{"event of a later version", live.Config{}, tells(denylist.Event{Kind: "issuer revoked"}), 0},
		{"event without a kind", live.Config{}, tells(denylist.Event{}), 0},
		{"watch fails", live.Config{}, returns(errDown, false), time.Second},
		{"watch cannot even begin", live.Config{}, returns(errDown, true), time.Second},
		{"watch returns", live.Config{}, returns(nil, false), time.Second},
		{"nobody notices", live.Config{}, silent, time.Minute},
		{"nobody notices, and the operator is impatient", live.Config{RecheckInterval: 3 * time.Second}, silent, 3 * time.Second},
		{"nobody notices, and little is to be unchecked", live.Config{MaxUnchecked: 8 * time.Second}, silent, 4 * time.Second},
	} {
		run(t, test.name, setting{cfg: test.cfg}, func(k keeping) {
			unheard := make(chan struct{})
			var watches atomic.Int32
			k.store.OnWatch(func(ctx context.Context, fn func(denylist.Event)) error {
				fn(denylist.Event{Kind: denylist.EventMissed})
				if watches.Add(1) == 1 {
					return test.watch(ctx, unheard, fn)
				}
				return k.store.Store.Watch(ctx, fn)
			})
			a, b := k.of("alice"), k.of("bob")
			time.Sleep(3 * time.Second / 2) // the first look at all is over
			k.must(k.auth.Revoke(k.Context(), a.Claims()))
			if watches.Load() == 1 { // else it has been heard
				close(unheard)
			}
			a.checkEnds(paseto.ErrRevoked, 0, test.within)
			b.checkStays("bob")
			if watches.Load() == 1 {
				return // as it does until the end
			}
			k.must(k.auth.Revoke(k.Context(), b.Claims()))
			b.checkEnds(paseto.ErrRevoked, 0, 0)
		})
	}
}

// TestGapsInARow cause at most one look at all a second, however many there are.
func TestGapsInARow(t *testing.T) {
	t.Parallel()
	const rights, gaps, seconds = 50, 1000, 10
	for name, e := range map[string]denylist.Event{
		"missed":  {Kind: denylist.EventMissed},
		"unknown": {Kind: "all is new"},
	} {
		run(t, name, setting{}, func(k keeping) {
			for range rights {
				k.of("alice")
			}
			time.Sleep(2 * time.Second)
			var looks atomic.Int32
			k.store.OnLook(func(context.Context, denylist.Token) (bool, error) {
				looks.Add(1)
				return false, nil
			})
			for range gaps {
				k.store.Tell(e)
				time.Sleep(seconds * time.Second / gaps)
			}
			time.Sleep(2 * time.Second)
			if n := looks.Load(); n%rights != 0 || n < rights*seconds || n > rights*(seconds+1) {
				k.Errorf("the denylist was asked %d times for %d rights in %d seconds, want %d to %d times", n, rights, seconds, rights*seconds, rights*(seconds+1))
			}
		})
	}
}

// TestOutage of the denylist is borne for as long as the operator wants it to be.
func TestOutage(t *testing.T) {
	t.Parallel()
	const long = 2 * time.Hour
	open := paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}
	for _, test := range []struct {
		name        string
		tokens      paseto.Config
		cfg         live.Config
		look        func(context.Context, denylist.Token) (bool, error)
		outage      time.Duration
		least, most time.Duration // 0: it goes on
	}{
		{"default", paseto.Config{}, live.Config{}, down, long, 4 * time.Minute, 5*time.Minute + 5*time.Second},
		{"short", paseto.Config{}, live.Config{MaxUnchecked: 10 * time.Second}, down, long, 4 * time.Second, 15 * time.Second},
		{"no answer at all", paseto.Config{}, live.Config{}, hangs, long, 4 * time.Minute, 6 * time.Minute},
		{"no limit", paseto.Config{}, live.Config{MaxUnchecked: paseto.NoLimit}, down, long, 0, 0},
		{"fail open", open, live.Config{}, down, long, 0, 0},
		{"fail open, no answer at all", open, live.Config{}, hangs, long, 0, 0},
		{"over in time", paseto.Config{}, live.Config{}, down, 5*time.Minute - 90*time.Second, 0, 0},
	} {
		run(t, test.name, setting{tokens: test.tokens, cfg: test.cfg}, func(k keeping) {
			a, anonymous := k.of("alice"), k.open(nil)
			synctest.Wait()
			k.store.OnLook(test.look)
			over := time.AfterFunc(test.outage, func() { k.store.OnLook(nil) })
			defer over.Stop()
			if test.most > 0 {
				a.checkEnds(paseto.ErrUnavailable, test.least, test.most)
			} else {
				time.Sleep(long)
				a.checkStays("alice")
			}
			anonymous.checkStays("nobody")
		})
	}
}

// TestOutageAgain counts from the last look that succeeded.
func TestOutageAgain(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		a := k.of("alice")
		for range 10 {
			k.store.OnLook(down)
			time.Sleep(4 * time.Minute)
			k.store.OnLook(nil)
			time.Sleep(10 * time.Second)
		}
		a.checkStays("alice")
		k.store.OnLook(down)
		a.checkEnds(paseto.ErrUnavailable, 4*time.Minute, 5*time.Minute+5*time.Second)
	})
}

// TestStoreAway is not asked for every right: that would take the time of as many calls.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	const rights, most = 500, 60
	keep(t, setting{cfg: live.Config{MaxUnchecked: paseto.NoLimit}}, func(k keeping) {
		for range rights {
			k.of("alice")
		}
		time.Sleep(2 * time.Second)
		var looks atomic.Int32
		k.store.OnLook(func(ctx context.Context, token denylist.Token) (bool, error) {
			looks.Add(1)
			return hangs(ctx, token)
		})
		began := time.Now()
		checkCode(k.T, k.Recheck(k.Context()), paseto.ErrUnavailable)
		if took, n := time.Since(began), looks.Load(); took > 30*time.Second || n > rights {
			k.Errorf("the look at %d rights took %s and asked %d times", rights, took, n)
		}
		k.store.OnLook(nil)
		if err := k.Recheck(k.Context()); err != nil {
			k.Errorf("Recheck = %v when the denylist is there", err)
		}
	})
}

// TestRecheck ends what should end while nothing else would look.
func TestRecheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(k keeping, claims *paseto.Claims) error
		gone   bool // the caller
		err    error
		want   paseto.Code // empty: it goes on
	}{
		{"nothing", func(keeping, *paseto.Claims) error { return nil }, false, nil, ""},
		{"the clock is set", func(k keeping, _ *paseto.Claims) error {
			k.ahead.Store(int64(21 * 24 * time.Hour))
			return nil
		}, false, nil, paseto.ErrExpired},
		{"a key is taken out", func(k keeping, _ *paseto.Claims) error { return k.auth.SetKeys(secretKey) }, false, nil, paseto.ErrKeyWithdrawn},
		{"a token is revoked", func(k keeping, c *paseto.Claims) error { return k.auth.Revoke(k.Context(), c) }, false, nil, paseto.ErrRevoked},
		{"the denylist is away", func(k keeping, _ *paseto.Claims) error { k.store.OnLook(down); return nil }, false, paseto.ErrUnavailable, ""},
		{"the caller has gone", func(k keeping, _ *paseto.Claims) error { k.store.OnLook(hangs); return nil }, true, context.Canceled, ""},
	} {
		run(t, test.name, setting{cfg: live.Config{RecheckInterval: time.Hour, MaxUnchecked: paseto.NoLimit}}, func(k keeping) {
			k.store.OnTell(func(denylist.Event) bool { return false })
			a := k.of("alice")
			synctest.Wait()
			k.must(test.change(k, a.Claims()))
			ctx, cancel := context.WithCancel(k.Context())
			defer cancel()
			if test.gone {
				cancel()
			}
			if err := k.Recheck(ctx); !errors.Is(err, test.err) {
				k.Errorf("Recheck = %v, want %v", err, test.err)
			}
			if test.want == "" {
				a.checkStays("alice")
				return
			}
			a.checkEnds(test.want, 0, 0)
		})
	}
}

// TestWithdrawnKey ends what it opened, at the next look, unless that was renewed by another.
func TestWithdrawnKey(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	retiring := time.Hour + minute/2
	for _, test := range []struct {
		name  string
		keys  func() []paseto.Key // in force, later
		least time.Duration
	}{
		{"taken out", func() []paseto.Key { return []paseto.Key{secretKey} }, 0},
		{"its retirement is over", func() []paseto.Key {
			return []paseto.Key{secretKey, localKey.Retire(time.Now().Add(retiring))}
		}, retiring},
	} {
		run(t, test.name, setting{}, func(k keeping) {
			signed := lasting("bob")
			signed.Purpose = paseto.Public
			a, b, renewed := k.of("alice"), k.open(&signed), k.of("bob")
			k.must(renewed.Renew(k.Context(), k.token(signed)))
			k.must(k.auth.SetKeys(test.keys()...))
			a.checkEnds(paseto.ErrKeyWithdrawn, test.least, test.least+minute)
			time.Sleep(2 * minute)
			b.checkStays("bob")
			renewed.checkStays("bob, renewed")
		})
	}
}

// TestRecheckOfRenewedRight has its token renewed while the old one is looked up, whose
// revocation is then of no interest.
func TestRecheckOfRenewedRight(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		a := k.of("alice")
		before, asked := a.Claims().ID, false
		k.store.OnLook(func(ctx context.Context, token denylist.Token) (bool, error) {
			if token.ID != before || asked {
				return false, nil
			}
			asked = true
			k.must(a.Renew(ctx, k.token(lasting("alice"))))
			return true, nil
		})
		time.Sleep(2 * time.Minute)
		a.checkStays("alice")
		if !asked {
			k.Error("the right is not looked at")
		}
	})
}

// TestClosedStore is not watched any more; without answers the rights end.
func TestClosedStore(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		a := k.of("alice")
		synctest.Wait()
		k.must(k.store.Close())
		a.checkEnds(paseto.ErrUnavailable, 4*time.Minute, 6*time.Minute)
		if strings.Contains(k.log.String(), "cannot be watched") {
			k.Errorf("log is %s", k.log)
		}
	})
}
