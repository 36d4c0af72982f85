package main

import (
	"embed"
	"encoding/json"
	"net/http"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

//go:embed page.html page.css page.js
var assets embed.FS

// routes returns everything that the chat serves. The four sockets lead into
// the same room and differ in what they ask of a token.
func routes(kit *config.Kit, users *users, room *room) http.Handler {
	mux := http.NewServeMux()
	web, guard := kit.HTTP, kit.Guard

	mux.Handle("POST /login", web.Login(users.check))
	mux.Handle("POST /refresh", web.Refresh())
	mux.Handle("POST /logout", web.Logout())
	mux.Handle("GET /me", web.Require(paseto.Requirement{}, me(kit.Authorizer)))

	mux.Handle("/ws", guard.Require(paseto.Requirement{}, room.serve))
	mux.Handle("/ws/query", guard.Require(paseto.Requirement{}, room.serve, wsauth.In(wsauth.Query)))
	mux.Handle("/ws/optional", guard.Require(paseto.Requirement{Optional: true}, room.serve))
	mux.Handle("/ws/fresh", guard.Require(paseto.Requirement{Fresh: true}, room.serve))

	mux.Handle("GET /{$}", page("page.html"))
	mux.Handle("GET /page.css", page("page.css"))
	mux.Handle("GET /page.js", page("page.js"))
	return secured(mux)
}

// profile is what GET /me answers.
type profile struct {
	Subject   string    `json:"subject"`
	Scopes    []string  `json:"scopes"`
	Fresh     bool      `json:"fresh"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// ExpiresIn is the same in seconds from now, for clients whose clock is
	// wrong.
	ExpiresIn *int64 `json:"expires_in,omitempty"`
}

// me tells a caller what the server knows from the token.
func me(auth *paseto.Authorizer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		claims := paseto.FromContext(r.Context())
		answer := profile{Subject: claims.Subject, Scopes: append([]string{}, claims.Scopes...), Fresh: claims.Fresh}
		if expires := auth.Deadline(claims); !expires.IsZero() {
			answer.ExpiresAt = expires
			left := int64(expires.Sub(auth.Now()) / time.Second)
			answer.ExpiresIn = &left
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(answer) // a client that has gone away is no failure
	}
}

// page serves one embedded file.
func page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFileFS(w, r, assets, name)
	}
}

// secured sets what keeps a page's tokens in the page: nothing runs on it and
// nothing is asked by it that is not of this server.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
