package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/config/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
)

// withRedis returns a configuration whose denylist is the Redis at addr. It is
// patient: tests share their machine.
func withRedis(addr string, change func(*redis.Settings)) *config.Config {
	return with(func(c *config.Config) {
		c.Denylist.Store, config.RedisOf(c).Addresses = "redis", []string{addr}
		config.RedisOf(c).Timeout = 20 * time.Second
		change(config.RedisOf(c))
	})
}

// TestRedis revokes with one kit what another has verified.
func TestRedis(t *testing.T) {
	t.Parallel()
	const password = "open sesame"
	server := redistest.Start(t, "--requirepass", password)
	one := open(t, withRedis(server.Addr(), func(r *redis.Settings) { r.Password = paseto.NewSecret(password) }))
	two := open(t, withRedis(server.Addr(), func(r *redis.Settings) { r.PasswordFile = keyFile(t, password+"\r\n") }))
	apart := map[string]*config.Kit{
		"prefix":   open(t, withRedis(server.Addr(), func(r *redis.Settings) { r.Password, r.Prefix = paseto.NewSecret(password), "apart:" })),
		"database": open(t, withRedis(server.Addr(), func(r *redis.Settings) { r.Password, r.Database = paseto.NewSecret(password), 1 })),
	}
	token, claims := issue(t, one, "alice")
	for _, kit := range []*config.Kit{one, two, apart["prefix"], apart["database"]} {
		wantVerdict(t, kit, token, nil)
	}
	check(t, one.Authorizer.RevokeSession(t.Context(), claims.Session))
	wantVerdict(t, one, token, paseto.ErrRevoked)
	testtool.Eventually(t, "the other kit has heard of it", func() bool {
		_, err := two.Authorizer.Verify(t.Context(), token, paseto.Requirement{})
		return errors.Is(err, paseto.ErrRevoked)
	})
	for name, kit := range apart {
		if _, err := kit.Authorizer.Verify(t.Context(), token, paseto.Requirement{}); err != nil {
			t.Errorf("a kit with another %s has heard of it: %v", name, err)
		}
	}
	if keys := server.Command(t, "KEYS", "*"); !strings.HasPrefix(keys, "pasetokit:") {
		t.Errorf("the keys in database 0 are %q, want all with the prefix pasetokit:", keys)
	}
	check(t, two.Close())
	wantVerdict(t, open(t, withRedis(server.Addr(), func(r *redis.Settings) { r.Password = paseto.NewSecret(password) })), token, paseto.ErrRevoked)
}
