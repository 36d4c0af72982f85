package httpauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// tenant is an implicit assertion that depends on the request.
func tenant(r *http.Request) []byte { return []byte("tenant of " + r.Host) }

// TestEndpointsServeWhatLoginIssues logs in, enters a guarded route, refreshes, gets
// and redeems a ticket, and logs out, with every kind of token that a login function
// can ask for.
func TestEndpointsServeWhatLoginIssues(t *testing.T) {
	t.Parallel()
	implicit := []byte("tenant of example.com")
	anyTime := paseto.Config{AllowNoExpiry: true}
	asPublic := paseto.Config{Keys: []paseto.Key{paseto.NewSecretKey()}, Purpose: paseto.Public}
	for _, test := range []struct {
		name  string
		setup setup
		grant paseto.Grant
		req   paseto.Requirement // of guarded routes
	}{
		{name: "defaults"},
		{name: "base64", grant: paseto.Grant{Base64: true}, req: paseto.Requirement{Base64: true}},
		{name: "implicit assertion", setup: setup{implicit: tenant}, req: paseto.Requirement{Implicit: implicit}},
		{
			name: "base64 and implicit assertion", setup: setup{implicit: tenant},
			grant: paseto.Grant{Base64: true, Implicit: implicit}, req: paseto.Requirement{Base64: true, Implicit: implicit},
		},
		{
			name: "base64, public", setup: setup{auth: asPublic, implicit: tenant},
			grant: paseto.Grant{Base64: true}, req: paseto.Requirement{Base64: true, Implicit: implicit},
		},
		{name: "empty implicit assertion", grant: paseto.Grant{Implicit: []byte{}}},
		{name: "other purpose", grant: paseto.Grant{Purpose: paseto.Public}},
		{
			name:  "other version, base64",
			setup: setup{auth: paseto.Config{Keys: []paseto.Key{localKey, must(paseto.NewKey(paseto.V2, paseto.Local))}}},
			grant: paseto.Grant{Version: paseto.V2, Base64: true}, req: paseto.Requirement{Base64: true},
		},
		{
			name: "claims, footer, scopes", grant: paseto.Grant{
				Claims: map[string]any{"roles": []string{"admin"}, "access": 1, "path": "/x"}, Footer: map[string]string{"region": "eu"},
				Scopes: []string{"read"}, Base64: true,
			},
			req: paseto.Requirement{Base64: true, Scopes: []string{"read"}},
		},
		{name: "footer with a kid of its own", grant: paseto.Grant{Footer: []byte(`{"kid":"mine"}`)}},
		{name: "footer that is text", grant: paseto.Grant{Footer: "text"}},
		{name: "other issuer and audience", grant: paseto.Grant{Issuer: "other", Audience: []string{"a", "b"}}},
		{
			name:  "issuer and audience that are required",
			setup: setup{auth: paseto.Config{RequireIssuer: "other", RequireAudience: []string{"b", "c"}}},
			grant: paseto.Grant{Issuer: "other", Audience: []string{"a", "b"}},
		},
		{name: "no expiry", setup: setup{auth: anyTime}, grant: paseto.Grant{TTL: paseto.NoExpiry, RefreshTTL: paseto.NoExpiry}},
		{name: "a second", grant: paseto.Grant{TTL: time.Second, RefreshTTL: time.Second}},
		{name: "login of yesterday", grant: paseto.Grant{AuthTime: start.Add(-24 * time.Hour)}},
		{name: "not before the past", grant: paseto.Grant{NotBefore: start.Add(-time.Hour)}},
		{name: "session", grant: paseto.Grant{Session: "mine"}},
	} {
		for carrier, locations := range map[string][]httpauth.Location{"header": nil, "cookie": onlyCookies} {
			t.Run(test.name+", "+carrier, func(t *testing.T) {
				t.Parallel()
				setup := test.setup
				setup.web.Locations = locations
				s := newSite(t, setup)
				grant := test.grant
				grant.Subject = "alice"
				carry := func(a answer) (access, refresh part) {
					if locations == nil {
						got := tokens(t, a)
						return bearer(got.AccessToken.Reveal()), bearer(got.RefreshToken.Reveal())
					}
					jar := func(name string) part { return cookie(name, a.cookies[name].Value) }
					return jar("__Host-access_token"), jar("__Host-refresh_token")
				}
				enter := func(access part) {
					t.Helper()
					checkOK(t, get(t, s.web.Require(test.req, http.HandlerFunc(whoami)), access), "alice")
				}
				login := post(t, s.web.Login(granting(grant)), body(asForm, passwordForm))
				if login.status != http.StatusOK {
					t.Fatalf("the login is answered with %d %s\n%s", login.status, login.body, s.log)
				}
				access, refresh := carry(login)
				enter(access)
				access, refresh = carry(post(t, s.web.Refresh(), refresh))
				enter(access)

				ticket := ticketOf(t, post(t, s.web.Ticket(), access))
				s.redeemed(t, ticket.Ticket.Reveal(), test.req, paseto.TicketUse{})

				checkLoggedOut(t, post(t, s.web.Logout(), access))
				checkProblem(t, get(t, s.web.Require(test.req, http.HandlerFunc(whoami)), access), revoked)
				checkProblem(t, post(t, s.web.Refresh(), refresh), revoked)

				grant.Session = "" // the other one is over
				access, refresh = carry(post(t, s.web.Login(granting(grant)), body(asForm, passwordForm)))
				checkLoggedOut(t, post(t, s.web.LogoutEverywhere(), refresh))
				checkProblem(t, post(t, s.web.Ticket(), access), revoked)
			})
		}
	}
}

// TestWrappedRefreshMember sends a wrapped refresh token in the body, where a plus
// sign of base64 must survive.
func TestWrappedRefreshMember(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	login := s.web.Login(granting(paseto.Grant{Subject: "alice", Base64: true}))
	got := tokens(t, post(t, login, body(asForm, passwordForm)))
	got = tokens(t, post(t, s.web.Refresh(), object("refresh_token", got.RefreshToken.Reveal())))
	got = tokens(t, post(t, s.web.Refresh(), body(asForm, url.Values{"refresh_token": {got.RefreshToken.Reveal()}}.Encode())))
	checkLoggedOut(t, post(t, s.web.Logout(), object("refresh_token", got.RefreshToken.Reveal())))
}

// TestUnservedLogins are logins whose tokens another endpoint would refuse: they
// get none, and the log says why, and how to mend it.
func TestUnservedLogins(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		setup setup
		grant paseto.Grant
		log   []string
	}{
		{name: "implicit assertion", grant: paseto.Grant{Implicit: []byte("x")}, log: []string{"Implicit", "WithImplicit"}},
		{
			name: "implicit assertion and base64", grant: paseto.Grant{Implicit: []byte("x"), Base64: true},
			log: []string{"Implicit", "WithImplicit"},
		},
		{
			name: "another implicit assertion", setup: setup{implicit: tenant}, grant: paseto.Grant{Implicit: []byte("x")},
			log: []string{"another Implicit", "WithImplicit"},
		},
		{
			name: "empty implicit assertion", setup: setup{implicit: tenant}, grant: paseto.Grant{Implicit: []byte{}},
			log: []string{"another Implicit", "WithImplicit"},
		},
		{
			name:  "version without implicit assertions",
			setup: setup{implicit: tenant, auth: paseto.Config{Keys: []paseto.Key{localKey, must(paseto.NewKey(paseto.V2, paseto.Local))}}},
			grant: paseto.Grant{Version: paseto.V2}, log: []string{"version 2 has no implicit assertions"},
		},
		{
			name: "issuer", setup: setup{auth: paseto.Config{RequireIssuer: "me"}}, grant: paseto.Grant{Issuer: "other"},
			log: []string{"would refuse", "Grant", "iss", "other"},
		},
		{name: "no issuer", setup: setup{auth: paseto.Config{RequireIssuer: "me"}}, log: []string{"would refuse", "iss"}},
		{
			name: "audience", setup: setup{auth: paseto.Config{RequireAudience: []string{"me"}}},
			grant: paseto.Grant{Audience: []string{"other"}}, log: []string{"would refuse", "aud", "other"},
		},
		{
			name: "not yet valid", grant: paseto.Grant{NotBefore: start.Add(10 * time.Minute)},
			log: []string{"would refuse", "valid from"},
		},
		{
			name:  "a public half before the secret key",
			setup: setup{auth: paseto.Config{OmitKeyID: true, Purpose: paseto.Public, Keys: []paseto.Key{must(secretKey.PublicKey()), secretKey}}},
			log:   []string{"would refuse", "first of Keys"},
		},
	} {
		for carrier, locations := range map[string][]httpauth.Location{"header": nil, "cookie": onlyCookies} {
			t.Run(test.name+", "+carrier, func(t *testing.T) {
				t.Parallel()
				setup := test.setup
				setup.web.Locations = locations
				s := newSite(t, setup)
				a := post(t, s.web.Login(granting(test.grant)), body(asForm, passwordForm))
				checkProblem(t, a, refusal(http.StatusInternalServerError, httpauth.ErrServer, ""))
				if len(a.cookies) > 0 || strings.Contains(a.body, "_token") {
					t.Errorf("tokens are sent: %s %v", a.body, a.cookies)
				}
				log := s.log.String()
				for _, word := range append(test.log, "level=ERROR") {
					if !strings.Contains(log, word) {
						t.Errorf("the log does not say %q: %s", word, log)
					}
				}
			})
		}
	}
}

// TestGuardedRoutesAskForBase64 still refuses what is not wrapped as the route
// says: only the endpoints take both.
func TestGuardedRoutesAskForBase64(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	plain, wrapped := s.access(t, paseto.Grant{}), s.access(t, paseto.Grant{Base64: true})
	if a := get(t, s.web.Require(paseto.Requirement{Base64: true}, http.HandlerFunc(whoami)), bearer(plain)); a.status != http.StatusUnauthorized {
		t.Errorf("an unwrapped token gets %d where a wrapped one is required", a.status)
	}
	if a := get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(wrapped)); a.status != http.StatusUnauthorized {
		t.Errorf("a wrapped token gets %d where none is required", a.status)
	}
}

// TestSendPair answers as a login does, and with no pair that the endpoints would
// refuse.
func TestSendPair(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		locations []httpauth.Location
		grant     paseto.Grant
		parts     []part
		status    int
		inBody    bool
		asCookies bool
	}{
		{name: "header", status: http.StatusOK, inBody: true},
		{name: "header or cookies", locations: headerOrCookies, status: http.StatusOK, inBody: true, asCookies: true},
		{name: "cookies", locations: onlyCookies, status: http.StatusOK, asCookies: true},
		{name: "base64", locations: onlyCookies, grant: paseto.Grant{Base64: true}, status: http.StatusOK, asCookies: true},
		{
			name: "another origin", locations: onlyCookies, status: http.StatusForbidden,
			parts: []part{header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")},
		},
		{name: "implicit assertion", grant: paseto.Grant{Implicit: []byte("x")}, status: http.StatusInternalServerError},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: httpauth.Config{Locations: test.locations}})
			test.grant.Subject = "alice"
			a := post(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				pair, err := s.auth.ReplaceSessions(r.Context(), test.grant)
				if err != nil {
					t.Error(err)
				}
				s.web.SendPair(w, r, pair)
			}), test.parts...)
			if a.status != test.status {
				t.Errorf("status is %d, want %d: %s", a.status, test.status, a.body)
			}
			if got := strings.Contains(a.body, `"refresh_token":`) && strings.Contains(a.body, `"access_token":`); got != test.inBody {
				t.Errorf("tokens in the body: %t, want %t", got, test.inBody)
			}
			if got := len(a.cookies) == 2; got != test.asCookies || !got && len(a.cookies) > 0 {
				t.Errorf("cookies are %v", a.cookies)
			}
		})
	}
}
