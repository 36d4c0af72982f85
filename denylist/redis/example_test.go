package redis_test

import (
	"context"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
)

func ExampleOpen() {
	ctx := context.Background()
	store, err := redis.Open(ctx, redis.Config{Addresses: []string{"redis.internal:6379"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	err = store.Revoke(ctx, denylist.Revocation{Session: "login-1", Until: time.Now().Add(time.Hour)})
	if err != nil {
		fmt.Println(err)
		return
	}
	revoked, err := store.Revoked(ctx, denylist.Token{ID: "token-7", Session: "login-1", Subject: "alice"})
	fmt.Println(revoked, err)
}

// A primary with a standby replica, and Sentinels that replace it when it fails.
// A revocation counts once a replica has it.
func ExampleOpen_sentinel() {
	store, err := redis.Open(context.Background(), redis.Config{
		Addresses:      []string{"sentinel-1:26379", "sentinel-2:26379", "sentinel-3:26379"},
		SentinelMaster: "mymaster",
		MinReplicas:    1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(store.Close())
}
