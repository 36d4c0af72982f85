package bolt_test

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

// BenchmarkRevoke makes records one after the other, and many at a time.
func BenchmarkRevoke(b *testing.B) {
	until := time.Now().Add(time.Hour)
	b.Run("sequential", func(b *testing.B) {
		s := open(b, file(b))
		i := 0
		for b.Loop() {
			i++
			if err := s.Revoke(b.Context(), denylist.Revocation{TokenID: fmt.Sprintf("%026d", i), Until: until}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, callers := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, file(b))
			var next atomic.Int64
			b.ResetTimer()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if err := s.Revoke(b.Context(), denylist.Revocation{TokenID: fmt.Sprintf("%026d", i), Until: until}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkMillion opens and asks a store with a million live revocations.
func BenchmarkMillion(b *testing.B) {
	path := fill(b)
	b.Run("Open", func(b *testing.B) {
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			s, err := bolt.Open(b.Context(), bolt.Config{Path: path})
			if err != nil {
				b.Fatal(err)
			}
			closed(b, s)
		}
		b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
	})
	b.Run("Revoked", func(b *testing.B) {
		s := open(b, path)
		token := denylist.Token{ID: "none", Session: "none", Subject: "none"}
		for b.Loop() {
			if revoked, err := s.Revoked(b.Context(), token); revoked || err != nil {
				b.Fatal(revoked, err)
			}
		}
	})
}

// fill makes a file with a million records, in the order in which identifiers
// come, which is none.
func fill(b *testing.B) (path string) {
	b.Helper()
	path = formatOne(b, 1)
	until := time.Now().Add(24 * time.Hour).Unix()
	for i := range 100 {
		inDatabase(b, path, func(tx *bbolt.Tx) error {
			for j := range 10_000 {
				id := fmt.Sprintf("%026d", uint64(10_000*i+j+1)*0x9E3779B97F4A7C15)
				if err := (rawRecord{"tokens", id, []any{until}}).put(tx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return path
}
