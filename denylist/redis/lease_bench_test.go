package redis_test

import (
	"fmt"
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
)

// BenchmarkLease acquires a lease and releases it, beside others of its key.
func BenchmarkLease(b *testing.B) {
	s := openStore(b, redis.Config{Addresses: []string{redistest.Start(b).Addr()}})
	for _, others := range []int{0, 10, 5000} {
		b.Run(fmt.Sprint(others, " others"), func(b *testing.B) {
			key := fmt.Sprint(others)
			crowd := make([]denylist.Lease, others)
			for i := range crowd {
				crowd[i] = lease(key, fmt.Sprint("other ", i))
			}
			wantLost(b, s, crowd, others+1)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				l := lease(key, fmt.Sprint(i))
				if ok, err := s.Acquire(b.Context(), denylist.Acquisition{Lease: l, Limit: others + 1, TTL: long}); err != nil || !ok {
					b.Fatalf("Acquire = %t, %v", ok, err)
				}
				if err := s.Release(b.Context(), l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLeaseRenew renews 10,000 leases at once. One round is one lease.
func BenchmarkLeaseRenew(b *testing.B) {
	const n = 10_000
	for _, perKey := range []int{1, 5, n} {
		b.Run(fmt.Sprint(perKey, " per key"), func(b *testing.B) {
			s := openStore(b, redis.Config{Addresses: []string{redistest.Start(b).Addr()}})
			leases := make([]denylist.Lease, n)
			for i := range leases {
				leases[i] = lease(fmt.Sprint(i/perKey), fmt.Sprint(i))
			}
			wantLost(b, s, leases, perKey)
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= n {
				wantLost(b, s, leases[:min(left, n)], perKey)
			}
		})
	}
}
