package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// routes returns everything that the chat serves. The sockets lead into the same
// rooms and differ in what they ask of a token, and where they look for it. The
// page talks to the server of that origin, or to this one if it is empty.
func routes(kit *config.Kit, users users, server string) http.Handler {
	mux := http.NewServeMux()
	web, guard := kit.HTTP, kit.Guard
	chat := newRooms(func(data []byte) {
		_, _ = guard.Broadcast(wsauth.TextMessage, data, nil) // fails for no kind of message that there is
	}).serve

	mux.Handle("POST /login", web.Login(users.check))
	mux.Handle("POST /refresh", web.Refresh())
	mux.Handle("POST /logout", web.Logout())
	mux.Handle("POST /logout/everywhere", web.LogoutEverywhere())
	mux.Handle("POST /logout/others", web.Require(paseto.Requirement{}, logoutOthers(kit)))
	mux.Handle("POST /ticket", web.Ticket())
	mux.Handle("GET /me", web.Require(paseto.Requirement{}, me(kit.Authorizer)))

	mux.Handle("/ws", guard.Require(paseto.Requirement{}, chat))
	mux.Handle("/ws/query", guard.Require(paseto.Requirement{}, chat, httpauth.WithLocations(httpauth.LocationQuery)))
	mux.Handle("/ws/message", guard.Require(paseto.Requirement{}, chat, httpauth.WithLocations(httpauth.LocationMessage)))
	mux.Handle("/ws/optional", guard.Require(paseto.Requirement{Optional: true}, chat))
	mux.Handle("/ws/fresh", guard.Require(paseto.Requirement{Fresh: true}, chat))
	if kit.Authorizer.CanRevoke() { // else there are no tickets
		mux.Handle("/ws/ticket", guard.Require(paseto.Requirement{}, chat, httpauth.WithLocations(httpauth.LocationTicket)))
	}

	addPage(mux, server)
	return secured(server, web.CORS(mux))
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
		respond(w, answer)
	}
}

// respond answers with v in JSON, which concerns its caller alone.
func respond(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away is no failure
}
