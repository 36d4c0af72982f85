package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

// The values of denylist.store that this program treats in a way of their own.
const (
	storeOfProgram = ""
	storeMemory    = "memory"
	storeBolt      = "bolt"
)

// withoutDenylist turns revocation off, for a command that does not ask the
// denylist. Tickets, which need one, go with it.
func withoutDenylist(cfg *config.Config) {
	cfg.Denylist.Enabled = false
	cfg.WebSocket.Locations = config.Default().WebSocket.Locations
}

// outOfReach says why nobody but a running server knows the denylist; nil if
// others can open it.
func outOfReach(cfg *config.Config) error {
	problem := config.Problem{Key: "denylist.store", Value: cfg.Denylist.Store}
	switch {
	case !cfg.Denylist.Enabled:
		problem = config.Problem{Key: "denylist.enabled", Value: "false", Rule: "there is no denylist, and nobody would look a revocation up"}
	case cfg.Denylist.Store == storeMemory:
		problem.Rule = "it is known to the running server alone, which alone can revoke; use redis, or bolt while no server runs"
	case cfg.Denylist.Store == storeOfProgram:
		problem.Rule = "is empty; the program that brings the store alone can revoke"
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
	path := cfg.Denylist.Path
	if cfg.Denylist.Enabled && cfg.Denylist.Store == storeBolt {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("denylist.path: %w; a server makes it, and a relative path counts from the working directory", err)
		}
	}
	kit, err := a.open(ctx, cfg, opts...)
	if errors.Is(err, bolt.ErrLocked) {
		return nil, fmt.Errorf("denylist.path: %s is in use; %s", path, inUse)
	}
	return kit, err
}
