package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
)

// Revoked implements [denylist.Store]. It answers from the memory of this process
// what was asked within [Config.CacheTTL], unless Redis has said that it changed,
// and asks Redis the rest in one round trip.
func (s *Store) Revoked(ctx context.Context, t denylist.Token) (bool, error) {
	if err := s.ready(ctx); err != nil {
		return false, err
	}
	if s.recent != nil {
		if known, err := s.recent.Revoked(ctx, t); known || err != nil {
			return known, err
		}
	}
	var space [3]entry
	asked := space[:0]
	for _, e := range [...]entry{{kind: tokens, id: t.ID}, {kind: sessions, id: t.Session}, {kind: subjects, id: t.Subject}} {
		if e.id != "" && len(e.id) <= denylist.MaxID {
			asked = append(asked, e)
		}
	}
	if len(asked) == 0 {
		return false, nil
	}
	call, end := s.call(ctx)
	defer end()
	known, err := s.check(call, asked, t)
	if err != nil {
		return false, s.failed(ctx, err)
	}
	return known, nil
}

// check reports whether a live record with the key of one of the entries covers t.
func (s *Store) check(ctx context.Context, asked []entry, t denylist.Token) (bool, error) {
	if err := s.requests.take(ctx); err != nil {
		return false, err
	}
	defer s.requests.give()
	if s.recent != nil && !s.isReplaced(ctx, t.Subject) {
		found, err := s.judge(asked, s.askCache(ctx, asked), t)
		if !foreign(ctx, err) {
			return found, err
		}
	}
	return s.judge(asked, s.ask(ctx, asked), t)
}

// isReplaced reports whether the record of a subject may be another one now than the
// cache has, and no longer cover some session.
func (s *Store) isReplaced(ctx context.Context, subject string) bool {
	replaced, err := s.replaced.Revoked(ctx, denylist.Token{ID: subject})
	return replaced || err != nil
}

func (s *Store) ask(ctx context.Context, asked []entry) []rueidis.RedisResult {
	commands := make(rueidis.Commands, len(asked))
	for i, e := range asked {
		commands[i] = s.client.B().Get().Key(s.key(e.kind, e.id)).Build()
	}
	return s.client.DoMulti(ctx, commands...)
}

// askCache asks the cache, and Redis for what is not in it. The cache does not
// learn when records expire: they say it themselves.
func (s *Store) askCache(ctx context.Context, asked []entry) []rueidis.RedisResult {
	commands := make([]rueidis.CacheableTTL, len(asked))
	for i, e := range asked {
		commands[i] = rueidis.CT(s.client.B().Get().Key(s.key(e.kind, e.id)).Cache().ToStaticTTL(), s.cacheTTL)
	}
	return s.client.DoMultiCache(ctx, commands...)
}

// judge reports whether one of the answers is a record that counts and covers t.
func (s *Store) judge(asked []entry, answers []rueidis.RedisResult, t denylist.Token) (found bool, err error) {
	for i, answer := range answers {
		value, askErr := answer.ToString()
		if rueidis.IsRedisNil(askErr) {
			continue
		}
		e := asked[i]
		if askErr == nil && !e.parse(value) {
			askErr = fmt.Errorf("the key of a revocation (%s%s:) holds what pasetokit did not write", s.prefix, e.kind)
		}
		switch {
		case askErr != nil:
			err = askErr
		case s.over(e.until), !e.revocation().Covers(t):
		default:
			return true, nil
		}
	}
	return false, err
}

// remember makes Revoked know a revocation until the cache does.
func (s *Store) remember(ctx context.Context, e entry) {
	if s.recent == nil {
		return
	}
	r := e.revocation()
	if limit := s.now().Add(s.cacheTTL + 2*time.Second); r.Until.IsZero() || r.Until.After(limit) {
		r.Until = limit
	}
	// Nothing but an ended context can fail there.
	_ = s.recent.Revoke(ctx, r)
	if r.Except != "" {
		_ = s.replaced.Revoke(ctx, denylist.Revocation{TokenID: r.Subject, Until: r.Until})
	}
}
