package redis_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
)

// BenchmarkPropagation measures how long it takes from the call of Revoke on one store until another, which has cached
// that the token is valid, says that it is revoked. One round is one revocation.
func BenchmarkPropagation(b *testing.B) {
	cfg := redis.Config{Addresses: []string{redistest.Start(b).Addr()}}
	here, there := openStore(b, cfg), openStore(b, cfg)
	rounds := max(b.N, 200)
	took := make([]time.Duration, rounds)
	b.ResetTimer()
	for i := range took {
		id := fmt.Sprintf("%d/%d", b.N, i)
		for range 2 {
			wantRevoked(b, there, id, false)
		}
		begun := time.Now()
		revoke(b, here, id)
		for revoked := false; !revoked; {
			var err error
			if revoked, err = there.Revoked(b.Context(), denylist.Token{ID: id}); err != nil {
				b.Fatal(err)
			}
		}
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[rounds/2]), "median-ms")
	b.ReportMetric(milliseconds(took[rounds*99/100]), "p99-ms")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// BenchmarkRevoked asks for tokens with an id, a session and a subject. Beside it stands what a store could do at best
// that asks Redis for the same three keys every time.
func BenchmarkRevoked(b *testing.B) {
	server := redistest.Start(b)
	token := func(i int) denylist.Token {
		id := fmt.Sprint(i)
		return denylist.Token{ID: id, Session: id, Subject: id, IssuedAt: time.Unix(1, 0)}
	}
	for _, bench := range []struct {
		name  string
		ttl   time.Duration
		token func(i int) denylist.Token
	}{
		{"warm", 0, func(i int) denylist.Token { return token(i % 1000) }},
		{"cold", 0, token},
		{"NoCache", redis.NoCache, token},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := openStore(b, redis.Config{Addresses: []string{server.Addr()}, CacheTTL: bench.ttl, Prefix: bench.name})
			tokens := make([]denylist.Token, max(b.N, 1000))
			for i := range tokens {
				tokens[i] = bench.token(i)
			}
			if bench.name == "warm" {
				ask(b, s, tokens[:1000])
			}
			b.ReportAllocs()
			b.ResetTimer()
			ask(b, s, tokens[:b.N])
		})
	}
	b.Run("plain GETs", func(b *testing.B) {
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}, DisableCache: true})
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			get := func(kind string) rueidis.Completed {
				return client.B().Get().Key(fmt.Sprint(kind, i)).Build()
			}
			for _, reply := range client.DoMulti(b.Context(), get("token:"), get("session:"), get("subject:")) {
				if err := reply.Error(); err != nil && !rueidis.IsRedisNil(err) {
					b.Fatal(err)
				}
			}
		}
	})
}

func ask(b *testing.B, s *redis.Store, tokens []denylist.Token) {
	b.Helper()
	for _, token := range tokens {
		if revoked, err := s.Revoked(b.Context(), token); err != nil || revoked {
			b.Fatalf("Revoked = %t, %v", revoked, err)
		}
	}
}

// BenchmarkConsume uses up a key each time.
func BenchmarkConsume(b *testing.B) {
	s := openStore(b, redis.Config{Addresses: []string{redistest.Start(b).Addr()}})
	until := time.Now().Add(time.Hour)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, first, err := s.Consume(b.Context(), fmt.Sprint(i), "value", until); err != nil || !first {
			b.Fatalf("Consume = %t, %v", first, err)
		}
	}
}
