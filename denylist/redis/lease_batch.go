package redis

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
)

const (
	// Many leases go to Redis in chunks, few of them at a time: no other call
	// waits for long behind one, which keeps a server busy for some milliseconds.
	chunkLeases   = 256
	chunksAtATime = 4
)

// inChunks does something with leases, those of a key together, and gives it a
// Timeout for every chunk of them. It leaves the rest alone once a server is
// silent that has them all.
func (s *Store) inChunks(ctx context.Context, leases []denylist.Lease, do func(context.Context, [][]denylist.Lease) error) error {
	leases = slices.Clone(leases)
	slices.SortStableFunc(leases, func(a, b denylist.Lease) int { return strings.Compare(a.Key, b.Key) })
	chunks := make(chan []denylist.Lease, len(leases)/chunkLeases+1)
	for chunk := range slices.Chunk(leases, chunkLeases) {
		chunks <- chunk
	}
	close(chunks)

	var all sync.WaitGroup
	failures := make(chan error, chunksAtATime)
	for range min(chunksAtATime, len(chunks)) {
		all.Go(func() { failures <- s.drain(ctx, chunks, do) })
	}
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return s.leaseFailed(ctx, err)
		}
	}
	return nil
}

func (s *Store) drain(ctx context.Context, chunks <-chan []denylist.Lease, do func(context.Context, [][]denylist.Lease) error) error {
	var failure error
	for chunk := range chunks {
		if err := s.ready(ctx); err != nil {
			return err
		}
		call, end := s.call(ctx)
		err := do(call, byKey(chunk))
		end()
		if err == nil {
			continue
		}
		failure = err
		if _, answered := rueidis.IsRedisErr(err); !answered && !s.cluster {
			break
		}
	}
	return failure
}

// byKey cuts leases that are sorted by their keys.
func byKey(leases []denylist.Lease) [][]denylist.Lease {
	var parts [][]denylist.Lease
	for i, l := range leases {
		if i == 0 || l.Key != leases[i-1].Key {
			parts = append(parts, nil)
		}
		last := len(parts) - 1
		parts[last] = append(parts[last], l)
	}
	return parts
}

// doAll sends n commands in one round trip. The second form is for those that
// have not been carried out: the server did not know the script, or they shared
// the fate of another call.
func (s *Store) doAll(ctx context.Context, n int, command, second func(i int) rueidis.Completed) ([]rueidis.RedisResult, error) {
	if err := s.requests.take(ctx); err != nil {
		return nil, err
	}
	defer s.requests.give()
	commands := make(rueidis.Commands, n)
	for i := range commands {
		commands[i] = command(i)
	}
	results := s.client.DoMulti(ctx, commands...)
	var (
		again  []int
		repeat rueidis.Commands // the client may not be done with the others
	)
	for i, result := range results {
		refusal, refused := rueidis.IsRedisErr(result.Error())
		if refused && refusal.IsNoScript() || foreign(ctx, result.NonRedisError()) {
			again = append(again, i)
			repeat = append(repeat, second(i))
		}
	}
	for i, result := range s.client.DoMulti(ctx, repeat...) {
		results[again[i]] = result
	}
	return results, nil
}
