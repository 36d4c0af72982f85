package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// runReplicated executes a script and waits until enough replicas have what it
// wrote. WAIT counts the replicas that have all that its own connection wrote, and
// blocks it; so both go over a connection that no other call uses.
func (s *Store) runReplicated(ctx context.Context, script script, key string, args []string) rueidis.RedisResult {
	if err := s.waits.take(ctx); err != nil {
		return rueidis.NewErrorResult(err)
	}
	defer s.waits.give()
	results := s.runWaiting(ctx, script, key, args)
	if results[0].Error() != nil {
		return results[0]
	}
	replicas, err := results[1].AsInt64()
	if err != nil {
		return rueidis.NewErrorResult(err)
	}
	if replicas < int64(s.minReplicas) {
		return rueidis.NewErrorResult(fmt.Errorf("%w: %d of %d", ErrNotReplicated, replicas, s.minReplicas))
	}
	return results[0]
}

// runWaiting returns the results of the script and of WAIT.
func (s *Store) runWaiting(ctx context.Context, script script, key string, args []string) []rueidis.RedisResult {
	if s.cluster {
		return s.runInCluster(ctx, script, key, args)
	}
	results := s.client.DoMulti(ctx, s.waiting(ctx, script, key, args)...)
	if foreign(ctx, results[0].NonRedisError()) {
		results = s.client.DoMulti(ctx, s.waiting(ctx, script, key, args)...)
	}
	return results
}

// waiting returns the script, as a whole since a server may not know it yet, and
// a WAIT that ends before ctx does.
func (s *Store) waiting(ctx context.Context, script script, key string, args []string) rueidis.Commands {
	left := s.timeout
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}
	left -= min(left/4, 100*time.Millisecond) // for the answer to arrive in time
	b := s.client.B()
	return rueidis.Commands{
		b.Eval().Script(script.source).Numkeys(1).Key(key).Arg(args...).Build(),
		b.Wait().Numreplicas(int64(s.minReplicas)).Timeout(max(left.Milliseconds(), 1)).Build(),
	}
}

// runInCluster does what runWaiting does on the primary that has the key. The
// client follows a redirection with the script alone, and WAIT would ask the
// wrong server; so it is followed here.
func (s *Store) runInCluster(ctx context.Context, script script, key string, args []string) []rueidis.RedisResult {
	conn, release := s.client.Dedicate()
	results := conn.DoMulti(ctx, s.waiting(ctx, script, key, args)...)
	if !s.start(release) { // it cleans the connection up, which takes a round trip
		release()
	}
	for ctx.Err() == nil {
		redirect, ok := rueidis.IsRedisErr(results[0].Error())
		if !ok {
			break
		}
		address, moved := redirect.IsMoved()
		asking := false
		if !moved {
			if address, asking = redirect.IsAsk(); !asking {
				break
			}
		}
		node, err := s.node(ctx, address, key)
		if err != nil {
			return []rueidis.RedisResult{rueidis.NewErrorResult(err), rueidis.NewErrorResult(err)}
		}
		commands := s.waiting(ctx, script, key, args)
		if asking {
			commands = append(rueidis.Commands{s.client.B().Asking().Build()}, commands...)
		}
		results = node.DoMulti(ctx, commands...)
		results = results[len(results)-2:]
	}
	return results
}

// node returns the client of the server at an address that another one named.
func (s *Store) node(ctx context.Context, address, key string) (rueidis.Client, error) {
	if node, ok := s.client.Nodes()[address]; ok {
		return node, nil
	}
	// It is new, and the client learns of it as soon as it is sent there.
	if err := s.client.Do(ctx, s.client.B().Exists().Key(key).Build()).Error(); err != nil {
		return nil, err
	}
	if node, ok := s.client.Nodes()[address]; ok {
		return node, nil
	}
	return nil, errors.New("the cluster names a server that is not there: " + strconv.Quote(address))
}
