package clientaddr_test

import (
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
)

// BenchmarkFind finds clients as they usually come, and as some would like to:
// neither the length of a header nor the number of its entries has a price.
func BenchmarkFind(b *testing.B) {
	f := clientaddr.New(prefixes(b, "10.0.0.0/8", "fd00::/8", "192.0.2.0/24"))
	for _, bench := range []struct {
		name  string
		lines []string
	}{
		{"direct", nil},
		{"proxy", []string{"198.51.100.7"}},
		{"proxies", []string{"203.0.113.9, 198.51.100.7:567, 10.0.0.3", "[fd00::2]:5"}},
		{"unknown", []string{"203.0.113.9, unknown, 10.0.0.2"}},
		{"commas=1MB", []string{strings.Repeat(",", 1<<20)}},
		{"entry=1MB", []string{strings.Repeat("x", 1<<20)}},
		{"proxies=1MB", []string{strings.Repeat("10.0.0.2,", 1<<20/9) + "10.0.0.2"}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := request("10.0.0.1:1234", bench.lines...)
			b.ReportAllocs()
			for b.Loop() {
				if a := f.Find(r); !clientaddr.Bucket(a).IsValid() {
					b.Fatal(a)
				}
			}
		})
	}
}
