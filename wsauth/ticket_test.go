package wsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// buy returns a ticket for an access token.
func buy(t testing.TB, auth *paseto.Authorizer, token string, bound paseto.TicketGrant) string {
	t.Helper()
	claims, err := auth.Verify(t.Context(), token, paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := auth.IssueTicket(claims, bound)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token.Reveal()
}

// ticketFor is buy for a new access token and a ticket that is not bound.
func ticketFor(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) string {
	t.Helper()
	return buy(t, auth, access(t, auth, g), paseto.TicketGrant{})
}

func ticket(token string) handshake { return query("ticket=" + token) }

// checkClaims compares what a program can see of claims.
func checkClaims(t testing.TB, got, want *paseto.Claims) {
	t.Helper()
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for i := range w.NumField() {
		if field := w.Type().Field(i); field.IsExported() && !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s is %v, want %v", field.Name, g.Field(i), w.Field(i))
		}
	}
	var gotAll, wantAll map[string]json.RawMessage
	if err := errors.Join(got.Decode(&gotAll), want.Decode(&wantAll)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotAll, wantAll) {
		t.Errorf("the claims decode to\n%s, want\n%s", gotAll, wantAll)
	}
}

// TestTicketWorksOnce whether its first connection is still open or not, and
// however it is written.
func TestTicketWorksOnce(t *testing.T) {
	t.Parallel()
	for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
		t.Run("reject "+string(reject), func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{Reject: reject}}).Require(paseto.Requirement{}, echo))
			token := ticketFor(t, auth, paseto.Grant{Subject: "alice"})
			checkUsed := func(h handshake) {
				t.Helper()
				ws, resp := dial(t, srv, h)
				if reject == wsauth.RejectClose {
					checkClosed(t, ws, wsauth.ClosePolicyViolation, "Ticket has been used")
					return
				}
				if ws != nil {
					t.Fatal("the handshake succeeded")
				}
				checkProblem(t, resp, http.StatusUnauthorized, "ticket_used", "Ticket has been used")
			}

			ws := connect(t, srv, ticket(token))
			checkEcho(t, ws, "hello")
			checkUsed(ticket(token))
			checkUsed(query("room=1&%74icket=" + token[:10] + "%" + hex(token[10]) + token[11:]))
			checkEcho(t, ws, "still here")
			_ = ws.Close()
			checkUsed(ticket(token))
			// Another ticket of the same access token is none of its business.
			checkEcho(t, connect(t, srv, ticket(ticketFor(t, auth, paseto.Grant{Subject: "alice"}))), "hello")
		})
	}
}

func hex(b byte) string { return string("0123456789ABCDEF"[b>>4]) + string("0123456789ABCDEF"[b&15]) }

// TestRefusedTicketIsNotUsedUp by a handshake that is refused for any other
// reason, or is none.
func TestRefusedTicketIsNotUsedUp(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	bound := paseto.TicketGrant{Path: "/ws", Origin: page}
	from := func(origin string) handshake { return header("Origin", origin) }
	banned := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return errors.New("banned") }}
	for _, test := range []struct {
		name string
		req  paseto.Requirement
		opts []httpauth.RouteOption
		send handshake
		want int
	}{
		{"path", paseto.Requirement{}, nil, at("/other").and(from(page)), 401},
		{"origin", paseto.Requirement{}, nil, from("https://b.example.com"), 401},
		{"no origin", paseto.Requirement{}, nil, none(), 401},
		{"origin that is not allowed", paseto.Requirement{}, nil, from("https://evil.org"), 403},
		{"not fresh", paseto.Requirement{Fresh: true}, nil, from(page), 401},
		{"scope", paseto.Requirement{Scopes: []string{"admin"}}, nil, from(page), 403},
		{"type", paseto.Requirement{Type: paseto.TypeRefresh}, nil, from(page), 401},
		{"check", banned, nil, from(page), 403},
		{"implicit assertion", paseto.Requirement{Implicit: []byte("room 1")}, nil, from(page), 401},
		{"second credential", paseto.Requirement{}, nil, from(page).and(bearer("x")), 400},
		{"route without tickets", paseto.Requirement{}, []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationHeader)}, from(page), 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP, AllowedOrigins: []string{"https://*.example.com"}}})
			token := ticket(buy(t, auth, access(t, auth, paseto.Grant{}), bound))

			ws, resp := dial(t, listen(t, guard.Require(test.req, unreachable(t), test.opts...)), token.and(test.send))
			if ws != nil {
				t.Fatal("the handshake succeeded")
			}
			if resp.StatusCode != test.want {
				t.Errorf("status is %s, want %d", resp.Status, test.want)
			}
			srv := listen(t, guard.Require(paseto.Requirement{}, echo))
			checkEcho(t, connect(t, srv, token.and(from(page))), "hello")
		})
	}

	t.Run("no handshake", func(t *testing.T) {
		t.Parallel()
		auth := newAuthorizer(t, paseto.Config{})
		srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, echo))
		token := ticket(ticketFor(t, auth, paseto.Grant{}))
		_, resp := raw(t, srv, "GET /ws?"+token.query+" HTTP/1.1\r\nHost: a\r\n\r\n") // a page that previews the link
		checkProblem(t, resp, http.StatusUpgradeRequired, "upgrade_required", "Expected a WebSocket handshake")
		checkEcho(t, connect(t, srv, token), "hello")
	})
}

// TestAuthenticateUsesTheTicketUp for programs that open the connection
// themselves.
func TestAuthenticateUsesTheTicketUp(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{Config: wsauth.Config{}})
	token := access(t, auth, paseto.Grant{Subject: "alice", TTL: time.Hour})
	want, err := auth.Verify(t.Context(), token, paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws?ticket="+buy(t, auth, token, paseto.TicketGrant{}), nil)
	claims, err := guard.Authenticate(r, paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	checkClaims(t, claims, want)
	if got := auth.Deadline(claims); !got.Equal(want.ExpiresAt) {
		t.Errorf("the deadline is %s, want %s", got, want.ExpiresAt)
	}
	if again, err := guard.Authenticate(r, paseto.Requirement{}); !errors.Is(err, paseto.ErrTicketUsed) || again != nil {
		t.Errorf("the second time it gives %v, %v; want ErrTicketUsed", again, err)
	}
	if _, err := guard.Authenticate(r, paseto.Requirement{Optional: true}); !errors.Is(err, paseto.ErrTicketUsed) {
		t.Errorf("an optional route gives %v, want ErrTicketUsed", err)
	}
}
