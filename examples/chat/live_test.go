package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/wsauth"
)

// What becomes of sockets that are open.

// wantClosed reads until the socket is closed, and wants it closed so.
func wantClosed(t *testing.T, ws *websocket.Conn, code wsauth.CloseCode, reason string) {
	t.Helper()
	for {
		_, err := read(ws)
		if err == nil {
			continue
		}
		var closed *websocket.CloseError
		if !errors.As(err, &closed) || closed.Code != int(code) || closed.Text != reason {
			t.Errorf("the socket ends with %v, want %d %s", err, code, reason)
		}
		return
	}
}

// wantRefused wants a socket that is closed before anything is sent, for one of some
// reasons.
func wantRefused(t *testing.T, ws *websocket.Conn, reasons ...string) {
	t.Helper()
	data, err := read(ws)
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.ClosePolicyViolation || !slices.Contains(reasons, closed.Text) {
		t.Errorf("got %s, %v, want 1008 %q", data, err, reasons)
	}
}

// wantOpen wants a socket that is still heard.
func wantOpen(t *testing.T, ws *websocket.Conn, name string) {
	t.Helper()
	text := fmt.Sprint("still here at ", time.Now())
	write(t, ws, frame{Type: "message", Text: text})
	for f := (frame{}); f.Text != text; {
		if f = next(t, ws, "message"); f.Text == text && f.From != name {
			t.Errorf("%s is heard as %s", name, f.From)
		}
	}
}

func write(t *testing.T, ws *websocket.Conn, v any) {
	t.Helper()
	if err := ws.WriteJSON(v); err != nil {
		t.Fatal(err)
	}
}

// enter opens a socket and waits until it is in its room.
func enter(t *testing.T, server *httptest.Server, path, token string) (ws *websocket.Conn, in frame) {
	t.Helper()
	ws = dial(t, server, path, token)
	return ws, next(t, ws, "room")
}

// TestRoomsOfSockets: a socket comes into the room that its URL names, and goes to
// another one as it is told to.
func TestRoomsOfSockets(t *testing.T) {
	server := startChat(t)
	alice, in := enter(t, server, "/ws?room=den", login(t, server, "alice").AccessToken.Reveal())
	if in.Room != "den" {
		t.Errorf("alice is in %q, want den", in.Room)
	}
	token := login(t, server, "bob").AccessToken.Reveal()
	for _, tc := range []struct{ path, token, want string }{
		{"/ws", token, lobby},
		{"/ws?room=a/b", token, lobby},
		{"/ws?room=" + strings.Repeat("a", maxRoomName+1), token, lobby},
		{"/ws/query?room=den&token=" + token, "", "den"},
	} {
		ws, in := enter(t, server, tc.path, tc.token)
		if in.Room != tc.want {
			t.Errorf("%.20s leads to %q, want %q", tc.path, in.Room, tc.want)
		}
		ws.Close()
	}
	bob, _ := enter(t, server, "/ws", token)
	write(t, bob, frame{Type: "join", Room: "den"})
	if in := next(t, bob, "room"); brief([]frame{in}) != "room den alice,bob" {
		t.Errorf("bob is told %q", brief([]frame{in}))
	}
	write(t, bob, frame{Type: "message", Text: "here I am"})
	if got := next(t, alice, "message"); got.From != "bob" || got.Text != "here I am" {
		t.Errorf("alice hears %+v", got)
	}
}

// TestAnnouncement: an admin reaches everybody in every room, and nobody else does.
func TestAnnouncement(t *testing.T) {
	server := startChat(t)
	admin, _ := enter(t, server, "/ws", login(t, server, "admin").AccessToken.Reveal())
	alice, _ := enter(t, server, "/ws?room=den", login(t, server, "alice").AccessToken.Reveal())
	guest, _ := enter(t, server, "/ws/optional?room=kitchen", "")

	for _, ws := range []*websocket.Conn{alice, guest} {
		write(t, ws, frame{Type: "announce", Text: "hear me"})
		if got := next(t, ws, "error").Text; got == "" {
			t.Error("the refusal says nothing")
		}
	}
	write(t, admin, frame{Type: "announce", Text: "closing soon"})
	for name, ws := range map[string]*websocket.Conn{"admin": admin, "alice": alice, "guest": guest} {
		if got := next(t, ws, "announce"); got.From != "admin" || got.Text != "closing soon" || got.At.IsZero() {
			t.Errorf("%s hears %+v", name, got)
		}
	}
}

// TestCap: of more sockets than a user may have, the oldest is closed.
func TestCap(t *testing.T) {
	server := startChat(t)
	first, _ := enter(t, server, "/ws", login(t, server, "alice").AccessToken.Reveal())
	bob, _ := enter(t, server, "/ws", login(t, server, "bob").AccessToken.Reveal())
	token := login(t, server, "alice").AccessToken.Reveal()
	var others []*websocket.Conn
	for range 4 {
		ws, _ := enter(t, server, "/ws", token)
		others = append(others, ws)
	}
	wantOpen(t, first, "alice")
	newest, _ := enter(t, server, "/ws", token)
	wantClosed(t, first, wsauth.ClosePolicyViolation, "Replaced by a newer connection")
	for _, ws := range append(others, newest) {
		wantOpen(t, ws, "alice")
	}
	wantOpen(t, bob, "bob")
}

// authAnswer is what the guard answers to a token in a message.
type authAnswer struct {
	Type      string
	ExpiresIn int64 `json:"expires_in"`
	Code      string
	Message   string
}

// present sends a token over an open socket and returns the answer.
func present(t *testing.T, ws *websocket.Conn, token string) authAnswer {
	t.Helper()
	write(t, ws, map[string]string{"type": "auth", "token": token})
	for {
		var answer authAnswer
		if err := readJSON(ws, &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Type == "auth" {
			return answer
		}
	}
}

// TestRenewal: a socket outlives its token with a newer one of the same login, and
// with no other.
func TestRenewal(t *testing.T) {
	server := startChat(t)
	tokens := login(t, server, "alice")
	alice, _ := enter(t, server, "/ws", tokens.AccessToken.Reveal())
	if got := present(t, alice, refresh(t, server, tokens.RefreshToken.Reveal()).AccessToken.Reveal()); got.Code != "" || got.ExpiresIn <= 0 {
		t.Errorf("a newer token of the login is answered %+v", got)
	}
	for name, token := range map[string]string{
		"of another login": login(t, server, "alice").AccessToken.Reveal(),
		"of another user":  login(t, server, "bob").AccessToken.Reveal(),
	} {
		if got := present(t, alice, token); got.Code != "renewal_subject" || got.Message == "" {
			t.Errorf("a token %s is answered %+v", name, got)
		}
	}
	wantOpen(t, alice, "alice")
}

// TestNoRenewal: a page is told where the server renews nothing.
func TestNoRenewal(t *testing.T) {
	t.Setenv("PASETOKIT_WEBSOCKET__RENEW_MESSAGES", "false")
	server := startChat(t)
	tokens := login(t, server, "alice")
	alice, _ := enter(t, server, "/ws", tokens.AccessToken.Reveal())
	got := present(t, alice, refresh(t, server, tokens.RefreshToken.Reveal()).AccessToken.Reveal())
	if got.Code != "renewal_unsupported" || got.Message == "" {
		t.Errorf("a token is answered %+v", got)
	}
}

// TestFirstMessage: the token can come as the first message, and nowhere else.
func TestFirstMessage(t *testing.T) {
	server := startChat(t)
	token := login(t, server, "alice").AccessToken.Reveal()
	alice := dial(t, server, "/ws/message?room=den", "")
	if got := present(t, alice, token); got.Code != "" || got.ExpiresIn <= 0 {
		t.Errorf("the token is answered %+v", got)
	}
	if in := next(t, alice, "room"); in.Room != "den" {
		t.Errorf("alice is in %q, want den", in.Room)
	}
	for name, tc := range map[string]struct{ sent, reason string }{
		"message too early": {`{"type":"message","text":"hello"}`, `Bad message. Expected {"type":"auth","token":"<PASETO>"}`},
		"refresh token":     {`{"type":"auth","token":"` + login(t, server, "bob").RefreshToken.Reveal() + `"}`, "Access token required but refresh provided"},
	} {
		t.Run(name, func(t *testing.T) {
			ws := dial(t, server, "/ws/message", "")
			if err := ws.WriteMessage(websocket.TextMessage, []byte(tc.sent)); err != nil {
				t.Fatal(err)
			}
			wantRefused(t, ws, tc.reason)
		})
	}
}

// TestLogoutEverywhere: one device ends the logins of all, and their sockets.
func TestLogoutEverywhere(t *testing.T) {
	server := startChat(t)
	here, there := login(t, server, "alice").AccessToken.Reveal(), login(t, server, "alice").AccessToken.Reveal()
	token := login(t, server, "bob").AccessToken.Reveal()
	open, _ := enter(t, server, "/ws", there)
	bob, _ := enter(t, server, "/ws", token)
	if status := post(t, server, "/logout/everywhere", here, "", nil); status != http.StatusNoContent {
		t.Fatalf("status %d, want 204", status)
	}
	wantClosed(t, open, wsauth.ClosePolicyViolation, "Token has been revoked")
	wantRefused(t, dial(t, server, "/ws", here), "Token has been revoked")
	wantRefused(t, dial(t, server, "/ws", there), "Token has been revoked")
	wantOpen(t, bob, "bob")
}
