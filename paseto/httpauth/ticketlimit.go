package httpauth

import (
	"hash/maphash"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/throttle"
	"github.com/pasetokit/pasetokit/paseto"
)

// ticketLimit bounds the tickets of each owner. It keeps a hash of the owner, whose
// name may be long.
type ticketLimit struct {
	seed   maphash.Seed
	owners *throttle.Table[uint64]
}

func newTicketLimit(perMinute int, now func() time.Time) ticketLimit {
	return ticketLimit{
		seed:   maphash.MakeSeed(),
		owners: throttle.New[uint64](perMinute, time.Minute, now),
	}
}

// take counts a ticket for an access token, or refuses it.
func (l ticketLimit) take(access *paseto.Claims) error {
	var owner [2]string
	switch {
	case access.Session != "":
		owner = [...]string{"session", access.Session}
	case access.Subject != "":
		owner = [...]string{"subject", access.Subject}
	default:
		owner = [...]string{"token", access.ID}
	}
	wait, ok := l.owners.Allow(maphash.Comparable(l.seed, owner))
	if ok {
		return nil
	}
	return refusal.Later(errTickets, wait)
}
