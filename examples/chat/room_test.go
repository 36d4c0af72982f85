package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// received empties a member's queue.
func received(t *testing.T, m *member) []frame {
	t.Helper()
	var frames []frame
	for {
		select {
		case data, open := <-m.queue:
			if !open {
				return frames
			}
			var f frame
			if err := json.Unmarshal(data, &f); err != nil {
				t.Fatal(err)
			}
			frames = append(frames, f)
		default:
			return frames
		}
	}
}

// told writes frames in short, such as "joined alice" and "people alice,bob".
func told(frames []frame) string {
	var parts []string
	for _, f := range frames {
		parts = append(parts, strings.TrimSpace(f.Type+" "+f.From+f.Text+strings.Join(f.People, ",")))
	}
	return strings.Join(parts, "; ")
}

func wantTold(t *testing.T, m *member, want string) {
	t.Helper()
	if got := told(received(t, m)); got != want {
		t.Errorf("%s was told %q, want %q", m.name, got, want)
	}
}

func never(t *testing.T) func() {
	t.Helper()
	return func() { t.Error("a member was dropped that reads") }
}

func say(r *room, m *member, text string) {
	data, _ := json.Marshal(frame{Type: "message", Text: text})
	r.receive(m, data)
}

func TestRoomTellsWhoComesAndGoes(t *testing.T) {
	t.Parallel()
	r := newRoom()
	alice := r.join("alice", never(t))
	wantTold(t, alice, "joined alice; people alice")
	bob := r.join("bob", never(t))
	wantTold(t, alice, "joined bob; people alice,bob")
	wantTold(t, bob, "joined bob; people alice,bob")

	again := r.join("bob", never(t)) // as when a page refreshes its token
	wantTold(t, again, "people alice,bob")
	r.leave(bob)
	wantTold(t, alice, "")
	r.leave(again)
	r.leave(again)
	wantTold(t, alice, "left bob; people alice")

	guest := r.join("", never(t))
	wantTold(t, guest, "people alice")
	r.leave(guest)
	wantTold(t, alice, "")
}

func TestRoomShowsNewcomersThePast(t *testing.T) {
	t.Parallel()
	r := newRoom()
	alice := r.join("alice", never(t))
	for i := range maxPast + 3 {
		say(r, alice, fmt.Sprint(i))
		received(t, alice)
	}
	seen := received(t, r.join("", never(t)))
	if len(seen) != maxPast+1 || seen[0].Text != "3" || seen[maxPast-1].Text != fmt.Sprint(maxPast+2) {
		t.Errorf("a newcomer was told %s", told(seen))
	}
	for i, f := range seen[1:maxPast] {
		if f.ID <= seen[i].ID {
			t.Errorf("event %d follows event %d", f.ID, seen[i].ID)
		}
	}
}

func TestRoomRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, sent, want string }{
		{"no JSON", `hello`, "Expected a message"},
		{"another type", `{"type":"people","people":["mallory"]}`, "Expected a message"},
		{"another form", `{"type":"message","text":5}`, "Expected a message"},
		{"no text", `{"type":"message","text":" \n "}`, "empty"},
		{"too long", `{"type":"message","text":"` + strings.Repeat("ü", maxText+1) + `"}`, "501 characters; 500 are allowed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom()
			alice, bob := r.join("alice", never(t)), r.join("bob", never(t))
			received(t, alice)
			received(t, bob)
			r.receive(alice, []byte(tc.sent))
			if got := received(t, alice); len(got) != 1 || got[0].Type != "error" || !strings.Contains(got[0].Text, tc.want) {
				t.Errorf("got %s, want an error with %q", told(got), tc.want)
			}
			wantTold(t, bob, "")
		})
	}
	t.Run("not the longest that is allowed", func(t *testing.T) {
		t.Parallel()
		r := newRoom()
		alice := r.join("alice", never(t))
		received(t, alice)
		say(r, alice, strings.Repeat("ü", maxText))
		if got := received(t, alice); len(got) != 1 || got[0].Type != "message" {
			t.Errorf("got %s, want the message", told(got))
		}
	})
}

func TestRoomDropsTheSlow(t *testing.T) {
	t.Parallel()
	r := newRoom()
	dropped := make(chan struct{})
	slow := r.join("slow", func() { close(dropped) })
	bob := r.join("bob", never(t))
	var got string
	for range maxQueued {
		say(r, bob, "hello")
		got = told(received(t, bob)) + "; " + got
	}
	<-dropped
	if !strings.Contains(got, "left slow; people bob") {
		t.Errorf("bob was told %q, want that slow has left", got)
	}
	if got := len(received(t, slow)); got != maxQueued {
		t.Errorf("%d frames were kept for the slow member, want %d", got, maxQueued)
	}
	r.leave(slow) // its connection ends
	wantTold(t, bob, "")
}
