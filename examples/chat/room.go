package main

import (
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
	maxText   = 500 // characters of a message
	maxPast   = 50  // messages that newcomers are shown
	maxQueued = 2 * maxPast
)

// frame is what server and page send each other. Of the page's frames only Type
// and Text are looked at: who speaks is known from the token.
type frame struct {
	Type string `json:"type"` // message, joined, left, people or error
	// ID rises from event to event, past restarts of the server too, so that a
	// page that reconnects can tell what it has shown already.
	ID     int64     `json:"id,omitzero"`
	From   string    `json:"from,omitzero"`
	Text   string    `json:"text,omitzero"`
	At     time.Time `json:"at,omitzero"`
	People []string  `json:"people,omitzero"`
}

// room passes messages between its members. It never waits for any of them: one
// whose queue is full is dropped.
type room struct {
	mu      sync.Mutex
	members map[*member]struct{}
	present map[string]int // connections of each user
	past    []frame
	lastID  int64
}

// member is one connection.
type member struct {
	name  string      // empty for an anonymous reader
	queue chan []byte // closed when the member is out of the room
	drop  func()      // ends the connection of a member that is too slow
}

func newRoom() *room {
	return &room{
		members: make(map[*member]struct{}),
		present: make(map[string]int),
		lastID:  time.Now().UnixMicro(),
	}
}

// serve is a [wsauth.Handler]: it keeps a connection in the room until it ends.
func (r *room) serve(_ context.Context, conn *wsauth.Conn) {
	name := ""
	if claims := conn.Claims(); !claims.Anonymous() {
		name = claims.Subject
	}
	m := r.join(name, func() { conn.Close(wsauth.CloseTryAgainLater, "You read too slowly") })

	var writing sync.WaitGroup
	writing.Go(func() {
		for data := range m.queue {
			if conn.WriteMessage(wsauth.TextMessage, data) != nil {
				return // the read below fails too
			}
		}
	})
	defer writing.Wait()
	defer r.leave(m)
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		r.receive(m, data)
	}
}

// join brings a member in, shows it what was said, and tells the others.
func (r *room) join(name string, drop func()) *member {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &member{name: name, queue: make(chan []byte, maxQueued), drop: drop}
	r.members[m] = struct{}{}
	for _, f := range r.past {
		r.send(m, f)
	}
	if name != "" {
		r.present[name]++
	}
	if r.present[name] == 1 {
		r.announce("joined", name)
	} else {
		r.send(m, r.people())
	}
	return m
}

// leave takes a member out and tells the others; a second call does nothing.
func (r *room) leave(m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(m)
}

// receive handles what a member sent.
func (r *room) receive(m *member, data []byte) {
	var said frame
	err := json.Unmarshal(data, &said)
	text := strings.TrimSpace(said.Text)

	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case m.name == "":
		r.complain(m, "You are reading along anonymously. Log in to write.")
	case err != nil || said.Type != "message":
		r.complain(m, `Expected a message such as {"type":"message","text":"hello"}.`)
	case text == "":
		r.complain(m, "The message is empty.")
	case utf8.RuneCountInString(text) > maxText:
		r.complain(m, fmt.Sprintf("The message has %d characters; %d are allowed.", utf8.RuneCountInString(text), maxText))
	default:
		f := r.event("message", m.name)
		f.Text = text
		r.past = append(r.past, f)
		r.past = r.past[max(0, len(r.past)-maxPast):]
		r.broadcast(f)
	}
}

// The methods below are called with the room locked.

func (r *room) event(kind, from string) frame {
	r.lastID++
	return frame{Type: kind, ID: r.lastID, From: from, At: time.Now().UTC()}
}

// announce tells everybody who came or went, and who is here now.
func (r *room) announce(kind, name string) {
	r.broadcast(r.event(kind, name))
	r.broadcast(r.people())
}

func (r *room) people() frame {
	names := slices.AppendSeq([]string{}, maps.Keys(r.present))
	slices.Sort(names)
	return frame{Type: "people", People: names}
}

func (r *room) complain(m *member, text string) {
	r.send(m, frame{Type: "error", Text: text})
}

func (r *room) broadcast(f frame) {
	data := encode(f)
	for m := range r.members {
		r.enqueue(m, data)
	}
}

func (r *room) send(m *member, f frame) { r.enqueue(m, encode(f)) }

// enqueue gives a member a frame, or drops it if it has too many unread.
func (r *room) enqueue(m *member, data []byte) {
	if _, here := r.members[m]; !here {
		return // dropped by the frame before
	}
	select {
	case m.queue <- data:
	default:
		go m.drop() // it may take as long as the connection is slow
		r.remove(m)
	}
}

func (r *room) remove(m *member) {
	if _, here := r.members[m]; !here {
		return
	}
	delete(r.members, m)
	close(m.queue)
	if m.name == "" {
		return
	}
	r.present[m.name]--
	if r.present[m.name] == 0 {
		delete(r.present, m.name)
		r.announce("left", m.name)
	}
}

func encode(f frame) []byte {
	data, err := json.Marshal(f)
	if err != nil {
		panic(err) // strings, numbers and times always encode
	}
	return data
}
