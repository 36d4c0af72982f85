package paseto_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestVerifyTimes stands at the last moment of one answer and the first of the
// next.
func TestVerifyTimes(t *testing.T) {
	t.Parallel()
	issuer := newAuthorizer(t, paseto.Config{})
	plain := issueAccess(t, issuer, paseto.Grant{TTL: time.Minute}).Token.Reveal()
	later := issueAccess(t, issuer, paseto.Grant{TTL: time.Minute, NotBefore: issuedAt.Add(30 * time.Second)}).Token.Reveal()
	const leeway = 10 * time.Second
	for _, test := range []struct {
		name  string
		token string
		cfg   paseto.Config
		at    time.Duration // after the second of issue
		want  error
	}{
		{"before exp", plain, paseto.Config{}, time.Minute - 1, nil},
		{"at exp", plain, paseto.Config{StartLeeway: leeway}, time.Minute, paseto.ErrExpired},
		{"before exp and leeway", plain, paseto.Config{Leeway: leeway}, time.Minute + leeway - 1, nil},
		{"at exp and leeway", plain, paseto.Config{Leeway: leeway}, time.Minute + leeway, paseto.ErrExpired},
		{"before iat", plain, paseto.Config{StartLeeway: paseto.NoStartLeeway, Leeway: leeway}, -1, paseto.ErrNotYetValid},
		{"at iat", plain, paseto.Config{StartLeeway: paseto.NoStartLeeway}, 0, nil},
		{"before iat less leeway", plain, paseto.Config{StartLeeway: leeway}, -leeway - 1, paseto.ErrNotYetValid},
		{"at iat less leeway", plain, paseto.Config{StartLeeway: leeway}, -leeway, nil},
		{"before nbf", later, paseto.Config{StartLeeway: paseto.NoStartLeeway, Leeway: leeway}, 30*time.Second - 1, paseto.ErrNotYetValid},
		{"at nbf", later, paseto.Config{StartLeeway: paseto.NoStartLeeway}, 30 * time.Second, nil},
		{"before nbf less leeway", later, paseto.Config{StartLeeway: leeway}, 20*time.Second - 1, paseto.ErrNotYetValid},
		{"at nbf less leeway", later, paseto.Config{StartLeeway: leeway}, 20 * time.Second, nil},
		{"before iat less the default", plain, paseto.Config{Leeway: leeway}, -5*time.Second - 1, paseto.ErrNotYetValid},
		{"at iat less the default", plain, paseto.Config{}, -5 * time.Second, nil},
		{"at nbf less the default", later, paseto.Config{}, 25 * time.Second, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := func() time.Time { return issuedAt.Add(test.at) }
			auth := newAuthorizer(t, test.cfg, paseto.WithClock(now))
			claims, err := auth.Verify(t.Context(), test.token, paseto.Requirement{})
			if test.want != nil {
				checkRefused(t, err, test.want, "")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := auth.Deadline(claims), issuedAt.Add(time.Minute+test.cfg.Leeway); !got.Equal(want) {
				t.Errorf("deadline is %s, want %s", got, want)
			}
		})
	}
}

// TestVerifyExpiryLongPast has a token whose exp is the zero time: present,
// and long over, whether or not tokens without exp are accepted.
func TestVerifyExpiryLongPast(t *testing.T) {
	t.Parallel()
	token := sign(`{"type":"access","exp":"0001-01-01T00:00:00Z"}`, "", "")
	for _, allowed := range []bool{false, true} {
		auth := newAuthorizer(t, paseto.Config{AllowNoExpiry: allowed})
		_, err := auth.Verify(t.Context(), token, paseto.Requirement{})
		if !errors.Is(err, paseto.ErrExpired) {
			t.Errorf("AllowNoExpiry %t: error is %v, want %v", allowed, err, paseto.ErrExpired)
		}
	}
}

func TestVerifyIssuerAndAudience(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{RequireIssuer: "a", RequireAudience: []string{"web", "app"}})
	for _, test := range []struct {
		name     string
		issuer   string
		audience []string
		want     error
	}{
		{"both", "a", []string{"web"}, nil},
		{"second of the accepted", "a", []string{"app"}, nil},
		{"one of several named", "a", []string{"tv", "app"}, nil},
		{"issuer in another case", "A", []string{"web"}, paseto.ErrIssuer},
		{"none of several named", "a", []string{"tv", "car"}, paseto.ErrAudience},
		{"audience in another case", "a", []string{"Web"}, paseto.ErrAudience},
		{"part of an audience", "a", []string{"we"}, paseto.ErrAudience},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token := issueAccess(t, auth, paseto.Grant{Issuer: test.issuer, Audience: test.audience}).Token.Reveal()
			_, err := auth.Verify(t.Context(), token, paseto.Requirement{})
			if test.want == nil && err != nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("error is %v, want %v", err, test.want)
			}
		})
	}
}

func TestVerifyOptional(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{RequireIssuer: "a", RequireAudience: []string{"a"}})
	grant := func(change func(*paseto.Grant)) string {
		g := paseto.Grant{Issuer: "a", Audience: []string{"a"}}
		change(&g)
		return issueAccess(t, auth, g).Token.Reveal()
	}
	expired := grant(func(g *paseto.Grant) { g.TTL = time.Second })
	c.Advance(2 * time.Second)
	good := grant(func(g *paseto.Grant) {})
	revoked := grant(func(g *paseto.Grant) {})
	if err := auth.Revoke(t.Context(), verify(t, auth, revoked, paseto.Requirement{})); err != nil {
		t.Fatal(err)
	}
	refusal := func(context.Context, *paseto.Claims) error { return errors.New("no") }

	for _, test := range []struct {
		name  string
		token string
		req   paseto.Requirement
		want  error // nil: anonymous
	}{
		{"no token", "", paseto.Requirement{}, nil},
		{"junk", "junk", paseto.Requirement{}, nil},
		{"tampered", tamper(good), paseto.Requirement{}, nil},
		{"expired", expired, paseto.Requirement{}, nil},
		{"another issuer", grant(func(g *paseto.Grant) { g.Issuer = "b" }), paseto.Requirement{}, nil},
		{"another audience", grant(func(g *paseto.Grant) { g.Audience = []string{"b"} }), paseto.Requirement{}, nil},
		{"another implicit assertion", good, paseto.Requirement{Implicit: []byte("b")}, nil},
		{"not wrapped", good, paseto.Requirement{Base64: true}, nil},
		{"wrong type", good, paseto.Requirement{Type: paseto.TypeRefresh}, paseto.ErrType},
		{"not fresh", good, paseto.Requirement{Fresh: true}, paseto.ErrNotFresh},
		{"scope missing", good, paseto.Requirement{Scopes: []string{"a"}}, paseto.ErrScope},
		{"revoked", revoked, paseto.Requirement{}, paseto.ErrRevoked},
		{"refused by the check", good, paseto.Requirement{Check: refusal}, paseto.ErrForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.req.Optional = true
			claims, err := auth.Verify(t.Context(), test.token, test.req)
			if test.want != nil {
				checkRefused(t, err, test.want, messageOf(test.name))
			} else if err != nil || !claims.Anonymous() {
				t.Errorf("claims %v, error %v, want an anonymous caller", claims, err)
			}
		})
	}
	if claims := verify(t, auth, good, paseto.Requirement{Optional: true}); claims.Anonymous() {
		t.Error("the caller with a good token is anonymous")
	}
}

func messageOf(name string) string {
	if name == "wrong type" {
		return "Refresh token required but access provided"
	}
	return ""
}

func TestVerifyScopes(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := issueAccess(t, auth, paseto.Grant{Scopes: []string{"read", "write"}}).Token.Reveal()
	for _, test := range []struct {
		name   string
		scopes []string
		ok     bool
	}{
		{"none", nil, true},
		{"one", []string{"write"}, true},
		{"both", []string{"write", "read"}, true},
		{"one too many", []string{"read", "admin"}, false},
		{"another case", []string{"READ"}, false},
		{"part of one", []string{"rea"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := auth.Verify(t.Context(), token, paseto.Requirement{Scopes: test.scopes})
			if test.ok && err != nil || !test.ok && !errors.Is(err, paseto.ErrScope) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestVerifyCheck(t *testing.T) {
	t.Parallel()
	type key struct{}
	auth := newAuthorizer(t, paseto.Config{})
	token := issueAccess(t, auth, paseto.Grant{Subject: "alice"}).Token.Reveal()
	cause := errors.New("not on Sundays")
	own := &paseto.Error{Code: "closed", Message: "Closed today"}
	for _, test := range []struct {
		name    string
		answer  error
		want    error
		message string
	}{
		{"own refusal", own, own, "Closed today"},
		{"own refusal, wrapped", errors.Join(cause, own), own, "Closed today"},
		{"other error", cause, paseto.ErrForbidden, "Access denied"},
		{"refusal that is nil", (*paseto.Error)(nil), paseto.ErrForbidden, "Access denied"},
		{"none", nil, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.WithValue(t.Context(), key{}, "value")
			_, err := auth.Verify(ctx, token, paseto.Requirement{Check: func(ctx context.Context, c *paseto.Claims) error {
				if ctx.Value(key{}) != "value" || c.Subject != "alice" {
					t.Errorf("the check is given %v and %v", ctx, c)
				}
				return test.answer
			}})
			if test.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			checkRefused(t, err, test.want, test.message)
			if errors.Is(err, paseto.ErrRevoked) {
				t.Errorf("%v is another refusal as well", err)
			}
			if test.answer == cause && !errors.Is(err, cause) {
				t.Errorf("%v does not wrap the check's error", err)
			}
		})
	}
	t.Run("not asked about a bad token", func(t *testing.T) {
		t.Parallel()
		_, err := auth.Verify(t.Context(), token, paseto.Requirement{Fresh: true, Check: func(context.Context, *paseto.Claims) error {
			t.Error("the check is called")
			return nil
		}})
		checkRefused(t, err, paseto.ErrNotFresh, "")
	})
}

func TestVerifyWithSeveralKeys(t *testing.T) {
	t.Parallel()
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		t.Run(string(purpose), func(t *testing.T) {
			t.Parallel()
			first, second := localKey, otherLocal
			if purpose == paseto.Public {
				first, second = secretKey, otherPair
			}
			only := func(keys ...paseto.Key) *paseto.Authorizer {
				return newAuthorizer(t, paseto.Config{Keys: keys, Purpose: purpose})
			}
			both := only(first, second)
			verify(t, both, issueAccess(t, only(first), paseto.Grant{}).Token.Reveal(), paseto.Requirement{})
			verify(t, both, issueAccess(t, only(second), paseto.Grant{}).Token.Reveal(), paseto.Requirement{})
			issued := issueAccess(t, both, paseto.Grant{}).Token.Reveal()
			verify(t, only(first), issued, paseto.Requirement{})
			if _, err := only(second).Verify(t.Context(), issued, paseto.Requirement{}); err == nil {
				t.Error("the second key opens what the first should have issued")
			}
		})
	}
}

func TestVerifyOnlyAuthorizer(t *testing.T) {
	t.Parallel()
	issuer := newAuthorizer(t, paseto.Config{Purpose: paseto.Public})
	verifier := newAuthorizer(t, paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{publicKey}})
	if !issuer.CanIssue() || verifier.CanIssue() {
		t.Errorf("CanIssue is %t and %t, want true and false", issuer.CanIssue(), verifier.CanIssue())
	}
	pair := issuePair(t, issuer, paseto.Grant{Subject: "alice"})
	if got := verify(t, verifier, pair.Access.Token.Reveal(), paseto.Requirement{}).Subject; got != "alice" {
		t.Errorf("subject is %q", got)
	}
	if _, err := verifier.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); !errors.Is(err, paseto.ErrForbidden) {
		t.Errorf("error of a refresh is %v, want %v", err, paseto.ErrForbidden)
	}
}

func TestVerifyEvents(t *testing.T) {
	t.Parallel()
	var seen events
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithObserver(seen.observe))
	issued := issueAccess(t, auth, paseto.Grant{})
	seen.take()

	claims := verify(t, auth, issued.Token.Reveal(), paseto.Requirement{})
	if all := seen.take(); len(all) != 1 || all[0].Kind != paseto.EventVerified || all[0].Claims != claims {
		t.Errorf("events of a good token are %v", all)
	}
	_, err := auth.Verify(t.Context(), issued.Token.Reveal(), paseto.Requirement{Fresh: true})
	if all := seen.take(); len(all) != 1 || all[0].Kind != paseto.EventRefused || all[0].Claims.ID != claims.ID || all[0].Err != err {
		t.Errorf("events of a stale token are %v", all)
	}
	_, err = auth.Verify(t.Context(), "junk", paseto.Requirement{})
	if all := seen.take(); len(all) != 1 || all[0].Kind != paseto.EventRefused || all[0].Claims != nil || all[0].Err != err {
		t.Errorf("events of junk are %v", all)
	}
	_, _ = auth.Verify(t.Context(), "", paseto.Requirement{})
	if all := seen.take(); len(all) != 0 {
		t.Errorf("events of no token are %v, want none", all)
	}
}
