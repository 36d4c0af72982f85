package main

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// kind is a way to serve WebSockets.
type kind struct {
	name   string
	about  string
	tokens bool // clients need one
	// handler serves connections and keeps count of those that are open. Tokens
	// are of key.
	handler func(key paseto.Key, open *atomic.Int64) (http.Handler, error)
}

const (
	plainKind   = "plain"
	leanKind    = "lean"
	guardedKind = "guarded"
)

var kinds = []kind{
	{name: plainKind, handler: plain, about: "gorilla/websocket with its defaults, read by the HTTP handler"},
	{name: leanKind, handler: lean, about: "gorilla/websocket with 1 KiB to read, shared buffers to write, no HTTP handler left"},
	{name: guardedKind, handler: guarded, about: "wsauth with its defaults; every connection has a subject, session and token of its own", tokens: true},
}

// plain is gorilla/websocket as its examples use it.
func plain(_ paseto.Key, open *atomic.Int64) (http.Handler, error) {
	upgrader := websocket.Upgrader{CheckOrigin: anyOrigin}
	return upgradeTo(&upgrader, func(ws *websocket.Conn) { readAll(ws, open) }), nil
}

// lean is as little as gorilla/websocket takes by its own means.
func lean(_ paseto.Key, open *atomic.Int64) (http.Handler, error) {
	upgrader := websocket.Upgrader{
		CheckOrigin:     anyOrigin,
		ReadBufferSize:  1 << 10,
		WriteBufferSize: 1 << 10,
		WriteBufferPool: new(sync.Pool),
	}
	return upgradeTo(&upgrader, func(ws *websocket.Conn) { go readAll(ws, open) }), nil
}

// upgradeTo opens a WebSocket for every handshake.
func upgradeTo(upgrader *websocket.Upgrader, serve func(*websocket.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := upgrader.Upgrade(w, r, nil); err == nil { // else it has answered
			serve(ws)
		}
	})
}

func anyOrigin(*http.Request) bool { return true }

func readAll(ws *websocket.Conn, open *atomic.Int64) {
	defer func() { _ = ws.Close() }()
	open.Add(1)
	defer open.Add(-1)
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return
		}
	}
}

func guarded(key paseto.Key, open *atomic.Int64) (http.Handler, error) {
	auth, err := newAuthorizer(key, paseto.WithDenylist(denylist.NewMemory()))
	if err != nil {
		return nil, err
	}
	web, err := httpauth.New(auth, httpauth.Config{})
	if err != nil {
		return nil, err
	}
	guard, err := wsauth.New(web, wsauth.Config{})
	if err != nil {
		return nil, err
	}
	return guard.Require(paseto.Requirement{Scopes: scopes[:1]}, func(_ context.Context, conn *wsauth.Conn) {
		open.Add(1)
		defer open.Add(-1)
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}), nil
}

// What the tokens say besides whom they are for.
var (
	issuer   = "https://login.example.com"
	audience = []string{"https://chat.example.com"}
	scopes   = []string{"chat:read", "chat:write"}
)

// newAuthorizer returns what issues the tokens, and what takes them.
func newAuthorizer(key paseto.Key, opts ...paseto.Option) (*paseto.Authorizer, error) {
	return paseto.New(paseto.Config{
		Keys:            []paseto.Key{key},
		Issuer:          issuer,
		Audience:        audience,
		RequireIssuer:   issuer,
		RequireAudience: audience,
	}, opts...)
}
