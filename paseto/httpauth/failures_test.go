package httpauth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestTokenRefusals sends tokens that are well carried and not valid.
func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	now := testclock.New(start)
	store := denylist.NewMemory(denylist.WithClock(now.Now))
	t.Cleanup(func() { store.Close() })
	issuer := newSite(t, setup{store: store, clock: now})

	local := issuer.access(t, paseto.Grant{Subject: "alice"})
	public := issuer.access(t, paseto.Grant{Subject: "alice", Purpose: paseto.Public})
	bound := issuer.access(t, paseto.Grant{Implicit: []byte("a")})
	boundPublic := issuer.access(t, paseto.Grant{Implicit: []byte("a"), Purpose: paseto.Public})
	named := issuer.access(t, paseto.Grant{Issuer: "here", Audience: []string{"a", "b"}})
	expiring := issuer.access(t, paseto.Grant{ExpiresAt: start.Add(time.Minute)})
	later := issuer.access(t, paseto.Grant{NotBefore: start.Add(time.Minute)})
	scoped := issuer.access(t, paseto.Grant{Scopes: []string{"read"}})
	refresh := must(issuer.auth.IssueRefresh(paseto.Grant{})).Token.Reveal()
	revoked, _ := issuer.pair(t)
	if answer := post(t, issuer.web.Logout(), bearer(revoked)); answer.status != http.StatusNoContent {
		t.Fatalf("logout is answered with %d", answer.status)
	}
	payload := strings.TrimPrefix(local, "v4.local.")
	otherKeys := paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey(), paseto.NewSecretKey()}}

	invalid := func(code paseto.Code, detail string) problem {
		return problem{http.StatusUnauthorized, code, detail, challenge("invalid_token", detail)}
	}
	malformed := invalid("token_malformed", "Invalid PASETO format")
	for _, test := range []struct {
		name  string
		token string
		auth  paseto.Config
		req   paseto.Requirement
		after time.Duration
		want  problem
	}{
		{name: "one part", token: "junk", want: malformed},
		{name: "two parts", token: "v4.local", want: malformed},
		{name: "five parts", token: local + ".YQ.YQ", want: malformed},
		{name: "dots", token: strings.Repeat(".", 8000), want: malformed},
		{name: "too long", token: "v4.local." + strings.Repeat("A", 9000), want: malformed},
		{name: "unknown version", token: "v9.local." + payload, want: invalid("version_unsupported", "Invalid PASETO version v9")},
		{name: "unknown purpose", token: "v4.other." + payload, want: invalid("purpose_unsupported", "Invalid PASETO purpose other")},
		{
			name: "bad base64", token: local, req: paseto.Requirement{Base64: true},
			want: invalid("base64_invalid", "Invalid base64 encoding"),
		},
		{name: "unexpected base64", token: base64.StdEncoding.EncodeToString([]byte(local)), want: malformed},

		{name: "wrong local key", token: local, auth: otherKeys, want: invalid("decryption_failed", "Failed to decrypt.")},
		{name: "tampered local", token: local[:len(local)-8] + "AAAAAAAA", want: invalid("decryption_failed", "Failed to decrypt.")},
		{
			name: "wrong implicit assertion of local", token: bound, req: paseto.Requirement{Implicit: []byte("b")},
			want: invalid("decryption_failed", "Failed to decrypt."),
		},
		{name: "wrong public key", token: public, auth: otherKeys, want: invalid("verification_failed", "Failed to verify.")},
		{name: "tampered public", token: public[:len(public)-8] + "AAAAAAAA", want: invalid("verification_failed", "Failed to verify.")},
		{
			name: "wrong implicit assertion of public", token: boundPublic, req: paseto.Requirement{Implicit: []byte("b")},
			want: invalid("verification_failed", "Failed to verify."),
		},

		{name: "expired", token: expiring, after: time.Minute, want: invalid("token_expired", "Token expired.")},
		{name: "not yet valid", token: later, want: invalid("token_not_yet_valid", "Token is not valid yet")},
		{
			name: "iss missing", token: local, auth: paseto.Config{RequireIssuer: "there"},
			want: invalid("issuer_missing", "Token is missing the 'iss' claim"),
		},
		{
			name: "iss wrong", token: named, auth: paseto.Config{RequireIssuer: "there"},
			want: invalid("issuer_invalid", "Token issuer is not valid"),
		},
		{
			name: "aud missing", token: local, auth: paseto.Config{RequireAudience: []string{"c"}},
			want: invalid("audience_invalid", "aud verification failed."),
		},
		{
			name: "aud wrong", token: named, auth: paseto.Config{RequireAudience: []string{"c"}},
			want: invalid("audience_invalid", "aud verification failed."),
		},

		{name: "refresh for access", token: refresh, want: invalid("type_mismatch", "Access token required but refresh provided")},
		{
			name: "access for refresh", token: local, req: paseto.Requirement{Type: paseto.TypeRefresh},
			want: invalid("type_mismatch", "Refresh token required but access provided"),
		},
		{
			name: "access for another type", token: local, req: paseto.Requirement{Type: "other"},
			want: invalid("type_mismatch", "other token required but access provided"),
		},
		{name: "revoked", token: revoked, want: invalid("token_revoked", "Token has been revoked")},
		{
			name: "not fresh", token: local, req: paseto.Requirement{Fresh: true},
			want: problem{
				http.StatusUnauthorized, "token_not_fresh", "PASETO access token is not fresh",
				challenge("insufficient_user_authentication", "PASETO access token is not fresh"),
			},
		},
		{
			name: "insufficient scope", token: scoped, req: paseto.Requirement{Scopes: []string{"read", "write"}},
			want: problem{
				http.StatusForbidden, "scope_insufficient", "Token scope is not sufficient",
				challenge("insufficient_scope", "Token scope is not sufficient") + `, scope="read write"`,
			},
		},
		{
			name: "check with an error of its own", token: local, req: paseto.Requirement{Check: refuseWith(errors.New("alice is on leave"))},
			want: problem{status: http.StatusForbidden, code: "access_denied", detail: "Access denied"},
		},
		{
			name: "check with a refusal", token: local,
			req:  paseto.Requirement{Check: refuseWith(&paseto.Error{Code: "plan", Message: "Upgrade to go on"})},
			want: problem{status: http.StatusForbidden, code: "plan", detail: "Upgrade to go on"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			own := testclock.New(start.Add(test.after))
			s := newSite(t, setup{auth: test.auth, store: store, clock: own})
			handler := s.web.Require(test.req, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }))
			checkProblem(t, get(t, handler, bearer(test.token)), test.want)
		})
	}
}

func refuseWith(err error) func(context.Context, *paseto.Claims) error {
	return func(context.Context, *paseto.Claims) error { return err }
}

// TestCredentialRefusals sends requests that carry no token, or not as they
// should.
func TestCredentialRefusals(t *testing.T) {
	t.Parallel()
	missing := problem{http.StatusUnauthorized, "token_missing", "PASETO Authorization Token required", noCredential}
	invalid := func(code paseto.Code, detail string) problem {
		return problem{http.StatusBadRequest, code, detail, challenge("invalid_request", detail)}
	}
	badHeader := invalid("credential_malformed", "Bad Authorization header. Expected value 'Bearer <PASETO>'")
	badMember := invalid("credential_malformed", "Bad access_token header. Expected value '<PASETO>'")
	badBody := invalid("credential_malformed", "Bad request body. Expected a JSON object")
	badCookie := invalid("credential_malformed", "Bad __Host-access_token cookie. Expected value '<PASETO>'")
	ambiguous := invalid("credential_ambiguous", "More than one token was sent. Expected exactly one")

	everywhere := httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie, httpauth.LocationJSON}}
	site := newSite(t, setup{web: everywhere})
	good := site.access(t, paseto.Grant{Subject: "alice"})
	for _, test := range []struct {
		name  string
		parts []part
		want  problem
	}{
		{"nothing", nil, missing},
		{"other header", []part{header("X-Token", good)}, missing},
		{"other cookie", []part{cookie("access_token", good)}, missing},
		{"other member", []part{object("ACCESS_TOKEN", good)}, missing},
		{"body that is no JSON", []part{body("text/plain", `{"access_token":"`+good+`"}`)}, missing},
		{"broken media type", []part{body("/", `{"access_token":"`+good+`"}`)}, missing},
		{"empty JSON body", []part{body(asJSON, "")}, missing},

		{"empty header", []part{header("Authorization", "")}, badHeader},
		{"scheme alone", []part{header("Authorization", "Bearer")}, badHeader},
		{"scheme and space", []part{header("Authorization", "Bearer ")}, badHeader},
		{"two words", []part{header("Authorization", "Bearer "+good+" b")}, badHeader},
		{"spaces alone", []part{header("Authorization", "Bearer   ")}, badHeader},
		{"tab", []part{header("Authorization", "Bearer\t"+good)}, badHeader},
		{"token without scheme", []part{header("Authorization", good)}, badHeader},
		{"joined headers", []part{header("Authorization", "Bearer "+good+",Bearer "+good)}, badHeader},
		{"token that is not ASCII", []part{bearer("v4.löcal.x")}, badHeader},

		{"empty cookie", []part{cookie("__Host-access_token", "")}, badCookie},
		{"cookie without value", []part{header("Cookie", "__Host-access_token")}, badCookie},

		{"empty member", []part{object("access_token", "")}, badMember},
		{"member of two words", []part{object("access_token", "Bearer "+good)}, badMember},
		{"numeric member", []part{body(asJSON, `{"access_token":5}`)}, badMember},
		{"null member", []part{body(asJSON, `{"access_token":null}`)}, badMember},
		{"list of one", []part{body(asJSON, `{"access_token":["`+good+`"]}`)}, badMember},
		{"array as body", []part{body(asJSON, `[]`)}, badBody},
		{"broken JSON", []part{body(asJSON, `{"access_token":"`+good+`"`)}, badBody},
		{"two JSON values", []part{body(asJSON, `{"access_token":"`+good+`"}{}`)}, badBody},
		{"duplicate member", []part{body(asJSON, `{"access_token":"`+good+`","access_token":"`+good+`"}`)}, badBody},

		{"half of a surrogate pair", []part{body(asJSON, `{"access_token":"`+good+`","a":"\ud800"}`)}, badBody},

		{"repeated header", []part{bearer(good), bearer(good)}, ambiguous},
		{"repeated cookie", []part{cookie("__Host-access_token", good+"; __Host-access_token="+good)}, ambiguous},
		{"cookie in two headers", []part{cookie("__Host-access_token", good), cookie("__Host-access_token", "x")}, ambiguous},
		{"header and cookie", []part{bearer(good), cookie("__Host-access_token", good)}, ambiguous},
		{"header and member", []part{bearer(good), object("access_token", good)}, ambiguous},
		{"cookie and member", []part{cookie("__Host-access_token", good), object("access_token", good)}, ambiguous},

		{"bad header, good cookie", []part{header("Authorization", "Bearer"), cookie("__Host-access_token", good)}, badHeader},
		{"good header, bad member", []part{bearer(good), object("access_token", "")}, badMember},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// An optional route lets nobody in whose request is malformed: what
			// was meant is unknown.
			for _, optional := range []bool{false, true} {
				if optional && test.want == missing {
					continue
				}
				handler := site.web.Require(paseto.Requirement{Optional: optional},
					http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }))
				checkProblem(t, get(t, handler, test.parts...), test.want)
			}
		})
	}
}

func TestNothingTheClientWroteReachesAHeader(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationJSON}}})
	required := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	for _, version := range []string{
		"v9\"EVIL", "v9\r\nX-Evil:EVIL", "v9\x00EVIL", "v9\\EVIL", "v9\x7fEVIL", "v9éEVIL", "v9<EVIL>", "EVIL" + strings.Repeat("x", 40),
	} {
		for name, answer := range map[string]answer{
			"version in a header":    get(t, required, bearer(version+".local.AAAA")),
			"purpose in a header":    get(t, required, bearer("v4."+version+".AAAA")),
			"version in a member":    post(t, required, object("access_token", version+".local.AAAA")),
			"version at refresh":     post(t, s.web.Refresh(), object("refresh_token", version+".local.AAAA")),
			"purpose at refresh":     post(t, s.web.Refresh(), object("refresh_token", "v4."+version+".AAAA")),
			"version at logout":      post(t, s.web.Logout(), bearer(version+".local.AAAA")),
			"user name at the login": post(t, s.web.Login(accept), object("username", version)),
		} {
			if answer.status/100 != 4 {
				t.Errorf("%s %q: status is %d", name, version, answer.status)
			}
			if strings.Contains(answer.body, "EVIL") {
				t.Errorf("%s %q: the body shows it: %s", name, version, answer.body)
			}
			for header, values := range answer.header {
				if text := header + strings.Join(values, ""); strings.Contains(strings.ToUpper(text), "EVIL") {
					t.Errorf("%s %q: the header %s shows it: %q", name, version, header, values)
				}
			}
		}
	}
}
