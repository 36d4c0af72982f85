package wsauth_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// byMessage are the locations of a route whose token may come in the first message.
var byMessage = []httpauth.Location{httpauth.LocationHeader, httpauth.LocationMessage}

// takingMessages serves such a route.
func takingMessages(t testing.TB, auth *paseto.Authorizer, cfg setup, req paseto.Requirement, serve wsauth.Handler) (*wsauth.Guard, *httptest.Server) {
	t.Helper()
	cfg.Locations = byMessage
	guard := newGuard(t, auth, cfg)
	return guard, listen(t, guard.Require(req, serve))
}

// TestFirstMessage admits a client that is told when its connection will end. The
// application sees what it sends afterwards, and has its claims.
func TestFirstMessage(t *testing.T) {
	t.Parallel()
	hour := start.Add(time.Hour).Truncate(time.Second)
	for _, test := range []struct {
		name   string
		tokens paseto.Config
		cfg    setup
		ttl    time.Duration
		ends   time.Time
		in     int64 // seconds
	}{
		{"plain", paseto.Config{}, setup{}, time.Hour, hour, 3599},
		{"with leeway", paseto.Config{Leeway: time.Minute}, setup{}, time.Hour, hour.Add(time.Minute), 3659},
		{"about to expire", paseto.Config{Leeway: time.Hour}, setup{}, time.Second, start.Truncate(time.Second).Add(time.Second + time.Hour), 3600},
		{"without an expiry", paseto.Config{AllowNoExpiry: true}, setup{}, paseto.NoExpiry, time.Time{}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, test.tokens)
			guard, srv := takingMessages(t, auth, test.cfg, paseto.Requirement{}, renewing)
			token := issued(t, auth, lasts(test.ttl))
			ws := connect(t, srv, none())
			if got := guard.Stats(); got.Pending != 1 || got.Connections != 0 {
				t.Errorf("there are %+v before the message", got)
			}
			// All in one piece, as an eager client does.
			sendAll(t, ws, emptyPong+frame(text, authMessage(token.Token.Reveal()))+frame(text, "who?")+frame(text, "one")+frame(ping, "2")+frame(text, "three"))
			a := nextAnswer(t, ws)
			switch {
			case test.ends.IsZero():
				if a != (answer{Type: "auth"}) {
					t.Errorf("the answer is %+v, want one without an end", a)
				}
			case a.ExpiresAt == nil || !a.ExpiresAt.Equal(test.ends) || a.ExpiresIn == nil || *a.ExpiresIn != test.in || a.Code != "":
				t.Errorf("the answer is %+v, want the end at %s, in %d s", a, test.ends, test.in)
			}
			for _, want := range []string{token.Claims.ID + " " + token.Claims.ID, "one", "three"} {
				checkMessage(t, ws, want)
			}
			if got := guard.Stats(); got.Pending != 0 || got.Connections != 1 {
				t.Errorf("there are %+v after the message", got)
			}
		})
	}
}

var errBanned = &paseto.Error{Code: "banned", Message: "You are banned"}

// picky asks for everything that anHour has, and yet lets in who has nothing.
var picky = paseto.Requirement{
	Optional: true, Fresh: true, Scopes: []string{"chat"},
	Check: func(_ context.Context, c *paseto.Claims) error {
		if c.HasScopes("banned") {
			return errBanned
		}
		return nil
	},
}

// TestBadFirstMessage closes with the reason, and is none of the application's.
func TestBadFirstMessage(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, anHour)
	type first struct {
		kind    byte
		message string
		want    error
	}
	tests := map[string]first{
		"binary":     {binaryKind, authMessage(token), wsauth.ErrMessage},
		"bare token": {text, token, wsauth.ErrMessage},
		"not UTF-8":  {text, "{\"type\":\"auth\",\"token\":\"\xff\"}", wsauth.ErrMessage},
		"no token":   {text, `{"type":"auth"}`, paseto.ErrNoToken},
	}
	for what, messages := range map[string]map[string]string{"foreign": foreign(), "malformed": malformed()} {
		for name, message := range messages {
			tests[what+", "+name] = first{text, strings.ReplaceAll(message, "TOKEN", token), wsauth.ErrMessage}
		}
	}
	for name, bad := range map[string]struct {
		token string
		want  error
	}{
		"not fresh":            {access(t, auth, but(anHour, func(g *paseto.Grant) { g.Fresh = false })), paseto.ErrNotFresh},
		"refused by the check": {access(t, auth, but(anHour, func(g *paseto.Grant) { g.Scopes = []string{"chat", "banned"} })), errBanned},
		"not valid yet":        {access(t, auth, but(anHour, func(g *paseto.Grant) { g.NotBefore = start.Add(time.Minute) })), paseto.ErrNotYetValid},
		"garbage":              {"garbage", paseto.ErrMalformed},
		"too long":             {strings.Repeat("x", 8193), paseto.ErrMalformed},
		"refresh token":        {issue(t, auth, paseto.TypeRefresh, but(anHour, func(g *paseto.Grant) { g.Fresh = false })), paseto.ErrType},
	} {
		tests["token, "+name] = first{text, authMessage(bad.token), bad.want}
	}
	required := picky
	required.Optional = false
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			guard, srv := takingMessages(t, auth, setup{}, required, unreachable(t))
			ws := connect(t, srv, none())
			sendAll(t, ws, frame(test.kind, test.message)+hello)
			if _, data, err := ws.ReadMessage(); !isClose(err, wsauth.ClosePolicyViolation, httpauth.Refusal(test.want).Message) {
				t.Errorf("the client reads %q, %v; want the close for %s", data, err, test.want)
			}
			until(t, "the place is free", func() bool { return guard.Stats() == wsauth.Stats{} })
		})
	}
}

// TestFirstMessageOfAnonymous: a client that has no token says so, where it may. What
// says nothing is refused there as well.
func TestFirstMessageOfAnonymous(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name, message string
		want          paseto.Code
	}{
		{"no token", `{"type":"auth"}`, ""},
		{"empty token", authMessage(""), ""},
		{"token that is none", authMessage("nonsense"), ""},
		{"another message", "hello", wsauth.ErrMessage},
		{"another member", `{"type":"auth","id":1}`, wsauth.ErrMessage},
		{"token that is not enough", authMessage(access(t, auth, paseto.Grant{})), paseto.ErrNotFresh},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, srv := takingMessages(t, auth, setup{}, picky, func(ctx context.Context, conn *wsauth.Conn) {
				if !conn.Claims().Anonymous() || !paseto.FromContext(ctx).Anonymous() {
					t.Error("there are claims")
				}
				echo(ctx, conn)
			})
			ws := connect(t, srv, none())
			say(t, ws, test.message)
			if test.want != "" {
				checkClosed(t, ws, wsauth.ClosePolicyViolation, test.want.Message())
				return
			}
			if a := nextAnswer(t, ws); a != (answer{Type: "auth"}) {
				t.Errorf("the answer is %+v", a)
			}
			checkEcho(t, ws, "hello")
		})
	}
}

// TestTokenInHandshake is preferred, for good or ill: the first message is then the
// application's. And a handshake can agree on a subprotocol without a token.
func TestTokenInHandshake(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, anHour)
	protocols := func(list string) handshake { return header("Sec-Websocket-Protocol", list) }
	for _, test := range []struct {
		name     string
		send     handshake
		pending  bool
		protocol string
		refused  paseto.Code
	}{
		{"header", bearer(token), false, "", ""},
		{"subprotocol", protocols("paseto.bearer, " + token), false, "paseto.bearer", ""},
		{"subprotocol beside the application's", protocols("chat.v1, paseto.bearer, " + token), false, "chat.v1", ""},
		{"neither", none(), true, "", ""},
		{"application's subprotocol", protocols("mail, chat.v1"), true, "chat.v1", ""},
		{"foreign subprotocol", protocols("mail"), true, "", ""},
		{"bad token in the header", bearer("nonsense"), false, "", paseto.ErrMalformed},
		{"malformed header", header("Authorization", "Bearer"), false, "", paseto.ErrMalformedCredential},
		{"two tokens", bearer(token).and(protocols("paseto.bearer, " + token)), false, "", paseto.ErrAmbiguousCredential},
	} {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			t.Run(test.name+", reject "+string(reject), func(t *testing.T) {
				t.Parallel()
				guard := newGuard(t, auth, setup{Config: wsauth.Config{
					Locations:    []httpauth.Location{httpauth.LocationMessage, httpauth.LocationHeader, httpauth.LocationSubprotocol},
					Subprotocols: []string{"chat.v1"}, Reject: reject,
				}})
				srv := listen(t, guard.Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
					if got := conn.Subprotocol(); got != test.protocol {
						t.Errorf("Subprotocol is %q, want %q", got, test.protocol)
					}
					echo(ctx, conn)
				}))
				ws, resp := dial(t, srv, test.send)
				if test.refused != "" {
					if reject == wsauth.RejectClose {
						checkClosed(t, ws, wsauth.ClosePolicyViolation, test.refused.Message())
					} else if ws != nil || resp.StatusCode < 400 || resp.StatusCode >= 500 {
						t.Errorf("answered with %s", resp.Status)
					}
					return
				}
				if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != test.protocol {
					t.Errorf("the response agrees on %q, want %q", got, test.protocol)
				}
				say(t, ws, authMessage(token))
				if test.pending {
					if a := nextAnswer(t, ws); a.Code != "" || a.ExpiresAt == nil {
						t.Errorf("the answer is %+v", a)
					}
				} else {
					checkMessage(t, ws, authMessage(token))
				}
			})
		}
	}
}

// TestPanicDuringFirstMessage is that of a Check, and ends this connection alone.
func TestPanicDuringFirstMessage(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	req := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { panic(errors.New("oh dear")) }}
	guard, srv := takingMessages(t, auth, setup{}, req, unreachable(t))
	for range 2 {
		ws := connect(t, srv, none())
		say(t, ws, authMessage(access(t, auth, anHour)))
		checkClosed(t, ws, wsauth.CloseInternalError, "Internal error")
	}
	until(t, "the places are free", func() bool { return guard.Stats() == wsauth.Stats{Panics: 2} })
}
