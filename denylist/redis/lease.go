package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
)

var _ denylist.Leases = (*Store)(nil)

// remembered is for how many times its ttl a lease that was displaced stays
// known as such, so that a holder learns of it that did not hear.
const remembered = 3

// leaseScript begins the scripts of leases. Those of a key are members of one
// sorted set, so that they are together in a cluster, and the clock of the server
// decides when they end. A holder has two: "h" and its name with the expiry as
// score, and "o" and its name with a negative score, which rises in the order of
// acquisition. One that was displaced has one: "d" and its name with the time at
// which that is forgotten. So the highest score of all is when the key may go.
//
// If the clock is set forward, leases end early, and come back as their holders renew
// them. If it is set back, what would last for longer than a ttl can make it last is cut.
const leaseScript = `
local key = KEYS[1]
local function number(n) -- in full, which other conversions do not promise
	return string.format('%.0f', n)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, member in ipairs(redis.call('ZRANGE', key, '0', number(now), 'BYSCORE')) do
	redis.call('ZREM', key, member, 'o' .. string.sub(member, 2))
end
local limit, expiry = tonumber(ARGV[1]), number(now + ARGV[2])
local latest = number(now + 3 * ARGV[2])
for _, member in ipairs(redis.call('ZRANGE', key, '(' .. latest, '+inf', 'BYSCORE')) do -- the clock was set back
	redis.call('ZADD', key, latest, member)
end
local function renew(holder)
	if not redis.call('ZSCORE', key, 'h' .. holder) then
		return false
	end
	redis.call('ZADD', key, expiry, 'h' .. holder)
	return true
end
local function taken()
	return redis.call('ZCOUNT', key, '-inf', '(0')
end
local function add(holder)
	local newest = redis.call('ZRANGE', key, '(0', '-inf', 'BYSCORE', 'REV', 'LIMIT', '0', '1', 'WITHSCORES')[2]
	local order = newest and tonumber(newest) + 1 or -2^52
	redis.call('ZREM', key, 'd' .. holder)
	redis.call('ZADD', key, number(order), 'o' .. holder, expiry, 'h' .. holder)
end
local function finish()
	local last = redis.call('ZRANGE', key, '0', '0', 'REV', 'WITHSCORES')[2]
	if last then
		redis.call('PEXPIREAT', key, number(tonumber(last)))
	end
end
`

// acquireScript replies whether the lease is held, and with the holders that it
// displaced.
var acquireScript = newScript(leaseScript + `
local holder, displace, forgotten, channel, message = ARGV[3], ARGV[4], number(now + ARGV[5]), ARGV[6], ARGV[7]
local reply = {'1'}
if not renew(holder) then
	local surplus = taken() - limit + 1
	if surplus > 0 and displace ~= '1' then
		return {'0'}
	end
	if surplus > 0 then
		for _, member in ipairs(redis.call('ZRANGE', key, '-inf', '(0', 'BYSCORE', 'LIMIT', '0', number(surplus))) do
			local other = string.sub(member, 2)
			redis.call('ZREM', key, member, 'h' .. other)
			redis.call('ZADD', key, forgotten, 'd' .. other)
			if channel ~= '' then
				redis.call('PUBLISH', channel, message .. other)
			end
			reply[#reply + 1] = other
		end
	end
	add(holder)
end
finish()
return reply`)

// renewScript replies with the positions of those holders that lost their lease.
var renewScript = newScript(leaseScript + `
local lost = {}
for i = 3, #ARGV do
	local holder = ARGV[i]
	if not renew(holder) then
		if redis.call('ZSCORE', key, 'd' .. holder) or taken() >= limit then
			lost[#lost + 1] = i - 3
		else
			add(holder)
		end
	end
end
finish()
return lost`)

// Acquire implements [denylist.Leases]. Whoever does not hear that a lease was
// displaced learns of it from Renew, for three times its TTL. When Acquire returns an
// error other than [denylist.ErrInvalid], the lease may be held: release it, or let
// it end.
func (s *Store) Acquire(ctx context.Context, a denylist.Acquisition) (bool, error) {
	if err := s.ready(ctx); err != nil {
		return false, err
	}
	if err := a.Validate(); err != nil {
		return false, err
	}
	call, end := s.call(ctx)
	defer end()
	acquired, err := s.acquire(call, a)
	if err != nil {
		return false, s.leaseFailed(ctx, err)
	}
	return acquired, nil
}

// acquire announces what it displaces: in a cluster as a second step, as record
// does.
func (s *Store) acquire(ctx context.Context, a denylist.Acquisition) (bool, error) {
	announcedBy, flag, ttl := s.channel, "0", inMilliseconds(a.TTL)
	if s.cluster {
		announcedBy = ""
	}
	if a.Displace {
		flag = "1"
	}
	reply, err := s.runUnreplicated(ctx, acquireScript, s.key(leased, a.Lease.Key),
		strconv.Itoa(a.Limit), decimal(ttl), a.Lease.Holder,
		flag, decimal(remembered*ttl), announcedBy, displacement(a.Lease.Key)).AsStrSlice()
	if err != nil {
		return false, err
	}
	if len(reply) == 0 {
		return false, errors.New("the script replied with nothing")
	}
	if s.cluster {
		for _, holder := range reply[1:] {
			if err := s.publish(ctx, displacement(a.Lease.Key)+holder); err != nil {
				return false, err
			}
		}
	}
	return reply[0] == "1", nil
}

// Renew implements [denylist.Leases], for any number of leases: [Config.Timeout]
// bounds how long Redis may take for each few hundred. A server that does not
// answer ends the call, except in a cluster, where the others are asked all the
// same. With an error come the leases that are known to be lost; those that are
// not among them may have been renewed or not.
func (s *Store) Renew(ctx context.Context, r denylist.Renewal) (lost []denylist.Lease, err error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	err = s.inChunks(ctx, r.Leases, func(ctx context.Context, chunk [][]denylist.Lease) error {
		some, err := s.renew(ctx, chunk, r.Limit, inMilliseconds(r.TTL))
		mu.Lock()
		defer mu.Unlock()
		lost = append(lost, some...)
		return err
	})
	return lost, err
}

func (s *Store) renew(ctx context.Context, chunk [][]denylist.Lease, limit int, ttl int64) (lost []denylist.Lease, err error) {
	call := func(i int) (key string, args []string) {
		args = []string{strconv.Itoa(limit), decimal(ttl)}
		for _, l := range chunk[i] {
			args = append(args, l.Holder)
		}
		return s.key(leased, chunk[i][0].Key), args
	}
	results, err := s.doAll(ctx, len(chunk), func(i int) rueidis.Completed {
		key, args := call(i)
		return s.client.B().Evalsha().Sha1(renewScript.sha1).Numkeys(1).Key(key).Arg(args...).Build()
	}, func(i int) rueidis.Completed {
		key, args := call(i)
		return s.client.B().Eval().Script(renewScript.source).Numkeys(1).Key(key).Arg(args...).Build()
	})
	for i, result := range results {
		positions, resultErr := result.AsIntSlice()
		if resultErr != nil {
			err = resultErr
		}
		for _, n := range positions {
			lost = append(lost, chunk[i][n])
		}
	}
	return lost, err
}

// Release implements [denylist.Leases], for any number of leases as Renew does.
func (s *Store) Release(ctx context.Context, leases ...denylist.Lease) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	for _, l := range leases {
		if err := l.Validate(); err != nil {
			return err
		}
	}
	return s.inChunks(ctx, leases, s.release)
}

func (s *Store) release(ctx context.Context, chunk [][]denylist.Lease) error {
	remove := func(i int) rueidis.Completed {
		members := make([]string, 0, 3*len(chunk[i]))
		for _, l := range chunk[i] {
			members = append(members, "h"+l.Holder, "o"+l.Holder, "d"+l.Holder)
		}
		return s.client.B().Zrem().Key(s.key(leased, chunk[i][0].Key)).Member(members...).Build()
	}
	results, err := s.doAll(ctx, len(chunk), remove, remove)
	for _, result := range results {
		if resultErr := result.Error(); resultErr != nil {
			err = resultErr
		}
	}
	return err
}

// leaseFailed is failed with advice: Open does not make sure that the user may
// keep leases.
func (s *Store) leaseFailed(ctx context.Context, err error) error {
	if text := err.Error(); strings.Contains(text, "NOPERM") || strings.Contains(text, "The user executing the script") {
		err = fmt.Errorf("%w; %s", err, grantIt)
	}
	return s.failed(ctx, err)
}

// inMilliseconds rounds d up.
func inMilliseconds(d time.Duration) int64 {
	ms := d.Milliseconds()
	if d%time.Millisecond > 0 {
		ms++
	}
	return ms
}
