package wsauth_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// witness keeps what an observer is told.
type witness struct {
	mu  sync.Mutex
	all []live.Event
}

func (w *witness) observe(e live.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, e)
}

// events returns what was told so far, of these kinds or of all.
func (w *witness) events(kinds ...live.EventKind) []live.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []live.Event
	for _, e := range w.all {
		if len(kinds) == 0 || slices.Contains(kinds, e.Kind) {
			found = append(found, e)
		}
	}
	return found
}

// kindsOf returns the kinds of events.
func kindsOf(events []live.Event) []live.EventKind {
	var kinds []live.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// broken is a ResponseWriter whose connection cannot be taken over.
type broken struct{ http.ResponseWriter }

func (broken) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.New("out of file descriptors")
}

// wayOut is a way for a connection to end, or not to come to be.
type wayOut struct {
	name  string
	serve wsauth.Handler                                   // nil: greet
	wrap  func(w http.ResponseWriter) http.ResponseWriter  // nil: w as it is
	take  func(t *testing.T, s stage, token paseto.Issued) // nil: connects, and sees what comes
	told  []live.EventKind                                 // nil: that depends on how far it came
	cause func(err error) bool                             // of the last event
}

// is reports whether a cause is the expected one.
func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

// closedBy reports whether the peer closed with a code.
func closedBy(code wsauth.CloseCode) func(error) bool {
	return func(err error) bool {
		closed, ok := errors.AsType[*wsauth.CloseError](err)
		return ok && closed.Code == code
	}
}

func waysOut() []wayOut {
	const opened, closed, refused, panicked = live.EventOpened, live.EventEnded, live.EventRefused, live.EventPanicked
	lived := []live.EventKind{opened, closed}
	return []wayOut{
		{name: "handler returns", serve: func(context.Context, *wsauth.Conn) {}, told: lived, cause: is(live.ErrClosed)},
		{name: "handler panics", serve: func(context.Context, *wsauth.Conn) { panic("oh dear") },
			told: []live.EventKind{opened, panicked, closed}, cause: is(live.ErrPanic)},
		{name: "handler exits its goroutine", serve: func(context.Context, *wsauth.Conn) { runtime.Goexit() },
			told: lived, cause: is(live.ErrClosed)},
		{name: "handler closes", serve: func(_ context.Context, conn *wsauth.Conn) { conn.Close(4000, "") }, told: lived, cause: is(live.ErrClosed)},
		{name: "client leaves", told: lived, cause: closedBy(wsauth.CloseNormal), take: func(t *testing.T, s stage, token paseto.Issued) {
			t.Helper()
			leave(t, connect(t, s.srv, bearer(token.Token.Reveal())))
		}},
		{name: "client vanishes", told: lived, cause: closedBy(wsauth.CloseAbnormal), take: func(t *testing.T, s stage, token paseto.Issued) {
			t.Helper()
			_ = connect(t, s.srv, bearer(token.Token.Reveal())).NetConn().Close()
		}},
		{name: "revoked", told: lived, cause: is(paseto.ErrRevoked), take: func(t *testing.T, s stage, token paseto.Issued) {
			t.Helper()
			ws := connect(t, s.srv, bearer(token.Token.Reveal()))
			checkMessage(t, ws, "hello")
			if err := s.auth.Revoke(t.Context(), token.Claims); err != nil {
				t.Fatal(err)
			}
			checkClosed(t, ws, wsauth.ClosePolicyViolation, beenRevoked)
		}},
		{name: "revoked before", told: []live.EventKind{refused}, cause: is(paseto.ErrRevoked), take: revokedAtLook(1)},
		{name: "revoked since it was verified", told: []live.EventKind{refused}, cause: is(paseto.ErrRevoked), take: revokedAtLook(2)},
		{name: "connection cannot be taken over", take: notLetIn, wrap: func(w http.ResponseWriter) http.ResponseWriter { return broken{w} }},
		{name: "client breaks off", take: breaksOff("")},
		{name: "client does not wait for the answer", take: breaksOff("\x81\x80\x00\x00\x00\x00")},
	}
}

// notLetIn makes a handshake that is refused over HTTP.
func notLetIn(t *testing.T, s stage, token paseto.Issued) {
	t.Helper()
	if ws, _ := dial(t, s.srv, bearer(token.Token.Reveal())); ws != nil {
		t.Fatal("the handshake succeeded")
	}
}

// revokedAtLook makes a handshake whose token is revoked right before it is looked up
// for the nth time.
func revokedAtLook(nth int32) func(*testing.T, stage, paseto.Issued) {
	return func(t *testing.T, s stage, token paseto.Issued) {
		t.Helper()
		defer s.store.OnLook(nil)
		var looks atomic.Int32
		s.store.OnLook(func(ctx context.Context, asked denylist.Token) (bool, error) {
			if asked.ID == token.Claims.ID && looks.Add(1) == nth {
				if err := s.auth.Revoke(ctx, token.Claims); err != nil {
					t.Error(err)
				}
			}
			return s.store.Store.Revoked(ctx, asked)
		})
		notLetIn(t, s, token)
	}
}

// breaksOff sends a handshake, and what does not belong there, and is gone.
func breaksOff(more string) func(*testing.T, stage, paseto.Issued) {
	return func(t *testing.T, s stage, token paseto.Issued) {
		t.Helper()
		conn, err := net.Dial("tcp", s.srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, upgrade("Authorization: Bearer "+token.Token.Reveal())+more); err != nil {
			t.Fatal(err)
		}
	}
}

// walk takes the way with a token of alice's, and returns where that was. A route
// beside it is as open as ever.
func (way wayOut) walk(t *testing.T, cfg setup, opts ...any) (stage, paseto.Issued) {
	t.Helper()
	cfg.Reject = wsauth.RejectHTTP // so that the refused are gone at once
	s := newStage(t, cfg, greet, opts...)
	serve, take := way.serve, way.take
	if serve == nil {
		serve = greet
	}
	if take == nil {
		take = func(t *testing.T, s stage, token paseto.Issued) {
			t.Helper()
			if err := endOf(connect(t, s.srv, bearer(token.Token.Reveal()))); websocket.IsUnexpectedCloseError(err, 1000, 1011, 4000) {
				t.Errorf("the connection ended with %v", err)
			}
		}
	}
	route := s.guard.Require(paseto.Requirement{}, serve)
	beside := s
	beside.srv = listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if way.wrap != nil {
			w = way.wrap(w)
		}
		route.ServeHTTP(w, r)
	}))
	token := issued(t, s.auth, paseto.Grant{Subject: "alice"})
	take(t, beside, token)
	return s, token
}

// TestEveryWayOut tells an observer who came, and why they went, and gives their places back.
func TestEveryWayOut(t *testing.T) {
	t.Parallel()
	for _, way := range waysOut() {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			var seen witness
			s, token := way.walk(t, setup{live: live.Config{MaxRights: 1, PerSubject: 1}}, live.WithObserver(seen.observe))
			defer func() {
				until(t, "there is a place", func() bool {
					ws, _ := dial(t, s.srv, bearer(access(t, s.auth, paseto.Grant{Subject: "alice"})))
					if ws != nil {
						checkMessage(t, ws, "hello")
					}
					return ws != nil
				})
			}()
			if way.told == nil {
				return
			}
			until(t, "it is told", func() bool { return len(seen.events()) >= len(way.told) })
			until(t, "it is gone", func() bool { return s.guard.Stats().Connections == 0 })
			events := seen.events()
			if got := kindsOf(events); !slices.Equal(got, way.told) {
				t.Fatalf("events are %q, want %q", got, way.told)
			}
			if last := events[len(events)-1]; !way.cause(last.Err) {
				t.Errorf("the cause is %v", last.Err)
			}
			for _, e := range events {
				if e.Kind == live.EventRefused && (wsauth.ConnOf(e.Right) != nil || e.Claims != nil) {
					t.Errorf("%s comes with a connection", e.Kind)
				}
				if e.Kind != live.EventRefused && (wsauth.ConnOf(e.Right) == nil || e.Claims == nil || e.Claims.ID != token.Claims.ID) {
					t.Errorf("%s comes with the claims %v, want alice's", e.Kind, e.Claims)
				}
			}
			panics := uint64(0)
			if slices.Contains(way.told, live.EventPanicked) {
				panics = 1
			}
			if got := s.guard.Stats().Panics; got != panics {
				t.Errorf("%d panics are counted, want %d", got, panics)
			}
		})
	}
}
