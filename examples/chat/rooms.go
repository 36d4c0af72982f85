package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/wsauth"
)

const (
	lobby       = "lobby" // where everybody comes in who names no other room
	maxRooms    = 20
	maxRoomName = 32  // letters, digits and hyphens
	maxText     = 500 // characters of a message
)

// adminScope lets its holder announce.
const adminScope = "admin"

// rooms are all rooms of the chat, made by use. One lock holds them all, for
// nothing that is done with it waits for anybody.
type rooms struct {
	announce func(data []byte) // to every connection

	mu     sync.Mutex
	byName map[string]*room
	lastID int64
}

// newRooms returns the lobby. Announce sends a message to every connection, in
// whatever room, without waiting for any.
func newRooms(announce func(data []byte)) *rooms {
	rs := &rooms{announce: announce, byName: make(map[string]*room), lastID: time.Now().UnixMicro()}
	rs.byName[lobby] = newRoom(rs, lobby)
	return rs
}

// serve is a [wsauth.Handler]: it keeps a connection in some room until it ends.
func (rs *rooms) serve(ctx context.Context, conn *wsauth.Conn) {
	m := newMember(conn, visitOf(ctx))
	rs.enter(m)
	defer rs.leave(m)
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		rs.receive(m, data)
	}
}

// enter brings a new member into the room that its handshake names, or into the
// lobby, and tells it why.
func (rs *rooms) enter(m *member) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r, refused := rs.open(cmp.Or(m.visit.room, lobby))
	if refused == "" {
		r.add(m)
		return
	}
	rs.byName[lobby].add(m)
	m.complain(refused)
}

// leave takes a member out for good.
func (rs *rooms) leave(m *member) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	m.room.remove(m)
}

// receive handles what a member sent.
func (rs *rooms) receive(m *member, data []byte) {
	var sent frame
	if json.Unmarshal(data, &sent) != nil {
		sent.Type = ""
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	switch {
	case sent.Type == "join":
		rs.join(m, sent.Room)
	case sent.Type == "auth":
		rs.refuseRenewal(m)
	case m.name == "":
		m.complain("You are reading along anonymously. Log in to write.")
	case sent.Type == "message":
		if text, ok := rs.text(m, sent); ok {
			m.room.say(m.name, text)
		}
	case sent.Type == "announce" && !m.Claims().HasScopes(adminScope):
		m.complain("Only who has the scope " + adminScope + " may announce.")
	case sent.Type == "announce":
		if text, ok := rs.text(m, sent); ok {
			rs.announce(encode(frame{Type: "announce", From: m.name, Text: text, At: time.Now().UTC()}))
		}
	default:
		m.complain(`Expected a message such as {"type":"message","text":"hello"}.`)
	}
}

// The methods below are called with the rooms locked.

// text returns the text of a frame, or tells the member what is wrong with it.
func (rs *rooms) text(m *member, sent frame) (text string, ok bool) {
	text = strings.TrimSpace(sent.Text)
	length := utf8.RuneCountInString(text)
	switch {
	case text == "":
		m.complain("The message is empty.")
	case length > maxText:
		m.complain(fmt.Sprintf("The message has %d characters; %d are allowed.", length, maxText))
	default:
		return text, true
	}
	return "", false
}

// join moves a member to a room, which is made if there is none of the name.
func (rs *rooms) join(m *member, name string) {
	r, refused := rs.open(name)
	switch {
	case refused != "":
		m.complain(refused)
	case r == m.room:
		r.show(m)
	default:
		m.room.remove(m)
		r.add(m)
	}
}

// refuseRenewal answers a token that the guard would have taken if
// websocket.renew_messages were set, in the guard's own words for a refusal.
func (rs *rooms) refuseRenewal(m *member) {
	m.sendEncoded(encode(map[string]string{
		"type": "auth", "code": "renewal_unsupported", "message": "This server renews no token over an open socket",
	}))
}

// open returns the room of a name, which it makes if there is none, or says why
// there can be none.
func (rs *rooms) open(name string) (r *room, refused string) {
	name = strings.ToLower(name)
	if r := rs.byName[name]; r != nil {
		return r, ""
	}
	if !isRoomName(name) {
		return nil, fmt.Sprintf("%.40q is not the name of a room. Expected up to %d letters, digits and hyphens.", name, maxRoomName)
	}
	if len(rs.byName) >= maxRooms && !rs.dropEmpty() {
		return nil, fmt.Sprintf("There are %d rooms already, with somebody in each. Choose one of them.", maxRooms)
	}
	r = newRoom(rs, name)
	rs.byName[name] = r
	rs.tellRooms()
	return r, ""
}

// dropEmpty makes room for a new one: the one goes that was left first.
func (rs *rooms) dropEmpty() bool {
	var oldest *room
	for _, r := range rs.byName {
		if r.name != lobby && len(r.members) == 0 && (oldest == nil || r.left < oldest.left) {
			oldest = r
		}
	}
	if oldest != nil {
		delete(rs.byName, oldest.name)
	}
	return oldest != nil
}

func (rs *rooms) names() []string { return slices.Sorted(maps.Keys(rs.byName)) }

// tellRooms tells all members which rooms there are.
func (rs *rooms) tellRooms() {
	f := frame{Type: "rooms", Rooms: rs.names()}
	for _, r := range rs.byName {
		r.broadcast(f)
	}
}

func (rs *rooms) event(kind, from string) frame {
	rs.lastID++
	return frame{Type: kind, ID: rs.lastID, From: from, At: time.Now().UTC()}
}

// isRoomName reports whether a room may have the name, in lower case.
func isRoomName(name string) bool {
	return name != "" && len(name) <= maxRoomName &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
