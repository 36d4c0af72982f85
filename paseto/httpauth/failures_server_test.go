package httpauth_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

var unavailable = problem{
	status: http.StatusServiceUnavailable,
	code:   "denylist_unavailable", detail: "Token revocation cannot be checked at the moment",
}

func closedStore() denylist.Store {
	store := denylist.NewMemory()
	_ = store.Close()
	return store
}

func TestStoreDown(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{store: closedStore()})
	access, refresh := s.pair(t)
	required := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	optional := s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami))

	for name, a := range map[string]answer{
		"required":   get(t, required, bearer(access)),
		"optional":   get(t, optional, bearer(access)),
		"refresh":    post(t, s.web.Refresh(), bearer(refresh)),
		"logout":     post(t, s.web.Logout(), bearer(access)),
		"everywhere": post(t, s.web.LogoutEverywhere(), bearer(access)),
		"ticket":     post(t, s.web.Ticket(), bearer(access)),
	} {
		t.Run(name, func(t *testing.T) {
			checkProblem(t, a, unavailable)
			if a.header.Get("Retry-After") != "5" {
				t.Errorf("Retry-After is %q, want 5", a.header.Get("Retry-After"))
			}
		})
	}
	if n := strings.Count(s.log.String(), "level=ERROR"); n != 6 {
		t.Errorf("%d errors are logged, want 6:\n%s", n, s.log)
	}

	t.Run("no token needs no store", func(t *testing.T) {
		checkProblem(t, get(t, required), refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential))
		checkOK(t, get(t, optional), "anonymous")
	})
}

func TestStoreDownAndFailOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{store: closedStore(), auth: paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}})
	checkOK(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(s.access(t, paseto.Grant{Subject: "alice"}))), "alice")
}

func TestClientGone(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	gone := func(r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		*r = *r.WithContext(ctx)
	}
	handler := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	checkProblem(t, get(t, handler, bearer(s.access(t, paseto.Grant{})), gone), unavailable)
}

// TestHugeHeader sends a token of a megabyte to a server that would take it.
func TestHugeHeader(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	server := httptest.NewUnstartedServer(s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)))
	server.Config.MaxHeaderBytes = 4 << 20
	server.Start()
	defer server.Close()

	for name, token := range map[string]string{
		"dots":    strings.Repeat(".", 1<<20),
		"payload": "v4.local." + strings.Repeat("A", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody))
			r.Header.Set("Authorization", "Bearer "+token)
			res, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			checkProblem(t, read(t, res), refusal(http.StatusUnauthorized, paseto.ErrMalformed,
				challenge("invalid_token", "Invalid PASETO format")))
		})
	}
}

func TestHugeBody(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationJSON}}})
	huge := strings.Repeat("A", 1<<20)
	required := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	tooLarge := problem{
		status: http.StatusRequestEntityTooLarge,
		code:   "body_too_large", detail: "Request body is larger than 65536 bytes",
	}
	for name, a := range map[string]answer{
		"required": post(t, required, object("access_token", huge)),
		"optional": post(t, s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami)), object("access_token", huge)),
		"beside a good token": post(t, required, bearer(s.access(t, paseto.Grant{})),
			object("data", huge)),
		"login":       post(t, s.web.Login(accept), object("password", huge)),
		"login, form": post(t, s.web.Login(accept), body(asForm, "password="+huge)),
		"refresh":     post(t, s.web.Refresh(), object("refresh_token", huge)),
		"logout":      post(t, s.web.Logout(), object("access_token", huge)),
		"everywhere":  post(t, s.web.LogoutEverywhere(), object("refresh_token", huge)),
		"ticket":      post(t, s.web.Ticket(), bearer(s.access(t, paseto.Grant{})), object("path", "/"+huge)),
	} {
		t.Run(name, func(t *testing.T) { checkProblem(t, a, tooLarge) })
	}

	t.Run("other media types are left alone", func(t *testing.T) {
		access := s.access(t, paseto.Grant{Subject: "alice"})
		checkOK(t, post(t, required, bearer(access), body("text/plain", huge)), "alice")
	})
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	text := `{"username":"alice","password":"secret"` + strings.Repeat(" ", 2000) + `}`
	for name, test := range map[string]struct {
		limit  int64
		status int
	}{
		"exactly":     {int64(len(text)), http.StatusOK},
		"a byte less": {int64(len(text)) - 1, http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: httpauth.Config{MaxBody: test.limit}})
			if a := post(t, s.web.Login(accept), body(asJSON, text)); a.status != test.status {
				t.Errorf("status is %d, want %d", a.status, test.status)
			}
		})
	}
}

func TestBodyCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationJSON}}})
	broken := func(r *http.Request) {
		r.Header.Set("Content-Type", asJSON)
		r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	want := problem{status: http.StatusBadRequest, code: "body_invalid", detail: "Request body cannot be read"}
	for name, handler := range map[string]http.Handler{
		"require": s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), "login": s.web.Login(accept), "refresh": s.web.Refresh(),
		"ticket": s.web.Ticket(), "logout everywhere": s.web.LogoutEverywhere(),
	} {
		t.Run(name, func(t *testing.T) { checkProblem(t, post(t, handler, broken), want) })
	}
}

// TestBrokenRoutes mounts routes that nobody can enter: the program's mistake
// is told to the log, and to the client only as far as it concerns it.
func TestBrokenRoutes(t *testing.T) {
	t.Parallel()
	hidden := problem{status: http.StatusInternalServerError, code: "server_error", detail: "The server could not answer the request"}
	location := func(detail string) problem {
		return problem{status: http.StatusInternalServerError, code: "location_unsupported", detail: detail}
	}
	for _, test := range []struct {
		name   string
		req    paseto.Requirement
		opts   []httpauth.RouteOption
		want   problem
		logged string
	}{
		{
			name: "fresh refresh token", req: paseto.Requirement{Fresh: true, Type: paseto.TypeRefresh},
			want: hidden, logged: "only access tokens are fresh",
		},
		{
			name: "scope that is none", req: paseto.Requirement{Scopes: []string{"a b"}},
			want: hidden, logged: "is not a scope",
		},
		{
			name: "query", opts: []httpauth.RouteOption{httpauth.WithLocations("query")},
			want:   location("query token location is only supported for WebSocket connections"),
			logged: "query token location is only supported",
		},
		{
			name: "ticket", opts: []httpauth.RouteOption{httpauth.WithLocations("ticket")},
			want:   location("ticket token location is only supported for WebSocket connections"),
			logged: "ticket token location is only supported",
		},
		{
			name: "ticket for a token", req: paseto.Requirement{Type: paseto.TypeTicket},
			want: hidden, logged: "redeemed by RedeemTicket",
		},
		{
			name: "subprotocol beside a good one", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationHeader, "subprotocol")},
			want:   location("subprotocol token location is only supported for WebSocket connections"),
			logged: "subprotocol token location is only supported",
		},
		{
			name: "option of handshakes", opts: []httpauth.RouteOption{wsauth.WithSubprotocols("chat")},
			want:   location("subprotocols are only supported for WebSocket connections"),
			logged: "subprotocols are only supported",
		},
		{
			name: "unknown location", opts: []httpauth.RouteOption{httpauth.WithLocations("body")},
			want:   location(`unknown token location "body"; expected one of header, cookie, json`),
			logged: "unknown token location",
		},
		{
			name: "no location", opts: []httpauth.RouteOption{httpauth.WithLocations()},
			want: location("no token location is given"), logged: "no token location is given",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{})
			handler := s.web.Require(test.req, http.HandlerFunc(whoami), test.opts...)
			if log := s.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, test.logged) {
				t.Errorf("mounting the route logs %q, want an error with %q", log, test.logged)
			}
			valid := bearer(s.access(t, paseto.Grant{Fresh: true}))
			checkProblem(t, get(t, handler, valid), test.want)
			checkProblem(t, get(t, handler), test.want)
			if n := strings.Count(s.log.String(), "level=ERROR"); n != 3 {
				t.Errorf("%d errors are logged, want one for the route and one for each request:\n%s", n, s.log)
			}

			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			valid(r)
			if claims, err := s.web.Authenticate(r, test.req, test.opts...); claims != nil || httpauth.Status(err) != http.StatusInternalServerError {
				t.Errorf("Authenticate returns %v, %v", claims, err)
			}
		})
	}
}
