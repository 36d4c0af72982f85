package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pasetokit/pasetokit/config"
	boltconfig "github.com/pasetokit/pasetokit/config/bolt"
	_ "github.com/pasetokit/pasetokit/config/redis" // denylist.store: redis
	"github.com/pasetokit/pasetokit/denylist/bolt"
	"github.com/pasetokit/pasetokit/internal/settings"
)

// The values of denylist.store that this program treats in a way of their own.
const (
	storeMemory    = "memory"
	storeBolt      = "bolt"
	storeOfProgram = "program"
)

// storeOf returns the name of the store.
func storeOf(cfg *config.Config) string {
	named := config.Denylist{Store: cfg.Denylist.Store}
	settings.SetDefaults(&named)
	return named.Store
}

// withoutDenylist turns revocation off, for a command that does not ask the
// denylist. Tickets, which need one, go with it.
func withoutDenylist(cfg *config.Config) {
	cfg.Denylist.Disabled = true
	cfg.WebSocket.Locations = nil
}

// outOfReach says why nobody but a running server knows the denylist; nil if
// others can open it.
func outOfReach(cfg *config.Config) error {
	problem := config.Problem{Key: "denylist.store", Value: storeOf(cfg)}
	switch {
	case cfg.Denylist.Disabled:
		problem = config.Problem{Key: "denylist.disabled", Value: "true", Rule: "there is no denylist, and nobody would look a revocation up"}
	case storeOf(cfg) == storeMemory:
		problem.Rule = "it is known to the running server alone, which alone can revoke; use redis, or bolt while no server runs"
	case storeOf(cfg) == storeOfProgram:
		problem.Rule = "the program that brings the store alone can revoke"
	default:
		return nil
	}
	return &config.Error{Problems: []config.Problem{problem}}
}

// openShared opens a configuration whose denylist is within reach, or turned off.
// If a server has it to itself, the error ends with what to do about that.
//
// A file is not made here: with a path that is wrong it would be another one
// than the server's, and what is in it would count for nothing.
func (a *app) openShared(ctx context.Context, cfg *config.Config, inUse string, opts ...config.Option) (*config.Kit, error) {
	var path string
	if of, ok := cfg.Denylist.Bolt.(*boltconfig.Settings); ok && !cfg.Denylist.Disabled && storeOf(cfg) == storeBolt {
		path = of.Path
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("denylist.bolt.path: %w; a server makes it, and a relative path counts from the working directory", err)
		}
	}
	kit, err := a.open(ctx, cfg, opts...)
	if errors.Is(err, bolt.ErrLocked) {
		return nil, fmt.Errorf("denylist.bolt.path: %s is in use; %s", path, inUse)
	}
	return kit, err
}
