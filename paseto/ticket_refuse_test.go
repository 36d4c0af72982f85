package paseto_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestTicketRefused refuses tickets for what is wrong with the access token that
// they stand for, and uses none of them up.
func TestTicketRefused(t *testing.T) {
	t.Parallel()
	no := errors.New("not on Sundays")
	for _, test := range []struct {
		name   string
		grant  paseto.Grant
		req    paseto.Requirement
		after  time.Duration
		revoke string // one of ways
		want   error
	}{
		{name: "scope missing", req: paseto.Requirement{Scopes: []string{"admin"}}, want: paseto.ErrScope},
		{name: "not fresh", req: paseto.Requirement{Fresh: true}, want: paseto.ErrNotFresh},
		{name: "another type", req: paseto.Requirement{Type: "email-verify"}, want: paseto.ErrType},
		{name: "refresh required", req: paseto.Requirement{Type: paseto.TypeRefresh}, want: paseto.ErrType},
		{name: "check", req: paseto.Requirement{Check: func(_ context.Context, c *paseto.Claims) error {
			if c.Subject != "alice" || c.Type != paseto.TypeAccess {
				return nil
			}
			return no
		}}, want: paseto.ErrForbidden},
		{name: "impossible requirement", req: paseto.Requirement{Scopes: []string{"a b"}}, want: paseto.ErrRequirement},
		{name: "ticket required", req: paseto.Requirement{Type: paseto.TypeTicket}, want: paseto.ErrRequirement},
		{name: "access token expired", grant: paseto.Grant{TTL: time.Second}, after: time.Second, want: paseto.ErrExpired},
		{name: "access token not valid yet", grant: paseto.Grant{NotBefore: start.Add(10 * time.Second)}, want: paseto.ErrNotYetValid},
		{name: "token revoked", revoke: "token", want: paseto.ErrRevoked},
		{name: "session revoked", revoke: "session", want: paseto.ErrRevoked},
		{name: "subject revoked", revoke: "subject", want: paseto.ErrRevoked},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, used, c := ticketStore(t, paseto.Config{})
			test.grant.Subject, test.grant.Session = "alice", "s1"
			access := issueAccess(t, auth, test.grant).Claims
			token := issueTicket(t, auth, access, paseto.TicketGrant{})
			c.Advance(test.after)
			if test.revoke != "" {
				checkNil(t, ways[test.revoke](t.Context(), auth, access))
			}
			for range 2 {
				checkNotRedeemed(t, auth, token, test.req, paseto.TicketUse{}, test.want)
			}
			if *used != 0 {
				t.Errorf("the ticket is used up %d times", *used)
			}
		})
	}
}

func checkNil(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTicketRefusedWorksLater: a ticket that was refused works where it should.
func TestTicketRefusedWorksLater(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{StartLeeway: paseto.NoStartLeeway})
	access := issueAccess(t, auth, paseto.Grant{NotBefore: start.Add(time.Second)}).Claims
	token := issueTicket(t, auth, access, paseto.TicketGrant{Path: "/ws"})
	use := paseto.TicketUse{Path: "/ws"}
	checkNotRedeemed(t, auth, token, paseto.Requirement{}, use, paseto.ErrNotYetValid)
	c.Advance(time.Second)
	checkNotRedeemed(t, auth, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrTicket)
	checkNotRedeemed(t, auth, token, paseto.Requirement{Scopes: []string{"a"}}, use, paseto.ErrScope)
	checkNotRedeemed(t, auth, token, paseto.Requirement{Implicit: []byte("a")}, use, paseto.ErrDecrypt)
	redeem(t, auth, token, paseto.Requirement{}, use)
}

// TestTicketIssuerAndAudience are checked where the ticket is redeemed.
func TestTicketIssuerAndAudience(t *testing.T) {
	t.Parallel()
	issuer, _ := revocable(t, paseto.Config{})
	for _, test := range []struct {
		name  string
		cfg   paseto.Config
		grant paseto.Grant
		want  error
	}{
		{"issuer missing", paseto.Config{RequireIssuer: "a"}, paseto.Grant{}, paseto.ErrNoIssuer},
		{"another issuer", paseto.Config{RequireIssuer: "a"}, paseto.Grant{Issuer: "b"}, paseto.ErrIssuer},
		{"the issuer", paseto.Config{RequireIssuer: "a"}, paseto.Grant{Issuer: "a"}, nil},
		{"audience missing", paseto.Config{RequireAudience: []string{"a"}}, paseto.Grant{}, paseto.ErrAudience},
		{"another audience", paseto.Config{RequireAudience: []string{"a"}}, paseto.Grant{Audience: []string{"b", "c"}}, paseto.ErrAudience},
		{"the audience", paseto.Config{RequireAudience: []string{"a"}}, paseto.Grant{Audience: []string{"b", "a"}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, used, _ := ticketStore(t, test.cfg)
			token := issueTicket(t, issuer, issueAccess(t, issuer, test.grant).Claims, paseto.TicketGrant{})
			if test.want == nil {
				redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{})
				return
			}
			checkNotRedeemed(t, auth, token, paseto.Requirement{}, paseto.TicketUse{}, test.want)
			if *used != 0 {
				t.Error("the ticket is used up")
			}
		})
	}
}

// TestTicketWithoutExpiry stands for a token that is refused here.
func TestTicketWithoutExpiry(t *testing.T) {
	t.Parallel()
	eternal, c := revocable(t, paseto.Config{AllowNoExpiry: true})
	access := issueAccess(t, eternal, paseto.Grant{TTL: paseto.NoExpiry}).Claims
	token := issueTicket(t, eternal, access, paseto.TicketGrant{})
	strict, _ := revocable(t, paseto.Config{})
	checkNotRedeemed(t, strict, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrNoExpiry)
	if claims := redeem(t, eternal, token, paseto.Requirement{}, paseto.TicketUse{}); !eternal.Deadline(claims).IsZero() {
		t.Errorf("the deadline is %s", eternal.Deadline(claims))
	}
	late := issueTicket(t, eternal, access, paseto.TicketGrant{})
	c.Advance(30 * time.Second)
	checkNotRedeemed(t, eternal, late, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrExpired)
}

// TestTicketIsNoOtherToken, and no other token is a ticket.
func TestTicketIsNoOtherToken(t *testing.T) {
	t.Parallel()
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		auth, _ := revocable(t, paseto.Config{Purpose: purpose})
		pair := issuePair(t, auth, paseto.Grant{Fresh: true, Subject: "alice"})
		token := issueTicket(t, auth, pair.Access.Claims, paseto.TicketGrant{})
		for required, message := range map[string]string{
			"":             "Access token required but ticket provided",
			"access":       "Access token required but ticket provided",
			"refresh":      "Refresh token required but ticket provided",
			"email-verify": "email-verify token required but ticket provided",
		} {
			for _, optional := range []bool{false, true} {
				claims, err := auth.Verify(t.Context(), token, paseto.Requirement{Type: required, Optional: optional})
				checkRefused(t, err, paseto.ErrType, message)
				if claims != nil {
					t.Errorf("%s: claims come with the refusal", required)
				}
			}
		}
		if _, err := auth.Verify(t.Context(), token, paseto.Requirement{Type: paseto.TypeTicket}); !errors.Is(err, paseto.ErrRequirement) {
			t.Errorf("a ticket as what it is: error is %v, want %v", err, paseto.ErrRequirement)
		}
		for _, required := range []string{"", paseto.TypeTicket} {
			_, err := auth.Refresh(t.Context(), token, paseto.Requirement{Type: required})
			checkRefused(t, err, paseto.ErrType, "Refresh token required but ticket provided")
		}

		other := must(auth.Issue("email-verify", paseto.Grant{Purpose: purpose})).Token.Reveal()
		for name, token := range map[string]string{
			"access": pair.Access.Token.Reveal(), "refresh": pair.Refresh.Token.Reveal(), "email-verify": other,
			"untyped": sign(`{"exp":"2099-01-01T00:00:00Z"}`, "", ""),
		} {
			_, err := auth.RedeemTicket(t.Context(), token, paseto.Requirement{}, paseto.TicketUse{})
			checkRefused(t, err, paseto.ErrType, "ticket token required but "+name+" provided")
		}
		redeem(t, auth, token, paseto.Requirement{Fresh: true}, paseto.TicketUse{})
	}
}

// TestTicketForged has no key of ours, or changes what one of them made.
func TestTicketForged(t *testing.T) {
	t.Parallel()
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		auth, used, _ := ticketStore(t, paseto.Config{Purpose: purpose})
		eve, _ := revocable(t, paseto.Config{Purpose: purpose, Keys: []paseto.Key{otherLocal, otherPair}, OmitKeyID: true})
		access := issueAccess(t, auth, paseto.Grant{}).Claims
		token := issueTicket(t, auth, access, paseto.TicketGrant{Path: "/ws"})
		for name, test := range map[string]struct {
			token string
			want  error
		}{
			"none":          {"", paseto.ErrNoToken},
			"junk":          {"junk", paseto.ErrMalformed},
			"another key":   {issueTicket(t, eve, issueAccess(t, eve, paseto.Grant{}).Claims, paseto.TicketGrant{}), refusalOf(purpose)},
			"tampered":      {tamper(token), refusalOf(purpose)},
			"footer gone":   {bare(token), refusalOf(purpose)},
			"footer other":  {bare(token) + ".YQ", refusalOf(purpose)},
			"with more":     {token + ".", paseto.ErrMalformed},
			"too long":      {token + strings.Repeat("A", 8192), paseto.ErrMalformed},
			"version other": {"v2" + token[2:], paseto.ErrVersion},
		} {
			t.Run(string(purpose)+" "+name, func(t *testing.T) {
				checkNotRedeemed(t, auth, test.token, paseto.Requirement{}, paseto.TicketUse{Path: "/ws"}, test.want)
			})
		}
		if *used != 0 {
			t.Errorf("%d tickets are used up", *used)
		}
	}
}

// TestTicketOptional tells who is let in anonymously from who is refused.
func TestTicketOptional(t *testing.T) {
	t.Parallel()
	cfg := paseto.Config{RequireIssuer: "a", RequireAudience: []string{"a"}}
	refusal := func(context.Context, *paseto.Claims) error { return errors.New("no") }
	for _, test := range []struct {
		name  string
		req   paseto.Requirement
		grant paseto.Grant
		bound paseto.TicketGrant
		after time.Duration
		make  func(token string) string
		used  bool
		want  error // nil: anonymous
	}{
		{name: "no ticket", make: func(string) string { return "" }},
		{name: "junk", make: func(string) string { return "junk" }},
		{name: "tampered", make: tamper},
		{name: "expired", after: time.Minute},
		{name: "access token expired", grant: paseto.Grant{TTL: time.Second}, after: 2 * time.Second},
		{name: "another issuer", grant: paseto.Grant{Issuer: "b"}},
		{name: "another audience", grant: paseto.Grant{Audience: []string{"b"}}},
		{name: "another implicit assertion", req: paseto.Requirement{Implicit: []byte("b")}},
		{name: "another path", bound: paseto.TicketGrant{Path: "/other"}},
		{name: "another origin", bound: paseto.TicketGrant{Origin: "https://other"}},
		{name: "not fresh", req: paseto.Requirement{Fresh: true}, want: paseto.ErrNotFresh},
		{name: "scope missing", req: paseto.Requirement{Scopes: []string{"a"}}, want: paseto.ErrScope},
		{name: "another type", req: paseto.Requirement{Type: "other"}, want: paseto.ErrType},
		{name: "refused by the check", req: paseto.Requirement{Check: refusal}, want: paseto.ErrForbidden},
		{name: "used", used: true, want: paseto.ErrTicketUsed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, c := revocable(t, cfg)
			if test.grant.Issuer == "" {
				test.grant.Issuer = "a"
			}
			if test.grant.Audience == nil {
				test.grant.Audience = []string{"a"}
			}
			token := issueTicket(t, auth, issueAccess(t, auth, test.grant).Claims, test.bound)
			c.Advance(test.after)
			if test.make != nil {
				token = test.make(token)
			}
			if test.used {
				redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{})
			}
			test.req.Optional = true
			claims, err := auth.RedeemTicket(t.Context(), token, test.req, paseto.TicketUse{Path: "/ws"})
			switch {
			case test.want == nil && (err != nil || !claims.Anonymous()):
				t.Errorf("claims %v, error %v, want an anonymous caller", claims, err)
			case test.want != nil && (!errors.Is(err, test.want) || claims != nil):
				t.Errorf("claims %v, error %v, want %v", claims, err, test.want)
			}
		})
	}
	auth, _ := revocable(t, paseto.Config{})
	access := issueAccess(t, auth, paseto.Grant{}).Claims
	token := issueTicket(t, auth, access, paseto.TicketGrant{})
	if redeem(t, auth, token, paseto.Requirement{Optional: true}, paseto.TicketUse{}).Anonymous() {
		t.Error("the caller with a good ticket is anonymous")
	}
	revoked := issueTicket(t, auth, access, paseto.TicketGrant{})
	checkNil(t, auth.Revoke(t.Context(), access))
	checkNotRedeemed(t, auth, revoked, paseto.Requirement{Optional: true}, paseto.TicketUse{}, paseto.ErrRevoked)
}

// TestTicketOptionalWrongType: a valid token that is no ticket is refused, as
// any valid token of the wrong type is.
func TestTicketOptionalWrongType(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	token := issueAccess(t, auth, paseto.Grant{}).Token.Reveal()
	checkNotRedeemed(t, auth, token, paseto.Requirement{Optional: true}, paseto.TicketUse{}, paseto.ErrType)
}
