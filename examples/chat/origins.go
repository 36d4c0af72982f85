package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rs/cors"

	"github.com/pasetokit/pasetokit/config"
)

// origins are those, besides the server's own, whose pages may use the chat.
type origins struct {
	allowed []string // with their tokens; a host may begin with "*."
	trusted []string // with cookies as well
}

// configuredOrigins returns the origins whose pages may connect, and those that
// the cookies are trusted to.
func configuredOrigins(cfg *config.Config) origins {
	o := origins{trusted: cfg.HTTP.Cookie.TrustedOrigins}
	for _, origin := range cfg.WebSocket.AllowedOrigins {
		o.allowed = append(o.allowed, asSent(origin))
	}
	return o
}

// asSent writes an origin as browsers do, without a default port.
func asSent(origin string) string {
	origin = strings.ToLower(origin)
	if strings.HasPrefix(origin, "https:") {
		return strings.TrimSuffix(origin, ":443")
	}
	return strings.TrimSuffix(origin, ":80")
}

// share lets the scripts of these origins read what an endpoint answers to a
// method (CORS). Cookies, which browsers add by themselves, come along from the
// trusted ones alone.
func (o origins) share(method string, endpoint http.Handler) http.Handler {
	rules := cors.Options{
		AllowedMethods: []string{method},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
	}
	byToken, byCookie := endpoint, endpoint
	if len(o.allowed) > 0 { // an empty list would mean every origin
		rules.AllowedOrigins = o.allowed
		byToken = cors.New(rules).Handler(endpoint)
	}
	if len(o.trusted) > 0 {
		rules.AllowedOrigins, rules.AllowCredentials = o.trusted, true
		byCookie = cors.New(rules).Handler(endpoint)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(o.trusted, r.Header.Get("Origin")) {
			byCookie.ServeHTTP(w, r)
		} else {
			byToken.ServeHTTP(w, r)
		}
	})
}
