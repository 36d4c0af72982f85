package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// inspect makes sure that the store can work with the server.
func (s *Store) inspect(ctx context.Context, cfg Config) error {
	for _, step := range []func(context.Context, Config) error{s.inspectServer, s.inspectMemory, s.rehearse} {
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

// inspectServer makes sure that the server is of the kind that the addresses
// promise.
func (s *Store) inspectServer(ctx context.Context, cfg Config) error {
	hello, err := s.client.Do(ctx, s.client.B().Hello().Build()).AsMap()
	if err != nil {
		return refused(err, cfg)
	}
	text := func(field string) string {
		message := hello[field]
		value, _ := message.ToString()
		return value
	}
	if s.client.Mode() == rueidis.ClientModeStandalone {
		switch {
		case text("mode") == "sentinel":
			return errors.New("redis: the server is a Sentinel; name by SentinelMaster the primary that it watches")
		case text("mode") == "cluster":
			return errors.New("redis: the server belongs to a cluster, of which it did not tell the other nodes; " + grantIt)
		case text("role") != primary:
			return fmt.Errorf("redis: the server is a %s; give the primary's address, or those of the Sentinels and SentinelMaster", text("role"))
		}
	}
	proto := hello["proto"]
	if version, _ := proto.AsInt64(); version < 3 {
		return errors.New("redis: the server does not speak RESP3; use Redis 6.2 or later")
	}
	return nil
}

// primary is how HELLO calls a primary.
const primary = "master"

// inspectMemory makes sure that the servers keep their records when memory is
// short.
func (s *Store) inspectMemory(ctx context.Context, cfg Config) error {
	nodes := s.client.Nodes()
	errs := make(chan error, len(nodes))
	var all sync.WaitGroup
	for address, node := range nodes {
		all.Go(func() { errs <- s.inspectMemoryOf(ctx, address, node, cfg) })
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) inspectMemoryOf(ctx context.Context, address string, node rueidis.Client, cfg Config) error {
	info, err := node.Do(ctx, node.B().Info().Section("memory").Build()).ToString()
	if err != nil { // a node that is down is no reason to stay away; if it is the only one, that will show
		s.log.WarnContext(ctx, "denylist: it is not known whether Redis drops records when its memory is full",
			"address", address, "error", reason(err, s.timeout))
		return nil
	}
	limit, policy := field(info, "maxmemory"), field(info, "maxmemory_policy")
	if limit == "" || limit == "0" || policy == "noeviction" || cfg.AllowEviction {
		return nil
	}
	return fmt.Errorf("redis: the server %s drops records when its memory is full (maxmemory is %s and maxmemory-policy %s), "+
		"and what was revoked would be valid again; set maxmemory-policy to noeviction there, or AllowEviction here",
		address, limit, policy)
}

// field returns a value from the text of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
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
		_, err = s.check(ctx, []entry{e}, time.Time{})
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
