package httpauth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// page is the origin of the page that asks.
const page = "https://app.example.com"

// ticket returns a ticket for a new access token of alice.
func (s *site) ticket(t testing.TB, bound paseto.TicketGrant) string {
	t.Helper()
	access, err := s.auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := s.auth.IssueTicket(access.Claims, bound)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token.Reveal()
}

// ticketOf reads the body that Ticket answers with.
func ticketOf(t testing.TB, a answer) httpauth.Ticket {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("answer is %d %s, want 200", a.status, a.body)
	}
	var got httpauth.Ticket
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("body %q holds no ticket: %v", a.body, err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"} {
		if got := a.header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if len(a.cookies) > 0 {
		t.Errorf("cookies are set: %v", a.cookies)
	}
	return got
}

// redeemed returns the claims that a ticket brings.
func (s *site) redeemed(t testing.TB, token string, req paseto.Requirement, use paseto.TicketUse) *paseto.Claims {
	t.Helper()
	claims, err := s.auth.RedeemTicket(t.Context(), token, req, use)
	if err != nil {
		t.Fatalf("the ticket is refused: %v", err)
	}
	return claims
}

func TestTicket(t *testing.T) {
	t.Parallel()
	everywhere := httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie, httpauth.LocationJSON}}
	withToken := func(token, members string) part { return body(asJSON, `{"access_token":"`+token+`"`+members+`}`) }
	byHeader := func(parts ...part) func(string) []part {
		return func(token string) []part { return append([]part{bearer(token)}, parts...) }
	}
	for _, test := range []struct {
		name string
		cfg  httpauth.Config
		opts []httpauth.TicketOption
		send func(access string) []part
		want string // the answer after the ticket
		use  paseto.TicketUse
	}{
		{name: "header", send: byHeader(), want: `"expires_in":30}`},
		{name: "header without scheme", cfg: httpauth.Config{HeaderName: "X-Token", HeaderScheme: httpauth.NoScheme}, want: `"expires_in":30}`,
			send: func(token string) []part { return []part{header("X-Token", token)} }},
		{name: "cookie", cfg: httpauth.Config{Locations: onlyCookies}, want: `"expires_in":30}`,
			send: func(token string) []part { return []part{cookie("__Host-access_token", token)} }},
		{name: "cookies of a page", cfg: everywhere, want: `"expires_in":30,"path":"/ws"}`, use: paseto.TicketUse{Path: "/ws"},
			send: func(token string) []part {
				return []part{cookie("__Host-access_token", token+"; __Host-refresh_token=x"), header("Sec-Fetch-Site", "same-origin"), object("path", "/ws")}
			}},
		{name: "member beside", cfg: everywhere, want: `"expires_in":30,"path":"/ws"}`, use: paseto.TicketUse{Path: "/ws"},
			send: func(token string) []part { return []part{withToken(token, `,"path":"/ws"`)} }},
		{name: "header of another site's page", cfg: everywhere, want: `"expires_in":30}`,
			send: byHeader(header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example"))},

		{name: "empty object", send: byHeader(body(asJSON, "{}")), want: `"expires_in":30}`},
		{name: "empty form", send: byHeader(body(asForm, "")), want: `"expires_in":30}`},
		{name: "nothing of any type", send: byHeader(header("Content-Type", "text/plain")), want: `"expires_in":30}`},
		{name: "other members", send: byHeader(body(asJSON, `{"room":5,"Path":"/x","list":[null]}`)), want: `"expires_in":30}`},
		{name: "path", send: byHeader(object("path", "/ws")), want: `"expires_in":30,"path":"/ws"}`, use: paseto.TicketUse{Path: "/ws", Origin: page}},
		{name: "path in a form", send: byHeader(body(asForm, "path=%2Fws")), want: `"expires_in":30,"path":"/ws"}`, use: paseto.TicketUse{Path: "/ws"}},
		{name: "path, not ASCII", send: byHeader(body("application/x+json; charset=utf-8", `{"path":"/räume/1 \u0026 2"}`)),
			want: `"expires_in":30,"path":"/räume/1 \u0026 2"}`, use: paseto.TicketUse{Path: "/räume/1 & 2"}},
		{name: "path, escaped", send: byHeader(object("path", "/r%c3%a4ume/a%2Fb")), want: `"expires_in":30,"path":"/r%c3%a4ume/a%2Fb"}`,
			use: paseto.TicketUse{Path: "/r%C3%A4ume/a%2fb"}},
		{name: "origin", send: byHeader(object("origin", page)), want: `"expires_in":30,"origin":"` + page + `"}`, use: paseto.TicketUse{Path: "/x", Origin: page}},
		{name: "origin with a port", send: byHeader(object("origin", "http://[::1]:8080")), want: `"expires_in":30,"origin":"http://[::1]:8080"}`,
			use: paseto.TicketUse{Origin: "http://[::1]:8080"}},
		{name: "origin that is not the page's", send: byHeader(object("origin", page), header("Origin", "https://other.example")),
			want: `"expires_in":30,"origin":"` + page + `"}`, use: paseto.TicketUse{Origin: page}},
		{name: "both", send: byHeader(body(asForm, "path=/ws&origin="+page)), want: `"expires_in":30,"path":"/ws","origin":"` + page + `"}`,
			use: paseto.TicketUse{Path: "/ws", Origin: page}},

		{name: "TicketPath", opts: []httpauth.TicketOption{nil, httpauth.WithTicketPath("/ws")}, send: byHeader(),
			want: `"expires_in":30,"path":"/ws"}`, use: paseto.TicketUse{Path: "/ws"}},
		{name: "TicketPath, asked for as well", opts: []httpauth.TicketOption{httpauth.WithTicketPath("/ws")}, send: byHeader(object("path", "/ws")),
			want: `"expires_in":30,"path":"/ws"}`, use: paseto.TicketUse{Path: "/ws"}},
		{name: "TicketOrigin", opts: []httpauth.TicketOption{httpauth.WithTicketOrigin()}, send: byHeader(header("Origin", page)),
			want: `"expires_in":30,"origin":"` + page + `"}`, use: paseto.TicketUse{Origin: page}},
		{name: "TicketOrigin, asked for as well", opts: []httpauth.TicketOption{httpauth.WithTicketOrigin()}, send: byHeader(header("Origin", page), object("origin", page)),
			want: `"expires_in":30,"origin":"` + page + `"}`, use: paseto.TicketUse{Origin: page}},
		{name: "TicketOrigin of an extension", opts: []httpauth.TicketOption{httpauth.WithTicketOrigin()}, send: byHeader(header("Origin", "chrome-extension://abc")),
			want: `"expires_in":30,"origin":"chrome-extension://abc"}`, use: paseto.TicketUse{Origin: "chrome-extension://abc"}},
		{name: "both options", opts: []httpauth.TicketOption{httpauth.WithTicketOrigin(), httpauth.WithTicketPath("/ws")}, send: byHeader(header("Origin", page)),
			want: `"expires_in":30,"path":"/ws","origin":"` + page + `"}`, use: paseto.TicketUse{Path: "/ws", Origin: page}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: test.cfg})
			access := s.access(t, paseto.Grant{Subject: "alice", Fresh: true, Scopes: []string{"read"}})
			a := post(t, s.web.Ticket(test.opts...), test.send(access)...)
			got := ticketOf(t, a)
			if want := `{"ticket":"` + got.Ticket.Reveal() + `",` + test.want + "\n"; a.body != want {
				t.Errorf("answer is\n%s want\n%s", a.body, want)
			}
			if log := s.log.String(); log != "" {
				t.Errorf("log is %s", log)
			}

			for what, use := range map[string]paseto.TicketUse{
				"path":   {Path: test.use.Path + "/", Origin: test.use.Origin},
				"origin": {Path: test.use.Path, Origin: "https://evil.example"},
			} {
				if !strings.Contains(test.want, `"`+what+`"`) {
					continue
				}
				if claims, err := s.auth.RedeemTicket(t.Context(), got.Ticket.Reveal(), paseto.Requirement{}, use); claims != nil || httpauth.Refusal(err).Code != paseto.ErrTicket {
					t.Errorf("with another %s it gives %v, %v; want ErrTicket", what, claims, err)
				}
			}
			claims := s.redeemed(t, got.Ticket.Reveal(), paseto.Requirement{Fresh: true, Scopes: []string{"read"}}, test.use)
			want := must(s.auth.Verify(t.Context(), access, paseto.Requirement{}))
			if claims.ID != want.ID || claims.Subject != "alice" || !claims.ExpiresAt.Equal(want.ExpiresAt) {
				t.Errorf("it stands for %v until %s, want %v until %s", claims, claims.ExpiresAt, want, want.ExpiresAt)
			}
		})
	}
}

// TestTicketLifetime is the configured one, told to the client and kept.
func TestTicketLifetime(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{TicketTTL: 5 * time.Second}})
	access := s.access(t, paseto.Grant{Subject: "alice"})
	early, late := ticketOf(t, post(t, s.web.Ticket(), bearer(access))), ticketOf(t, post(t, s.web.Ticket(), bearer(access)))
	if early.ExpiresIn != 5 {
		t.Errorf("it expires in %d seconds, want 5", early.ExpiresIn)
	}
	if early.Ticket.Reveal() == late.Ticket.Reveal() {
		t.Error("one ticket is given twice")
	}
	s.clock.Advance(4 * time.Second)
	s.redeemed(t, early.Ticket.Reveal(), paseto.Requirement{}, paseto.TicketUse{})
	s.clock.Advance(time.Second)
	if _, err := s.auth.RedeemTicket(t.Context(), late.Ticket.Reveal(), paseto.Requirement{}, paseto.TicketUse{}); httpauth.Refusal(err).Code != paseto.ErrExpired {
		t.Errorf("after 5 seconds error is %v, want ErrExpired", err)
	}
}

// TestTicketIsNoToken: a ticket opens no route, buys no ticket and logs nobody
// out.
func TestTicketIsNoToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	token := s.ticket(t, paseto.TicketGrant{})
	refused := func(want string) problem {
		message := want + " token required but ticket provided"
		return refusal(http.StatusUnauthorized, &paseto.Error{Code: "type_mismatch", Message: message}, challenge("invalid_token", message))
	}
	checkProblem(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(token)), refused("Access"))
	checkProblem(t, get(t, s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami)), bearer(token)), refused("Access"))
	checkProblem(t, post(t, s.web.Ticket(), bearer(token)), refused("Access"))
	checkProblem(t, post(t, s.web.Refresh(), bearer(token)), refused("Refresh"))
	checkProblem(t, post(t, s.web.Logout(), bearer(token)), refused("Refresh"))
	checkProblem(t, post(t, s.web.LogoutEverywhere(), bearer(token)), refused("Refresh"))
	s.redeemed(t, token, paseto.Requirement{}, paseto.TicketUse{}) // none of them used it up
}
