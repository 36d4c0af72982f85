package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
)

// Rights yields the open rights of this process, in no order. Rights that are opened or end
// meanwhile may be among them. Rights of other processes are not known.
func (k *Keeper) Rights() iter.Seq[*Right] {
	return func(yield func(*Right) bool) {
		k.rights.walk(func(r *Right) bool { return !k.rights.isOpen(r) || yield(r) })
	}
}

// RightsOf yields the open rights of a subject in this process, the oldest first.
func (k *Keeper) RightsOf(subject string) iter.Seq[*Right] {
	return func(yield func(*Right) bool) {
		for _, r := range k.rights.openOf(bySubject, subject) {
			if !yield(r) {
				return
			}
		}
	}
}

// Done returns a channel that is closed when [Keeper.Shutdown] begins.
func (k *Keeper) Done() <-chan struct{} { return k.rights.done }

// Server is what a shutdown ends together with the rights, such as a [net/http.Server].
type Server interface {
	// Shutdown returns when the server has answered its requests, or when ctx ends.
	Shutdown(ctx context.Context) error
	// Close cuts the requests that are left.
	Close() error
}

// Shutdown ends all rights and shuts down the servers in front of them, at the same time. So
// a slow request does not delay the end of a right, and a handler that hangs does not delay a
// request. A program calls it instead of the Shutdown of its servers: those know nothing of
// WebSockets, and would wait for streams. Close what handlers need, such as the denylist,
// after it.
//
// New rights are refused with [ErrShutdown]. The open ones end with the same cause, a few at a
// time, so that their clients do not all come back at once (see [Config.ShutdownRate]).
// Shutdown returns when all rights are released and all servers are done.
//
// If ctx ends before that, Shutdown ends all rights that are left, calls Cut of every holder
// that is a [Cutter], and closes the servers. Its error then wraps that of ctx, and one line
// in the log names handlers that have not returned; see [WithLogger].
//
// Shutdown also ends the keeper's goroutines. So a program that has no time left calls it too,
// with a context that has ended.
func (k *Keeper) Shutdown(ctx context.Context, servers ...Server) error {
	empty := k.rights.close()
	defer k.noisy.Flush(ctx)
	defer k.stop(ctx)
	waitForServers := shutDown(ctx, servers)
	k.endAll(ctx)
	return errors.Join(k.waitForHolders(ctx, empty), waitForServers())
}

// shutDown begins to shut servers down. The function that it returns waits for them.
func shutDown(ctx context.Context, servers []Server) (wait func() error) {
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		if v := reflect.ValueOf(server); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			continue
		}
		all.Go(func() {
			defer func() {
				if panicked := recover(); panicked != nil { // otherwise it would end the program before the rights end
					errs[i] = fmt.Errorf("live: shutdown of a server panicked: %v", panicked)
				}
			}()
			if err := server.Shutdown(ctx); err != nil {
				_ = server.Close() // cuts the requests that are left
				errs[i] = fmt.Errorf("live: shutdown of a server: %w", err)
			}
		})
	}
	return func() error {
		all.Wait()
		return errors.Join(errs...)
	}
}

// waitForHolders returns when empty is closed, or cuts what is left when ctx ends.
func (k *Keeper) waitForHolders(ctx context.Context, empty <-chan struct{}) error {
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-empty: // at the same time as ctx: nothing is left to cut
		return nil
	default:
	}
	k.logRunning(ctx)
	k.rights.walk(func(r *Right) bool {
		r.End(refusal.New(ErrShutdown))
		r.cut()
		return true
	})
	return fmt.Errorf("live: shutdown: rights were cut: %w", ctx.Err())
}

// maxNamed is how many handlers the log names at the end of a shutdown.
const maxNamed = 20

// logRunning names handlers that have not returned, those of the oldest rights first.
func (k *Keeper) logRunning(ctx context.Context) {
	var running []*Right
	k.rights.walk(func(r *Right) bool {
		if k.rights.isRunning(r) {
			running = append(running, r)
		}
		return true
	})
	if len(running) == 0 {
		return
	}
	slices.SortFunc(running, func(a, b *Right) int { return cmp.Compare(a.began.Load(), b.began.Load()) })
	named := make([]string, min(len(running), maxNamed))
	for i := range named {
		r, subject := running[i], "anonymous"
		if claims := r.Claims(); claims != nil {
			subject = strconv.Quote(clientlog.Cut(claims.Subject))
		}
		age := (k.times.moment() - time.Duration(r.began.Load())).Truncate(time.Second)
		named[i] = fmt.Sprintf("%s of %s, open for %s", clientlog.Cut(r.route.Name), subject, age)
	}
	k.log.LogAttrs(ctx, slog.LevelWarn, "shutdown cuts rights whose handlers have not returned",
		slog.Int("handlers", len(running)), slog.Any("oldest", named), slog.Int("not_named", len(running)-len(named)))
}

// shutdownPause is the mean time between two batches. It varies by half, at random.
const shutdownPause = 100 * time.Millisecond

// endAll ends every right at [Config.ShutdownRate]. It is faster if ctx has a deadline and the
// rate would need more than half of the time until then.
func (k *Keeper) endAll(ctx context.Context) {
	batch := max(1, k.cfg.ShutdownRate/int(time.Second/shutdownPause))
	if deadline, ok := ctx.Deadline(); ok {
		pauses := max(1, int(time.Until(deadline)/2/shutdownPause))
		batch = max(batch, (k.rights.size()+pauses-1)/pauses)
	}
	ended := 0
	k.rights.walk(func(r *Right) bool {
		if ended > 0 && ended%batch == 0 {
			select {
			case <-time.After(shutdownPause/2 + rand.N(shutdownPause)): //nolint:gosec // No secret.
			case <-ctx.Done():
				return false
			}
		}
		if r.End(refusal.New(ErrShutdown)) {
			ended++
		}
		return true
	})
}
