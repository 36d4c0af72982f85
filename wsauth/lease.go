package wsauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// WithLeases counts the connections of a subject together with those of all other
// guards that have the same leases; see [Limits.PerSubject]. With nil this guard counts
// alone. Default: the leases of the Authorizer's denylist, where that is a
// [denylist.Leases] or wraps one (see [denylist.Wrapper]), else nil. Danger: while
// leases cannot be asked for, handshakes are answered with status 503, unless the
// Authorizer fails open.
func WithLeases(leases denylist.Leases) Option {
	return func(g *Guard) { g.leases, g.leasesSet = leases, true }
}

// findLeases takes the leases of the Authorizer's denylist, unless an option said which
// to take. A denylist without leases is no secret: the limit may not be what was meant.
func (g *Guard) findLeases() {
	store := g.auth.Denylist()
	if g.leasesSet || store == nil {
		return
	}
	var ok bool
	if g.leases, ok = denylist.As[denylist.Leases](store); ok || g.cfg.Limits.PerSubject <= 0 {
		return
	}
	if told, known := denylist.As[denylist.Shared](store); known && !told.Shared() {
		return
	}
	g.log.Warn("connections of a subject are counted in this process alone, as the denylist has no leases; "+
		"if it wraps a store that has, it needs a method Unwrap (see denylist.Wrapper)",
		"store", fmt.Sprintf("%T", store), "per_subject", g.cfg.Limits.PerSubject)
}

// lease is what a connection knows of its lease: whether that was given back.
type lease struct{ givenBack sync.Once }

// admit gives a connection its claims and, if its subject may have it, a place among
// that one's connections. Its error is a refusal.
func (g *Guard) admit(ctx context.Context, c *Conn, claims *paseto.Claims) error {
	g.conns.bind(c, claims)
	if claims == nil {
		return nil
	}
	c.checked.Store(g.moment())
	if err := g.auth.Recheck(ctx, claims); err != nil { // since it was verified, and could not be found yet
		return err
	}
	limits := g.cfg.Limits
	switch {
	case limits.PerSubject == 0, claims.Subject == "":
		return nil
	case g.leases != nil: // by which all guards agree on who is the oldest
		return g.acquire(ctx, c)
	}
	displaced, ok := g.conns.admit(c, limits.PerSubject, limits.OnExcess == ReplaceOldest)
	for _, oldest := range displaced {
		go oldest.finishClosing(g.cfg.ending(refusal.New(ErrReplaced)))
	}
	if !ok {
		return refusal.New(ErrTooMany)
	}
	return nil
}

// acquire takes a lease for the connection.
func (g *Guard) acquire(ctx context.Context, c *Conn) error {
	limits := g.cfg.Limits
	g.conns.lease(c)
	ok, err := g.leases.Acquire(ctx, denylist.Acquisition{
		Lease: g.leaseOf(c), Limit: limits.PerSubject, TTL: limits.LeaseTTL, Displace: limits.OnExcess == ReplaceOldest,
	})
	switch {
	case errors.Is(err, denylist.ErrInvalid):
		return refusal.Newf(paseto.ErrClaims, "the subject cannot be counted: %w", err)
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("wsauth: asking for a lease: %w", ctx.Err())
	case err != nil && g.failOpen:
		g.clientLog.Write(ctx, c.addresses, slog.LevelError, "leases cannot be asked for; connection admitted uncounted",
			"err", err, "claims", c.Claims())
	case err != nil:
		return refusal.Newf(paseto.ErrUnavailable, "asking for a lease: %w", err)
	case !ok:
		return refusal.New(ErrTooMany)
	}
	g.conns.leaseHeld(c)
	return nil
}

// leasePrefix begins the keys of leases, so that others may use the store's as well.
const leasePrefix = "connections:"

// leaseOf returns the lease of a connection that has claims.
func (g *Guard) leaseOf(c *Conn) denylist.Lease {
	return denylist.Lease{
		Key:    leasePrefix + c.Claims().Subject,
		Holder: g.name + ":" + strconv.FormatUint(c.number, 36),
	}
}

// releaseTimeout bounds the giving back of leases, which end by themselves otherwise.
const releaseTimeout = 30 * time.Second

// release gives the lease of a connection back, once.
func (g *Guard) release(c *Conn) {
	l, _ := g.conns.isLeased(c)
	if l == nil {
		return
	}
	l.givenBack.Do(func() {
		g.conns.unlease(c)
		g.giveBack(context.Background(), g.leaseOf(c))
	})
}

// releaseSoon gives the lease of a connection back that is being closed, and does not
// count any more.
func (g *Guard) releaseSoon(c *Conn) {
	if g.leases == nil {
		return
	}
	if _, held := g.conns.isLeased(c); held { // else its admission is still under way
		go g.release(c)
	}
}

func (g *Guard) giveBack(ctx context.Context, leases ...denylist.Lease) {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	if err := g.leases.Release(ctx, leases...); err != nil {
		g.clientLog.Write(ctx, netip.Prefix{}, slog.LevelWarn, "leases of connections are not given back; they end by themselves", "err", err)
	}
}

// renewLeases keeps the leases of open connections, until the guard's life ends.
func (g *Guard) renewLeases() {
	limits := g.cfg.Limits
	timer := time.NewTicker(limits.LeaseTTL / 3)
	defer timer.Stop()
	for {
		select {
		case <-g.life.Done():
			return
		case <-g.missedLeases: // somebody may have been displaced
		case <-timer.C:
		}
		g.renewLeasesOf(g.conns.leased())
	}
}

func (g *Guard) renewLeasesOf(conns []*Conn) {
	if len(conns) == 0 {
		return
	}
	held := make([]denylist.Lease, len(conns))
	for i, c := range conns {
		held[i] = g.leaseOf(c)
	}
	ctx, cancel := context.WithTimeout(g.life, g.cfg.Limits.LeaseTTL/3)
	defer cancel()
	lost, err := g.leases.Renew(ctx, denylist.Renewal{Leases: held, Limit: g.cfg.Limits.PerSubject, TTL: g.cfg.Limits.LeaseTTL})
	if err != nil && g.life.Err() == nil {
		g.log.ErrorContext(ctx, "leases of connections cannot be renewed", "err", err)
	}
	for _, lease := range lost {
		g.displaced(lease)
	}
	var ended []denylist.Lease
	for i, c := range conns {
		if _, renewable := g.conns.isLeased(c); !renewable { // given back meanwhile, and perhaps taken again by this
			ended = append(ended, held[i])
		}
	}
	if len(ended) > 0 {
		g.giveBack(context.WithoutCancel(ctx), ended...)
	}
}

// displaced closes the connection whose lease is not its own any more.
func (g *Guard) displaced(lease denylist.Lease) {
	subject, ours := strings.CutPrefix(lease.Key, leasePrefix)
	if !ours || !strings.HasPrefix(lease.Holder, g.name+":") {
		return
	}
	cause := ErrReplaced
	if g.cfg.Limits.OnExcess == RejectNewest {
		cause = ErrTooMany
	}
	for _, c := range g.conns.covered(denylist.Revocation{Subject: subject}) {
		if g.leaseOf(c) == lease {
			go c.close(refusal.New(cause))
		}
	}
}
