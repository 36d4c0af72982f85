package live

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/schedule"
	"github.com/pasetokit/pasetokit/paseto"
)

// Keeper holds the rights of one process, and ends each when it must end. A program has one
// Keeper for everything that tokens keep open, so that limits count all of it. A Keeper is
// safe for concurrent use. It starts a few goroutines with the first right, whatever the
// number of rights; [Keeper.Shutdown] ends them.
type Keeper struct {
	auth     *paseto.Authorizer
	cfg      Config
	failOpen bool // rights last while the denylist cannot be asked
	log      *slog.Logger
	noisy    *clientlog.Log // where clients choose what is logged, or how often
	observe  func(Event)
	counts   counts

	leases    denylist.Leases // nil: each keeper counts alone
	leasesSet bool            // whether an option has set leases
	returned  returned
	name      string // of this keeper among all keepers that share the leases

	times     *times
	deadlines *schedule.Schedule[*Right]
	rights    *registry
	numbers   atomic.Uint64 // of attempts to get a lease

	// Signals, of capacity one: the denylist may not have told of all revocations, or not of
	// all leases that were taken away.
	missed, missedLeases chan struct{}

	started  sync.Once
	starting sync.Mutex
	work     sync.WaitGroup
	life     context.Context // ends with Shutdown
	end      context.CancelFunc
}

// Option gives a [Keeper] one of its collaborators.
type Option func(*Keeper)

// WithLogger logs failures of the denylist at level Error, and refused renewals at level
// Info, without tokens. A subject causes at most 20 lines of a kind in a minute; then one
// line says how many were left out. A shutdown that has to cut rights names at most 20 of
// them in one line at level Warn. Default, and with nil: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(k *Keeper) {
		if logger != nil {
			k.log = logger
		}
	}
}

// New returns a Keeper of the rights that tokens of auth open. The error wraps
// [paseto.ErrConfig] and names everything that is wrong with cfg.
func New(auth *paseto.Authorizer, cfg Config, opts ...Option) (*Keeper, error) {
	if auth == nil {
		return nil, errors.Join(cfg.Validate(), fmt.Errorf("%w: the Authorizer is nil; make one with paseto.New", paseto.ErrConfig))
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	k := &Keeper{
		auth:         auth,
		cfg:          cfg.withDefaults(),
		failOpen:     auth.Config().Denylist.FailOpen,
		log:          slog.New(slog.DiscardHandler),
		observe:      func(Event) {},
		name:         rand.Text(),
		missed:       make(chan struct{}, 1),
		missedLeases: make(chan struct{}, 1),
		returned:     returned{some: make(chan struct{}, 1)},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(k)
		}
	}
	k.noisy = clientlog.New(k.log, auth.Now)
	k.times = newTimes(auth.Now)
	k.deadlines = schedule.New(k.times.passed, func(r *Right) *schedule.Alarm { return &r.alarm })
	k.rights = newRegistry(k.cfg.MaxRights)
	k.findLeases()
	k.life, k.end = context.WithCancel(context.Background())
	return k, nil
}

// Authorizer returns the Authorizer whose tokens open the rights.
func (k *Keeper) Authorizer() *paseto.Authorizer { return k.auth }

// Config returns the configuration with its defaults filled in. There 0 means without limit,
// except in [Config.MaxUnchecked], where that is [paseto.NoLimit].
func (k *Keeper) Config() Config { return k.cfg }

// Go runs work on a goroutine: work for many rights at once, such as pings. The context of
// work ends when a [Keeper.Shutdown] has ended all rights, and Shutdown waits until work has
// returned. After that Go does nothing.
func (k *Keeper) Go(work func(ctx context.Context)) {
	k.starting.Lock()
	defer k.starting.Unlock()
	if k.life.Err() == nil {
		k.work.Go(func() { work(k.life) })
	}
}

// start starts the keeper's own goroutines, once: with the first right. stop ends them.
func (k *Keeper) start() {
	k.started.Do(func() {
		k.Go(func(ctx context.Context) { k.deadlines.Run(ctx, (*Right).ring) })
		if k.auth.CanRevoke() {
			k.Go(k.watch)
		}
		k.Go(k.recheck)
		if k.leases != nil && k.cfg.PerSubject > 0 {
			k.Go(k.renewLeases)
			k.Go(k.releaseLeases)
		}
	})
}

func (k *Keeper) stop(ctx context.Context) {
	k.starting.Lock()
	k.end()
	k.starting.Unlock()
	k.work.Wait()
	within := releaseTimeout
	if deadline, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(deadline))
	}
	if ctx.Err() != nil {
		within = 0
	}
	k.release(context.WithoutCancel(ctx), max(within, lastRelease))
}

// pause waits for d, or until the keeper's life ends.
func (k *Keeper) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.life.Done():
	}
}

// signal sends to a channel of capacity one, unless the channel is full.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
