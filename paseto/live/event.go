package live

import (
	"log/slog"
	"sync/atomic"

	"github.com/pasetokit/pasetokit/paseto"
)

// EventKind says what happened.
type EventKind string

const (
	// EventOpened: a right is open.
	EventOpened EventKind = "opened"
	// EventEnded: a right that was open has ended and is released. Err is the cause.
	EventEnded EventKind = "ended"
	// EventRefused: a handshake, a first message or a stream was refused. Err is the
	// refusal.
	EventRefused EventKind = "refused"
	// EventRenewed: the token of a right was replaced by a newer one.
	EventRenewed EventKind = "renewed"
	// EventRenewalRefused: a renewal of a right was refused. Err is the refusal.
	EventRenewalRefused EventKind = "renewal_refused"
	// EventPanicked: the application's handler panicked. Err is [ErrPanic].
	EventPanicked EventKind = "panicked"
)

// Event tells an observer what happened to a right: enough to count and to audit.
type Event struct {
	Kind EventKind
	// Right is the right that the event is about. It is nil for [EventRefused].
	Right *Right
	// Claims are the claims in force, nil for an anonymous right.
	Claims *paseto.Claims
	// Err is the refusal or the cause, if there is one.
	Err error
}

// WithObserver calls observe for every [Event], on the goroutine that caused it. The
// function must return quickly and be safe for concurrent use.
func WithObserver(observe func(Event)) Option {
	return func(k *Keeper) {
		if observe != nil {
			k.observe = observe
		}
	}
}

// Report counts an event and tells the observer. A program that opens rights itself reports
// what the Keeper cannot know: [EventRefused] and [EventPanicked].
func (k *Keeper) Report(e Event) {
	defer func() {
		if cause := recover(); cause != nil { // whatever goroutine this is, it has other work to do
			k.noisy.WriteAbout(k.life, "", slog.LevelError, "observer of rights panicked", "panic", cause, "event", string(e.Kind))
		}
	}()
	k.counts.add(e.Kind)
	k.observe(e)
}

// counts counts events.
type counts struct{ opened, ended, refused, renewed, panicked atomic.Uint64 }

func (c *counts) add(kind EventKind) {
	switch kind {
	case EventOpened:
		c.opened.Add(1)
	case EventEnded:
		c.ended.Add(1)
	case EventRefused:
		c.refused.Add(1)
	case EventRenewed:
		c.renewed.Add(1)
	case EventPanicked:
		c.panicked.Add(1)
	case EventRenewalRefused:
	}
}

// Stats counts what a [Keeper] has at the moment and has seen.
type Stats struct {
	// Open is how many rights are open.
	Open int
	// Places is how many places are taken: by rights that are open, by those that have not
	// shown a token yet, and by those that have ended and are not released yet.
	Places int
	// Opened, Ended, Refused, Renewed and Panicked count events since the Keeper was made.
	Opened, Ended, Refused, Renewed, Panicked uint64
}

// Stats returns the counts of this moment.
func (k *Keeper) Stats() Stats {
	open, places := k.rights.count()
	return Stats{
		Open: open, Places: places,
		Opened: k.counts.opened.Load(), Ended: k.counts.ended.Load(), Refused: k.counts.refused.Load(),
		Renewed: k.counts.renewed.Load(), Panicked: k.counts.panicked.Load(),
	}
}
