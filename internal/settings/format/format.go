// Package format has the rules for text that settings of HTTP and of WebSockets share.
package format

import (
	"errors"
	"net/http"
	"strings"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/internal/urlpath"
)

// All has the rules by the names that tags use.
var All = settings.Formats{
	"http_token":         rule(locate.IsToken, "expected letters, digits and !#$%&'*+-.^_`|~ alone"),
	"realm":              rule(locate.IsRealm, "expected printable ASCII without quotes and backslashes"),
	"cookie_path":        rule(isCookiePath, "expected a path that begins with / and is printable ASCII without ;"),
	"cookie_scope":       rule(isCookieScope, "expected a path that begins with /, or a domain and such a path: /api, example.com/"),
	"domain":             rule(isDomain, "expected a domain name"),
	"http_location":      location(locate.RequestLocation),
	"websocket_location": location(locate.HandshakeLocation),
	"event_type":         rule(isEventType, "expected letters, digits and !#$%&'*+-.^_`|~ alone, and neither open nor error, which browsers have themselves"),
	"path_prefix":        urlpath.ValidatePrefix,
	"origin": func(s string) error {
		_, err := origin.ParsePattern(s)
		return err
	},
	"proxy": func(s string) error {
		_, wrong := clientaddr.Parse([]string{s})
		return errors.Join(wrong...)
	},
}

func rule(holds func(string) bool, expected string) func(string) error {
	return func(s string) error {
		if !holds(s) {
			return errors.New(expected)
		}
		return nil
	}
}

func location(broken func(string) string) func(string) error {
	return func(s string) error {
		if text := broken(s); text != "" {
			return errors.New(text)
		}
		return nil
	}
}

func isCookiePath(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == ';' })
}

// isCookieScope reports whether s is a path of cookies, which a domain may precede.
func isCookieScope(s string) bool {
	domain, path, found := strings.Cut(s, "/")
	return found && (domain == "" || isDomain(domain)) && isCookiePath("/"+path)
}

// isEventType reports whether pages can listen for s, and hear nothing else by that.
func isEventType(s string) bool { return locate.IsToken(s) && s != "open" && s != "error" }

func isDomain(s string) bool {
	return settings.IsHost(s) && (&http.Cookie{Name: "x", Value: "x", Domain: s}).Valid() == nil //nolint:gosec // it is never set
}
