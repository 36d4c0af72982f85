package redis_test

import (
	"testing"

	"github.com/pasetokit/pasetokit/denylist/denylisttest"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
)

// TestSentinel runs the suite on a primary that is found by asking Sentinels, all of which want passwords.
func TestSentinel(t *testing.T) {
	t.Parallel()
	_, _, cfg := startSentinel(t, 1)
	denylisttest.Run(t, harness(cfg))
}

// startSentinel starts a primary with replicas and three Sentinels.
func startSentinel(t *testing.T, replicas int) (*redistest.Server, *redistest.Sentinels, redis.Config) {
	t.Helper()
	const name, password, sentinelPassword = "denylist", "horse", "staple"
	// Whoever becomes the primary must be followed with the password as well.
	args := []string{"--requirepass", password, "--masterauth", password}
	primary := redistest.Start(t, args...)
	for range replicas {
		redistest.StartReplica(t, primary, args...)
	}
	sentinels := redistest.StartSentinel(t, primary, name, 3, "requirepass "+sentinelPassword)
	return primary, sentinels, redis.Config{
		Addresses:        sentinels.Addrs(),
		SentinelMaster:   name,
		Password:         password,
		SentinelPassword: sentinelPassword,
		MinReplicas:      1,
	}
}
