package httpauth

import (
	"hash/maphash"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/throttle"
)

const (
	// mistakes is how many logins with a slowed name may fail in a day from a
	// network, and be let through all the same.
	mistakes = 3
	// knownFor is how long an address is known after the last login that succeeded.
	knownFor = 30 * 24 * time.Hour
	// addressesPerNetwork is how many addresses of one network may reach
	// [LoginLimits.FailuresPerAddress].
	addressesPerNetwork = 10
	// countedLogins is how many logins of a network in the last hour are told apart
	// where logins wait for a place.
	countedLogins = 1000
)

// guesses counts the logins that failed, as [LoginLimits] has it. Names are
// strangers' input: they are kept as hashes of one size.
type guesses struct {
	seed      maphash.Seed
	addresses *throttle.Table[netip.Prefix]
	networks  *throttle.Table[netip.Prefix]
	pairs     *throttle.Table[nameFrom]
	names     *throttle.Table[uint64]
	// Who gets through although the name is slowed.
	passes *throttle.Table[nameFrom] // takes one for each mistake
	known  *throttle.Table[nameFrom] // drained by a success
	// Who waits for a place before others.
	logins       *throttle.Table[netip.Prefix] // takes one for each that the server decided
	knownName    *throttle.Table[uint64]       // one under way comes first of a name
	knownNetwork *throttle.Table[netip.Prefix] // and of a network
}

// nameFrom is the hash of a name, and the addresses from which it came.
type nameFrom struct {
	name uint64
	from netip.Prefix
}

func newGuesses(l LoginLimits, now func() time.Time) *guesses {
	return &guesses{
		seed:         maphash.MakeSeed(),
		addresses:    throttle.New[netip.Prefix](l.FailuresPerAddress, time.Hour, now),
		networks:     throttle.New[netip.Prefix](addressesPerNetwork*min(l.FailuresPerAddress, math.MaxInt/addressesPerNetwork), time.Hour, now),
		pairs:        throttle.New[nameFrom](l.FailuresPerNameAndAddress, time.Hour, now),
		names:        throttle.New[uint64](l.FailuresPerName, time.Hour, now),
		passes:       throttle.New[nameFrom](mistakes, 24*time.Hour, now),
		known:        throttle.New[nameFrom](1, knownFor, now),
		logins:       throttle.New[netip.Prefix](countedLogins, time.Hour, now),
		knownName:    throttle.New[uint64](1, time.Hour, now),
		knownNetwork: throttle.New[netip.Prefix](1, time.Hour, now),
	}
}

// guess is a login under way that may turn out to fail.
type guess struct {
	of    *guesses
	known nameFrom // name exactly as it came
	rank  int      // who waits for a place before others: the lowest first
	ends  []func(outcome)
}

// begin counts a login with a name from an address, or refuses it. The guess must be
// ended.
func (g *guesses) begin(name string, from netip.Prefix) (*guess, error) {
	t := &guess{of: g, known: nameFrom{maphash.String(g.seed, name), from}}
	folded := maphash.String(g.seed, strings.ToLower(strings.TrimSpace(name)))
	pair, wide := nameFrom{folded, from}, network(from)
	known := g.known.Used(t.known) > 0

	pairOK, wait := begin(t, g.pairs, pair, failed)
	ok := pairOK
	addressOK, addressWait := begin(t, g.addresses, from, failed)
	networkOK, networkWait := begin(t, g.networks, wide, failed)
	nameOK, nameWait := begin(t, g.names, folded, failed)
	passOK, _ := begin(t, g.passes, nameFrom{folded, wide}, failed)
	if !known {
		ok = ok && addressOK && networkOK
		wait = max(wait, addressWait, networkWait)
		if !nameOK && !passOK {
			ok, wait = false, max(wait, nameWait)
		}
	}
	if !ok {
		t.end(undecided)
		if wait == 0 {
			return nil, refusal.New(errBusy)
		}
		return nil, refusal.Later(errGuesses, wait)
	}
	begin(t, g.logins, wide, failed, succeeded)
	if !known || !t.first(wide) {
		t.rank = g.logins.Used(wide) // one at least: this login
	}
	return t, nil
}

// begin begins an attempt of key for t, which takes a token with these outcomes. If it
// may not begin, wait is how long it takes until one may: 0 if only attempts under way
// are in its way, which may all turn out well.
func begin[K comparable](t *guess, table *throttle.Table[K], key K, takes ...outcome) (ok bool, wait time.Duration) {
	end, wait, ok := table.Begin(key)
	t.ends = append(t.ends, func(how outcome) { end(slices.Contains(takes, how)) })
	if !ok && table.Has(key) {
		wait = 0
	}
	return ok, wait
}

// first reports whether no other login of a known address is under way with this name,
// and none from this network. So nobody comes first all the time with one account from
// many networks, or with many accounts from one.
func (t *guess) first(wide netip.Prefix) bool {
	name, _ := begin(t, t.of.knownName, t.known.name)
	from, _ := begin(t, t.of.knownNetwork, wide)
	return name && from
}

// network returns the addresses that count as one network: of IPv6 a /48, which is the
// most that one host is commonly given.
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
		end(how)
	}
	if how == succeeded {
		t.of.known.Drain(t.known)
	}
}
