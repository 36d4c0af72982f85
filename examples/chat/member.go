package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// peer is what a room needs of a [wsauth.Conn].
type peer interface {
	// Send never waits. A peer that reads too slowly is closed by its guard,
	// and its handler then takes it out of the room.
	Send(kind wsauth.MessageKind, data []byte) error
	// Claims are those of the newest token.
	Claims() *paseto.Claims
}

// member is one connection and the room it is in.
type member struct {
	peer
	visit visit
	name  string // empty for an anonymous reader
	room  *room  // nil before and after its stay
}

func newMember(p peer, v visit) *member {
	m := &member{peer: p, visit: v}
	if claims := p.Claims(); !claims.Anonymous() {
		m.name = claims.Subject
	}
	return m
}

func (m *member) send(f frame) { m.sendEncoded(encode(f)) }

func (m *member) sendEncoded(data []byte) {
	_ = m.Send(wsauth.TextMessage, data) // one that is being closed leaves by itself
}

func (m *member) complain(text string) { m.send(frame{Type: "error", Text: text}) }

// visit is what a handshake says beyond its token.
type visit struct {
	room       string // asked for in the URL; empty for the lobby
	connection string // a name for the connection that nobody can guess
}

type visitKey struct{}

// withVisit adds the visit to the values of a connection's context; see
// [config.WithConnContext]. It keeps nothing else of the request, whose URL may
// have a token in it.
func withVisit(ctx context.Context, r *http.Request) context.Context {
	name := r.URL.Query().Get("room")
	name = strings.Clone(name[:min(len(name), maxRoomName+1)]) // one that is too long stays so
	return context.WithValue(ctx, visitKey{}, visit{room: name, connection: rand.Text()})
}

// visitOf returns what withVisit added.
func visitOf(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v
}
