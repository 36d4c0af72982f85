package denylist

import (
	"context"
	"fmt"
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

// Acquisition says which lease is wanted, and under which conditions.
type Acquisition struct {
	// Lease is what is wanted. To acquire what is held already renews it.
	Lease Lease
	// Limit is how many leases of the Lease's Key there may be. It is at least 1.
	Limit int
	// TTL is for how long the lease lasts unless it is renewed. It is at least a
	// millisecond.
	TTL time.Duration
	// Displace makes room where Limit leases are held, by taking away those that
	// were acquired longest ago: their holders' loss is an [EventDisplaced] of
	// every watch, anywhere. Default: the lease is not given.
	Displace bool
}

// Validate reports, as an error that wraps [ErrInvalid], what makes a such that no
// store can grant it.
func (a Acquisition) Validate() error { return validateLeases(a.Limit, a.TTL, a.Lease) }

// Renewal says which leases are to be kept, and under which conditions.
type Renewal struct {
	// Leases are to last for TTL from now on. One that has ended by itself is
	// acquired anew if there is room.
	Leases []Lease
	// Limit and TTL are those of [Acquisition].
	Limit int
	TTL   time.Duration
}

// Validate reports, as an error that wraps [ErrInvalid], what makes r such that no
// store can do it.
func (r Renewal) Validate() error { return validateLeases(r.Limit, r.TTL, r.Leases...) }

func validateLeases(limit int, ttl time.Duration, leases ...Lease) error {
	if limit < 1 {
		return invalid(fmt.Sprintf("the limit of leases is %d; give 1 or more", limit))
	}
	if ttl < time.Millisecond {
		return invalid(fmt.Sprintf("the ttl of leases is %s; give a millisecond or more", ttl))
	}
	for _, l := range leases {
		if err := l.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Leases is what a [Store] offers besides if many processes share it: they count
// together what each of them holds open. A process that is killed, or cut off,
// gives nothing back; so every lease ends by itself unless it is renewed.
//
// Leases are no records: a store may lose them all in a failover, and they come
// back as their holders renew them. Key and holder have up to [MaxID] bytes. The
// methods are safe for concurrent use, and their errors are those of [Store].
type Leases interface {
	// Acquire gives a lease to its holder, and reports whether it did.
	Acquire(ctx context.Context, a Acquisition) (bool, error)

	// Renew keeps leases, and returns those that are not held any more, because
	// they were displaced or their places are taken.
	Renew(ctx context.Context, r Renewal) (lost []Lease, err error)

	// Release gives leases back before their time. Those that are not held are
	// no error.
	Release(ctx context.Context, leases ...Lease) error
}
