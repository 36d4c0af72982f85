package config_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestOneMeaningOfOwnOrigin: whether a page is of the server's own origin is the same
// for a handshake and for an unsafe request by cookie.
func TestOneMeaningOfOwnOrigin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, scheme string
		tls          bool
		host, origin string
		own          bool
	}{
		{"default port in the host", "", false, "app.example.com:80", "http://app.example.com", true},
		{"default port in the origin", "", false, "app.example.com", "http://app.example.com:80", true},
		{"default port of TLS in the host", "", true, "app.example.com:443", "https://app.example.com", true},
		{"default port of TLS, ended by a proxy", "", false, "app.example.com:443", "https://app.example.com", true},
		{"empty port", "", false, "app.example.com:", "http://app.example.com", true},
		{"upper case", "", false, "App.Example.com", "HTTP://APP.example.COM", true},
		{"IPv6, default port", "", false, "[2001:DB8::1]:80", "http://[2001:db8::1]", true},
		{"IPv6, port", "", true, "[::1]:8443", "https://[::1]:8443", true},
		{"IPv6, other port", "", false, "[::1]:8443", "http://[::1]", false},
		{"dot at the end of both", "", false, "app.example.com.", "http://app.example.com.", true},
		{"dot at the end of one", "", false, "app.example.com", "http://app.example.com.", false},
		{"other port", "", false, "app.example.com:8080", "http://app.example.com", false},
		{"port of the other scheme", "", false, "app.example.com:80", "https://app.example.com", false},
		{"other host", "", false, "app.example.com", "http://www.example.com", false},
		{"no host", "", false, "", "http://app.example.com", false},
		{"null", "", false, "app.example.com", "null", false},
		{"scheme of an extension", "", false, "app.example.com", "chrome-extension://app.example.com", false},

		{"proxy, scheme unknown, http", "", false, "app.example.com", "http://app.example.com", true},
		{"proxy, scheme unknown, https", "", false, "app.example.com", "https://app.example.com", true},
		{"TLS, https", "", true, "app.example.com", "https://app.example.com", true},
		{"TLS, http", "", true, "app.example.com", "http://app.example.com", false},
		{"pinned to https, https", "https", false, "app.example.com", "https://app.example.com", true},
		{"pinned to https, http", "https", false, "app.example.com", "http://app.example.com", false},
		{"pinned to https, http on the port", "https", false, "app.example.com:443", "http://app.example.com:443", false},
		{"pinned to http, http", "http", false, "app.example.com", "http://app.example.com", true},
		{"pinned to http, https", "http", false, "app.example.com", "https://app.example.com", false},
		{"pinned to http, TLS behind the proxy", "http", true, "app.example.com", "http://app.example.com", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := new(config.Config)
			cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret(localKey)}}
			cfg.HTTP.Locations, cfg.WebSocket.Locations = []httpauth.Location{"cookie"}, []httpauth.Location{"cookie"}
			cfg.HTTP.PublicScheme = test.scheme
			kit := open(t, cfg)
			pair, err := kit.Authorizer.IssuePair(paseto.Grant{Subject: "alice"})
			if err != nil {
				t.Fatal(err)
			}
			request := func(method string) *http.Request {
				r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
				r.Host = test.host
				if test.tls {
					r.TLS = new(tls.ConnectionState)
				}
				r.Header.Set("Origin", test.origin)
				r.Header.Set("Cookie", "__Host-access_token="+pair.Access.Token.Reveal())
				return r
			}
			_, err = kit.HTTP.Authenticate(request(http.MethodPost), paseto.Requirement{})
			if test.own && err != nil || !test.own && !errors.Is(err, httpauth.ErrCrossOrigin) {
				t.Errorf("a POST of the page gives %v; own origin: %t", err, test.own)
			}
			_, err = kit.Guard.Authenticate(request(http.MethodGet), paseto.Requirement{})
			if test.own && err != nil || !test.own && !errors.Is(err, wsauth.ErrOrigin) {
				t.Errorf("a handshake of the page gives %v; own origin: %t", err, test.own)
			}
		})
	}
}
