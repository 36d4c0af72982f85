package main

import (
	"maps"
	"slices"
)

const maxPast = 50 // messages that newcomers are shown

// room passes messages between its members. Its methods are called with the
// rooms locked.
type room struct {
	rooms   *rooms
	name    string
	members map[*member]struct{}
	present map[string]int // connections of each user
	past    []frame
	left    int64 // the event when the last member left
}

func newRoom(rooms *rooms, name string) *room {
	return &room{
		rooms:   rooms,
		name:    name,
		members: make(map[*member]struct{}),
		present: make(map[string]int),
	}
}

// add brings a member in, shows it what was said, and tells all.
func (r *room) add(m *member) {
	m.room = r
	r.members[m] = struct{}{}
	if m.name != "" {
		r.present[m.name]++
	}
	r.show(m)
	if r.present[m.name] == 1 {
		r.tell("joined", m.name)
	}
}

// remove takes a member out and tells the others.
func (r *room) remove(m *member) {
	m.room = nil
	delete(r.members, m)
	event := r.rooms.event("left", m.name)
	r.left = event.ID
	if m.name == "" {
		return
	}
	r.present[m.name]--
	if r.present[m.name] == 0 {
		delete(r.present, m.name)
		r.tell("left", m.name)
	}
}

// show tells a member where it is, and what it has missed.
func (r *room) show(m *member) {
	m.send(frame{
		Type: "room", Room: r.name, Past: r.past, People: r.people(),
		Rooms: r.rooms.names(), Connection: m.visit.connection,
	})
}

// say passes on what a member has written.
func (r *room) say(from, text string) {
	f := r.rooms.event("message", from)
	f.Text = text
	r.past = append(r.past, f)
	r.past = r.past[max(0, len(r.past)-maxPast):]
	r.broadcast(f)
}

// tell tells everybody who came or went, and who is here now.
func (r *room) tell(kind, name string) {
	r.broadcast(r.rooms.event(kind, name))
	r.broadcast(frame{Type: "people", People: r.people()})
}

func (r *room) people() []string {
	names := slices.AppendSeq([]string{}, maps.Keys(r.present))
	slices.Sort(names)
	return names
}

func (r *room) broadcast(f frame) {
	data := encode(f)
	for m := range r.members {
		m.sendEncoded(data)
	}
}
