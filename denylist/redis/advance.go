package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// advanceScript sets a value, with its expiry, in the place of another one, or where
// there is none that counts by the caller's clock. A caller that comes too late
// writes what it finds once more if it waits for replicas: the one that was first
// may not have lived to see them. Empty stands for no record, and not for a key that
// is consumed with an empty value.
var advanceScript = newScript(`
local from, to, expiry, ttl, now, replicas = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local old = redis.call('GET', KEYS[1])
local current, counts = '', false
if old then
	local oldExpiry, value = string.match(old, '^(%d+):(.*)$')
	if not oldExpiry then -- of a version that wrote the value alone
		oldExpiry, value = '0', old
	end
	if oldExpiry == '0' or tonumber(oldExpiry) > tonumber(now) then
		current, counts = value, true
	end
end
if current ~= from or counts ~= (from ~= '') then
	if counts and replicas ~= '0' then
		redis.call('SET', KEYS[1], old, 'KEEPTTL')
	end
	return {0, current}
end
if ttl == '0' then
	redis.call('SET', KEYS[1], expiry .. ':' .. to)
else
	redis.call('SET', KEYS[1], expiry .. ':' .. to, 'PX', ttl)
end
return {1, to}`)

// Advance implements [denylist.Store]. Redis is asked every time. When it returns
// an error other than [denylist.ErrInvalid], the value may be set.
func (s *Store) Advance(ctx context.Context, key, from, to string, until time.Time) (current string, advanced bool, err error) {
	if err := s.ready(ctx); err != nil {
		return "", false, err
	}
	if err := denylist.ValidateAdvance(key, from, to); err != nil {
		return "", false, err
	}
	call, end := s.call(ctx)
	defer end()
	expiry := milliseconds(until)
	current, advanced, err = s.advance(call, s.key(consumed, key), from, to, expiry, s.ttl(expiry))
	if err != nil {
		return "", false, s.failed(ctx, err)
	}
	return current, advanced, nil
}

// advance is Advance for the key of a record, and of a consumed key.
func (s *Store) advance(ctx context.Context, key, from, to string, until, ttl int64) (current string, advanced bool, err error) {
	reply, err := s.run(ctx, advanceScript, key,
		from, to, decimal(until), decimal(ttl), decimal(s.now().UnixMilli()), strconv.Itoa(s.minReplicas)).ToArray()
	if err != nil {
		return "", false, err
	}
	if len(reply) != 2 {
		return "", false, fmt.Errorf("the script replied with %d values", len(reply))
	}
	n, err := reply[0].AsInt64()
	if err != nil {
		return "", false, err
	}
	current, err = reply[1].ToString()
	return current, n == 1, err
}
