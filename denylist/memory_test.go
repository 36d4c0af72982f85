package denylist_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/denylisttest"
	"github.com/pasetokit/pasetokit/internal/testclock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that tests move by hand.
type clock = testclock.Clock

func newClock() *clock {
	return testclock.New(time.Date(2030, 1, 2, 3, 4, 5, 600_000_000, time.UTC))
}

func TestMemory(t *testing.T) {
	c := newClock()
	denylisttest.Run(t, denylisttest.Harness{
		Open:    func(testing.TB) denylist.Store { return denylist.NewMemory(denylist.WithClock(c.Now)) },
		Now:     c.Now,
		Advance: c.Advance,
	})
}

// TestMemoryWallClock runs the suite as a store without a clock of its own
// would be run.
func TestMemoryWallClock(t *testing.T) {
	t.Parallel()
	denylisttest.Run(t, denylisttest.Harness{
		Open: func(testing.TB) denylist.Store { return denylist.NewMemory() },
	})
}

// TestMemorySweep checks that expired records leave the memory, and that live
// ones stay however many there are.
func TestMemorySweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testMemorySweep)
}

func testMemorySweep(t *testing.T) {
	store := denylist.NewMemory()
	defer store.Close()
	ctx := t.Context()

	const n = 20_000
	for i := range n {
		id := fmt.Sprint(i)
		err := errors.Join(
			store.Revoke(ctx, denylist.Revocation{TokenID: id, Until: time.Now().Add(time.Minute)}),
			store.Revoke(ctx, denylist.Revocation{Session: id, Until: time.Now().Add(time.Minute)}),
			store.Revoke(ctx, denylist.Revocation{Subject: id, IssuedBefore: time.Now(), Until: time.Now().Add(time.Minute)}),
		)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := store.Consume(ctx, id, "", time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if got := store.Len(); got != 4*n {
		t.Fatalf("Len = %d with %d live records", got, 4*n)
	}

	time.Sleep(2 * time.Minute)
	for i := range 5_000 { // enough to reach every shard
		if err := store.Revoke(ctx, denylist.Revocation{TokenID: "new" + fmt.Sprint(i), Until: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := store.Len(); got != 5_000 {
		t.Errorf("Len = %d after all but 5000 records expired", got)
	}
}

// TestMemoryWatchGap: a watcher that does not keep up is told that it missed
// records, and the store does not keep them all for it.
func TestMemoryWatchGap(t *testing.T) {
	t.Parallel()
	store := denylist.NewMemory()
	ctx, cancel := context.WithCancel(t.Context())
	entered, release := make(chan struct{}), make(chan struct{})
	var seen []denylist.Event
	ended := make(chan error)
	go func() {
		ended <- store.Watch(ctx, func(e denylist.Event) {
			if len(seen) == 0 {
				close(entered)
				<-release
			}
			seen = append(seen, e)
			if e.Revocation.TokenID == "last" {
				cancel()
			}
		})
	}()
	<-entered
	const n = 10_000
	for i := range n {
		if err := store.Revoke(t.Context(), denylist.Revocation{TokenID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	close(release)
	if err := store.Revoke(t.Context(), denylist.Revocation{TokenID: "last"}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("Watch = %v", err)
	}
	missed := 0
	for _, e := range seen[1:] {
		if e.Kind == denylist.EventMissed {
			missed++
		}
	}
	if missed == 0 || len(seen) > n/2 {
		t.Errorf("of %d records the slow watcher was told %d, and %d times that some were missed", n, len(seen), missed)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// BenchmarkMemoryRevoked asks a store with a million live revocations, half of
// tokens and half of sessions, for tokens that are not revoked and for tokens
// that are. B/record is what the heap grew by.
func BenchmarkMemoryRevoked(b *testing.B) {
	store := denylist.NewMemory()
	defer store.Close()
	ctx, until := context.Background(), time.Now().Add(time.Hour)
	const n = 1_000_000
	before := heap()
	for i := range n {
		r := denylist.Revocation{TokenID: fmt.Sprintf("%026d", i), Until: until}
		if i%2 == 1 {
			r = denylist.Revocation{Session: fmt.Sprintf("%026d", i), Until: until}
		}
		if err := store.Revoke(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
	perRecord := float64(heap()-before) / n
	for _, bench := range []struct {
		name  string
		first int
		want  bool
	}{{"valid", n, false}, {"revoked", 0, true}} {
		tokens := make([]denylist.Token, 1<<12)
		for i := range tokens {
			tokens[i] = denylist.Token{
				ID: fmt.Sprintf("%026d", bench.first+2*i), Session: fmt.Sprintf("%026d", 2*i),
				Subject: fmt.Sprint("user", i), IssuedAt: until,
			}
		}
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				if revoked, err := store.Revoked(ctx, tokens[i%len(tokens)]); revoked != bench.want || err != nil {
					b.Fatal(revoked, err)
				}
			}
			b.ReportMetric(perRecord, "B/record")
		})
	}
}

// heap returns the bytes in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func ExampleMemory() {
	store := denylist.NewMemory()
	defer store.Close()
	ctx := context.Background()

	err := store.Revoke(ctx, denylist.Revocation{Session: "login-1", Until: time.Now().Add(time.Hour)})
	if err != nil {
		fmt.Println(err)
		return
	}
	revoked, err := store.Revoked(ctx, denylist.Token{ID: "token-7", Session: "login-1", Subject: "alice"})
	fmt.Println(revoked, err)
	// Output: true <nil>
}
