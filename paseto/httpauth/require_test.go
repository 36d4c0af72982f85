package httpauth_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestLocations(t *testing.T) {
	t.Parallel()
	in := func(locations ...httpauth.Location) httpauth.Config { return httpauth.Config{Locations: locations} }
	for _, test := range []struct {
		name string
		cfg  httpauth.Config
		opts []httpauth.RouteOption
		send func(token string) part
	}{
		{name: "header", send: bearer},
		{name: "header, scheme in another case", send: func(token string) part { return header("aUTHORIZATION", "bEARER "+token) }},
		{name: "custom header", cfg: httpauth.Config{HeaderName: "x-token"}, send: func(token string) part { return header("X-Token", "Bearer "+token) }},
		{name: "custom scheme", cfg: httpauth.Config{HeaderScheme: "PASETO"}, send: func(token string) part { return header("Authorization", "paseto "+token) }},
		{
			name: "no scheme", cfg: httpauth.Config{HeaderName: "X-Token", HeaderScheme: httpauth.NoScheme},
			send: func(token string) part { return header("X-Token", token) },
		},
		{name: "cookie", cfg: in(httpauth.LocationCookie), send: func(token string) part { return cookie("__Host-access_token", token) }},
		{name: "cookie among others", cfg: in(httpauth.LocationCookie), send: func(token string) part {
			return cookie("theme", "dark; __Host-access_token="+token+"; access_token=x; __Host-refresh_token=y")
		}},
		{name: "cookie in a second header", cfg: in(httpauth.LocationCookie), send: func(token string) part {
			return func(r *http.Request) {
				r.Header["Cookie"] = []string{"theme=dark", "__Host-access_token=" + token}
			}
		}},
		{name: "json", cfg: in(httpauth.LocationJSON), send: func(token string) part { return object("access_token", token) }},
		{name: "json with parameters", cfg: in(httpauth.LocationJSON), send: func(token string) part {
			return body("Application/JSON; charset=utf-8", `{"a":[{}],"access_token":"`+token+`"}`)
		}},
		{name: "json suffix", cfg: in(httpauth.LocationJSON), send: func(token string) part {
			return body("application/merge-patch+json", `{"access_token":"`+token+`"}`)
		}},
		{
			name: "json key and prefix", cfg: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationJSON}, JSONKey: "auth", JSONPrefix: "Token"},
			send: func(token string) part { return object("auth", "token "+token) },
		},
		{name: "header or json, by header", cfg: in(httpauth.LocationHeader, httpauth.LocationJSON), send: bearer},
		{name: "header or json, by json", cfg: in(httpauth.LocationHeader, httpauth.LocationJSON), send: func(token string) part { return object("access_token", token) }},

		{name: "In", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationCookie)}, send: func(token string) part { return cookie("__Host-access_token", token) }},
		{
			name: "In header though cookies are configured", cfg: in(httpauth.LocationCookie), opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationHeader)},
			send: func(token string) part {
				return func(r *http.Request) { bearer(token)(r); cookie("__Host-access_token", "x")(r) }
			},
		},
		{name: "Key of a header", opts: []httpauth.RouteOption{httpauth.WithKey("X-Token")}, send: func(token string) part { return header("X-Token", "Bearer "+token) }},
		{
			name: "Key of a cookie, without prefix", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationCookie), httpauth.WithKey("door")},
			send: func(token string) part { return cookie("door", token) },
		},
		{
			name: "Key of a member", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationJSON), httpauth.WithKey("door")},
			send: func(token string) part { return object("door", token) },
		},
		{name: "Prefix of a header", opts: []httpauth.RouteOption{httpauth.WithPrefix("Token")}, send: func(token string) part { return header("Authorization", "Token "+token) }},
		{name: "Prefix none", opts: []httpauth.RouteOption{httpauth.WithPrefix(httpauth.NoScheme)}, send: func(token string) part { return header("Authorization", token) }},
		{
			name: "Prefix of a member", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationJSON), httpauth.WithPrefix("Bearer")},
			send: func(token string) part { return object("access_token", "Bearer "+token) },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: test.cfg})
			handler := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami), test.opts...)
			checkOK(t, get(t, handler, test.send(s.access(t, paseto.Grant{Subject: "alice"}))), "alice")
			if a := get(t, handler); a.status != http.StatusUnauthorized {
				t.Errorf("without a token the status is %d, want 401", a.status)
			}
			if a := get(t, handler, test.send("v4.local.AAAA")); a.status != http.StatusUnauthorized {
				t.Errorf("with a bad token the status is %d, want 401", a.status)
			}
		})
	}
}

// TestCustomNamesInRefusals checks that a client is told what this server
// expects, not what others do.
func TestCustomNamesInRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{HeaderName: "X-Token", HeaderScheme: "PASETO", Realm: "chess"}})
	handler := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	const realm = `PASETO realm="chess"`
	checkProblem(t, get(t, handler, bearer("x")), refusal(http.StatusUnauthorized, paseto.ErrNoToken, realm))

	const detail = "Bad X-Token header. Expected value 'PASETO <PASETO>'"
	checkProblem(t, get(t, handler, header("X-Token", "x")), problem{
		http.StatusBadRequest, "credential_malformed", detail,
		realm + `, error="invalid_request", error_description="` + detail + `"`,
	})

	bare := newSite(t, setup{web: httpauth.Config{HeaderName: "X-Token", HeaderScheme: httpauth.NoScheme}})
	const bareDetail = "Bad X-Token header. Expected value '<PASETO>'"
	checkProblem(t, get(t, bare.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), header("X-Token", "Bearer x")), problem{
		http.StatusBadRequest, "credential_malformed", bareDetail, challenge("invalid_request", bareDetail),
	})
}

func TestHandlerReadsTheBodyAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationJSON}}})
	echo := func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }
	text := ` {"access_token":"` + s.access(t, paseto.Grant{}) + `","n":1}` + "\n"
	once := s.web.Require(paseto.Requirement{}, http.HandlerFunc(echo))
	checkOK(t, post(t, once, body(asJSON, text)), text)
	twice := s.web.Middleware(paseto.Requirement{})(once)
	checkOK(t, post(t, twice, body(asJSON, text)), text)
}

func TestClaimsInTheContext(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	issued := must(s.auth.IssueAccess(paseto.Grant{
		Subject: "alice", Scopes: []string{"read"}, Claims: map[string]any{"team": "red"}, Footer: "f",
	}))
	var claims *paseto.Claims
	handler := s.web.Require(paseto.Requirement{Scopes: []string{"read"}}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		claims = paseto.FromContext(r.Context())
	}))
	checkOK(t, get(t, handler, bearer(issued.Token.Reveal())), "")
	var custom struct{ Team string }
	if err := claims.Decode(&custom); err != nil || custom.Team != "red" {
		t.Errorf("custom claims are %+v (%v)", custom, err)
	}
	if claims.ID != issued.Claims.ID || claims.Subject != "alice" || string(claims.Footer) != "f" || !claims.HasScopes("read") {
		t.Errorf("claims are %+v", claims)
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	handler := s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami))
	valid := s.access(t, paseto.Grant{Subject: "alice"})
	expired := s.access(t, paseto.Grant{Subject: "alice", ExpiresAt: start.Add(time.Minute)})
	revoked, refresh := s.pair(t)
	post(t, s.web.Logout(), bearer(revoked))
	s.clock.Advance(time.Minute)

	checkOK(t, get(t, handler, bearer(valid)), "alice")
	for name, parts := range map[string][]part{
		"no token":      nil,
		"expired":       {bearer(expired)},
		"junk":          {bearer("junk")},
		"wrong key":     {bearer(newSite(t, setup{auth: paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}}).access(t, paseto.Grant{}))},
		"other version": {bearer("v2.local.AAAA")},
	} {
		t.Run(name+" is anonymous", func(t *testing.T) { checkOK(t, get(t, handler, parts...), "anonymous") })
	}
	for name, test := range map[string]struct {
		token string
		req   paseto.Requirement
		want  paseto.Code
	}{
		"revoked":   {revoked, paseto.Requirement{}, paseto.ErrRevoked},
		"type":      {refresh, paseto.Requirement{}, paseto.ErrType},
		"not fresh": {valid, paseto.Requirement{Fresh: true}, paseto.ErrNotFresh},
		"scope":     {valid, paseto.Requirement{Scopes: []string{"admin"}}, paseto.ErrScope},
		"check":     {valid, paseto.Requirement{Check: refuseWith(paseto.ErrForbidden)}, paseto.ErrForbidden},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			test.req.Optional = true
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			bearer(test.token)(r)
			if claims, err := s.web.Authenticate(r, test.req); !errors.Is(err, test.want) {
				t.Errorf("Authenticate returns %v, %v; want %v", claims, err, test.want)
			}
		})
	}
}

func TestStateNeverOutlivesItsRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	alice := bearer(s.access(t, paseto.Grant{Subject: "alice"}))
	handler := s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami))
	checkOK(t, get(t, handler, alice), "alice")
	checkOK(t, get(t, handler), "anonymous")

	// An inner route that finds no token of its own must not see the outer one's.
	inner := s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami), httpauth.WithLocations(httpauth.LocationCookie))
	nested := s.web.Middleware(paseto.Requirement{})(inner)
	checkOK(t, get(t, nested, alice), "anonymous")
	bob := cookie("__Host-access_token", s.access(t, paseto.Grant{Subject: "bob"}))
	checkOK(t, get(t, nested, alice, bob), "bob")
}

func TestMiddlewareServesManyRoutes(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	guard := s.web.Middleware(paseto.Requirement{}, httpauth.WithKey("X-Token"))
	token := header("X-Token", "Bearer "+s.access(t, paseto.Grant{Subject: "alice"}))
	checkOK(t, get(t, guard(http.HandlerFunc(whoami)), token), "alice")
	teapot := guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if a := get(t, teapot, token); a.status != http.StatusTeapot {
		t.Errorf("status is %d, want 418", a.status)
	}
	if a := get(t, teapot); a.status != http.StatusUnauthorized {
		t.Errorf("status is %d, want 401", a.status)
	}
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationJSON}, MaxBody: 1 << 10}})
	token := s.access(t, paseto.Grant{Subject: "alice"})
	request := func(parts ...part) *http.Request {
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody))
		for _, p := range parts {
			p(r)
		}
		return r
	}

	if claims, err := s.web.Authenticate(request(bearer(token)), paseto.Requirement{}); err != nil || claims.Subject != "alice" {
		t.Errorf("a valid token gives %v, %v", claims, err)
	}
	if claims, err := s.web.Authenticate(request(), paseto.Requirement{Optional: true}); err != nil || !claims.Anonymous() {
		t.Errorf("no token on an optional route gives %v, %v", claims, err)
	}
	if claims, err := s.web.Authenticate(request(), paseto.Requirement{}); !errors.Is(err, paseto.ErrNoToken) || claims != nil {
		t.Errorf("no token gives %v, %v", claims, err)
	}

	r := request(object("access_token", token))
	if claims, err := s.web.Authenticate(r, paseto.Requirement{}); err != nil || claims.Subject != "alice" {
		t.Errorf("a valid member gives %v, %v", claims, err)
	}
	if text := string(must(io.ReadAll(r.Body))); text != `{"access_token":"`+token+`"}` {
		t.Errorf("the body is then %q", text)
	}

	// A request that no server made may have no body at all.
	r = request(header("Content-Type", asJSON), bearer(token))
	r.Body = nil
	if claims, err := s.web.Authenticate(r, paseto.Requirement{}); err != nil || claims.Subject != "alice" {
		t.Errorf("a request without body gives %v, %v", claims, err)
	}

	huge := request(object("access_token", string(make([]byte, 2<<10))))
	if _, err := s.web.Authenticate(huge, paseto.Requirement{}); httpauth.Status(err) != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge body gives %v", err)
	}
}
