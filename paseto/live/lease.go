package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// WithLeases counts the rights of a subject together with those of all other keepers that
// share the same leases; see [Config.PerSubject]. With nil this keeper counts alone. Default:
// the leases of the Authorizer's denylist, if that is a [denylist.Leases] or wraps one (see
// [denylist.Wrapper]), and otherwise nil. Danger: while leases cannot be asked for, no right
// is opened, and handshakes and streams are answered with status 503, unless the Authorizer
// fails open.
func WithLeases(leases denylist.Leases) Option {
	return func(k *Keeper) { k.leases, k.leasesSet = leases, true }
}

// findLeases takes the leases of the Authorizer's denylist, unless an option has set others.
// It warns if a shared denylist has no leases: the limit is then not what users expect.
func (k *Keeper) findLeases() {
	store := k.auth.Denylist()
	if k.leasesSet || store == nil {
		return
	}
	var ok bool
	if k.leases, ok = denylist.As[denylist.Leases](store); ok || k.cfg.PerSubject == 0 {
		return
	}
	if told, known := denylist.As[denylist.Shared](store); known && !told.Shared() {
		return
	}
	k.log.Warn("rights of a subject are counted in this process alone, as the denylist has no leases; "+
		"if it wraps a store that has, it needs a method Unwrap (see denylist.Wrapper)",
		"store", fmt.Sprintf("%T", store), "per_subject", k.cfg.PerSubject)
}

// lease is what a right knows of its lease.
type lease struct {
	denylist.Lease

	renewable atomic.Bool // the lease is held, and has to be renewed
	givenBack sync.Once
}

// acquire takes a lease for a right that is about to get claims.
func (r *Right) acquire(ctx context.Context, claims *paseto.Claims) error {
	k := r.keeper
	own := &lease{Lease: denylist.Lease{
		Key:    leasePrefix + claims.Subject,
		Holder: k.name + ":" + strconv.FormatUint(k.numbers.Add(1), 36), // a new one for each attempt: the lease of an earlier one may be given back late
	}}
	r.lease.Store(own)
	defer func() {
		if r.Ended() { // perhaps before there was something to give back
			own.renewable.Store(false)
			k.giveBackAll(own.Lease)
		}
	}()
	ok, err := k.leases.Acquire(ctx, denylist.Acquisition{
		Lease: own.Lease, Limit: k.cfg.PerSubject, TTL: k.cfg.LeaseTTL, Displace: k.cfg.OnExcess == ReplaceOldest,
	})
	switch {
	case errors.Is(err, denylist.ErrInvalid):
		return refusal.Newf(paseto.ErrClaims, "the subject cannot be counted: %w", err)
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("live: asking for a lease: %w", ctx.Err())
	case err != nil && k.failOpen:
		k.noisy.WriteAbout(ctx, claims.Subject, slog.LevelError, "leases cannot be asked for; right admitted uncounted",
			"err", err, "claims", claims)
	case err != nil:
		return refusal.Newf(paseto.ErrUnavailable, "asking for a lease: %w", err)
	case !ok:
		return refusal.New(ErrTooMany)
	}
	own.renewable.Store(true)
	if r.Ended() { // GiveUp did not see the lease yet
		k.giveBack(own)
	}
	return nil
}

// leasePrefix begins the keys of our leases, so that a program can have others in the same store.
const leasePrefix = "rights:"

// giveBack lets another goroutine give a lease back, once.
func (k *Keeper) giveBack(l *lease) {
	l.givenBack.Do(func() {
		l.renewable.Store(false)
		k.giveBackAll(l.Lease)
	})
}

func (k *Keeper) giveBackAll(leases ...denylist.Lease) {
	k.returned.Lock()
	defer k.returned.Unlock()
	k.returned.leases = append(k.returned.leases, leases...)
	signal(k.returned.some)
}

// returned has the leases that wait to be given back.
type returned struct {
	sync.Mutex

	leases []denylist.Lease
	some   chan struct{} // of capacity one
}

const (
	// releaseTimeout is how long giving leases back may take. Leases end by themselves if
	// that fails.
	releaseTimeout = 30 * time.Second
	// lastRelease is the same for a shutdown that has less time left, or none.
	lastRelease = time.Second
)

// releaseLeases gives back the leases of k.returned, until the keeper's life ends.
func (k *Keeper) releaseLeases(life context.Context) {
	for life.Err() == nil {
		select {
		case <-life.Done():
		case <-k.returned.some:
			k.release(life, releaseTimeout)
		}
	}
}

// release gives leases back. What is left when ctx ends is for the next call.
func (k *Keeper) release(ctx context.Context, within time.Duration) {
	k.returned.Lock()
	leases := k.returned.leases
	k.returned.leases = nil
	k.returned.Unlock()
	if len(leases) == 0 {
		return
	}
	timed, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	switch err := k.leases.Release(timed, leases...); {
	case err == nil:
	case ctx.Err() != nil:
		k.giveBackAll(leases...)
	default:
		k.noisy.WriteAbout(ctx, "", slog.LevelWarn, "leases of rights are not given back; they end by themselves", "err", err)
	}
}

// renewLeases keeps the leases of open rights, until the keeper's life ends.
func (k *Keeper) renewLeases(life context.Context) {
	timer := time.NewTicker(k.cfg.LeaseTTL / 3)
	defer timer.Stop()
	for {
		select {
		case <-life.Done():
			return
		case <-k.missedLeases: // another server may have taken one
		case <-timer.C:
		}
		k.renewLeasesNow(life)
		k.pause(min(passPause, k.cfg.LeaseTTL/3))
	}
}

func (k *Keeper) renewLeasesNow(life context.Context) {
	var held []denylist.Lease
	var own []*lease
	k.rights.walk(func(r *Right) bool {
		if l := r.lease.Load(); l != nil && l.renewable.Load() {
			held, own = append(held, l.Lease), append(own, l)
		}
		return true
	})
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(life, k.cfg.LeaseTTL/3)
	defer cancel()
	lost, err := k.leases.Renew(ctx, denylist.Renewal{Leases: held, Limit: k.cfg.PerSubject, TTL: k.cfg.LeaseTTL})
	if err != nil && life.Err() == nil {
		k.log.ErrorContext(ctx, "leases of rights cannot be renewed", "err", err)
	}
	for _, l := range lost {
		k.displaced(l)
	}
	var ended []denylist.Lease
	for _, l := range own {
		if !l.renewable.Load() { // given back meanwhile; the renewal may have taken it again
			ended = append(ended, l.Lease)
		}
	}
	if len(ended) > 0 {
		k.giveBackAll(ended...)
	}
}

// displaced ends the right whose lease was taken by another.
func (k *Keeper) displaced(taken denylist.Lease) {
	subject, ours := strings.CutPrefix(taken.Key, leasePrefix)
	if !ours || !strings.HasPrefix(taken.Holder, k.name+":") {
		return
	}
	cause := ErrReplaced
	if k.cfg.OnExcess == RejectNewest {
		cause = ErrTooMany
	}
	r := k.rights.find(bySubject, subject, func(r *Right) bool {
		l := r.lease.Load()
		return l != nil && l.Lease == taken
	})
	if r != nil {
		r.End(refusal.New(cause))
	}
}
