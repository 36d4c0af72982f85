package redis_test

import (
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
)

// TestValuesOfAnEarlierVersion stand alone, without their expiry, and may look as if
// they had one. They count for as long as their key lives.
func TestValuesOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	for _, value := range []string{"", "x", "7", "1577934245600 access refresh session", "1577934245600 access refresh "} {
		server.Command(t, "SET", "pasetokit:c:k", value, "PX", "3600000")
		if winner, first, err := store.Consume(t.Context(), "k", "new", time.Time{}); winner != value || first || err != nil {
			t.Errorf("Consume of %q = %q, %t, %v", value, winner, first, err)
		}
		if value == "" {
			continue
		}
		if current, advanced, err := store.Advance(t.Context(), "k", value, "new", time.Time{}); current != "new" || !advanced || err != nil {
			t.Errorf("Advance from %q = %q, %t, %v", value, current, advanced, err)
		}
	}
}
