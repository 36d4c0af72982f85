package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // See newScript.
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
)

// Kinds of keys: what follows the prefix in them.
const (
	tokens   = "t"
	sessions = "s"
	subjects = "u"
	consumed = "c"
	leased   = "l"
)

func (s *Store) key(kind, id string) string { return s.prefix + kind + ":" + id }

// entry is a revocation in the numbers that Redis counts in.
type entry struct {
	kind, id string
	until    int64 // Unix milliseconds, or never
	cutoff   int64 // Unix seconds, 0 where there is none
	except   string
}

const (
	// never is the expiry of what is kept for good, and the ttl of its key.
	never = 0
	// longPast is an expiry at which nothing is kept.
	longPast = 1
	// maxNumber is the largest number that Lua tells from its neighbours. As a
	// time it is further away than anything.
	maxNumber = 1 << 53
)

func entryOf(r denylist.Revocation) entry {
	e := entry{until: milliseconds(r.Until)}
	switch {
	case r.TokenID != "":
		e.kind, e.id = tokens, r.TokenID
	case r.Session != "":
		e.kind, e.id = sessions, r.Session
	default:
		e.kind, e.id, e.except = subjects, r.Subject, r.Except
		e.cutoff = min(max(r.IssuedBefore.Unix(), -maxNumber), maxNumber)
	}
	return e
}

// milliseconds rounds t up, so that nothing is forgotten early.
func milliseconds(t time.Time) int64 {
	if t.IsZero() || t.Unix() >= maxNumber/1000 {
		return never
	}
	if t.Unix() < 0 {
		return longPast
	}
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) > 0 {
		ms++
	}
	return max(ms, longPast)
}

func (e entry) revocation() denylist.Revocation {
	var r denylist.Revocation
	if e.until != never {
		r.Until = time.UnixMilli(e.until)
	}
	cutoff := time.Unix(e.cutoff, 0)
	if cutoff.IsZero() { // which would mean none
		cutoff = cutoff.Add(1)
	}
	switch e.kind {
	case tokens:
		r.TokenID = e.id
	case sessions:
		r.Session = e.id
	case subjects:
		r.Subject, r.IssuedBefore, r.Except = e.id, cutoff, e.except
	}
	return r
}

// times is what the value of the record's key begins with; a space and the excepted
// session follow, if there is one.
func (e entry) times() string { return decimal(e.until) + " " + decimal(e.cutoff) }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// parse reads into e what the record's key holds.
func (e *entry) parse(value string) bool {
	until, rest, _ := strings.Cut(value, " ")
	cutoff, except, _ := strings.Cut(rest, " ")
	e.except = except
	var err1, err2 error
	e.until, err1 = strconv.ParseInt(until, 10, 64)
	e.cutoff, err2 = strconv.ParseInt(cutoff, 10, 64)
	return err1 == nil && err2 == nil && e.until >= 0
}

// excepting is the kind of the message that announces the revocation of a subject
// with an excepted session. Those who do not know it ask anew for all that they hold.
const excepting = "x"

// message announces the entry.
func (e entry) message() string {
	if e.except != "" {
		return excepting + " " + e.times() + " " + strconv.Itoa(len(e.id)) + " " + e.id + e.except
	}
	return e.kind + " " + e.times() + " " + e.id
}

// nothing is a message that announces nothing.
const nothing = "-"

func parseMessage(message string) (entry, bool) {
	kind, rest, _ := strings.Cut(message, " ")
	until, rest, _ := strings.Cut(rest, " ")
	cutoff, id, found := strings.Cut(rest, " ")
	except := ""
	if kind == excepting {
		kind = subjects
		if id, except, found = splitNames(id); except == "" {
			return entry{}, false
		}
	}
	e := entry{kind: kind, id: id}
	ok := found && e.parse(until+" "+cutoff)
	e.except = except
	return e, ok && e.revocation().Validate() == nil
}

// splitNames reads the length of a name, the name, and another one.
func splitNames(text string) (first, second string, ok bool) {
	length, names, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > len(names) {
		return "", "", false
	}
	return names[:n], names[n:], true
}

// displacement begins the message that announces a displaced lease. The holder
// follows.
func displacement(key string) string { return leased + " " + strconv.Itoa(len(key)) + " " + key }

func parseDisplacement(message string) (denylist.Lease, bool) {
	kind, rest, _ := strings.Cut(message, " ")
	key, holder, ok := splitNames(rest)
	l := denylist.Lease{Key: key, Holder: holder}
	return l, ok && kind == leased && l.Validate() == nil
}

// channel is where revocations are announced. Channels of a server are common
// to its databases, so that it names its own.
func channel(cfg Config) string { return cfg.Prefix + "revocations:" + strconv.Itoa(cfg.Database) }

// clockSlack is for how much longer than a record counts Redis keeps its key. Whether a
// record counts is judged by the clock that judges the token: that of the process
// that asks. A key goes by the clock of the server, which may be set forward, as that of a
// replica may be ahead that becomes the primary, and as that of the process may have been
// that made the record. An hour is what clocks are usually wrong by.
const clockSlack = 65 * time.Minute

// ttl is how long Redis is to keep the key of what counts until the given time, in
// milliseconds. It is a duration, as the clock of the server may tell another time.
func (s *Store) ttl(until int64) int64 {
	if until == never {
		return never
	}
	return max(until-s.now().UnixMilli(), 0) + clockSlack.Milliseconds()
}

// over reports that a record does not count any more.
func (s *Store) over(until int64) bool { return until != never && until <= s.now().UnixMilli() }

// revokeScript merges a record into one that may be there: the later expiry and
// the later cut-off hold, and of two cut-offs in one second the new one. A record that
// does not count any more by the caller's clock gives way to the new cut-off. It writes in
// any case, so that a caller who waits for replicas waits for this record.
var revokeScript = newScript(`
local expiry, cutoff, ttl, now, except = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[7]
if except ~= '' then
	except = ' ' .. except
end
local old = redis.call('GET', KEYS[1])
if old then
	local oldExpiry, oldCutoff, oldExcept = string.match(old, '^(%d+) (%-?%d+)(.*)$')
	if not oldExpiry or (oldExcept ~= '' and string.sub(oldExcept, 1, 1) ~= ' ') then
		return redis.error_reply('ERR the key of a revocation holds what pasetokit did not write')
	end
	if oldExpiry == '0' or (expiry ~= '0' and tonumber(oldExpiry) > tonumber(expiry)) then
		expiry, ttl = oldExpiry, 'as it is'
	end
	local counts = oldExpiry == '0' or tonumber(oldExpiry) > tonumber(now)
	if counts and tonumber(oldCutoff) > tonumber(cutoff) then
		cutoff, except = oldCutoff, oldExcept
	end
end
local record = expiry .. ' ' .. cutoff .. except
if ttl == 'as it is' then
	redis.call('SET', KEYS[1], record, 'KEEPTTL')
elseif ttl == '0' then
	redis.call('SET', KEYS[1], record)
else
	redis.call('SET', KEYS[1], record, 'PX', ttl)
end
if ARGV[5] ~= '' then
	redis.call('PUBLISH', ARGV[5], ARGV[6])
end
return 1`)

type script struct {
	source string
	sha1   string // by which a server knows it
	lua    *rueidis.Lua
}

func newScript(source string) script {
	sum := sha1.Sum([]byte(source)) //nolint:gosec // A name, and the one that Redis gives.
	return script{source, hex.EncodeToString(sum[:]), rueidis.NewLuaScript(source)}
}

// Revoke implements [denylist.Store]. When it returns without an error, Redis
// has the record, and as many replicas as [Config.MinReplicas] says. When it
// returns an error, Redis may have it; to revoke again does no harm.
func (s *Store) Revoke(ctx context.Context, r denylist.Revocation) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	if err := r.Validate(); err != nil {
		return err
	}
	call, end := s.call(ctx)
	defer end()
	e := entryOf(r)
	if err := s.record(call, e, s.ttl(e.until), e.message()); err != nil {
		return s.failed(ctx, err)
	}
	return nil
}

// record makes a record, whose key has the given ttl, and announces it: in a
// cluster, where a script does not reach all that listen, as a second step.
func (s *Store) record(ctx context.Context, e entry, ttl int64, message string) error {
	announcedBy := s.channel
	if s.cluster {
		announcedBy = ""
	}
	err := s.run(ctx, revokeScript, s.key(e.kind, e.id),
		decimal(e.until), decimal(e.cutoff), decimal(ttl), decimal(s.now().UnixMilli()), announcedBy, message, e.except).Error()
	if err != nil {
		return err
	}
	s.remember(context.WithoutCancel(ctx), e)
	if s.cluster {
		return s.publish(ctx, message)
	}
	return nil
}

// Consume implements [denylist.Store]. Redis is asked every time. When it returns
// an error other than [denylist.ErrInvalid], the key may be used up.
func (s *Store) Consume(ctx context.Context, key, value string, until time.Time) (winner string, first bool, err error) {
	if err := s.ready(ctx); err != nil {
		return "", false, err
	}
	if err := denylist.ValidateConsumption(key, value); err != nil {
		return "", false, err
	}
	call, end := s.call(ctx)
	defer end()
	expiry := milliseconds(until)
	winner, first, err = s.advance(call, s.key(consumed, key), "", value, expiry, s.ttl(expiry))
	if err != nil {
		return "", false, s.failed(ctx, err)
	}
	return winner, first, nil
}

// run executes a script, and waits for replicas if it is to.
func (s *Store) run(ctx context.Context, script script, key string, args ...string) rueidis.RedisResult {
	if s.minReplicas > 0 {
		return s.runReplicated(ctx, script, key, args)
	}
	return s.runUnreplicated(ctx, script, key, args...)
}

func (s *Store) runUnreplicated(ctx context.Context, script script, key string, args ...string) rueidis.RedisResult {
	if err := s.requests.take(ctx); err != nil {
		return rueidis.NewErrorResult(err)
	}
	defer s.requests.give()
	result := script.lua.Exec(ctx, s.client, []string{key}, args)
	if foreign(ctx, result.NonRedisError()) {
		result = script.lua.Exec(ctx, s.client, []string{key}, args)
	}
	return result
}
