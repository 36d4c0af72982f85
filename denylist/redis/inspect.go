package redis

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
)

// inspect makes sure that the store can work with the servers.
func (s *Store) inspect(ctx context.Context, cfg Config) error {
	for _, step := range []func(context.Context, Config) error{s.inspectServers, s.rehearse} {
		call, cancel := context.WithTimeout(ctx, 2*s.timeout)
		err := step(call, cfg)
		cancel()
		if ended := ctx.Err(); ended != nil {
			return ended
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inspectServers makes sure that the servers are what the store needs, and that they stay
// so. A node of a cluster that is down is no reason to stay away.
func (s *Store) inspectServers(ctx context.Context, cfg Config) error {
	addresses := make(map[string]bool)
	for address := range s.client.Nodes() {
		addresses[address] = true
	}
	answers := s.askAll(ctx, addresses, 2*s.timeout)
	rules := rules{mode: s.client.Mode(), evicts: cfg.AllowEviction}
	appends := true
	for address, a := range answers {
		if a.err != nil {
			if s.cluster {
				continue
			}
			return refused(a.err, cfg)
		}
		if fault := rules.broken(a.server); fault != nil {
			err := fmt.Errorf("redis: the server %s %w", address, fault)
			if rules.mode == rueidis.ClientModeSentinel && a.server.role != primary { // they will name another one
				err = unavailable(err)
			}
			return err
		}
		appends = appends && a.server.appends
	}
	rules.appends = appends
	s.servers.enforce(rules)
	for address, a := range answers {
		if a.err == nil {
			_ = s.servers.judge(address, a.server) // There is no fault in it, as was seen above.
		}
	}
	return nil
}

// rehearse does what the store will do, so that missing permissions are found
// now: it makes records that are gone at once, asks for them and announces
// nothing. It does not wait for replicas, which may well be away.
func (s *Store) rehearse(ctx context.Context, cfg Config) error {
	e := entry{kind: tokens, id: "rehearsal-" + rand.Text(), until: longPast}
	const ttl = 1 // millisecond
	_, _, err := s.advance(ctx, s.key(consumed, e.id), "", "", e.until, ttl)
	if err == nil {
		err = s.record(ctx, e, ttl, nothing)
	}
	if err == nil {
		_, err = s.check(ctx, []entry{e}, denylist.Token{ID: e.id})
	}
	if err == nil && cfg.MinReplicas > 0 {
		wait := s.client.B().Wait().Numreplicas(0).Timeout(1).Build()
		err = s.client.Do(ctx, wait.SetSlot(s.key(e.kind, e.id))).Error() // a primary, in a cluster
	}
	if err != nil {
		return refused(err, cfg)
	}
	return nil
}
