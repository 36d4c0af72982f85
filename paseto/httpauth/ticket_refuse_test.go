package httpauth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// badTicket is the refusal of a request for a ticket that there cannot be.
func badTicket(detail string) problem {
	return problem{status: http.StatusBadRequest, code: "body_invalid", detail: detail}
}

// TestRefusedTicketCredentials refuses whose token does not buy a ticket,
// whatever the body.
func TestRefusedTicketCredentials(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies}})
	access, refresh := s.pair(t)
	gone := must(s.auth.IssueAccess(paseto.Grant{Subject: "bob"}))
	if err := s.auth.Revoke(t.Context(), gone.Claims); err != nil {
		t.Fatal(err)
	}
	soon := s.access(t, paseto.Grant{NotBefore: s.clock.Now().Add(time.Minute)})
	other := must(s.auth.Issue("email-verify", paseto.Grant{})).Token.Reveal()
	wrongType := func(provided string) problem {
		message := "Access token required but " + provided + " provided"
		return refusal(http.StatusUnauthorized, &paseto.Error{Code: "type_mismatch", Message: message}, challenge("invalid_token", message))
	}
	for _, test := range []struct {
		name  string
		parts []part
		want  problem
	}{
		{"nothing", nil, refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential)},
		{"refresh token", []part{bearer(refresh)}, wrongType("refresh")},
		{"refresh cookie", []part{cookie("__Host-refresh_token", refresh)}, refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential)},
		{"refresh token in the access cookie", []part{cookie("__Host-access_token", refresh)}, wrongType("refresh")},
		{"refresh token in a member", []part{object("refresh_token", refresh)}, refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential)},
		{"other type", []part{bearer(other)}, wrongType("email-verify")},
		{"revoked", []part{bearer(gone.Token.Reveal())}, revoked},
		{"revoked, cookie", []part{cookie("__Host-access_token", gone.Token.Reveal())}, revoked},
		{"not valid yet", []part{bearer(soon)}, refusal(http.StatusUnauthorized, paseto.ErrNotYetValid, challenge("invalid_token", "Token is not valid yet"))},
		{"junk", []part{bearer("junk")}, refusal(http.StatusUnauthorized, paseto.ErrMalformed, challenge("invalid_token", "Invalid PASETO format"))},
		{"malformed", []part{header("Authorization", access)}, refusal(http.StatusBadRequest, paseto.ErrMalformedCredential,
			challenge("invalid_request", "Bad Authorization header. Expected value 'Bearer <PASETO>'"))},
		{"header and cookie", []part{bearer(access), cookie("__Host-access_token", access)}, refusal(http.StatusBadRequest, paseto.ErrAmbiguousCredential,
			challenge("invalid_request", paseto.ErrAmbiguousCredential.Message()))},
		{"cookie, another site's page", []part{cookie("__Host-access_token", access), header("Sec-Fetch-Site", "cross-site")}, crossOrigin},
		{"cookie, another origin's page", []part{cookie("__Host-access_token", access), header("Origin", "https://evil.example")}, crossOrigin},
	} {
		for name, with := range map[string]part{"": header("Accept", "*/*"), ", bad body": object("path", "nowhere")} {
			if strings.Contains(test.name, "member") && name != "" {
				continue
			}
			t.Run(test.name+name, func(t *testing.T) {
				t.Parallel()
				checkProblem(t, post(t, s.web.Ticket(), append([]part{with}, test.parts...)...), test.want)
			})
		}
	}
}

// TestRefusedTicketBodies refuses what a ticket cannot be bound to, rather than
// give one that is not bound.
func TestRefusedTicketBodies(t *testing.T) {
	t.Parallel()
	const (
		badPath   = "Bad ticket request. path must begin with /, have no query, and at most 1024 bytes"
		badOrigin = "Bad ticket request. origin must be scheme://host or scheme://host:port, in lower case, without a default port"
		noOrigin  = "Bad ticket request. expected an Origin header"
		noObject  = "Bad request body. Expected a JSON object"
	)
	json := func(text string) part { return body(asJSON, text) }
	form := func(text string) part { return body(asForm, text) }
	type row struct {
		name string
		opts []httpauth.TicketOption
		send []part
		want problem
	}
	rows := []row{
		{"path without slash", nil, []part{object("path", "ws")}, badTicket(badPath)},
		{"path empty", nil, []part{object("path", "")}, badTicket(badPath)},
		{"path empty in a form", nil, []part{form("path=")}, badTicket(badPath)},
		{"path without value in a form", nil, []part{form("path")}, badTicket(badPath)},
		{"path of a URL", nil, []part{object("path", "wss://example.com/ws")}, badTicket(badPath)},
		{"path after a space", nil, []part{object("path", " /ws")}, badTicket(badPath)},
		{"path with half an escape", nil, []part{object("path", "/50%")},
			badTicket("Bad ticket request. path is not escaped correctly; write a percent sign as %25")},
		{"good origin, bad path", nil, []part{json(`{"origin":"` + page + `","path":"x"}`)}, badTicket(badPath)},
		{"good path, bad origin", nil, []part{json(`{"origin":"x","path":"/ws"}`)}, badTicket(badOrigin)},

		{"path is a number", nil, []part{json(`{"path":1}`)}, badTicket("Bad request body. path must be a string")},
		{"path is null", nil, []part{json(`{"path":null}`)}, badTicket("Bad request body. path must be a string")},
		{"path is a list", nil, []part{json(`{"path":["/ws"]}`)}, badTicket("Bad request body. path must be a string")},
		{"origin is an object", nil, []part{json(`{"path":"/ws","origin":{}}`)}, badTicket("Bad request body. origin must be a string")},
		{"origin is false", nil, []part{json(`{"origin":false}`)}, badTicket("Bad request body. origin must be a string")},

		{"path twice", nil, []part{json(`{"path":"/a","path":"/a"}`)}, badTicket(noObject)},
		{"path twice, once escaped", nil, []part{json(`{"path":"/a","p\u0061th":"/b"}`)}, badTicket(noObject)},
		{"other member twice", nil, []part{json(`{"path":"/a","n":1,"n":1}`)}, badTicket(noObject)},
		{"half of a surrogate pair", nil, []part{json(`{"path":"/a\ud800"}`)}, badTicket(noObject)},
		{"path twice in a form", nil, []part{form("path=/a&path=/b")}, badTicket("Bad request body. A form field is given twice")},
		{"list", nil, []part{json(`["/ws"]`)}, badTicket(noObject)},
		{"null", nil, []part{json(`null`)}, badTicket(noObject)},
		{"no JSON", nil, []part{json(`path=/ws`)}, badTicket(noObject)},
		{"not UTF-8", nil, []part{json("{\"path\":\"/\xff\"}")}, badTicket(noObject)},
		{"no form", nil, []part{form("path=%")}, badTicket("Bad request body. Expected a form")},
		{"form that is not UTF-8", nil, []part{form("path=/%ff")}, badTicket("Bad request body. A form field is not valid UTF-8")},

		{"other path", []httpauth.TicketOption{httpauth.WithTicketPath("/ws")}, []part{object("path", "/ws/admin")},
			badTicket("Bad ticket request. tickets are given for another path here")},
		{"other path by escapes", []httpauth.TicketOption{httpauth.WithTicketPath("/ws/a/b")}, []part{object("path", "/ws/a%2Fb")},
			badTicket("Bad ticket request. tickets are given for another path here")},
		{"TicketPath, bad path", []httpauth.TicketOption{httpauth.WithTicketPath("/ws")}, []part{object("path", "ws")}, badTicket(badPath)},
		{"other origin", []httpauth.TicketOption{httpauth.WithTicketOrigin()}, []part{header("Origin", page), object("origin", "https://evil.example")},
			badTicket("Bad ticket request. origin is not the one of the page")},
		{"no Origin", []httpauth.TicketOption{httpauth.WithTicketOrigin()}, nil, badTicket(noOrigin)},
		{"no Origin, asked for", []httpauth.TicketOption{httpauth.WithTicketOrigin()}, []part{object("origin", page)}, badTicket(noOrigin)},
		{"two Origins", []httpauth.TicketOption{httpauth.WithTicketOrigin()}, []part{header("Origin", page), header("Origin", page)}, badTicket(noOrigin)},
		{"null Origin", []httpauth.TicketOption{httpauth.WithTicketOrigin()}, []part{header("Origin", "null")}, badTicket(noOrigin)},
		{"empty Origin", []httpauth.TicketOption{httpauth.WithTicketOrigin()}, []part{header("Origin", "")}, badTicket(noOrigin)},
		{"Origins in one", []httpauth.TicketOption{httpauth.WithTicketOrigin()}, []part{header("Origin", page+" https://evil.example")}, badTicket(noOrigin)},
		{"Origin with a path", []httpauth.TicketOption{httpauth.WithTicketOrigin()}, []part{header("Origin", page+"/")}, badTicket(noOrigin)},
		{"Origin, path option alone", []httpauth.TicketOption{httpauth.WithTicketPath("/ws"), httpauth.WithTicketOrigin()}, nil, badTicket(noOrigin)},

		{"text", nil, []part{body("text/plain", "path=/ws")}, problem{status: http.StatusUnsupportedMediaType, code: "media_type_unsupported",
			detail: "Expected a body of type application/json or application/x-www-form-urlencoded"}},
		{"no type", nil, []part{body("", "path=/ws")}, problem{status: http.StatusUnsupportedMediaType, code: "media_type_unsupported",
			detail: "Expected a body of type application/json or application/x-www-form-urlencoded"}},
		{"too large", nil, []part{object("path", "/"+strings.Repeat("a", 64<<10))}, problem{status: http.StatusRequestEntityTooLarge, code: "body_too_large",
			detail: "Request body is larger than 65536 bytes"}},
	}
	for _, origin := range []string{
		"", "null", "*", "app.example.com", "//app.example.com", "https://", "https:app.example.com", page + "/", page + "/ws", page + "?", page + "#",
		"https://APP.example.com", "HTTPS://app.example.com", "https://app.example.com:443", "http://app.example.com:80",
		"https://user@app.example.com", "https://@app.example.com", " " + page, page + " ", page + ", " + page, page + ":x", "https://[::1",
	} {
		rows = append(rows, row{"origin " + origin, nil, []part{object("origin", origin)}, badTicket(badOrigin)})
	}
	s := newSite(t, setup{})
	access, _ := s.pair(t)
	for _, test := range rows {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkProblem(t, post(t, s.web.Ticket(test.opts...), append(test.send, bearer(access))...), test.want)
		})
	}
}

// TestTicketWithoutDenylist is not given: it would work more than once.
func TestTicketWithoutDenylist(t *testing.T) {
	t.Parallel()
	unsupported := problem{status: http.StatusNotImplemented, code: "tickets_unsupported", detail: "This server cannot issue tickets"}
	s := newSite(t, setup{noDenylist: true, web: httpauth.Config{Locations: headerOrCookies}})
	access, _ := s.pair(t)
	checkProblem(t, post(t, s.web.Ticket(), bearer(access)), unsupported)
	checkProblem(t, post(t, s.web.Ticket(httpauth.WithTicketPath("/ws")), cookie("__Host-access_token", access)), unsupported)
	checkProblem(t, post(t, s.web.Ticket()), unsupported)
}

// TestTicketLogHasNoSecrets refuses requests for tickets, and looks for what was
// sent in the log.
func TestTicketLogHasNoSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{MaxLength: 1 << 10}, web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationJSON}}})
	access, refresh := s.pair(t)
	long := s.access(t, paseto.Grant{Claims: map[string]string{"a": strings.Repeat("a", 300)}})
	bound := s.ticket(t, paseto.TicketGrant{Path: "/ws"})
	ticket := s.web.Ticket()
	refused := []answer{
		post(t, ticket, bearer(refresh)),
		post(t, ticket, bearer(bound)),
		post(t, ticket, header("Authorization", access)),
		post(t, ticket, bearer(access), object("access_token", access)),
		post(t, ticket, bearer(access), object("path", access)),
		post(t, ticket, bearer(access), object("origin", bound)),
		post(t, ticket, bearer(access), body(asForm, "path="+bound+"%")),
		post(t, ticket, bearer(access), body(asJSON, `{"path":"`+bound)),
		post(t, ticket, bearer(access), body("text/plain", bound)),
		post(t, s.web.Ticket(httpauth.WithTicketOrigin()), bearer(access), header("Origin", access)),
		post(t, ticket, bearer(long)), // and its ticket is too long
	}
	for i, a := range refused {
		if a.status < http.StatusBadRequest {
			t.Errorf("request %d is answered with %d; a refusal was meant", i, a.status)
		}
	}
	log := s.log.String()
	if lines := strings.Count(log, "\n"); lines != len(refused) {
		t.Errorf("%d lines are logged for %d refusals:\n%s", lines, len(refused), log)
	}
	for _, token := range []string{access, refresh, bound, long} {
		for _, piece := range []string{token[len("v4.local."):][:16], token[len(token)-16:]} {
			if strings.Contains(log, piece) {
				t.Errorf("the log shows a secret:\n%s", log)
			}
			for i, a := range refused {
				if strings.Contains(a.body, piece) {
					t.Errorf("answer %d shows a secret: %s", i, a.body)
				}
			}
		}
	}
}

// TestBrokenTicketPath is named in the log, with what is wrong with it.
func TestBrokenTicketPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"":                             "begins with a slash",
		"ws":                           "begins with a slash",
		"/ws?a":                        "without a query",
		"/50%":                         "%25",
		"/" + strings.Repeat("ü", 200): "1201 bytes; expected at most 1024",
		"/\xff":                        "not valid UTF-8",
	} {
		s := newSite(t, setup{})
		h := s.web.Ticket(httpauth.WithTicketPath(path))
		if log := s.log.String(); !strings.Contains(log, "route refuses every request") || !strings.Contains(log, want) {
			t.Errorf("of WithTicketPath(%.20q), the log says %q; want %q", path, log, want)
		}
		access, _ := s.pair(t)
		if a := post(t, h, bearer(access)); a.status != http.StatusInternalServerError {
			t.Errorf("WithTicketPath(%.20q) answers %d, want 500", path, a.status)
		}
	}
}
