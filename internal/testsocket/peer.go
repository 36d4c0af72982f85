package testsocket

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Peer is a client that reads all the time.
type Peer struct {
	*testing.T
	WS       *websocket.Conn
	Messages chan string
	Pings    atomic.Int32
	Ended    chan struct{}
	Err      error     // why it ended
	At       time.Time // and when
}

// ListenTo reads all that a server sends and keeps it for the test: messages, and pongs
// as if they were messages. Pings are answered, or not.
func ListenTo(t *testing.T, ws *websocket.Conn, answers bool) *Peer {
	t.Helper()
	p := &Peer{T: t, WS: ws, Messages: make(chan string, 1000), Ended: make(chan struct{})}
	pongs := make(chan string, 1000) // the server may be slow to read them
	go func() {
		for data := range pongs {
			_ = Send(ws.NetConn(), Frame(Final|0xa, data))
		}
	}()
	ws.SetPingHandler(func(data string) error {
		p.Pings.Add(1)
		if answers {
			pongs <- data
		}
		return nil
	})
	ws.SetPongHandler(func(data string) error {
		p.Messages <- "pong " + data
		return nil
	})
	go func() {
		defer close(p.Ended)
		defer close(pongs)
		for {
			_, data, err := ws.ReadMessage()
			if err != nil {
				p.Err, p.At = err, time.Now()
				return
			}
			p.Messages <- string(data)
		}
	}()
	return p
}

// Next returns the next message.
func (p *Peer) Next() string {
	p.Helper()
	select {
	case message := <-p.Messages:
		return message
	case <-p.Ended:
		p.Fatalf("the connection ended with %v instead of a message", p.Err)
	case <-time.After(testtool.Patience):
		p.Fatal("waited in vain for a message")
	}
	return ""
}

// Hear checks the next message.
func (p *Peer) Hear(want string) {
	p.Helper()
	if got := p.Next(); got != want {
		p.Errorf("message is %q, want %q", got, want)
	}
}

// Say sends a text message.
func (p *Peer) Say(message string) {
	p.Helper()
	if err := p.WS.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		p.Fatal(err)
	}
}

// CheckEcho checks that the connection carries messages both ways.
func (p *Peer) CheckEcho() {
	p.Helper()
	p.Say("hello")
	p.Hear("hello")
}

// CheckLives lets time pass, in a bubble, and checks that the connection outlives it.
func (p *Peer) CheckLives(d time.Duration) {
	p.Helper()
	began := time.Now()
	select {
	case <-p.Ended:
		p.Fatalf("the connection ended with %v after %s", p.Err, time.Since(began))
	case <-time.After(d):
	}
}

// CheckEnd checks, in a bubble, how the server closes.
func (p *Peer) CheckEnd(code wsauth.CloseCode, reason string) {
	p.Helper()
	select {
	case <-p.Ended:
	case <-time.After(365 * 24 * time.Hour):
		p.Fatal("the connection does not end")
	}
	if !IsClose(p.Err, code, reason) {
		p.Errorf("ended with %v, want %d %q", p.Err, code, reason)
	}
}

// CheckLived checks how long it was until the connection ended, to the nanosecond.
func (p *Peer) CheckLived(since time.Time, want time.Duration) {
	p.Helper()
	if lived := p.At.Sub(since); lived != want {
		p.Errorf("the connection lived for %s, want %s", lived, want)
	}
}

// SendOften sends bytes, if any, all the time.
func (p *Peer) SendOften(every time.Duration, raw string) {
	if raw == "" {
		return
	}
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-p.Ended:
				return
			}
			if Send(p.WS.NetConn(), raw) != nil {
				return
			}
		}
	}()
}

// Pipes is a listener whose connections are in memory, as a bubble of [synctest] needs
// them: its time passes when everything waits.
type Pipes struct {
	conns chan net.Conn
	once  sync.Once
	ended chan struct{}
}

// NewPipes returns a listener to which nobody has connected yet.
func NewPipes() *Pipes { return &Pipes{conns: make(chan net.Conn), ended: make(chan struct{})} }

// Dial connects to it, whatever the address. The connection holds nothing: a write waits until
// it is read.
func (p *Pipes) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

// Accept implements [net.Listener].
func (p *Pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (p *Pipes) Close() error {
	p.once.Do(func() { close(p.ended) })
	return nil
}

// Addr implements [net.Listener].
func (p *Pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
