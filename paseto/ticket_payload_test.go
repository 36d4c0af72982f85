package paseto_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// goodAccess is an access token as a ticket has it, goodTicket the rest of one.
const (
	goodAccess = `"access":{"type":"access","sub":"alice","exp":"2030-01-02T04:04:05Z"}`
	goodTicket = `"type":"ticket","jti":"t1","iat":"2030-01-02T03:04:05Z","exp":"2030-01-02T03:04:35Z"`
)

// TestTicketPayloads has tickets that a key of ours made and IssueTicket did not.
func TestTicketPayloads(t *testing.T) {
	t.Parallel()
	const times = `"iat":"2030-01-02T03:04:05Z","exp":"2030-01-02T03:04:35Z"`
	for _, test := range []struct {
		name, payload string
		want          error // nil: redeemed
	}{
		{"least", `{` + goodTicket + `,` + goodAccess + `}`, nil},
		{"others' members", `{` + goodTicket + `,"more":[1],"Access":{"type":"access"},"PATH":"/other",` + goodAccess + `}`, nil},
		{"claims of its own are not looked at", `{` + goodTicket + `,"fresh":true,"scope":"admin","aud":"x","iss":"y",` + goodAccess + `}`, nil},
		{"nothing bound", `{` + goodTicket + `,"path":"","origin":"",` + goodAccess + `}`, nil},
		{"escaped names", `{` + goodTicket + `,"\u0070ath":"/ws",` + goodAccess + `}`, nil},

		{"no type", `{"jti":"t1",` + times + `,` + goodAccess + `}`, paseto.ErrType},
		{"type in capitals", `{"type":"TICKET","jti":"t1",` + times + `,` + goodAccess + `}`, paseto.ErrType},
		{"no jti", `{"type":"ticket",` + times + `,` + goodAccess + `}`, paseto.ErrClaims},
		{"empty jti", `{"type":"ticket","jti":"",` + times + `,` + goodAccess + `}`, paseto.ErrClaims},
		{"jti of another kind", `{"type":"ticket","jti":1,` + times + `,` + goodAccess + `}`, paseto.ErrClaims},
		{"no exp", `{"type":"ticket","jti":"t1","iat":"2030-01-02T03:04:05Z",` + goodAccess + `}`, paseto.ErrClaims},
		{"no iat", `{"type":"ticket","jti":"t1","exp":"2030-01-02T03:04:35Z",` + goodAccess + `}`, paseto.ErrClaims},
		{"long life", `{"type":"ticket","jti":"t1","iat":"2030-01-02T03:04:05Z","exp":"2030-01-02T03:04:36Z",` + goodAccess + `}`, paseto.ErrClaims},
		{"very long life", `{"type":"ticket","jti":"t1","iat":"0001-01-01T00:00:00Z","exp":"9999-01-01T00:00:00Z",` + goodAccess + `}`, paseto.ErrClaims},
		{"over", `{"type":"ticket","jti":"t1","iat":"2030-01-02T03:03:35Z","exp":"2030-01-02T03:04:05Z",` + goodAccess + `}`, paseto.ErrExpired},
		{"over before it began", `{"type":"ticket","jti":"t1","iat":"2030-01-02T03:04:05Z","exp":"2030-01-02T03:04:00Z",` + goodAccess + `}`, paseto.ErrExpired},
		{"not yet", `{"type":"ticket","jti":"t1","iat":"2030-01-02T03:04:15Z","exp":"2030-01-02T03:04:35Z",` + goodAccess + `}`, paseto.ErrNotYetValid},
		{"not before", `{` + goodTicket + `,"nbf":"2030-01-02T03:04:15Z",` + goodAccess + `}`, paseto.ErrNotYetValid},

		{"no access token", `{` + goodTicket + `}`, paseto.ErrClaims},
		{"access token of null", `{` + goodTicket + `,"access":null}`, paseto.ErrClaims},
		{"access token as text", `{` + goodTicket + `,"access":"{}"}`, paseto.ErrClaims},
		{"list of access tokens", `{` + goodTicket + `,"access":[{"type":"access","exp":"2030-01-02T04:04:05Z"}]}`, paseto.ErrClaims},
		{"two access tokens", `{` + goodTicket + `,` + goodAccess + `,` + goodAccess + `}`, paseto.ErrClaims},
		{"two by escape", `{` + goodTicket + `,` + goodAccess + `,"\u0061ccess":{"type":"access"}}`, paseto.ErrClaims},
		{"two paths", `{` + goodTicket + `,"path":"/ws","path":"/other",` + goodAccess + `}`, paseto.ErrClaims},
		{"two subjects", `{` + goodTicket + `,"access":{"type":"access","sub":"a","sub":"b","exp":"2030-01-02T04:04:05Z"}}`, paseto.ErrClaims},
		{"claim of another kind", `{` + goodTicket + `,"access":{"type":"access","exp":1893557045}}`, paseto.ErrClaims},
		{"path of another kind", `{` + goodTicket + `,"path":["/ws"],` + goodAccess + `}`, paseto.ErrClaims},
		{"origin of another kind", `{` + goodTicket + `,"origin":1,` + goodAccess + `}`, paseto.ErrClaims},
		{"footer of another kind", `{` + goodTicket + `,"access_footer":{},` + goodAccess + `}`, paseto.ErrClaims},
		{"footer that is no base64", `{` + goodTicket + `,"access_footer":"%",` + goodAccess + `}`, paseto.ErrClaims},
		{"nested too deeply", `{` + goodTicket + `,"access":` + strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat(`}`, 64) + `}`, paseto.ErrClaims},

		{"no type inside", `{` + goodTicket + `,"access":{"exp":"2030-01-02T04:04:05Z"}}`, paseto.ErrType},
		{"refresh token inside", `{` + goodTicket + `,"access":{"type":"refresh","exp":"2030-01-02T04:04:05Z"}}`, paseto.ErrType},
		{"ticket inside", `{` + goodTicket + `,"access":{` + goodTicket + `,` + goodAccess + `}}`, paseto.ErrType},
		{"no exp inside", `{` + goodTicket + `,"access":{"type":"access"}}`, paseto.ErrNoExpiry},
		{"over inside", `{` + goodTicket + `,"access":{"type":"access","exp":"2030-01-02T03:04:05Z"}}`, paseto.ErrExpired},
		{"not yet inside", `{` + goodTicket + `,"access":{"type":"access","iat":"2030-01-02T03:04:15Z","exp":"2030-01-02T04:04:05Z"}}`, paseto.ErrNotYetValid},
		{"another path", `{` + goodTicket + `,"path":"/other",` + goodAccess + `}`, paseto.ErrTicket},
		{"another origin", `{` + goodTicket + `,"origin":"https://other",` + goodAccess + `}`, paseto.ErrTicket},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, used, _ := ticketStore(t, paseto.Config{})
			token, use := sign(test.payload, "", ""), paseto.TicketUse{Path: "/ws", Origin: "https://here"}
			if test.want != nil {
				checkNotRedeemed(t, auth, token, paseto.Requirement{}, use, test.want)
				if *used != 0 {
					t.Error("the ticket is used up")
				}
				return
			}
			claims := redeem(t, auth, token, paseto.Requirement{}, use)
			if claims.Subject != "alice" || claims.Fresh || len(claims.Scopes) != 0 || claims.Type != paseto.TypeAccess {
				t.Errorf("claims are %s", says(t, claims))
			}
			checkNotRedeemed(t, auth, token, paseto.Requirement{}, use, paseto.ErrTicketUsed)
		})
	}
}

// TestTicketOfATokenInItsLeeway works as long as the token itself does.
func TestTicketOfATokenInItsLeeway(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{Leeway: 10 * time.Second})
	access := issueAccess(t, auth, paseto.Grant{TTL: time.Second})
	early := issueTicket(t, auth, access.Claims, paseto.TicketGrant{})
	late := issueTicket(t, auth, access.Claims, paseto.TicketGrant{})
	c.Set(auth.Deadline(access.Claims).Add(-1))
	redeem(t, auth, early, paseto.Requirement{}, paseto.TicketUse{})
	c.Advance(1)
	checkNotRedeemed(t, auth, late, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrExpired)
}

func TestIssueTicketRefuses(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	pair := issuePair(t, auth, paseto.Grant{})
	long := issueAccess(t, auth, paseto.Grant{Claims: map[string]string{"x": strings.Repeat("x", 5700)}})
	unable, _ := revocable(t, paseto.Config{Keys: []paseto.Key{must(publicKey.PublicKey())}, Purpose: paseto.Public})
	deep := issueAccess(t, auth, paseto.Grant{Claims: json.RawMessage(strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat(`}`, 64))})
	ticket := must(auth.IssueTicket(pair.Access.Claims, paseto.TicketGrant{}))
	for _, test := range []struct {
		name   string
		auth   *paseto.Authorizer
		access *paseto.Claims
		want   error
		why    string
	}{
		{"anonymous", auth, nil, paseto.ErrGrant, "access token"},
		{"refresh token", auth, pair.Refresh.Claims, paseto.ErrGrant, "access token"},
		{"token of another type", auth, must(auth.Issue("email-verify", paseto.Grant{})).Claims, paseto.ErrGrant, "access token"},
		{"ticket", auth, ticket.Claims, paseto.ErrGrant, "access token"},
		{"long token", auth, long.Claims, paseto.ErrGrant, "MaxLength"},
		{"deep claims", auth, deep.Claims, paseto.ErrGrant, "deeper"},
		{"no key that issues", unable, pair.Access.Claims, paseto.ErrConfig, "v4.public"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			issued, err := test.auth.IssueTicket(test.access, paseto.TicketGrant{})
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.why) || issued.Token.Reveal() != "" || issued.Claims != nil {
				t.Errorf("%v with error %v, want %v about %s", issued, err, test.want, test.why)
			}
		})
	}
	verify(t, auth, long.Token.Reveal(), paseto.Requirement{})
}

// TestIssueTicketOfClaimsMadeByHand: they come from no token, and a ticket for
// them could never be redeemed.
func TestIssueTicketOfClaimsMadeByHand(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	issued, err := auth.IssueTicket(&paseto.Claims{Type: paseto.TypeAccess, Subject: "alice"}, paseto.TicketGrant{})
	if !errors.Is(err, paseto.ErrGrant) || issued.Token.Reveal() != "" {
		t.Errorf("%v with error %v, want %v", issued, err, paseto.ErrGrant)
	}
}

// TestIssueTicketNeverChangesABinding: JSON cannot carry bytes that are not
// UTF-8, and a ticket would be bound to another place.
func TestIssueTicketNeverChangesABinding(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	access := issueAccess(t, auth, paseto.Grant{}).Claims
	for name, grant := range map[string]paseto.TicketGrant{
		"path": {Path: "/\xff"}, "path with a query": {Path: "/ws?a"}, "path without a slash": {Path: "ws"},
		"path with half an escape": {Path: "/50%"}, "origin": {Origin: "https://\xff"}} {
		if issued, err := auth.IssueTicket(access, grant); !errors.Is(err, paseto.ErrGrant) || !issued.Token.IsZero() {
			t.Errorf("%s: %v with error %v, want %v", name, issued, err, paseto.ErrGrant)
		}
	}
}

func TestTicketEvents(t *testing.T) {
	t.Parallel()
	var seen events
	auth, c := revocable(t, paseto.Config{}, paseto.WithObserver(seen.observe))
	access := issueAccess(t, auth, paseto.Grant{Subject: "alice"}).Claims
	seen.take()
	issued := must(auth.IssueTicket(access, paseto.TicketGrant{}))
	if all := seen.take(); len(all) != 1 || all[0].Kind != paseto.EventIssued || all[0].Claims != issued.Claims {
		t.Errorf("the issue is observed as %+v", all)
	}
	claims := redeem(t, auth, issued.Token.Reveal(), paseto.Requirement{}, paseto.TicketUse{})
	if all := seen.take(); len(all) != 1 || all[0].Kind != paseto.EventVerified || all[0].Claims != claims {
		t.Errorf("the use is observed as %+v", all)
	}
	refused := func(name, token, id string, want error, req paseto.Requirement) {
		t.Helper()
		_, err := auth.RedeemTicket(t.Context(), token, req, paseto.TicketUse{})
		all := seen.take()
		if len(all) != 1 || all[0].Kind != paseto.EventRefused || !errors.Is(all[0].Err, want) {
			t.Fatalf("%s: observed as %+v", name, all)
		}
		if got := all[0].Claims; (got == nil) != (id == "") || got != nil && got.ID != id {
			t.Errorf("%s: the claims observed are %v, want those of %q", name, got, id)
		}
		if (err == nil) != req.Optional {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	id := issued.Claims.ID
	refused("used", issued.Token.Reveal(), id, paseto.ErrTicketUsed, paseto.Requirement{})
	refused("scope missing", issued.Token.Reveal(), id, paseto.ErrScope, paseto.Requirement{Scopes: []string{"a"}})
	refused("junk", "junk", "", paseto.ErrMalformed, paseto.Requirement{})
	c.Advance(time.Minute)
	refused("expired", issued.Token.Reveal(), id, paseto.ErrExpired, paseto.Requirement{})
	refused("expired, let in anonymously", issued.Token.Reveal(), id, paseto.ErrExpired, paseto.Requirement{Optional: true})
	for _, optional := range []bool{false, true} {
		_, _ = auth.RedeemTicket(t.Context(), "", paseto.Requirement{Optional: optional}, paseto.TicketUse{})
	}
	if all := seen.take(); len(all) != 0 {
		t.Errorf("that nobody came is observed as %+v", all)
	}
}

// FuzzRedeemTicket signs any payload. What is redeemed is an access token that
// stands in a ticket, and it is redeemed once.
func FuzzRedeemTicket(f *testing.F) {
	for _, seed := range []string{
		`{` + goodTicket + `,` + goodAccess + `}`,
		`{` + goodTicket + `,"path":"/ws","origin":"https://here","access_footer":"e30=",` + goodAccess + `}`,
		`{` + goodTicket + `,"path":"/other",` + goodAccess + `}`,
		`{` + goodTicket + `,"access":{"type":"refresh","exp":"2030-01-02T04:04:05Z"}}`,
		`{` + goodTicket + `,"access":{` + goodTicket + `,` + goodAccess + `}}`,
		`{` + goodTicket + `,"access":null}`, `{` + goodTicket + `}`, `{}`, `null`, `[`, ``, `{"type":"access"}`,
		`{` + goodAccess + `,"type":"ticket","jti":"t1","iat":"2030-01-02T03:04:05Z","exp":"9999-12-31T00:00:00Z"}`,
	} {
		f.Add(seed)
	}
	use := paseto.TicketUse{Path: "/ws", Origin: "https://here"}
	f.Fuzz(func(t *testing.T, payload string) {
		auth, _ := revocable(t, paseto.Config{})
		token := sign(payload, "", "")
		claims, err := auth.RedeemTicket(t.Context(), token, paseto.Requirement{}, use)
		if err != nil {
			refusal, ok := errors.AsType[*paseto.Error](err)
			if !ok || claims != nil || refusal.Code == "" || len(refusal.Message) > 80 ||
				strings.ContainsFunc(refusal.Message, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%q: claims %v, error %v", payload, claims, err)
			}
			return
		}
		var own, access map[string]json.RawMessage // by their exact names
		if json.Unmarshal([]byte(payload), &own) != nil || json.Unmarshal(own["access"], &access) != nil {
			t.Fatalf("%q is redeemed", payload)
		}
		expires, err := time.Parse(time.RFC3339, text(own["exp"]))
		if text(own["type"]) != "ticket" || text(access["type"]) != "access" || text(own["jti"]) == "" ||
			!slices.Contains([]string{"", use.Path}, text(own["path"])) || !slices.Contains([]string{"", use.Origin}, text(own["origin"])) ||
			err != nil || !expires.After(start) || expires.After(start.Add(30*time.Second)) {
			t.Fatalf("%q is redeemed", payload)
		}
		if claims.Type != paseto.TypeAccess || claims.ExpiresAt.IsZero() || !auth.Deadline(claims).After(start) {
			t.Fatalf("%q is redeemed for %s", payload, says(t, claims))
		}
		if _, err := auth.RedeemTicket(t.Context(), token, paseto.Requirement{}, use); !errors.Is(err, paseto.ErrTicketUsed) {
			t.Fatalf("%q is redeemed again: %v", payload, err)
		}
	})
}

// text returns a JSON string, or nothing.
func text(value json.RawMessage) string {
	var s string
	_ = json.Unmarshal(value, &s)
	return s
}
