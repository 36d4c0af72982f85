package live_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// anHour is the grant of the token that is renewed; lasts and but make others of it.
var anHour = paseto.Grant{Subject: "alice", Session: "s1", Fresh: true, Scopes: []string{"chat"}, TTL: time.Hour}

func but(change func(*paseto.Grant)) paseto.Grant {
	g := anHour
	g.TTL = 2 * time.Hour
	change(&g)
	return g
}

func longer() paseto.Grant { return but(func(*paseto.Grant) {}) }

var errBanned = &paseto.Error{Code: "banned", Message: "You are banned"}

// picky is a route that asks for everything.
var picky = &live.Route{Name: "picky", Requirement: paseto.Requirement{
	Optional: true, Fresh: true, Scopes: []string{"chat"},
	Check: func(_ context.Context, c *paseto.Claims) error {
		if c.HasScopes("banned") {
			return errBanned
		}
		return nil
	},
}}

// TestRenewalRefused changes nothing: the right goes on with the token that it has, or ends
// if it is to.
func TestRenewalRefused(t *testing.T) {
	t.Parallel()
	granted := func(change func(*paseto.Grant)) func(keeping) string {
		return func(k keeping) string { return k.token(but(change)) }
	}
	plain := func(token string) func(keeping) string { return func(keeping) string { return token } }
	for _, test := range []struct {
		name      string
		anonymous bool
		token     func(k keeping) string
		want      paseto.Code
		outage    bool // which is not the client's fault
	}{
		{name: "other subject", token: granted(func(g *paseto.Grant) { g.Subject = "bob" }), want: live.ErrOtherSubject},
		{name: "no subject", token: granted(func(g *paseto.Grant) { g.Subject = "" }), want: live.ErrOtherSubject},
		{name: "other session", token: granted(func(g *paseto.Grant) { g.Session = "s2" }), want: live.ErrOtherSubject},
		{name: "no session", token: granted(func(g *paseto.Grant) { g.Session = "" }), want: live.ErrOtherSubject},
		{name: "anonymous right", anonymous: true, token: granted(func(*paseto.Grant) {}), want: live.ErrOtherSubject},
		{name: "older", token: granted(func(g *paseto.Grant) { g.TTL = time.Hour - 5*time.Second }), want: live.ErrOlder},
		{name: "not fresh", token: granted(func(g *paseto.Grant) { g.Fresh = false }), want: paseto.ErrNotFresh},
		{name: "scope missing", token: granted(func(g *paseto.Grant) { g.Scopes = nil }), want: paseto.ErrScope},
		{name: "refused by the check", token: granted(func(g *paseto.Grant) { g.Scopes = []string{"chat", "banned"} }), want: errBanned.Code},
		{name: "not valid yet", token: granted(func(g *paseto.Grant) { g.NotBefore = time.Now().Add(time.Minute) }), want: paseto.ErrNotYetValid},
		{name: "empty, though the route is optional", token: plain(""), want: paseto.ErrNoToken},
		{name: "garbage", token: plain("garbage"), want: paseto.ErrMalformed},
		{name: "too long", token: plain(strings.Repeat("x", 8193)), want: paseto.ErrMalformed},
		{name: "expired", want: paseto.ErrExpired, token: func(k keeping) string {
			k.ahead.Store(-int64(24 * time.Hour))
			defer k.ahead.Store(0)
			return k.token(anHour)
		}},
		{name: "of another key", want: paseto.ErrDecrypt, token: func(k keeping) string {
			return newKeeping(k.T, setting{tokens: paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}}, k.store).token(longer())
		}},
		{name: "of another type", want: paseto.ErrType, token: func(k keeping) string {
			token, err := k.auth.IssueRefresh(but(func(g *paseto.Grant) { g.Fresh = false }))
			if err != nil {
				k.Fatal(err)
			}
			return token.Token.Reveal()
		}},
		{name: "revoked", want: paseto.ErrRevoked, token: func(k keeping) string {
			token := k.issue(longer())
			k.must(k.auth.Revoke(k.Context(), token.Claims))
			return token.Token.Reveal()
		}},
		{name: "denylist is away", want: paseto.ErrUnavailable, outage: true, token: func(k keeping) string {
			k.store.OnLook(down)
			return k.token(longer())
		}},
	} {
		for _, failure := range []live.RenewFailure{live.RenewFailureKeeps, live.RenewFailureEnds} {
			run(t, test.name+", "+string(failure), setting{cfg: live.Config{RenewFailure: failure}}, func(k keeping) {
				grant := &anHour
				if test.anonymous {
					grant = nil
				}
				h := k.openOn(picky, grant)
				before, token := h.Claims(), test.token(k)
				err := h.Renew(k.Context(), token)
				checkCode(k.T, err, test.want)
				if h.Claims() != before || paseto.FromContext(h.Context()) != before {
					k.Errorf("the right has the claims %v, want those that it had", h.Claims())
				}
				if strings.Contains(k.log.String(), token) && token != "" {
					k.Error("the token is in the log")
				}
				k.store.OnLook(nil)
				switch {
				case failure == live.RenewFailureEnds && !test.outage:
					h.checkEnds(test.want, 0, 0)
				case test.anonymous:
					h.checkStays("nobody")
				default:
					h.checkStays("alice")
					h.checkEnds(paseto.ErrExpired, time.Hour-time.Second, time.Hour)
				}
			})
		}
	}
}

// TestRenewal puts the new token's claims in force, also where one has no expiry.
func TestRenewal(t *testing.T) {
	t.Parallel()
	never := but(func(g *paseto.Grant) { g.TTL = paseto.NoExpiry })
	for _, test := range []struct {
		name      string
		old, next paseto.Grant
		want      error
	}{
		{"longer", anHour, longer(), nil},
		{"the same token's like", anHour, anHour, nil},
		{"to no expiry", anHour, never, nil},
		{"from no expiry to another", never, never, nil},
		{"from no expiry to one", never, longer(), live.ErrOlder},
	} {
		run(t, test.name, setting{tokens: paseto.Config{AllowNoExpiry: true}}, func(k keeping) {
			h := k.openOn(picky, &test.old)
			next := k.issue(test.next)
			if err := h.Renew(k.Context(), next.Token.Reveal()); !errors.Is(err, test.want) {
				k.Fatalf("Renew = %v, want %v", err, test.want)
			}
			if renewed := h.Claims().ID == next.Claims.ID; renewed != (test.want == nil) || paseto.FromContext(h.Context()) != h.Claims() {
				k.Errorf("the claims in force are %v", h.Claims())
			}
			if test.want == nil && !h.Deadline().Equal(next.Claims.ExpiresAt) {
				k.Errorf("Deadline is %s, want %s", h.Deadline(), next.Claims.ExpiresAt)
			}
		})
	}
}

// TestRenewalRate lets five through at once, and one in each interval.
func TestRenewalRate(t *testing.T) {
	t.Parallel()
	const interval = time.Minute
	for _, good := range []bool{true, false} {
		run(t, map[bool]string{true: "good tokens", false: "bad ones"}[good], setting{cfg: live.Config{RenewInterval: interval}}, func(k keeping) {
			h := k.openOn(picky, &anHour)
			for _, step := range []struct {
				after  time.Duration
				passed int
			}{{0, 5}, {interval, 1}, {interval / 2, 0}, {interval / 2, 1}, {3 * interval, 3}, {100 * interval / 2, 5}} {
				time.Sleep(step.after)
				for n := range 10 {
					var err error
					if good {
						err = h.Renew(k.Context(), k.token(longer()))
					} else {
						err = h.RefuseRenewal(k.Context(), paseto.ErrMalformed)
					}
					if limited := errors.Is(err, live.ErrRenewals); limited != (n >= step.passed) || !limited && good != (err == nil) {
						k.Errorf("after %s renewal %d is answered %v, want %d to pass", step.after, n+1, err, step.passed)
					}
				}
			}
			h.checkStays("alice")
		})
	}
}

// TestRenewalsWithoutEnd end the right of a client that does not listen: at once where a
// refusal does, and else after a hundred too many in a row.
func TestRenewalsWithoutEnd(t *testing.T) {
	t.Parallel()
	const burst, excess = 5, 100
	for failure, bears := range map[live.RenewFailure]int{live.RenewFailureKeeps: excess - 1, live.RenewFailureEnds: 0} {
		run(t, string(failure), setting{cfg: live.Config{RenewFailure: failure}}, func(k keeping) {
			h := k.openOn(picky, &anHour)
			flood := func(n int, good bool) (err error) {
				for i := range n {
					token := "garbage"
					if good || failure == live.RenewFailureEnds && i < burst {
						token = k.token(longer())
					}
					err = h.Renew(k.Context(), token)
				}
				return err
			}
			for range 3 { // one that is not too many begins the count anew
				_ = flood(burst+bears, false)
				h.checkStays("alice")
				time.Sleep(5 * 10 * time.Second)
			}
			checkCode(k.T, flood(burst+bears+1, true), live.ErrRenewals)
			h.checkEnds(live.ErrRenewals, 0, 0)
		})
	}
	run(t, "no limit", setting{cfg: live.Config{RenewInterval: paseto.NoLimit}}, func(k keeping) {
		h := k.openOn(picky, &anHour)
		for range 10 * excess {
			checkCode(k.T, h.Renew(k.Context(), "garbage"), paseto.ErrMalformed)
		}
		h.checkStays("alice")
	})
}

// TestRenewalCheck sees the values of the right's context, and those of the caller's for what
// that has none of; it ends with either, and its panic breaks nothing.
func TestRenewalCheck(t *testing.T) {
	t.Parallel()
	type room struct{}
	type caller struct{}
	keep(t, setting{}, func(k keeping) {
		var check func(ctx context.Context, c *paseto.Claims) error
		route := &live.Route{Requirement: paseto.Requirement{Check: func(ctx context.Context, c *paseto.Claims) error { return check(ctx, c) }}}
		first := k.verify(anHour)
		parent := context.WithValue(k.Context(), room{}, "kitchen")
		r, err := k.Open(parent, first, route, nil)
		if err != nil {
			k.Fatal(err)
		}
		defer r.Release()
		ctx := context.WithValue(context.WithValue(k.Context(), room{}, "cellar"), caller{}, "renewing")
		ctx = paseto.NewContext(ctx, &paseto.Claims{Subject: "mallory"})

		check = func(ctx context.Context, _ *paseto.Claims) error {
			if got := fmt.Sprint(ctx.Value(room{}), ctx.Value(caller{})); got != "kitchenrenewing" || paseto.FromContext(ctx) != first {
				k.Errorf("the check sees %s, %v", got, paseto.FromContext(ctx))
			}
			return ctx.Err()
		}
		k.must(r.Renew(ctx, k.token(longer())))

		check = func(context.Context, *paseto.Claims) error { panic("oh dear") }
		func() {
			defer func() {
				if recover() == nil {
					k.Error("the panic does not reach the caller, whose function it was")
				}
			}()
			_ = r.Renew(ctx, k.token(longer()))
		}()

		gone, cancel := context.WithCancel(ctx)
		check = func(ctx context.Context, _ *paseto.Claims) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		if err := r.Renew(gone, k.token(longer())); !errors.Is(err, context.Canceled) || r.Ended() {
			k.Errorf("Renew = %v, the right has ended: %t; want the caller's error", err, r.Ended())
		}

		check = func(ctx context.Context, _ *paseto.Claims) error {
			go r.End(live.ErrPanic)
			<-ctx.Done()
			return context.Cause(ctx)
		}
		if err := r.Renew(ctx, k.token(longer())); !errors.Is(err, live.ErrPanic) {
			k.Errorf("Renew = %v, want the cause of the end", err)
		}
		if err := r.Renew(r.Context(), k.token(longer())); !errors.Is(err, live.ErrPanic) {
			k.Errorf("Renew = %v, want the cause of the end", err)
		}
	})
}

// TestRenewalsAtOnce leave a right with the newest token, and with none that is revoked
// meanwhile.
func TestRenewalsAtOnce(t *testing.T) {
	t.Parallel()
	const renewers, each = 8, 20
	keep(t, setting{cfg: live.Config{RenewInterval: paseto.NoLimit, RecheckInterval: time.Millisecond}}, func(k keeping) {
		h, newest := k.openOn(picky, &anHour), (*paseto.Claims)(nil)
		var group sync.WaitGroup
		for r := range renewers {
			var mine []paseto.Issued
			for n := range each {
				mine = append(mine, k.issue(but(func(g *paseto.Grant) { g.TTL += time.Duration(n*renewers+r) * time.Second })))
			}
			newest = mine[each-1].Claims
			group.Go(func() {
				for _, token := range mine {
					err := h.Renew(k.Context(), token.Token.Reveal())
					if err != nil && !errors.Is(err, live.ErrOlder) || h.Deadline().Before(token.Claims.ExpiresAt) {
						k.Errorf("renewed to %s: %v, and the right is to end at %s", token.Claims.ExpiresAt, err, h.Deadline())
					}
				}
			})
		}
		group.Wait()
		if h.Claims().ID != newest.ID || len(slices.Collect(k.RightsOf("alice"))) != 1 {
			k.Errorf("the right ends at %s, want the newest", h.Deadline())
		}
		var renewed error
		next := k.issue(but(func(g *paseto.Grant) { g.TTL = 20 * time.Hour }))
		group.Go(func() { renewed = h.Renew(k.Context(), next.Token.Reveal()) })
		group.Go(func() { _ = k.auth.Revoke(k.Context(), next.Claims) })
		group.Wait()
		synctest.Wait()
		if !h.Ended() && (h.Claims().ID == next.Claims.ID || !errors.Is(renewed, paseto.ErrRevoked)) {
			k.Errorf("Renew = %v, and the right goes on with %v", renewed, h.Claims())
		}
	})
}

// TestRenewSession renews every right of the session, and no other.
func TestRenewSession(t *testing.T) {
	t.Parallel()
	for _, session := range []string{"s1", ""} {
		run(t, "session "+session, setting{}, func(k keeping) {
			mine := but(func(g *paseto.Grant) { g.Session = session; g.TTL = time.Hour })
			one, two := k.openOn(picky, &mine), k.open(&mine)
			strict := k.openOn(&live.Route{Requirement: paseto.Requirement{Scopes: []string{"admin"}}}, &mine)
			ended := k.open(&mine)
			ended.End(live.ErrPanic)
			others := []held{k.open(nil)}
			for _, g := range []paseto.Grant{
				but(func(g *paseto.Grant) { g.Session = "s2" }),
				but(func(g *paseto.Grant) { g.Session = session; g.Subject = "bob" }),
				but(func(g *paseto.Grant) { g.Session = session; g.Subject = "" }),
			} {
				others = append(others, k.open(&g))
			}
			before := make([]*paseto.Claims, len(others))
			for i, h := range others {
				before[i] = h.Claims()
			}
			token := k.issue(but(func(g *paseto.Grant) { g.Session = session }))
			renewed, err := k.RenewSession(k.Context(), token.Token.Reveal(), paseto.Requirement{Optional: true})
			if !errors.Is(err, paseto.ErrScope) || !slices.Equal(renewed, []*live.Right{one.Right, two.Right}) {
				k.Errorf("RenewSession renews %d rights, error %v; want the two of the session, and the refusal of the third", len(renewed), err)
			}
			for _, h := range []held{one, two} {
				if h.Claims().ID != token.Claims.ID {
					k.Error("a right of the session has its old token")
				}
			}
			strict.checkStays("alice, with the token before")
			for i, h := range others {
				if h.Claims() != before[i] {
					k.Errorf("a right of %v is renewed", before[i])
				}
			}
			for token, want := range map[string]paseto.Code{"": paseto.ErrNoToken, "garbage": paseto.ErrMalformed} {
				renewed, err := k.RenewSession(k.Context(), token, paseto.Requirement{Optional: true})
				checkCode(k.T, err, want)
				if len(renewed) > 0 {
					k.Errorf("%d rights are renewed by %q", len(renewed), token)
				}
			}
		})
	}
}
