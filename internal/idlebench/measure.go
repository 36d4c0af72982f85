package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/pasetokit/pasetokit/paseto"
)

const (
	// warmUp is how many connections a server has had before it is measured,
	// so that what is made once counts for no connection.
	warmUp = 200
	// perAddress is how many connections go to one address of a server: fewer
	// than the ports that a client has for each.
	perAddress = 10_000
)

// measureAll returns what the idle connections of every kind of server cost, all
// together: of several rounds the median.
func measureAll(ctx context.Context, opts options) (map[string]memory, error) {
	rounds := make(map[string][]memory)
	for range opts.rounds {
		for _, k := range kinds {
			cost, err := measureKind(ctx, k, opts)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k.name, err)
			}
			rounds[k.name] = append(rounds[k.name], cost)
		}
	}
	costs := make(map[string]memory)
	for name, all := range rounds {
		costs[name] = median(all)
	}
	return costs, nil
}

// measureKind does so for one kind.
func measureKind(ctx context.Context, k kind, opts options) (memory, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	args := []string{k.name}
	if opts.profiles != "" {
		args = append(args, filepath.Join(opts.profiles, k.name+".heap"))
	}
	server, err := startChild(ctx, fail, roleServer, args...)
	if err != nil {
		return memory{}, err
	}
	defer server.end()
	client, err := startChild(ctx, fail, roleClient)
	if err != nil {
		return memory{}, err
	}
	defer client.end()

	key := paseto.NewLocalKey().Export()
	listening, err := server.ask(ctx, order{Do: doListen, Key: key, Addresses: 1 + opts.connections/perAddress})
	if err != nil {
		return memory{}, err
	}
	open := order{Do: doOpen, Targets: listening.Targets}
	if k.tokens {
		open.Key = key
	}
	with := func(connections int) (memory, error) {
		open.Connections = connections
		if _, err := client.ask(ctx, open); err != nil {
			return memory{}, err
		}
		r, err := server.ask(ctx, order{Do: doMeasure, Connections: connections})
		return r.Memory, err
	}

	if _, err := with(warmUp); err != nil {
		return memory{}, err
	}
	if _, err := client.ask(ctx, order{Do: doClose}); err != nil {
		return memory{}, err
	}
	before, err := server.ask(ctx, order{Do: doMeasure})
	if err != nil {
		return memory{}, err
	}
	after, err := with(opts.connections)
	if err == nil {
		err = context.Cause(ctx) // a connection may have been lost since
	}
	return after.minus(before.Memory), err
}
