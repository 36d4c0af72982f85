package redis_test

import (
	"testing"

	"github.com/pasetokit/pasetokit/denylist/denylisttest"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
)

// TestCluster runs the contract on a Redis Cluster, with every record acknowledged by a replica, and then stops the
// replicas.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	cfg := redis.Config{Addresses: cluster.Addrs(), MinReplicas: 1}
	t.Run("contract", func(t *testing.T) { denylisttest.Run(t, harness(cfg)) })
	t.Run("not replicated", func(t *testing.T) { testNotReplicated(t, cfg, cluster.Replicas()) })
}
