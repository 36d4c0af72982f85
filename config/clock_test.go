package config_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestWithClock opens every store with a clock that stands in another year, and moves
// it: tokens and revocations last by that clock, and sockets end by it.
func TestWithClock(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T, *config.Config){
		"memory": func(*testing.T, *config.Config) {},
		"bolt": func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Denylist.Store, config.BoltOf(c).Path = "bolt", filepath.Join(t.TempDir(), "revoked.db")
		},
		"redis": func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Denylist.Store, config.RedisOf(c).Addresses, config.RedisOf(c).Timeout = "redis", []string{redistest.Start(t).Addr()}, time.Minute
		},
	} {
		for _, year := range []int{2001, 2101} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				clock := testclock.New(time.Date(year, 2, 3, 4, 5, 6, 0, time.UTC))
				d := guarded(t, func(c *config.Config) {
					change(t, c)
					c.WebSocket.CloseTimeout = time.Minute
				}, config.WithClock(clock.Now))
				ws := d.enter(t, "alice")
				wantOpen(t, ws)

				lasting, _ := issue(t, d.kit, "alice")
				revoked, claims := issue(t, d.kit, "bob")
				if want := clock.Now().Add(15 * time.Minute); !claims.ExpiresAt.Equal(want) {
					t.Errorf("a token expires at %s, want %s", claims.ExpiresAt, want)
				}
				check(t, d.kit.Authorizer.Revoke(t.Context(), claims))
				clock.Advance(14 * time.Minute)
				wantVerdict(t, d.kit, lasting, nil)
				wantVerdict(t, d.kit, revoked, paseto.ErrRevoked)
				clock.Advance(time.Minute)
				wantVerdict(t, d.kit, lasting, paseto.ErrExpired)
				check(t, d.kit.Keeper.Recheck(t.Context()))
				wantClosed(t, ws, wsauth.ClosePolicyViolation, paseto.ErrExpired)
			})
		}
	}
}
