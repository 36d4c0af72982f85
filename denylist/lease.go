package denylist

import (
	"context"
	"time"
)

// Lease is one of a limited number of places, held for a while.
type Lease struct {
	// Key says what the places belong to. Each key has places of its own.
	Key string
	// Holder has the place. No two holders have the same name.
	Holder string
}

// Validate reports, as an error that wraps [ErrInvalid], what makes l a lease that
// no store can keep.
func (l Lease) Validate() error {
	if l.Key == "" || l.Holder == "" {
		return invalid("a lease needs a key and a holder")
	}
	if err := validateID("key of a lease", l.Key); err != nil {
		return err
	}
	return validateID("holder of a lease", l.Holder)
}

// Leases is what a [Store] offers besides if many processes share it: they count
// together what each of them holds open. A process that is killed, or cut off,
// gives nothing back; so every lease ends by itself unless it is renewed.
//
// Leases are no records: a store may lose them all in a failover, and they come
// back as their holders renew them. Key and holder have up to [MaxID] bytes. The
// methods are safe for concurrent use, and their errors are those of [Store].
type Leases interface {
	// Acquire gives l to its holder for ttl if fewer than limit leases of its
	// key are held, and reports whether it did. With displace it always does,
	// by taking away those that were acquired longest ago; their holders' loss
	// is an [Event] of every watch, anywhere. To acquire what is held already
	// renews it.
	Acquire(ctx context.Context, l Lease, limit int, ttl time.Duration, displace bool) (bool, error)

	// Renew lets leases last for ttl from now on. One that has ended by itself
	// is acquired anew if there is room. It returns those that are not held any
	// more, because they were displaced or their places are taken.
	Renew(ctx context.Context, leases []Lease, limit int, ttl time.Duration) (lost []Lease, err error)

	// Release gives leases back before their time. Those that are not held are
	// no error.
	Release(ctx context.Context, leases ...Lease) error
}
