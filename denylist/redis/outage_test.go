package redis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// TestRestart kills a server that keeps its data, under load. While it is away nothing passes for valid; when it is back
// everything goes on by itself.
func TestRestart(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	cfg := redis.Config{Addresses: []string{server.Addr()}}
	store, peer := openStore(t, cfg), openStore(t, cfg)
	events := startWatch(t, store)
	for range 2 { // the second answer may come from a cache
		wantRevoked(t, store, "cached", false)
	}

	load := startLoad(t, store, peer)
	awaitEvent(t, events, "the load revokes", func(e denylist.Event) bool { return e.Revocation.TokenID == "0/50" })
	server.Kill()
	testtool.Eventually(t, "the store fails", func() bool {
		_, err := store.Revoked(t.Context(), denylist.Token{ID: "cached"})
		return err != nil
	})
	for range 100 {
		if _, err := store.Revoked(t.Context(), denylist.Token{ID: "cached"}); !errors.Is(err, denylist.ErrUnavailable) {
			t.Fatalf("Revoked = %v while Redis is away, want an error that wraps ErrUnavailable", err)
		}
	}
	wantUnavailable(t, store)

	server.Restart()
	testtool.Eventually(t, "the store works again", func() bool { return works(t, store, "again") })
	awaitEvent(t, events, "events were missed", func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
	revoke(t, peer, "news")
	awaitEvent(t, events, "what is revoked now", func(e denylist.Event) bool { return e.Revocation.TokenID == "news" })

	load.end()
	fresh := openStore(t, cfg)
	load.verifyRevoked(store, peer, fresh)
	load.verifyConsumed(store, peer, fresh)
}

// TestCut cuts one store off while another revokes what the first has cached as valid.
func TestCut(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	far := openStore(t, redis.Config{Addresses: []string{proxy.Addr()}})
	near := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	events := startWatch(t, far)

	for round := range 3 {
		var ids []string
		for i := range 50 {
			id := fmt.Sprintf("%d/%d", round, i)
			ids = append(ids, id)
			for range 2 {
				wantRevoked(t, far, id, false)
			}
		}
		proxy.Cut()
		for _, id := range ids {
			revoke(t, near, id)
		}
		testtool.Eventually(t, "the store notices", func() bool {
			_, err := far.Revoked(t.Context(), denylist.Token{ID: ids[0]})
			return errors.Is(err, denylist.ErrUnavailable)
		})
		proxy.Restore()
		for _, id := range ids {
			testtool.Eventually(t, "an answer comes", func() bool {
				revoked, err := far.Revoked(t.Context(), denylist.Token{ID: id})
				if err == nil && !revoked {
					t.Fatalf("token %s passes for valid after a reconnection", id)
				}
				return err == nil
			})
		}
		awaitEvent(t, events, "events were missed", func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
		news := fmt.Sprintf("%d/news", round)
		revoke(t, near, news)
		awaitEvent(t, events, "what is revoked now", func(e denylist.Event) bool { return e.Revocation.TokenID == news })
	}
}

// TestSilence tries connections over which nothing comes any more, with Redis hung or the network gone: calls end in
// time, nothing is answered from the cache for long, and all is well when the silence is over.
func TestSilence(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		start func(server *redistest.Server, proxy *redistest.Proxy)
		end   func(server *redistest.Server, proxy *redistest.Proxy)
	}{
		{
			"server hung",
			func(s *redistest.Server, _ *redistest.Proxy) { s.Pause() },
			func(s *redistest.Server, _ *redistest.Proxy) { s.Resume() },
		},
		{
			"network gone",
			func(_ *redistest.Server, p *redistest.Proxy) { p.Hang() },
			func(_ *redistest.Server, p *redistest.Proxy) { p.Restore() },
		},
		{
			"network gone, then cut",
			func(_ *redistest.Server, p *redistest.Proxy) { p.Hang() },
			func(_ *redistest.Server, p *redistest.Proxy) { p.Cut(); p.Restore() },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			proxy := redistest.StartProxy(t, server.Addr())
			cfg := redis.Config{Addresses: []string{proxy.Addr()}, Timeout: hasty}
			store := openStore(t, cfg)
			events := startWatch(t, store)
			for range 2 {
				wantRevoked(t, store, "cached", false)
			}

			test.start(server, proxy)
			wantUnavailable(t, store)
			testtool.Eventually(t, "the cache knows nothing any more", func() bool {
				_, err := store.Revoked(t.Context(), denylist.Token{ID: "cached"})
				return errors.Is(err, denylist.ErrUnavailable)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := store.Revoke(ctx, denylist.Revocation{TokenID: "x"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Revoke = %v after its context has ended, want context.DeadlineExceeded", err)
			}
			err := bounded(t, func() error {
				s, err := redis.Open(t.Context(), cfg)
				if err == nil {
					s.Close()
				}
				return err
			})
			if !errors.Is(err, denylist.ErrUnavailable) {
				t.Errorf("Open = %v, want an error that wraps ErrUnavailable", err)
			}

			test.end(server, proxy)
			testtool.Eventually(t, "the store works again", func() bool { return works(t, store, "again") })
			other := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
			testtool.Eventually(t, "the watch works again", func() bool {
				revoke(t, other, "news")
				select {
				case e := <-events:
					return e.Revocation.TokenID == "news"
				default:
					return false
				}
			})
			testtool.Eventually(t, "what another store revoked is revoked", func() bool {
				revoked, err := store.Revoked(t.Context(), denylist.Token{ID: "news"})
				return err == nil && revoked
			})
		})
	}
}

// TestCacheTTL leaves a store without news for less than it takes to give its connection up.
func TestCacheTTL(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.Start(t).Addr())
	store := openStore(t, redis.Config{
		Addresses: []string{proxy.Addr()}, CacheTTL: 500 * time.Millisecond, Timeout: patience,
	})
	ask := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := store.Revoked(ctx, denylist.Token{ID: "cached"})
		return err
	}
	testtool.Eventually(t, "an answer comes", func() bool { return ask() == nil })
	proxy.Hang()
	defer proxy.Restore()
	testtool.Eventually(t, "the answer is not repeated any more", func() bool { return ask() != nil })
}
