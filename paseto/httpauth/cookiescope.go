package httpauth

import (
	"net/http"
	"slices"
	"strings"
)

// formerCookies returns what deletes the cookies of [CookieConfig.Former]: for each scope
// both names, with the prefix that a Secure cookie has there and, as an Insecure one was
// named, without. It leaves out the cookies that are set now.
func (w *Web) formerCookies() []*http.Cookie {
	cfg := w.cfg.Cookie
	kept := []*http.Cookie{
		w.cookie(w.cfg.accessCookie(), "", cfg.Path),
		w.cookie(w.cfg.refreshCookie(), "", cfg.RefreshPath),
	}
	var former []*http.Cookie
	for _, scope := range cfg.Former {
		domain, path, _ := strings.Cut(scope, "/")
		path = "/" + path
		for _, base := range []string{cfg.AccessName, cfg.RefreshName} {
			for _, name := range []string{CookieConfig{Domain: domain}.prefixed(base, path), base} {
				c := w.cookie(name, "", path)
				c.Domain, c.MaxAge = domain, -1
				c.Secure = c.Secure || name != base // else browsers do not look at the prefix
				same := func(other *http.Cookie) bool { return isSameCookie(c, other) }
				if !slices.ContainsFunc(kept, same) && !slices.ContainsFunc(former, same) {
					former = append(former, c)
				}
			}
		}
	}
	return former
}

// isSameCookie reports whether browsers take two cookies for one (RFC 6265bis, section
// 5.7).
func isSameCookie(a, b *http.Cookie) bool {
	domain := func(c *http.Cookie) string { return strings.ToLower(strings.TrimPrefix(c.Domain, ".")) }
	return a.Name == b.Name && a.Path == b.Path && domain(a) == domain(b)
}

// warnOfCookies logs that the cookies go without the prefix __Host-, if that is so
// because of a domain or a path.
func (w *Web) warnOfCookies() {
	c := w.cfg.Cookie
	if w.cfg.usesCookies() && (c.Domain != "" || c.Path != "/" || c.RefreshPath != "/") {
		w.log.Warn("cookies are not protected by the prefix __Host-, and other hosts of the domain can set them; "+
			"leave Cookie.Domain (http.cookie.domain) empty, and Cookie.Path and RefreshPath (http.cookie.path, refresh_path) at /",
			"access", w.cfg.accessCookie(), "refresh", w.cfg.refreshCookie())
	}
}
