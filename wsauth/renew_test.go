package wsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// way is how a client renews its token.
type way struct {
	name   string
	config setup
	with   func(token string) string // the message that does it
}

func ways() []way {
	return []way{
		{"by the application", setup{}, func(token string) string { return "renew " + token }},
		{"by message", setup{Config: wsauth.Config{RenewMessages: true}}, authMessage},
	}
}

// answer is what a client is told of its token.
type answer struct {
	Type      string      `json:"type"`
	ExpiresAt *time.Time  `json:"expires_at"`
	ExpiresIn *int64      `json:"expires_in"`
	Code      paseto.Code `json:"code"`
	Message   string      `json:"message"`
}

// renewing is an application that renews tokens if it is asked to, and answers as the
// guard would. It says whose token a connection has, by its id, and echoes the rest.
func renewing(ctx context.Context, conn *wsauth.Conn) {
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if token, ok := strings.CutPrefix(string(data), "renew "); ok {
			a := answer{Type: "auth"}
			if refused, ok := errors.AsType[*paseto.Error](conn.Renew(ctx, token)); ok {
				a.Code, a.Message = refused.Code, refused.Message
			} else if deadline := conn.Deadline(); !deadline.IsZero() {
				in := int64(deadline.Sub(start) / time.Second)
				a.ExpiresAt, a.ExpiresIn = &deadline, &in
			}
			data, _ = json.Marshal(a)
		}
		if string(data) == "who?" {
			data = []byte(conn.Claims().ID + " " + paseto.FromContext(ctx).ID)
		}
		if conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// say sends a text message.
func say(t testing.TB, ws *websocket.Conn, message string) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

// nextAnswer returns the next message, an answer to one with a token.
func nextAnswer(t testing.TB, ws *websocket.Conn) answer {
	t.Helper()
	var a answer
	if err := ws.ReadJSON(&a); err != nil {
		t.Fatalf("reading an answer: %v", err)
	}
	if a.Type != "auth" {
		t.Errorf("the answer's type is %q", a.Type)
	}
	return a
}

// checkAccepted checks that the next message says when the connection will end.
func checkAccepted(t testing.TB, ws *websocket.Conn, ends time.Time) {
	t.Helper()
	a := nextAnswer(t, ws)
	in := int64(ends.Sub(start) / time.Second)
	if a.ExpiresAt == nil || !a.ExpiresAt.Equal(ends) || a.ExpiresIn == nil || *a.ExpiresIn != in || a.Code != "" || a.Message != "" {
		t.Errorf("the answer is %+v, want one that says %s", a, ends)
	}
}

// checkDeclined checks that the next message is a refusal.
func checkDeclined(t testing.TB, ws *websocket.Conn, want error) {
	t.Helper()
	told := httpauth.Refusal(want)
	if a := nextAnswer(t, ws); a != (answer{Type: "auth", Code: told.Code, Message: told.Message}) {
		t.Fatalf("the answer is %+v, want %s: %s", a, told.Code, told.Message)
	}
}

// checkToken checks which token a renewing application sees.
func checkToken(t testing.TB, ws *websocket.Conn, c *paseto.Claims) {
	t.Helper()
	checkEchoOf(t, ws, "who?", c.ID+" "+c.ID)
}

// checkEchoOf checks what a message is answered with.
func checkEchoOf(t testing.TB, ws *websocket.Conn, message, want string) {
	t.Helper()
	say(t, ws, message)
	checkMessage(t, ws, want)
}

// anHour is the grant of the token that is renewed.
var anHour = paseto.Grant{Subject: "alice", Session: "s1", TTL: time.Hour, Fresh: true, Scopes: []string{"chat"}}

// but returns a grant with something else.
func but(g paseto.Grant, change func(*paseto.Grant)) paseto.Grant {
	change(&g)
	return g
}

func lasts(ttl time.Duration) paseto.Grant {
	return but(anHour, func(g *paseto.Grant) { g.TTL = ttl })
}

// TestRenewal keeps a connection past the expiry of the token that it came with, up to
// that of the last one, with the leeway.
func TestRenewal(t *testing.T) {
	t.Parallel()
	const leeway = time.Minute
	for _, way := range ways() {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			auth := newAuthorizer(t, paseto.Config{Leeway: leeway}, paseto.WithClock(c.Now))
			srv := listen(t, newGuard(t, auth, way.config).Require(paseto.Requirement{}, renewing))
			present := issued(t, auth, anHour)
			ws := connect(t, srv, bearer(present.Token.Reveal()))
			for _, next := range []paseto.Issued{present, issued(t, auth, lasts(2*time.Hour)), issued(t, auth, lasts(3*time.Hour))} {
				checkToken(t, ws, present.Claims)
				present = next
				say(t, ws, way.with(present.Token.Reveal()))
				checkAccepted(t, ws, present.Claims.ExpiresAt.Add(leeway))
			}
			checkToken(t, ws, present.Claims)
			say(t, ws, way.with(access(t, auth, but(anHour, func(g *paseto.Grant) { g.Subject = "bob" }))))
			checkDeclined(t, ws, live.ErrOtherSubject)
			end := present.Claims.ExpiresAt.Add(leeway)
			c.Set(end.Add(-1))
			checkToken(t, ws, present.Claims)
			c.Set(end)
			say(t, ws, "too late")
			checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
		})
	}
}
