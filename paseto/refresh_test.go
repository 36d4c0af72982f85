package paseto_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// custom returns the claims of a token that are the caller's own.
func custom(t *testing.T, c *paseto.Claims) map[string]any {
	t.Helper()
	all := map[string]any{}
	if err := c.Decode(&all); err != nil {
		t.Fatal(err)
	}
	reserved := []string{"aud", "auth_time", "exp", "fresh", "iat", "iss", "jti", "nbf", "rot", "scope", "sid", "sub", "type"}
	maps.DeleteFunc(all, func(name string, _ any) bool { return slices.Contains(reserved, name) })
	return all
}

func TestRefreshCarriesOn(t *testing.T) {
	t.Parallel()
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		for _, wrapped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s wrapped %t", purpose, wrapped), func(t *testing.T) {
				t.Parallel()
				auth, c := revocable(t, paseto.Config{Issuer: "default", Audience: []string{"default"}})
				grant := paseto.Grant{
					Subject: "alice", Fresh: true, Scopes: []string{"a", "b"}, Issuer: "i", Audience: []string{"x", "y"},
					Claims: map[string]any{"role": "admin", "deep": map[string]any{"n": 1.5}}, Footer: map[string]string{"tenant": "t1"},
					Purpose: purpose, Implicit: []byte("device"), Base64: wrapped,
				}
				req := paseto.Requirement{Implicit: []byte("device"), Base64: wrapped}
				footer := `{"kid":"` + localKey.KeyID() + `","tenant":"t1"}`
				if purpose == paseto.Public {
					footer = `{"kid":"` + publicKey.KeyID() + `","tenant":"t1"}`
				}
				old := issuePair(t, auth, grant)
				c.Advance(time.Hour)
				pair, err := auth.Refresh(t.Context(), old.Refresh.Token.Reveal(), req)
				if err != nil {
					t.Fatal(err)
				}
				ids := []string{old.Access.Claims.ID, old.Refresh.Claims.ID}
				for _, issued := range []paseto.Issued{pair.Access, pair.Refresh} {
					req.Type = issued.Claims.Type
					claims := verify(t, auth, issued.Token.Reveal(), req)
					if claims.Fresh {
						t.Error("the new token is fresh")
					}
					if claims.Session != old.Access.Claims.Session {
						t.Errorf("session is %q, want %q", claims.Session, old.Access.Claims.Session)
					}
					if slices.Contains(ids, claims.ID) {
						t.Error("the identifier is an old one")
					}
					ids = append(ids, claims.ID)
					if claims.Subject != "alice" || claims.Issuer != "i" || claims.Purpose != purpose ||
						!slices.Equal(claims.Scopes, grant.Scopes) || !slices.Equal(claims.Audience, grant.Audience) ||
						string(claims.Footer) != footer || !reflect.DeepEqual(custom(t, claims), grant.Claims) {
						t.Errorf("the successor says %s", says(t, claims))
					}
					if !claims.IssuedAt.Equal(issuedAt.Add(time.Hour)) {
						t.Errorf("issued at %s", claims.IssuedAt)
					}
				}
				if strings.Contains(pair.Access.Token.Reveal(), ".") == wrapped {
					t.Errorf("wrapping changed: %.10s", pair.Access.Token.Reveal())
				}
				if got, want := pair.Refresh.Claims.ExpiresAt, issuedAt.Add(time.Hour+30*24*time.Hour); !got.Equal(want) {
					t.Errorf("the new refresh token expires at %s, want %s", got, want)
				}
			})
		}
	}
}

// TestRefreshAddsNothing refreshes a token that was issued without issuer and
// audience, by an Authorizer that gives its own tokens both.
func TestRefreshAddsNothing(t *testing.T) {
	t.Parallel()
	old := must(newAuthorizer(t, paseto.Config{}).IssueRefresh(paseto.Grant{Subject: "alice"}))
	auth, _ := revocable(t, paseto.Config{Issuer: "default", Audience: []string{"default"}})
	pair, err := auth.Refresh(t.Context(), old.Token.Reveal(), paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	kid := `{"kid":"` + localKey.KeyID() + `"}`
	if got := pair.Access.Claims; got.Issuer != "" || len(got.Audience) != 0 || string(got.Footer) != kid || len(got.Scopes) != 0 {
		t.Errorf("the successor says %s", says(t, got))
	}
}

func TestRefreshWorksAgain(t *testing.T) {
	t.Parallel()
	unchecked, _ := revocable(t, paseto.Config{Denylist: paseto.DenylistConfig{Check: []string{paseto.TypeAccess}}})
	for name, auth := range map[string]*paseto.Authorizer{
		"without a denylist":          newAuthorizer(t, paseto.Config{}),
		"without checks of this type": unchecked,
	} {
		token := issuePair(t, auth, paseto.Grant{}).Refresh.Token.Reveal()
		ids := map[string]bool{}
		for range 2 {
			pair, err := auth.Refresh(t.Context(), token, paseto.Requirement{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			ids[pair.Access.Claims.ID] = true
		}
		if len(ids) != 2 {
			t.Errorf("%s: %d pairs, want 2", name, len(ids))
		}
	}
}

// TestRefreshStaysUsedUp presents a used token in the last moment of its life.
func TestRefreshStaysUsedUp(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{Leeway: time.Minute})
	old := issuePair(t, auth, paseto.Grant{}).Refresh
	if _, err := auth.Refresh(t.Context(), old.Token.Reveal(), paseto.Requirement{}); err != nil {
		t.Fatal(err)
	}
	c.Set(auth.Deadline(old.Claims).Add(-1))
	_, err := auth.Refresh(t.Context(), old.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrReused, "Refresh token has been used before")
}

func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{})
	expired := must(auth.IssueRefresh(paseto.Grant{TTL: time.Second})).Token.Reveal()
	c.Advance(time.Second)
	pair := issuePair(t, auth, paseto.Grant{})
	revoked := issuePair(t, auth, paseto.Grant{}).Refresh
	if err := auth.Revoke(t.Context(), revoked.Claims); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, token string
		req         paseto.Requirement
		want        error
	}{
		{"access token", pair.Access.Token.Reveal(), paseto.Requirement{}, paseto.ErrType},
		{"access token asked for", pair.Access.Token.Reveal(), paseto.Requirement{Type: paseto.TypeAccess}, paseto.ErrType},
		{"no token", "", paseto.Requirement{}, paseto.ErrNoToken},
		{"junk", "junk", paseto.Requirement{}, paseto.ErrMalformed},
		{"expired", expired, paseto.Requirement{}, paseto.ErrExpired},
		{"revoked", revoked.Token.Reveal(), paseto.Requirement{}, paseto.ErrRevoked},
		{"another implicit assertion", pair.Refresh.Token.Reveal(), paseto.Requirement{Implicit: []byte("x")}, paseto.ErrDecrypt},
		{"scope missing", pair.Refresh.Token.Reveal(), paseto.Requirement{Scopes: []string{"x"}}, paseto.ErrScope},
		{"without jti", sign(`{"type":"refresh","exp":"2099-01-01T00:00:00Z"}`, "", ""), paseto.Requirement{}, paseto.ErrClaims},
		{"optional", pair.Refresh.Token.Reveal(), paseto.Requirement{Optional: true}, paseto.ErrRequirement},
		{"fresh", pair.Refresh.Token.Reveal(), paseto.Requirement{Fresh: true}, paseto.ErrRequirement},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := auth.Refresh(t.Context(), test.token, test.req)
			if !errors.Is(err, test.want) || got.Access.Token.Reveal() != "" {
				t.Errorf("%v with error %v, want %v alone", got, err, test.want)
			}
		})
	}
	t.Cleanup(func() {
		if _, err := auth.Refresh(context.Background(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); err != nil {
			t.Errorf("after the refusals the token is used up: %v", err)
		}
	})
}

// TestRefreshFailureCostsNothing has an Authorizer that opens the token and
// cannot issue its successor; another one then can.
func TestRefreshFailureCostsNothing(t *testing.T) {
	t.Parallel()
	store := denylist.NewMemory(denylist.WithClock(func() time.Time { return start }))
	t.Cleanup(func() { _ = store.Close() })
	able := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store))
	unable := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{localKey.Retire(start.Add(time.Hour))}}, paseto.WithDenylist(store))
	token := issuePair(t, able, paseto.Grant{}).Refresh.Token.Reveal()
	if _, err := unable.Refresh(t.Context(), token, paseto.Requirement{}); !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("error is %v, want %v", err, paseto.ErrConfig)
	}
	if _, err := able.Refresh(t.Context(), token, paseto.Requirement{}); err != nil {
		t.Errorf("the token is used up: %v", err)
	}
}

// during is a store in which something else happens right after a token was
// found not to be revoked, as one is to be used up, or as a revocation is to be
// recorded, and that may give a value other than the one it was told.
type during struct {
	denylist.Store
	revoked func()
	consume func() error
	revoke  func() error
	winner  func(string) string
}

func (d *during) Revoke(ctx context.Context, r denylist.Revocation) error {
	if d.revoke != nil {
		if err := d.revoke(); err != nil {
			return err
		}
	}
	return d.Store.Revoke(ctx, r)
}

func (d *during) Revoked(ctx context.Context, token denylist.Token) (bool, error) {
	revoked, err := d.Store.Revoked(ctx, token)
	if d.revoked != nil {
		d.revoked()
	}
	return revoked, err
}

func (d *during) Consume(ctx context.Context, key, value string, until time.Time) (string, bool, error) {
	if d.consume != nil {
		if err := d.consume(); err != nil {
			return "", false, err
		}
	}
	winner, first, err := d.Store.Consume(ctx, key, value, until)
	if d.winner != nil {
		winner = d.winner(winner)
	}
	return winner, first, err
}

func (d *during) Advance(ctx context.Context, key, from, to string, until time.Time) (string, bool, error) {
	if d.consume != nil {
		if err := d.consume(); err != nil {
			return "", false, err
		}
	}
	current, advanced, err := d.Store.Advance(ctx, key, from, to, until)
	if d.winner != nil {
		current = d.winner(current)
	}
	return current, advanced, err
}

// TestRefreshDuringRevocation revokes while a refresh is under way, a little
// before the new tokens are issued. None may come out that is still valid.
func TestRefreshDuringRevocation(t *testing.T) {
	t.Parallel()
	for name, revoke := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			memory := denylist.NewMemory(denylist.WithClock(c.Now))
			t.Cleanup(func() { _ = memory.Close() })
			store := &during{Store: memory}
			auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now), paseto.WithDenylist(store))
			old := issuePair(t, auth, paseto.Grant{Subject: "alice"}).Refresh
			store.revoked = func() {
				store.revoked = nil
				if err := revoke(t.Context(), auth, old.Claims); err != nil {
					t.Error(err)
				}
				c.Advance(time.Second)
			}
			pair, err := auth.Refresh(t.Context(), old.Token.Reveal(), paseto.Requirement{})
			if err != nil {
				checkRefused(t, err, paseto.ErrRevoked, "")
				return
			}
			if _, err := auth.Verify(t.Context(), pair.Access.Token.Reveal(), paseto.Requirement{}); !errors.Is(err, paseto.ErrRevoked) {
				t.Errorf("the successor of a revoked token is accepted (error %v)", err)
			}
		})
	}
}

// TestRefreshContextEnded ends the context while the token is to be used up:
// no pair comes out, and the store is not said to have failed.
func TestRefreshContextEnded(t *testing.T) {
	t.Parallel()
	for _, failOpen := range []bool{false, true} {
		memory := denylist.NewMemory()
		t.Cleanup(func() { _ = memory.Close() })
		ctx, cancel := context.WithCancel(t.Context())
		var seen events
		store := &during{Store: memory, consume: func() error { cancel(); return ctx.Err() }}
		auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: failOpen}}, paseto.WithDenylist(store), paseto.WithObserver(seen.observe))
		token := issuePair(t, auth, paseto.Grant{}).Refresh.Token.Reveal()
		_, err := auth.Refresh(ctx, token, paseto.Requirement{})
		if !errors.Is(err, context.Canceled) || errors.Is(err, paseto.ErrUnavailable) {
			t.Errorf("fail open %t: error is %v, want %v", failOpen, err, context.Canceled)
		}
		if slices.Contains(seen.kinds(), paseto.EventDenylistFailed) {
			t.Errorf("fail open %t: the store is said to have failed", failOpen)
		}
	}
}

func TestRefreshWithTheStoreDown(t *testing.T) {
	t.Parallel()
	memory := denylist.NewMemory()
	t.Cleanup(func() { _ = memory.Close() })
	store := &during{Store: memory, consume: func() error { return errDown }}
	var seen events
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store), paseto.WithObserver(seen.observe))
	token := issuePair(t, auth, paseto.Grant{}).Refresh.Token.Reveal()
	seen.take()
	pair, err := auth.Refresh(t.Context(), token, paseto.Requirement{})
	checkRefused(t, err, paseto.ErrUnavailable, "")
	if pair.Access.Token.Reveal() != "" {
		t.Error("a pair comes with the refusal")
	}
	if got, want := seen.kinds(), []paseto.EventKind{paseto.EventVerified, paseto.EventDenylistFailed, paseto.EventRefused}; !slices.Equal(got, want) {
		t.Errorf("events are %q, want %q", got, want)
	}
	store.consume = nil
	if _, err := auth.Refresh(t.Context(), token, paseto.Requirement{}); err != nil {
		t.Errorf("with the store up again the token is refused: %v", err)
	}
}
