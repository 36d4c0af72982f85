package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// heard is a peer that keeps what it is sent.
type heard struct {
	claims *paseto.Claims
	frames []frame
}

func (h *heard) Send(_ wsauth.MessageKind, data []byte) error {
	var f frame
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	h.frames = append(h.frames, f)
	return nil
}

func (h *heard) Claims() *paseto.Claims { return h.claims }

// hall is the rooms of a test.
type hall struct {
	*rooms
	t         *testing.T
	announced []string
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t}
	h.rooms = newRooms(func(data []byte) { h.announced = append(h.announced, string(data)) })
	return h
}

// come brings a connection of a user, or of a guest without a name, into a room.
func (h *hall) come(name, room string, scopes ...string) *member {
	p := new(heard)
	if name != "" {
		p.claims = &paseto.Claims{Subject: name, Scopes: scopes}
	}
	m := newMember(p, visit{room: room, connection: "connection of " + name})
	h.enter(m)
	return m
}

func (h *hall) sends(m *member, f frame) { h.receive(m, encode(f)) }

// told returns what a member was sent since the last time.
func told(m *member) []frame {
	p, _ := m.peer.(*heard)
	frames := p.frames
	p.frames = nil
	return frames
}

// brief writes frames in short, such as "joined alice" and "people alice,bob".
func brief(frames []frame) string {
	var parts []string
	for _, f := range frames {
		words := []string{f.Type, f.Room, f.From, f.Text, strings.Join(f.People, ",")}
		if f.Type == "rooms" {
			words = append(words, strings.Join(f.Rooms, ","))
		}
		parts = append(parts, strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " "))
	}
	return strings.Join(parts, "; ")
}

func (h *hall) wantTold(m *member, want string) {
	h.t.Helper()
	if got := brief(told(m)); got != want {
		h.t.Errorf("%s was told %q, want %q", m.name, got, want)
	}
}

func TestRoomTellsWhoComesAndGoes(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	alice := h.come("alice", "")
	h.wantTold(alice, "room lobby alice; joined alice; people alice")
	bob := h.come("bob", "")
	h.wantTold(alice, "joined bob; people alice,bob")
	h.wantTold(bob, "room lobby alice,bob; joined bob; people alice,bob")

	again := h.come("bob", "") // as when a page opens a socket beside its old one
	h.wantTold(again, "room lobby alice,bob")
	h.leave(bob)
	h.wantTold(alice, "")
	h.leave(again)
	h.wantTold(alice, "left bob; people alice")

	guest := h.come("", "")
	h.wantTold(guest, "room lobby alice")
	h.leave(guest)
	h.wantTold(alice, "")
}

// TestRooms: who goes to another room sees that one, and the others see it go.
func TestRooms(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	alice, bob, carol := h.come("alice", ""), h.come("bob", ""), h.come("carol", "den")
	h.sends(carol, frame{Type: "message", Text: "first"})
	for _, m := range []*member{alice, bob, carol} {
		told(m)
	}

	h.sends(bob, frame{Type: "join", Room: "Den"})
	h.wantTold(alice, "left bob; people alice")
	h.wantTold(carol, "joined bob; people bob,carol")
	got := told(bob)
	if brief(got) != "room den bob,carol; joined bob; people bob,carol" || brief(got[0].Past) != "message carol first" {
		t.Errorf("bob was told %q, and of the past %q", brief(got), brief(got[0].Past))
	}
	if got := got[0]; !slices.Equal(got.Rooms, []string{"den", "lobby"}) || got.Connection != "connection of bob" {
		t.Errorf("bob was told of the rooms %q and of his connection %q", got.Rooms, got.Connection)
	}

	h.sends(bob, frame{Type: "message", Text: "hello"})
	h.wantTold(carol, "message bob hello")
	h.wantTold(bob, "message bob hello")
	h.wantTold(alice, "")

	h.sends(bob, frame{Type: "join", Room: "den"}) // where he is
	h.wantTold(bob, "room den bob,carol")
	h.wantTold(carol, "")

	h.sends(alice, frame{Type: "join", Room: "kitchen-2"}) // there was none
	h.wantTold(bob, "rooms den,kitchen-2,lobby")
	h.wantTold(alice, "rooms den,kitchen-2,lobby; room kitchen-2 alice; joined alice; people alice")

	guest := h.come("", "")
	h.sends(guest, frame{Type: "join", Room: "den"})
	h.wantTold(guest, "room lobby; room den bob,carol")
}

func TestRoomsRefuseNames(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("a", maxRoomName)
	for _, tc := range []struct {
		name, room string
		ok         bool
	}{
		{"letters, digits and hyphens", "Room-42", true},
		{"longest", longest, true},
		{"too long", longest + "a", false},
		{"too long by far", strings.Repeat("a", 1<<10), false},
		{"empty", "", false},
		{"space", "the den", false},
		{"another script", "küche", false},
		{"markup", "<b>", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHall(t)
			alice := h.come("alice", "")
			told(alice)
			h.sends(alice, frame{Type: "join", Room: tc.room})
			got := brief(told(alice))
			if refused := strings.HasPrefix(got, "error "); refused == tc.ok || refused && !strings.Contains(got, "letters, digits and hyphens") {
				t.Errorf("alice was told %.200q", got)
			}
			if in := alice.room.name; strings.EqualFold(in, tc.room) != tc.ok {
				t.Errorf("alice is in %q", in)
			}
			if tc.room == "" || tc.ok {
				return
			}
			bob := h.come("bob", tc.room) // by the URL
			if got := brief(told(bob)); bob.room.name != lobby || !strings.Contains(got, "error ") {
				t.Errorf("bob is in %q, and was told %.200q", bob.room.name, got)
			}
		})
	}
}

// TestRoomsAreBounded: a new room takes the place of the one that was left first,
// if there is one.
func TestRoomsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	name := func(i int) string { return fmt.Sprintf("room-%d", i) }
	var members []*member
	for i := range maxRooms - 1 { // and the lobby
		members = append(members, h.come("alice", name(i)))
	}
	bob := h.come("bob", "")
	told(bob)
	h.sends(bob, frame{Type: "join", Room: "another"})
	if got := brief(told(bob)); !strings.Contains(got, "error There are 20 rooms already") {
		t.Errorf("bob was told %q", got)
	}

	h.sends(members[5], frame{Type: "message", Text: "mind the past"})
	h.leave(members[7])
	h.leave(members[5])
	h.sends(bob, frame{Type: "join", Room: "another"})
	if got := h.names(); bob.room.name != "another" || len(got) != maxRooms || slices.Contains(got, name(7)) {
		t.Errorf("bob is in %q, and there are %q", bob.room.name, got)
	}
	carol := h.come("carol", name(5))
	if got := told(carol); brief(got[0].Past) != "message alice mind the past" {
		t.Errorf("carol was told %q", brief(got[0].Past))
	}
	h.sends(carol, frame{Type: "join", Room: "yet-another"}) // takes the place that she leaves, not the lobby's
	if got := brief(told(carol)); h.byName[lobby] == nil || !strings.Contains(got, "error ") {
		t.Errorf("carol was told %q; the rooms are %q", got, h.names())
	}
}

func TestRoomShowsNewcomersThePast(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	alice := h.come("alice", "")
	for i := range maxPast + 3 {
		h.sends(alice, frame{Type: "message", Text: fmt.Sprint(i)})
	}
	past := told(h.come("", ""))[0].Past
	if len(past) != maxPast || past[0].Text != "3" || past[maxPast-1].Text != fmt.Sprint(maxPast+2) {
		t.Errorf("a newcomer was told %s", brief(past))
	}
	for i, f := range past[1:] {
		if f.ID <= past[i].ID {
			t.Errorf("event %d follows event %d", f.ID, past[i].ID)
		}
	}
}

func TestRoomsRefuse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, sent, want string }{
		{"no JSON", `hello`, "Expected a message"},
		{"another type", `{"type":"people","people":["mallory"]}`, "Expected a message"},
		{"another form", `{"type":"message","text":5}`, "Expected a message"},
		{"no text", `{"type":"message","text":" \n "}`, "empty"},
		{"too long", `{"type":"message","text":"` + strings.Repeat("ü", maxText+1) + `"}`, "501 characters; 500 are allowed"},
		{"announcement without the right", `{"type":"announce","text":"hello"}`, "Only who has the scope admin may announce"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHall(t)
			alice, bob := h.come("alice", ""), h.come("bob", "", "other")
			told(alice)
			told(bob)
			h.receive(bob, []byte(tc.sent))
			if got := told(bob); len(got) != 1 || got[0].Type != "error" || !strings.Contains(got[0].Text, tc.want) {
				t.Errorf("got %s, want an error with %q", brief(got), tc.want)
			}
			h.wantTold(alice, "")
			if len(h.announced) > 0 {
				t.Errorf("announced %q", h.announced)
			}
		})
	}
	t.Run("not the longest that is allowed", func(t *testing.T) {
		t.Parallel()
		h := newHall(t)
		alice := h.come("alice", "")
		told(alice)
		h.sends(alice, frame{Type: "message", Text: strings.Repeat("ü", maxText)})
		if got := told(alice); len(got) != 1 || got[0].Type != "message" {
			t.Errorf("got %s, want the message", brief(got))
		}
	})
}

// TestRightToAnnounce: the newest token counts.
func TestRightToAnnounce(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	admin := h.come("admin", "", adminScope)
	told(admin)
	h.sends(admin, frame{Type: "announce", Text: " closing soon "})
	h.sends(admin, frame{Type: "announce", Text: " "})
	h.wantTold(admin, "error The message is empty.")
	if p, ok := admin.peer.(*heard); ok {
		p.claims = &paseto.Claims{Subject: "admin"}
	}
	h.sends(admin, frame{Type: "announce", Text: "and more"})
	h.wantTold(admin, "error Only who has the scope admin may announce.")
	if len(h.announced) != 1 || !strings.Contains(h.announced[0], `"from":"admin","text":"closing soon"`) {
		t.Errorf("announced %q", h.announced)
	}
}
