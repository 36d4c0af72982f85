package throttle_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func BenchmarkAllow(b *testing.B) {
	b.Run("one key", func(b *testing.B) {
		table := newTable(1<<30, time.Now)
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := table.Allow(key(1)); !ok {
				b.Fatal("refused")
			}
		}
	})
	b.Run("refused", func(b *testing.B) {
		table := newTable(1, newClock().Now)
		table.Allow(key(1))
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := table.Allow(key(1)); ok {
				b.Fatal("allowed")
			}
		}
	})
	b.Run("many keys", func(b *testing.B) { // of which each is new, and another forgotten
		table := newTable(10, time.Now)
		n := 0
		b.ReportAllocs()
		for b.Loop() {
			n++
			table.Allow(key(n))
		}
	})
	b.Run("parallel", func(b *testing.B) {
		table := newTable(10, time.Now)
		var goroutines atomic.Int64
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			first := int(goroutines.Add(1)) * 1000
			for n := 0; pb.Next(); n++ {
				table.Allow(key(first + n%1000))
			}
		})
	})
}

func BenchmarkBegin(b *testing.B) {
	for _, bench := range []struct {
		name string
		seen bool // the key has failed before
	}{
		{"new key", false},
		{"seen key", true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			table := newTable(10, newClock().Now)
			begin(b, table, key(1))(bench.seen)
			b.ReportAllocs()
			for b.Loop() {
				end, _, ok := table.Begin(key(1))
				if !ok {
					b.Fatal("refused")
				}
				end(false)
			}
		})
	}
}

// BenchmarkMemory fills a table with as many keys as it remembers. On 64 bits
// each costs about 290 bytes, which makes 19 MB.
func BenchmarkMemory(b *testing.B) {
	const keys = 1 << 16
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := heap()
		table := newTable(10, newClock().Now)
		for n := range 2 * keys { // more than there is room for
			table.Allow(key(n))
		}
		b.ReportMetric(float64(heap()-before)/keys, "B/key")
		runtime.KeepAlive(table)
	}
}
