package redis_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
)

func TestNotReplicatedIsUnavailable(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("redis: %w", redis.ErrNotReplicated)
	if !errors.Is(err, redis.ErrNotReplicated) || !errors.Is(err, denylist.ErrUnavailable) || errors.Is(err, denylist.ErrClosed) {
		t.Errorf("%v is not ErrNotReplicated and ErrUnavailable alone", err)
	}
	if got, want := redis.ErrNotReplicated.Error(), "denylist: store is unavailable: redis: too few replicas have the record"; got != want {
		t.Errorf("it reads %q, want %q", got, want)
	}
}
