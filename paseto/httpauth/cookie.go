package httpauth

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// maxCookie is what browsers keep of a cookie's name and value together; a
// larger cookie they drop without a word (RFC 6265bis, section 5.5).
const maxCookie = 4096

// AccessCookieName returns the name of the access token's cookie as it
// travels, prefix included.
func (c Config) AccessCookieName() string { return c.withDefaults().accessCookie() }

func (c Config) accessCookie() string { return c.Cookie.prefixed(c.Cookie.AccessName, c.Cookie.Path) }

// RefreshCookieName returns the name of the refresh token's cookie as it
// travels, prefix included.
func (c Config) RefreshCookieName() string { return c.withDefaults().refreshCookie() }

func (c Config) refreshCookie() string {
	return c.Cookie.prefixed(c.Cookie.RefreshName, c.Cookie.RefreshPath)
}

// prefixed adds the strongest prefix that the attributes allow: browsers take a
// __Host- cookie only from the host itself, for all its paths, over TLS, and a
// __Secure- cookie only over TLS.
func (c CookieConfig) prefixed(name, path string) string {
	switch {
	case c.Insecure, strings.HasPrefix(name, "__Host-"), strings.HasPrefix(name, "__Secure-"):
		return name
	case c.Domain == "" && path == "/":
		return "__Host-" + name
	default:
		return "__Secure-" + name
	}
}

func (w *Web) cookie(name, value, path string) *http.Cookie {
	return &http.Cookie{
		Name:     name,
		Value:    value,
		Path:     path,
		Domain:   w.cfg.Cookie.Domain,
		Secure:   !w.cfg.Cookie.Insecure,
		HttpOnly: true,
		SameSite: w.cfg.Cookie.SameSite.mode(),
	}
}

// setCookies sets both tokens of a pair.
func (w *Web) setCookies(rw http.ResponseWriter, pair paseto.Pair) error {
	cookies := []*http.Cookie{
		w.tokenCookie(w.cfg.accessCookie(), w.cfg.Cookie.Path, pair.Access),
		w.tokenCookie(w.cfg.refreshCookie(), w.cfg.Cookie.RefreshPath, pair.Refresh),
	}
	for _, c := range cookies {
		if size := len(c.Name) + len(c.Value); size > maxCookie {
			return fmt.Errorf("httpauth: cookie %s has %d bytes, and browsers drop those over %d: put less into the token", c.Name, size, maxCookie)
		}
	}
	for _, c := range slices.Concat(w.former, cookies) { // what is deleted must not be what is set
		http.SetCookie(rw, c)
	}
	return nil
}

func (w *Web) tokenCookie(name, path string, token paseto.Issued) *http.Cookie {
	c := w.cookie(name, token.Token.Reveal(), path)
	if expires := w.auth.Deadline(token.Claims); w.cfg.Cookie.Persistent && !expires.IsZero() {
		seconds := expires.Sub(w.auth.Now()) / time.Second
		c.MaxAge = int(min(max(1, seconds), math.MaxInt32)) // an int may have 32 bits
	}
	return c
}

// clearCookies deletes both cookies, in every scope that is or was configured.
func (w *Web) clearCookies(rw http.ResponseWriter) {
	for _, c := range w.former {
		http.SetCookie(rw, c)
	}
	for name, path := range map[string]string{
		w.cfg.accessCookie():  w.cfg.Cookie.Path,
		w.cfg.refreshCookie(): w.cfg.Cookie.RefreshPath,
	} {
		c := w.cookie(name, "", path)
		c.MaxAge = -1
		http.SetCookie(rw, c)
	}
}
