package httpauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	auth := newSite(t, setup{}).auth
	in := func(locations ...httpauth.Location) httpauth.Config { return httpauth.Config{Locations: locations} }
	cookies := func(c httpauth.CookieConfig) httpauth.Config { return httpauth.Config{Cookie: c} }
	for _, test := range []struct {
		name string
		cfg  httpauth.Config
		want string
	}{
		{"query", in(httpauth.LocationHeader, "query"), `Locations[1] = "query": query token location is only supported for WebSocket connections`},
		{"subprotocol", in("subprotocol"), `Locations[0] = "subprotocol": subprotocol token location is only supported for WebSocket connections`},
		{"ticket", in(httpauth.LocationHeader, "ticket"), `Locations[1] = "ticket": ticket token location is only supported for WebSocket connections`},
		{"unknown location", in("body"), `unknown token location "body"; expected one of header, cookie, json`},
		{"location in capitals", in("Header"), `unknown token location "Header"`},
		{"origin without scheme", httpauth.Config{AllowedOrigins: []string{"app.example.com"}}, "AllowedOrigins[0]"},
		{"origin with path", httpauth.Config{AllowedOrigins: []string{"https://a.example", "https://b.example/"}}, "AllowedOrigins[1]"},
		{"public scheme", httpauth.Config{PublicScheme: "HTTPS"}, `PublicScheme = "HTTPS": expected one of http, https`},
		{"access cookie's name", cookies(httpauth.CookieConfig{AccessName: "a b"}), `Cookie.AccessName = "a b"`},
		{"refresh cookie's name", cookies(httpauth.CookieConfig{RefreshName: "a;b"}), `Cookie.RefreshName = "a;b"`},
		{"cookie's path", cookies(httpauth.CookieConfig{Path: "/a;b"}), `Cookie.Path = "/a;b"`},
		{"cookie's domain", cookies(httpauth.CookieConfig{Domain: "exa mple"}), `Cookie.Domain = "exa mple": expected a domain name`},
		{"same names", cookies(httpauth.CookieConfig{AccessName: "t", RefreshName: "t"}), "must differ from Cookie.AccessName"},
		{
			"same names by prefix", cookies(httpauth.CookieConfig{AccessName: "t", RefreshName: "__Host-t"}),
			"must differ from Cookie.AccessName",
		},
		{
			"SameSite None without TLS", cookies(httpauth.CookieConfig{SameSite: httpauth.SameSiteNone, Insecure: true}),
			"browsers refuse it while Cookie.Insecure is true",
		},
		{"proxy by name", httpauth.Config{TrustedProxies: []string{"10.0.0.0/8", "proxy.example"}}, `TrustedProxies[1] = "proxy.example": "proxy.example" is neither an IP address nor a CIDR`},
		{"TicketsPerMinute", httpauth.Config{TicketsPerMinute: -2}, "TicketsPerMinute = -2: expected 1 to 1000000000, 0 for the default, or -1 for none"},
		{"MaxBody", httpauth.Config{MaxBody: -1}, "MaxBody = -1: expected 1024 to 67108864, 0 for the default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkConfigError(t, auth, test.cfg, test.want)
		})
	}

	t.Run("no Authorizer", func(t *testing.T) {
		t.Parallel()
		checkConfigError(t, nil, httpauth.Config{}, "the Authorizer is nil")
	})
	t.Run("all at once", func(t *testing.T) {
		t.Parallel()
		cfg := in("query")
		cfg.MaxBody = -1
		cfg.AllowedOrigins = []string{"a", "b"}
		cfg.Cookie = httpauth.CookieConfig{
			AccessName: "t t", RefreshName: "t t",
			SameSite: httpauth.SameSiteNone, Insecure: true,
		}
		checkConfigError(t, nil, cfg, "the Authorizer is nil", `Locations[0] = "query"`, `"a" is not an origin`, `"b" is not an origin`,
			`Cookie.AccessName = "t t"`, "must differ", "Cookie.SameSite", "MaxBody = -1")
	})
}

// TestConfigThatCannotWork has what no browser or client can satisfy: whoever
// writes it should be told at the start, not by users who cannot log in.
func TestConfigThatCannotWork(t *testing.T) {
	t.Parallel()
	auth := newSite(t, setup{}).auth
	cookies := func(c httpauth.CookieConfig) httpauth.Config { return httpauth.Config{Cookie: c} }
	for _, test := range []struct {
		name string
		cfg  httpauth.Config
		want string
	}{
		{"refresh cookie's path", cookies(httpauth.CookieConfig{RefreshPath: "/a;b"}), "Cookie.RefreshPath"},
		{"path without slash", cookies(httpauth.CookieConfig{Path: "api"}), "Path"},
		{"__Host- with a path", cookies(httpauth.CookieConfig{AccessName: "__Host-t", Path: "/api"}), "__Host-"},
		{"__Host- with a domain", cookies(httpauth.CookieConfig{RefreshName: "__Host-t", Domain: "example.com"}), "__Host-"},
		{"__Secure- without TLS", cookies(httpauth.CookieConfig{AccessName: "__Secure-t", Insecure: true}), "__Secure-"},
		{"header name", httpauth.Config{HeaderName: "X Token"}, "HeaderName"},
		{"header scheme of two words", httpauth.Config{HeaderScheme: "My Token"}, "HeaderScheme"},
		{"JSON prefix of two words", httpauth.Config{JSONPrefix: "My Token"}, "JSONPrefix"},
		{"location twice", httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationHeader}}, "Locations"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkConfigError(t, auth, test.cfg, test.want)
		})
	}
}

func checkConfigError(t testing.TB, auth *paseto.Authorizer, cfg httpauth.Config, wants ...string) {
	t.Helper()
	web, err := httpauth.New(auth, cfg)
	if web != nil || !errors.Is(err, paseto.ErrConfig) {
		t.Fatalf("New returns %v, %v; want an error that wraps ErrConfig", web != nil, err)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error is\n%v\nand does not contain %q", err, want)
		}
	}
}

func TestConfigBelongsToTheWeb(t *testing.T) {
	t.Parallel()
	locations := []httpauth.Location{httpauth.LocationHeader}
	s := newSite(t, setup{web: httpauth.Config{Locations: locations}})
	locations[0] = httpauth.LocationCookie
	checkOK(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(s.access(t, paseto.Grant{Subject: "alice"}))), "alice")
}

// TestTrustedProxies: what a client says of its own address is not believed.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, forwarded, want string
		trusted               []string
	}{
		{"none", "192.0.2.1", "10.0.0.1/32", nil},
		{"the peer", "192.0.2.1", "192.0.2.1/32", []string{"10.0.0.0/8"}},
		{"another", "192.0.2.1", "10.0.0.1/32", []string{"10.0.0.2"}},
		{"the client's own words", "203.0.113.1, 192.0.2.1", "192.0.2.1/32", []string{"10.0.0.1"}},
		{"IPv6", "2001:db8::1:2:3:4", "2001:db8::/64", []string{"10.0.0.1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			web := newSite(t, setup{web: httpauth.Config{TrustedProxies: test.trusted}}).web
			r := httptest.NewRequest(http.MethodPost, "/login", http.NoBody)
			r.RemoteAddr = "10.0.0.1:1234"
			r.Header.Set("X-Forwarded-For", test.forwarded)
			if got := web.Client(r).String(); got != test.want {
				t.Errorf("the client is %s, want %s", got, test.want)
			}
		})
	}
}

func TestNothingIsLoggedByDefault(t *testing.T) {
	t.Parallel()
	web, err := httpauth.New(newSite(t, setup{}).auth, httpauth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if a := get(t, web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))); a.status != http.StatusUnauthorized {
		t.Errorf("status is %d, want 401", a.status)
	}
}

func TestNilLoggerIsTheDefault(t *testing.T) {
	t.Parallel()
	web, err := httpauth.New(newSite(t, setup{}).auth, httpauth.Config{}, httpauth.WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("a refusal panics: %v", v)
		}
	}()
	if a := get(t, web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))); a.status != http.StatusUnauthorized {
		t.Errorf("status is %d, want 401", a.status)
	}
}

// TestWebConfig has the defaults, and is a copy.
func TestWebConfig(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{AllowedOrigins: []string{"https://app.example.com"}}})
	if s.web.Authorizer() != s.auth {
		t.Error("the Authorizer is another one")
	}
	cfg := s.web.Config()
	if cfg.HeaderName != "Authorization" || cfg.AccessCookieName() != "__Host-access_token" || !slices.Equal(cfg.Locations, []httpauth.Location{httpauth.LocationHeader}) {
		t.Errorf("the configuration is %+v, want the defaults", cfg)
	}
	cfg.Locations[0], cfg.AllowedOrigins[0] = httpauth.LocationCookie, "https://evil.example"
	again := s.web.Config()
	if again.Locations[0] != httpauth.LocationHeader || again.AllowedOrigins[0] != "https://app.example.com" {
		t.Errorf("the configuration was changed from outside: %+v", again)
	}
}
