package holders

import (
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// BenchmarkRevocation measures the time from the revocation of a session at one node to the end that a client of another
// one sees. It fails if the median is not below 100 ms.
func BenchmarkRevocation(b *testing.B) {
	const rounds = 200
	redis := redistest.Start(b).Addr()
	here, there := startNode(b, redis, live.Config{}), startNode(b, redis, live.Config{})
	for _, k := range kinds {
		b.Run(k.name[1:], func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				for range rounds {
					session := rand.Text()
					c := k.joins(b, there, alice(session))
					began := time.Now()
					if err := here.auth.RevokeSession(b.Context(), session); err != nil {
						b.Fatal(err)
					}
					told := testtool.Await(b, c.ended, "the right ends")
					took = append(took, time.Since(began))
					if told != k.end(paseto.ErrRevoked) {
						b.Fatalf("the client is told %q", told)
					}
				}
			}
			slices.Sort(took)
			median := took[len(took)/2]
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(median.Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			if median >= 100*time.Millisecond {
				b.Errorf("the median is %s", median)
			}
		})
	}
}
