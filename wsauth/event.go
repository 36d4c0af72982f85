package wsauth

import (
	"log/slog"
	"net/netip"

	"github.com/pasetokit/pasetokit/paseto"
)

// EventKind says what happened.
type EventKind string

const (
	// EventOpened: a connection is the application's.
	EventOpened EventKind = "opened"
	// EventClosed: a connection that was opened is gone. Err is the cause.
	EventClosed EventKind = "closed"
	// EventRefused: a handshake was refused, or a first message. Err is the
	// refusal.
	EventRefused EventKind = "refused"
	// EventRenewed: a connection's token was replaced by a newer one.
	EventRenewed EventKind = "renewed"
	// EventRenewalRefused: it was not, because of Err.
	EventRenewalRefused EventKind = "renewal_refused"
	// EventPanicked: a handler panicked.
	EventPanicked EventKind = "panicked"
)

// Event tells an observer what a [Guard] did: enough to count and to audit.
type Event struct {
	Kind EventKind
	// Conn is the connection, nil for a handshake that was refused.
	Conn *Conn
	// Claims are the connection's, where it is not anonymous.
	Claims *paseto.Claims
	// Err is the refusal or cause, if any.
	Err error
}

// WithObserver calls observe for every [Event], on the goroutine that caused it; it
// must return quickly and be safe for concurrent use.
func WithObserver(observe func(Event)) Option {
	return func(g *Guard) {
		if observe != nil {
			g.observe = observe
		}
	}
}

func (g *Guard) tell(e Event) {
	defer func() {
		if cause := recover(); cause != nil { // not ours to pass on, from any goroutine of ours
			g.clientLog.Write(g.life, netip.Prefix{}, slog.LevelError, "observer of connections panicked",
				"panic", cause, "event", string(e.Kind))
		}
	}()
	g.observe(e)
}
