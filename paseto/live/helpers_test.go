package live_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("connection refused")

var localKey, secretKey = paseto.NewLocalKey(), paseto.NewSecretKey()

// keeping is a keeper in a bubble of [synctest], beside its denylist. All go by the time of
// the bubble, from which ahead puts the Authorizer's clock off.
type keeping struct {
	*testing.T
	*live.Keeper
	auth  *paseto.Authorizer
	store *testdenylist.Store
	log   *testlog.Buffer
	ahead *atomic.Int64
	all   *sync.Map // the rights that were opened
}

// setting is what a keeper of a test is made with. Its zero value is a plain one.
type setting struct {
	tokens paseto.Config
	cfg    live.Config
	opts   []live.Option
	leases bool // the denylist has leases
}

// keep runs a test in a bubble with a keeper, which is shut down at the end.
func keep(t *testing.T, with setting, test func(k keeping)) {
	t.Helper()
	keepTwo(t, with, func(k, _ keeping) { test(k) })
}

// run is keep in a test of its own.
func run(t *testing.T, name string, with setting, test func(k keeping)) {
	t.Helper()
	runTwo(t, name, with, func(k, _ keeping) { test(k) })
}

// runTwo is keepTwo in a test of its own.
func runTwo(t *testing.T, name string, with setting, test func(here, there keeping)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		keepTwo(t, with, test)
	})
}

// keepTwo runs a test with two keepers that share a denylist, as two processes do.
func keepTwo(t *testing.T, with setting, test func(here, there keeping)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := testdenylist.New(t)
		here := newKeeping(t, with, s)
		there := here
		there.Keeper = newKeeper(t, here.auth, with.cfg, here.options(with)...)
		defer func() { // also if the test fails: else time would pass for ever
			s.OnCall(nil)
			here.all.Range(func(r, _ any) bool {
				right, _ := r.(*live.Right)
				right.Release()
				return true
			})
			for _, k := range []keeping{here, there} {
				if err := k.Shutdown(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			}
			if left := s.Leases(); len(left) > 0 {
				t.Errorf("the leases %v are left behind", left)
			}
		}()
		time.Sleep(time.Second) // the keepers are older than what they hold
		test(here, there)
	})
}

func newKeeping(t *testing.T, with setting, s *testdenylist.Store) keeping {
	t.Helper()
	k := keeping{T: t, store: s, log: &testlog.Buffer{}, ahead: &atomic.Int64{}, all: &sync.Map{}}
	if with.tokens.Keys == nil {
		with.tokens.Keys = []paseto.Key{localKey, secretKey}
	}
	clock := paseto.WithClock(func() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) })
	var err error
	if k.auth, err = paseto.New(with.tokens, clock, paseto.WithDenylist(denylist.Store(s))); err != nil {
		t.Fatal(err)
	}
	k.Keeper = newKeeper(t, k.auth, with.cfg, k.options(with)...)
	return k
}

func (k keeping) options(with setting) []live.Option {
	opts := []live.Option{live.WithLogger(slog.New(slog.NewTextHandler(k.log, nil))), live.WithLeases(nil)}
	if with.leases {
		opts[1] = live.WithLeases(k.store)
	}
	return append(opts, with.opts...)
}

func newKeeper(t testing.TB, auth *paseto.Authorizer, cfg live.Config, opts ...live.Option) *live.Keeper {
	t.Helper()
	k, err := live.New(auth, cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// alice is the grant of a token of alice's session.
func alice(ttl time.Duration) paseto.Grant {
	return paseto.Grant{Subject: "alice", Session: "s1", TTL: ttl}
}

// lasting outlives the tests.
func lasting(subject string) paseto.Grant {
	return paseto.Grant{Subject: subject, TTL: 20 * 24 * time.Hour}
}

// must ends the test if what it needs has failed.
func (k keeping) must(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

func (k keeping) issue(g paseto.Grant) paseto.Issued {
	k.Helper()
	token, err := k.auth.IssueAccess(g)
	if err != nil {
		k.Fatal(err)
	}
	return token
}

// token is issue for a test that needs the token alone.
func (k keeping) token(g paseto.Grant) string { return k.issue(g).Token.Reveal() }

// verify returns what a new token says.
func (k keeping) verify(g paseto.Grant) *paseto.Claims {
	k.Helper()
	claims, err := k.auth.Verify(k.Context(), k.token(g), paseto.Requirement{})
	if err != nil {
		k.Fatal(err)
	}
	return claims
}

// held is a right with a holder that notes how it ends.
type held struct {
	keeping
	*live.Right
	told chan error
}

// holder notes what it is told.
type holder chan error

func (h holder) RightEnded(cause error) { h <- cause }

// open opens a right for a new token, or an anonymous one if g is nil.
func (k keeping) open(g *paseto.Grant) held { k.Helper(); return k.openOn(nil, g) }

// of opens a right that outlives the tests.
func (k keeping) of(subject string) held {
	k.Helper()
	g := lasting(subject)
	return k.open(&g)
}

func (k keeping) openOn(route *live.Route, g *paseto.Grant) held {
	k.Helper()
	var claims *paseto.Claims
	if g != nil {
		claims = k.verify(*g)
	}
	h, err := k.tryOpen(route, claims)
	if err != nil {
		k.Fatal(err)
	}
	return h
}

func (k keeping) tryOpen(route *live.Route, claims *paseto.Claims) (held, error) {
	told := make(holder, 2)
	r, err := k.Open(k.Context(), claims, route, told)
	if err == nil {
		k.all.Store(r, true)
	}
	return held{k, r, told}, err
}

// checkEnds checks that a right ends with a cause no sooner than least from now, nor later
// than most, and that its holder is told of that once, after the context has ended.
func (h held) checkEnds(want error, least, most time.Duration) {
	h.Helper()
	began := time.Now()
	select {
	case cause := <-h.told:
		if took := time.Since(began); took < least || took > most {
			h.Errorf("the right ends after %s, want %s to %s", took, least, most)
		}
		if !errors.Is(cause, want) || context.Cause(h.Context()) != cause || h.Err() != cause {
			h.Errorf("the holder is told %v, the context ends with %v, and Err is %v; want %v", cause, context.Cause(h.Context()), h.Err(), want)
		}
	case <-time.After(most + 24*time.Hour):
		h.Errorf("the right goes on after %s", most)
	}
	synctest.Wait()
	if !h.Ended() || len(h.told) > 0 {
		h.Errorf("the right has ended: %t, and its holder is told %d times more", h.Ended(), len(h.told))
	}
	h.Release()
}

// checkStays checks that a right goes on.
func (h held) checkStays(whose string) {
	h.Helper()
	synctest.Wait()
	if h.Err() != nil || h.Context().Err() != nil || len(h.told) > 0 {
		h.Errorf("the right of %s has ended: %v", whose, context.Cause(h.Context()))
	}
}

// checkCode checks that an error is a refusal of a code.
func checkCode(t *testing.T, err error, want paseto.Code) {
	t.Helper()
	if refused, ok := errors.AsType[*paseto.Error](err); !ok || refused.Code != want {
		t.Errorf("the error is %v, want a refusal of code %s", err, want)
	}
}
