package paseto_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

func issueTicket(t testing.TB, auth *paseto.Authorizer, access *paseto.Claims, g paseto.TicketGrant) string {
	t.Helper()
	issued, err := auth.IssueTicket(access, g)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token.Reveal()
}

func redeem(t testing.TB, auth *paseto.Authorizer, token string, req paseto.Requirement, use paseto.TicketUse) *paseto.Claims {
	t.Helper()
	claims, err := auth.RedeemTicket(t.Context(), token, req, use)
	if err != nil {
		t.Fatalf("the ticket is refused: %v", err)
	}
	return claims
}

// checkNotRedeemed checks that a ticket is refused as sentinel says, and no
// claims come with that.
func checkNotRedeemed(t testing.TB, auth *paseto.Authorizer, token string, req paseto.Requirement, use paseto.TicketUse, sentinel error) {
	t.Helper()
	claims, err := auth.RedeemTicket(t.Context(), token, req, use)
	if claims != nil {
		t.Errorf("claims come with the refusal: %s", says(t, claims))
	}
	if !errors.Is(err, sentinel) {
		t.Errorf("error is %v, want %v", err, sentinel)
	}
}

// TestTicketStandsForTheToken redeems tickets for the claims of the access token,
// to the last byte.
func TestTicketStandsForTheToken(t *testing.T) {
	t.Parallel()
	full := paseto.Grant{
		Subject: "alice", Fresh: true, Scopes: []string{"read", "write"}, Session: "s1", Issuer: "i", Audience: []string{"x", "y"},
		AuthTime: start.Add(-time.Hour), TTL: time.Hour,
		Claims: map[string]any{"name": "<Älice & \u2028>", "big": json.Number("12345678901234567890123"), "deep": []any{map[string]any{"a": nil}}},
	}
	for name, change := range map[string]func(*paseto.Grant){
		"everything":        func(*paseto.Grant) {},
		"nothing":           func(g *paseto.Grant) { *g = paseto.Grant{} },
		"footer of its own": func(g *paseto.Grant) { g.Footer = map[string]string{"tenant": "t1"} },
		"footer of bytes":   func(g *paseto.Grant) { g.Footer = []byte{0, '"', 255} },
		"no footer":         func(g *paseto.Grant) { g.Footer = "" },
		"no expiry":         func(g *paseto.Grant) { g.TTL = paseto.NoExpiry },
		"members of tickets": func(g *paseto.Grant) {
			g.Claims = map[string]any{"path": "/p", "origin": "o", "access": map[string]string{"sub": "eve"}, "access_footer": "AAAA"}
		},
	} {
		for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
			t.Run(name+" "+string(purpose), func(t *testing.T) {
				t.Parallel()
				one, two, c := nodes(t, paseto.Config{Purpose: purpose, AllowNoExpiry: true})
				grant := full
				change(&grant)
				access := issueAccess(t, one, grant)
				c.Advance(10 * time.Second)
				token := issueTicket(t, one, verify(t, one, access.Token.Reveal(), paseto.Requirement{}), paseto.TicketGrant{})
				if !strings.HasPrefix(token, "v4."+string(purpose)+".") {
					t.Errorf("the ticket begins with %.12s", token)
				}
				c.Advance(10 * time.Second)
				claims := redeem(t, two, token, paseto.Requirement{Fresh: grant.Fresh, Scopes: grant.Scopes}, paseto.TicketUse{})
				if got, want := says(t, claims), says(t, verify(t, two, access.Token.Reveal(), paseto.Requirement{})); got != want {
					t.Errorf("the ticket stands for %s,\nthe token says %s", got, want)
				}
				if got, want := two.Deadline(claims), two.Deadline(access.Claims); !got.Equal(want) {
					t.Errorf("the deadline is %s, want %s", got, want)
				}
			})
		}
	}
}

// TestTicketOfAnothersToken stands for a token of another issuer, written in
// its own way.
func TestTicketOfAnothersToken(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{Keys: []paseto.Key{localKey, publicKey}})
	access := verify(t, auth, sign(`{ "type" : "access",`+"\n"+`"exp":"2030-01-02T06:04:05+02:00", "nbf":"2030-01-01T00:00:00Z",
		"sub":42, "scope":["a","b c"], "aud":"web", "auth_time":1893553445, "html":"<&>", "n":1.50 }`, `{"kid":"theirs"}`, ""), paseto.Requirement{})
	claims := redeem(t, auth, issueTicket(t, auth, access, paseto.TicketGrant{}), paseto.Requirement{Scopes: []string{"c"}}, paseto.TicketUse{})
	var got, want struct {
		HTML string          `json:"html"`
		N    json.RawMessage `json:"n"`
		Sub  json.RawMessage `json:"sub"`
	}
	for to, from := range map[any]*paseto.Claims{&got: claims, &want: access} {
		if err := from.Decode(to); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || got.HTML != "<&>" {
		t.Errorf("decoded %v, want %v", got, want)
	}
	if claims.Subject != "42" || !claims.ExpiresAt.Equal(access.ExpiresAt) || !claims.AuthTime.Equal(issuedAt) || string(claims.Footer) != `{"kid":"theirs"}` {
		t.Errorf("the ticket stands for %s,\nthe token says %s", says(t, claims), says(t, access))
	}
	if claims.Purpose != paseto.Local {
		t.Errorf("purpose is %s, want the ticket's", claims.Purpose)
	}
}

// TestTicketWorksOnce presents one ticket a thousand times at once, on two
// machines.
func TestTicketWorksOnce(t *testing.T) {
	t.Parallel()
	for _, types := range [][]string{nil, {paseto.TypeRefresh}} {
		t.Run(fmt.Sprintf("types %q", types), func(t *testing.T) {
			t.Parallel()
			one, two, _ := nodes(t, paseto.Config{Denylist: paseto.DenylistConfig{Check: types}})
			access := issueAccess(t, one, paseto.Grant{Subject: "alice"})
			token := issueTicket(t, one, access.Claims, paseto.TicketGrant{})
			const callers = 1000
			claims, errs := make([]*paseto.Claims, callers), make([]error, callers)
			begin := make(chan struct{})
			var group sync.WaitGroup
			for i := range callers {
				auth := one
				if i%2 == 1 {
					auth = two
				}
				group.Go(func() {
					<-begin
					claims[i], errs[i] = auth.RedeemTicket(t.Context(), token, paseto.Requirement{Optional: i%3 == 0}, paseto.TicketUse{})
				})
			}
			close(begin)
			group.Wait()
			won := 0
			for i, err := range errs {
				if err == nil && claims[i] != nil && claims[i].Subject == "alice" {
					won++
					continue
				}
				checkRefused(t, err, paseto.ErrTicketUsed, "Ticket has been used")
				if claims[i] != nil {
					t.Error("claims come with the refusal")
				}
			}
			if won != 1 {
				t.Errorf("%d callers are let in, want 1", won)
			}
			other := issueTicket(t, one, access.Claims, paseto.TicketGrant{})
			redeem(t, two, other, paseto.Requirement{}, paseto.TicketUse{})
		})
	}
}

// TestTicketTimes stands at the last moment of one answer and the first of the
// next.
func TestTicketTimes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		ttl, leeway time.Duration
		at          time.Duration // after the second of issue
		want        error
	}{
		{"at issue", 0, 0, 0, nil},
		{"before the end", 0, 0, 30*time.Second - 1, nil},
		{"at the end", 0, 0, 30 * time.Second, paseto.ErrExpired},
		{"before the end, with leeway", 0, time.Hour, 30*time.Second - 1, nil},
		{"at the end, with leeway", 0, time.Hour, 30 * time.Second, paseto.ErrExpired},
		{"before the end of a short one", time.Second, 0, time.Second - 1, nil},
		{"at the end of a short one", time.Second, time.Minute, time.Second, paseto.ErrExpired},
		{"whole seconds", 1999 * time.Millisecond, 0, time.Second, paseto.ErrExpired},
		{"within a second before issue", 0, 0, -200 * time.Millisecond, nil},
		{"before issue and the default", 0, time.Hour, -5*time.Second - 1, paseto.ErrNotYetValid},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, c := revocable(t, paseto.Config{TicketTTL: test.ttl, Leeway: test.leeway})
			c.Set(issuedAt.Add(-time.Hour))
			access := issueAccess(t, auth, paseto.Grant{TTL: 24 * time.Hour}).Claims
			c.Set(start)
			token := issueTicket(t, auth, access, paseto.TicketGrant{})
			c.Set(issuedAt.Add(test.at))
			if test.want != nil {
				checkNotRedeemed(t, auth, token, paseto.Requirement{}, paseto.TicketUse{}, test.want)
				return
			}
			redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{})
			checkNotRedeemed(t, auth, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrTicketUsed)
		})
	}
}

// TestTicketStaysUsed presents a used ticket to a machine whose clock is behind
// that of the store by as much as the leeway allows, in the last moment in which
// that machine takes it for valid.
func TestTicketStaysUsed(t *testing.T) {
	t.Parallel()
	for _, leeway := range []time.Duration{0, time.Minute, 24 * time.Hour} {
		c := newClock()
		store := denylist.NewMemory(denylist.WithClock(c.Now))
		t.Cleanup(func() { _ = store.Close() })
		cfg := paseto.Config{Leeway: leeway, AccessTTL: 20 * 24 * time.Hour}
		right := newAuthorizer(t, cfg, paseto.WithClock(c.Now), paseto.WithDenylist(store))
		behind := newAuthorizer(t, cfg, paseto.WithClock(func() time.Time { return c.Now().Add(-leeway) }), paseto.WithDenylist(store))
		token := issueTicket(t, right, issueAccess(t, right, paseto.Grant{}).Claims, paseto.TicketGrant{})
		redeem(t, right, token, paseto.Requirement{}, paseto.TicketUse{})
		c.Set(issuedAt.Add(30*time.Second + leeway - 1))
		checkNotRedeemed(t, behind, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrTicketUsed)
	}
}

// TestTicketSays: a ticket has claims of its own, and is logged without those of
// the access token.
func TestTicketSays(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	access := issueAccess(t, auth, paseto.Grant{Subject: "alice", Session: "s1", Claims: map[string]string{"name": "Alice"}}).Claims
	issued, err := auth.IssueTicket(access, paseto.TicketGrant{})
	if err != nil {
		t.Fatal(err)
	}
	own := issued.Claims
	if own.Type != "ticket" || len(own.ID) < 22 || own.ID == access.ID || own.Subject != "alice" || own.Session != "s1" ||
		!own.IssuedAt.Equal(issuedAt) || !own.ExpiresAt.Equal(issuedAt.Add(30*time.Second)) {
		t.Errorf("the ticket says %s", says(t, own))
	}
	if logged := fmt.Sprint(issued.LogValue()); strings.Contains(logged, "Alice") || !strings.Contains(logged, own.ID) {
		t.Errorf("logged as %s", logged)
	}
}
