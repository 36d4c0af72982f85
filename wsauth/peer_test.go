package wsauth_test

import (
	"encoding/json"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// peer is a client that reads all the time.
type peer struct {
	*testing.T
	ws       *websocket.Conn
	messages chan string
	pings    atomic.Int32
	ended    chan struct{}
	err      error     // why it ended
	at       time.Time // and when
}

// listenTo reads all that a server sends and keeps it for the test: messages, and pongs
// as if they were messages. Pings are answered, or not.
func listenTo(t *testing.T, ws *websocket.Conn, answers bool) *peer {
	t.Helper()
	p := &peer{T: t, ws: ws, messages: make(chan string, 1000), ended: make(chan struct{})}
	pongs := make(chan string, 1000) // the server may be slow to read them
	go func() {
		for data := range pongs {
			_ = send(ws.NetConn(), frame(pong, data))
		}
	}()
	ws.SetPingHandler(func(data string) error {
		p.pings.Add(1)
		if answers {
			pongs <- data
		}
		return nil
	})
	ws.SetPongHandler(func(data string) error {
		p.messages <- "pong " + data
		return nil
	})
	go func() {
		defer close(p.ended)
		defer close(pongs)
		for {
			_, data, err := ws.ReadMessage()
			if err != nil {
				p.err, p.at = err, time.Now()
				return
			}
			p.messages <- string(data)
		}
	}()
	return p
}

// call opens a connection in a bubble. Its client answers pings, or not.
func (b bubble) call(h handshake, answers bool) *peer {
	b.Helper()
	return listenTo(b.T, b.dial(h), answers)
}

// alice returns the handshake of a token that is valid for ttl.
func (b bubble) alice(ttl time.Duration) handshake {
	b.Helper()
	return bearer(access(b, b.auth, paseto.Grant{Subject: "alice", TTL: ttl}))
}

// only returns the server's end of the one connection that is open.
func (b bubble) only() *wsauth.Conn {
	b.Helper()
	synctest.Wait()
	for conn := range b.guard.Connections() {
		return conn
	}
	b.Fatal("no connection is open")
	return nil
}

// next returns the next message.
func (p *peer) next() string {
	p.Helper()
	select {
	case message := <-p.messages:
		return message
	case <-p.ended:
		p.Fatalf("the connection ended with %v instead of a message", p.err)
	case <-time.After(patience):
		p.Fatal("waited in vain for a message")
	}
	return ""
}

// hear checks the next message.
func (p *peer) hear(want string) {
	p.Helper()
	if got := p.next(); got != want {
		p.Errorf("message is %q, want %q", got, want)
	}
}

// hearAnswer returns the next message, an answer to one with a token.
func (p *peer) hearAnswer() (a answer) {
	p.Helper()
	if message := p.next(); json.Unmarshal([]byte(message), &a) != nil || a.Type != "auth" {
		p.Errorf("the answer is %q", message)
	}
	return a
}

// say sends a text message.
func (p *peer) say(message string) {
	p.Helper()
	say(p, p.ws, message)
}

// checkEcho checks that the connection carries messages both ways.
func (p *peer) checkEcho() {
	p.Helper()
	p.say("hello")
	p.hear("hello")
}

// checkLives lets time pass, in a bubble, and checks that the connection outlives it.
func (p *peer) checkLives(d time.Duration) {
	p.Helper()
	began := time.Now()
	select {
	case <-p.ended:
		p.Fatalf("the connection ended with %v after %s", p.err, time.Since(began))
	case <-time.After(d):
	}
}

// checkEnd checks, in a bubble, how the server closes.
func (p *peer) checkEnd(code wsauth.CloseCode, reason string) {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(365 * 24 * time.Hour):
		p.Fatal("the connection does not end")
	}
	if !isClose(p.err, code, reason) {
		p.Errorf("ended with %v, want %d %q", p.err, code, reason)
	}
}

// checkLived checks how long it was until the connection ended, to the nanosecond.
func (p *peer) checkLived(since time.Time, want time.Duration) {
	p.Helper()
	if lived := p.at.Sub(since); lived != want {
		p.Errorf("the connection lived for %s, want %s", lived, want)
	}
}

// sendOften sends bytes, if any, all the time.
func (p *peer) sendOften(every time.Duration, raw string) {
	if raw == "" {
		return
	}
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-p.ended:
				return
			}
			if send(p.ws.NetConn(), raw) != nil {
				return
			}
		}
	}()
}

// The first bytes of a client's frames (RFC 6455, section 5.2).
const (
	final        = 0x80
	continuation = final
	text         = final | 0x1
	binaryKind   = final | 0x2
	ping         = final | 0x9
	pong         = final | 0xa
)

var (
	emptyPong = frame(pong, "")
	hello     = frame(text, "hello")
)
