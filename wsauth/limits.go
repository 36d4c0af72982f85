package wsauth

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/throttle"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Limits bounds what clients can do before they have shown a token. [live.Config] bounds how
// many connections there may be, in all and for each subject. The zero value of every field is
// its documented default.
type Limits struct {
	// Pending is how many connections may wait for the token of their first message at a
	// time, at the location [httpauth.LocationMessage]. Beyond that handshakes are answered
	// with status 503. Default 1000.
	Pending int `koanf:"pending" default:"1000" validate:"omitempty,min=1,max=1000000000"`
	// PendingPerAddress is how many of [Limits.Pending] one client address may have. Beyond
	// that its handshakes are answered with status 429. All addresses of an IPv6 /64 network
	// count as one. [paseto.NoLimit] lifts the bound. Default: a tenth of [Limits.Pending],
	// and at least 1. Danger: behind a proxy that [httpauth.Config.TrustedProxies] does not
	// list, all clients have one address, and share these places.
	PendingPerAddress int `koanf:"pending_per_address" validate:"omitempty,none|min=1,max=1000000000"`

	// HandshakesPerMinute is how many handshakes a client address may begin in a minute, all
	// at once or spread over it. Beyond that they are answered with status 429 before their
	// token is looked at. All addresses of an IPv6 /64 network count as one. Handshakes that
	// are refused for their Origin are counted separately, with the same bound, so that a
	// page of another site cannot use up the handshakes of its visitor. Default none: any
	// number. Danger: behind a proxy that [httpauth.Config.TrustedProxies] does not list, all
	// clients have one address, and one of them can lock out all others.
	HandshakesPerMinute int `koanf:"handshakes_per_minute" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// FailuresPerMinute is how many handshakes of a client address may be refused in a
	// minute for what the client sent. Addresses count as in [Limits.HandshakesPerMinute].
	// Default none: any number. Danger: the same as there.
	FailuresPerMinute int `koanf:"failures_per_minute" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
}

// withDefaults returns the limits with the defaults that depend on other settings. There 0
// means without limit.
func (l Limits) withDefaults() Limits {
	if l.PendingPerAddress == paseto.NoLimit {
		l.PendingPerAddress = l.Pending
	}
	l.PendingPerAddress = cmp.Or(l.PendingPerAddress, max(1, l.Pending/10))
	l.HandshakesPerMinute, l.FailuresPerMinute = max(0, l.HandshakesPerMinute), max(0, l.FailuresPerMinute)
	return l
}

// limit sets up the configured limits.
func (g *Guard) limit() {
	limits := g.cfg.Limits
	if g.cfg.Messages.OnExcess == MessageExcessCloses { // a first message may be longer than others
		g.cfg.Messages.BytesBurst = max(g.cfg.Messages.BytesBurst, g.auth.Config().MaxLength+ownSpace+frameOverhead)
	}
	g.lobby = newLobby()
	perMinute := func(n int) *throttle.Table[netip.Prefix] {
		return throttle.New[netip.Prefix](n, time.Minute, g.auth.Now)
	}
	g.handshakes, g.failures = perMinute(limits.HandshakesPerMinute), perMinute(limits.FailuresPerMinute)
	g.foreign = perMinute(cmp.Or(limits.HandshakesPerMinute, limits.FailuresPerMinute))
	g.clientLog = clientlog.New(g.log, g.auth.Now)
}

// client returns the addresses that count as the same client as the sender of r: its address
// alone, or its /64 network for IPv6.
func (g *Guard) client(r *http.Request) netip.Prefix { return clientaddr.Bucket(g.addresses.Find(r)) }

// attempt is a handshake that is not decided yet. It may count as a failure of its client.
type attempt struct{ end func(failed bool) }

// begin counts a handshake of an address, or refuses it. The caller must call done of the
// attempt with the outcome.
func (g *Guard) begin(r *http.Request) (attempt, error) {
	client := g.client(r)
	if wait, ok := g.handshakes.Allow(client); !ok {
		return attempt{}, refusal.Later(ErrThrottled, wait)
	}
	end, wait, ok := g.failures.Begin(client)
	if !ok {
		return attempt{}, refusal.Later(ErrThrottled, wait)
	}
	return attempt{end}, nil
}

// done ends the attempt with its outcome, nil for success. An error that is not the
// client's fault does not count as a failure.
func (a attempt) done(err error) {
	failed := err != nil && httpauth.Status(err) < http.StatusInternalServerError &&
		!errors.Is(err, live.ErrPanic) && !errors.Is(err, live.ErrTooMany) && !errors.Is(err, live.ErrShutdown) && !errors.Is(err, live.ErrOverload) &&
		!errors.Is(err, ErrThrottled) && !errors.Is(err, paseto.ErrUnavailable)
	a.end(failed)
}
