package paseto

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// generation is the claim rot of a refresh token: which one it is among those that
// come of one pair by refreshing. Each pair that is issued begins a lineage of its
// own, also where several are issued in one session, so that two lineages never
// look like a reuse of each other. Zero is the generation of a token without the
// claim: one from before there was it, or that belongs to no session.
type generation struct {
	lineage string // the jti of the first one
	number  int    // 1 for the first one
}

// rotClaim is the name of the claim.
const rotClaim = "rot"

func (g generation) next() generation { return generation{g.lineage, g.number + 1} }

func (g generation) String() string { return strconv.Itoa(g.number) + "." + g.lineage }

// parseGeneration reads the claim, and returns zero for one that was not written
// here: of another issuer, or a custom claim from before the name was reserved.
func parseGeneration(claim string) generation {
	digits, lineage, _ := strings.Cut(claim, ".")
	number, err := strconv.ParseUint(digits, 10, 30)
	if err != nil || number == 0 || !settings.IsScope(lineage) || len(lineage) > 64 {
		return generation{}
	}
	return generation{lineage, int(number)}
}

// rotation is what the denylist keeps of a lineage: one record, however often it
// is refreshed. It tells which generation is in force, which pairs came of the
// latest refreshes, and so how many there were in the last minute.
type rotation struct {
	until time.Time // from when on no token of the lineage is valid, zero for never
	pairs []pairing // the latest first
}

const (
	// rateWindow is the time that [Config.RefreshesPerMinute] counts in.
	rateWindow = time.Minute
	// maxPairs bounds the pairs of a record, and with it its size: each takes up
	// to 80 bytes, so that a record has 5 KiB at most. One that is refreshed now
	// and then has a pair or two.
	maxPairs = 64
	// maxAttempts bounds how often a caller tries again because another one
	// refreshed first.
	maxAttempts = 16
)

// with returns the record after a refresh that made pair. It keeps the pairs that
// are asked for: those within the grace, and those that count for the rate.
func (r rotation) with(pair pairing, until time.Time, grace time.Duration) rotation {
	if len(r.pairs) > 0 {
		until = later(until, r.until)
	}
	kept := []pairing{pair}
	for _, p := range r.pairs {
		if len(kept) < maxPairs && pair.time().Sub(p.time()) < max(grace, rateWindow) {
			kept = append(kept, p)
		}
	}
	return rotation{until: until, pairs: kept}
}

// used returns whether the token of a generation was used, and for which pair if
// that is still known.
func (r rotation) used(g generation) (pair pairing, known, used bool) {
	i := slices.IndexFunc(r.pairs, func(p pairing) bool { return p.rot == g.next() })
	if i >= 0 {
		return r.pairs[i], true, true
	}
	return pairing{}, false, len(r.pairs) > 0 && g.number < r.pairs[0].rot.number
}

// wait returns how long it takes until one more refresh is within the rate, and 0
// if it is. A pair from the future, of a clock that was set back or of another machine,
// does not count: nobody can tell how long to wait for it.
func (r rotation) wait(perMinute int, now time.Time) time.Duration {
	if perMinute == NoRefreshLimit || len(r.pairs) < perMinute {
		return 0
	}
	passed := now.Sub(r.pairs[perMinute-1].time())
	if passed < 0 || passed >= rateWindow {
		return 0
	}
	return rateWindow - passed
}

// text returns what parseRotation reads: the time, and of each pair the number of
// its generation, when it was made and the identifiers of its tokens.
func (r rotation) text() string {
	until := int64(0)
	if !r.until.IsZero() {
		until = r.until.Unix()
	}
	fields := []string{strconv.FormatInt(until, 10)}
	for _, p := range r.pairs {
		fields = append(fields, strconv.Itoa(p.rot.number), strconv.FormatInt(p.at, 10), p.access, p.refresh)
	}
	return strings.Join(fields, " ")
}

var errRotation = errors.New("it is not what is written here")

func parseRotation(text, session, lineage string) (r rotation, err error) {
	until, rest, _ := strings.Cut(text, " ")
	fields := strings.Split(rest, " ")
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil || len(fields)%4 != 0 {
		return rotation{}, errRotation
	}
	if seconds != 0 {
		r.until = time.Unix(seconds, 0)
	}
	for f := range slices.Chunk(fields, 4) {
		p := pairing{session: session, access: f[2], refresh: f[3], rot: parseGeneration(f[0] + "." + lineage)}
		if p.at, err = strconv.ParseInt(f[1], 10, 64); err != nil || p.rot.number == 0 || p.access == "" || p.refresh == "" {
			return rotation{}, errRotation
		}
		r.pairs = append(r.pairs, p)
	}
	return r, nil
}

// later returns the later of two times, zero standing for never.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if b.After(a) {
		return b
	}
	return a
}

// advance records that a refresh token of generation g is used for pair, and
// returns the pair that it is used for: another one if a caller came first. The
// record is kept until the given time, zero for ever.
//
// If a token is of a later generation than the record's, the record of earlier
// refreshes was lost, as may happen in a failover. The token is used like one of the
// generation in force, and a use of those before it counts as reuse from then on.
func (a *Authorizer) advance(ctx context.Context, old *Claims, g generation, pair pairing, until time.Time) (pairing, error) {
	var known rotation
	from := ""
	for range maxAttempts {
		next := known.with(pair, until, a.cfg.RefreshGrace)
		current, advanced, err := a.store.Advance(ctx, "rotation:"+g.lineage, from, next.text(), next.until)
		if err != nil {
			return pair.unrecorded(), a.denylistFailed(ctx, old, err)
		}
		if advanced {
			return pair, nil
		}
		if from = current; current == "" { // it has expired since
			known = rotation{}
			continue
		}
		if known, err = parseRotation(current, old.Session, g.lineage); err != nil {
			return pair, refuse(ErrRevoked, "what is recorded of the refresh token's use is unreadable: %w", err)
		}
		earlier, found, used := known.used(g)
		switch {
		case found:
			return a.repeated(ctx, old, earlier)
		case used:
			return pair, a.reused(ctx, old, old.Session, "before")
		}
		if wait := known.wait(a.cfg.RefreshesPerMinute, a.now()); wait > 0 {
			return pair, tooManyRefreshes(wait)
		}
	}
	return pair, refuse(ErrUnavailable, "others were first %d times; the denylist may not work", maxAttempts)
}

// tooManyRefreshes returns the refusal of a session that must wait.
func tooManyRefreshes(wait time.Duration) *Error {
	err := refuse(ErrRefreshes, "the session may be refreshed again in %s", wait.Round(time.Millisecond))
	err.RetryAfter = wait
	return err
}

// repeated returns the pair that a refresh token was used for before, within the
// grace.
func (a *Authorizer) repeated(ctx context.Context, old *Claims, earlier pairing) (pairing, error) {
	if grace := a.cfg.RefreshGrace; grace != NoGrace && a.now().Before(earlier.time().Add(grace)) {
		return earlier, nil
	}
	ago := fmt.Sprintf("%s ago", a.now().Sub(earlier.time()).Round(time.Second))
	return earlier, a.reused(ctx, old, earlier.session, ago)
}
