package httpauth

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/throttle"
	"github.com/pasetokit/pasetokit/paseto"
)

const (
	// mistakes is how many logins with a slowed name may fail in a day from a
	// network, and be let through all the same.
	mistakes = 3
	// knownFor is how long an address is known for a login that succeeded.
	knownFor = 30 * 24 * time.Hour
)

// guesses counts the logins that failed, as [LoginLimits] has it. Names are
// strangers' input: they are kept as hashes of one size.
type guesses struct {
	seed      maphash.Seed
	addresses *throttle.Table[netip.Prefix]
	pairs     *throttle.Table[nameFrom]
	names     *throttle.Table[uint64]
	// Who gets through although the name is slowed.
	passes *throttle.Table[nameFrom] // takes one for each mistake
	known  *throttle.Table[nameFrom] // takes one for a success
}

// nameFrom is the hash of a name, and the addresses from which it came.
type nameFrom struct {
	name uint64
	from netip.Prefix
}

func newGuesses(l LoginLimits, now func() time.Time) *guesses {
	return &guesses{
		seed:      maphash.MakeSeed(),
		addresses: throttle.New[netip.Prefix](l.FailuresPerAddress, time.Hour, now),
		pairs:     throttle.New[nameFrom](l.FailuresPerNameAndAddress, time.Hour, now),
		names:     throttle.New[uint64](l.FailuresPerName, time.Hour, now),
		passes:    throttle.New[nameFrom](mistakes, 24*time.Hour, now),
		known:     throttle.New[nameFrom](1, knownFor, now),
	}
}

// guess is a login under way that may turn out to fail.
type guess struct {
	of    *guesses
	known nameFrom // name exactly as it came
	rank  int      // what lets it wait for a place before others, the lowest first
	ends  []func(failed bool)
}

// begin counts a login with a name from an address, or refuses it. The guess must be
// ended.
func (g *guesses) begin(name string, from netip.Prefix) (*guess, error) {
	t := &guess{of: g, known: nameFrom{maphash.String(g.seed, name), from}}
	folded := maphash.String(g.seed, strings.ToLower(strings.TrimSpace(name)))
	known := g.known.Used(t.known) > 0

	endAddress, addressWait, addressOK := g.addresses.Begin(from)
	endPair, pairWait, pairOK := g.pairs.Begin(nameFrom{folded, from})
	endName, nameWait, nameOK := g.names.Begin(folded)
	endPass, _, passOK := g.passes.Begin(nameFrom{folded, network(from)})
	t.ends = []func(bool){endAddress, endPair, endName, endPass}

	if !pairOK || !known && (!addressOK || !nameOK && !passOK) {
		t.end(undecided)
		return nil, retryError{errGuesses, max(addressWait, pairWait, nameWait)}
	}
	if !known {
		t.rank = 1 + g.addresses.Used(from)
	}
	return t, nil
}

// network returns the addresses that are taken for one network where it is asked
// how often it failed with a slowed name: of IPv6 a /48, which is the most that one
// host is commonly given.
func network(from netip.Prefix) netip.Prefix {
	wide, _ := from.Addr().Prefix(min(from.Bits(), 48)) // fails for the zero prefix alone
	return wide
}

// outcome is what came of a login.
type outcome int

const (
	undecided outcome = iota // the server could not tell
	failed
	succeeded
)

// end counts what came of the login.
func (t *guess) end(how outcome) {
	for _, end := range t.ends {
		end(how == failed)
	}
	if how == succeeded {
		t.of.known.Allow(t.known)
	}
}

// retryError is a refusal that says when to try again.
type retryError struct {
	refusal *paseto.Error
	wait    time.Duration
}

func (e retryError) Error() string { return fmt.Sprintf("%s; for %s", e.refusal, e.wait) }
func (e retryError) Unwrap() error { return e.refusal }
