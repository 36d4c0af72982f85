package bolt

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/internal/clock"
)

// Store is a [denylist.Store] in a file; [Open] makes one. It runs one
// goroutine until Close.
type Store struct {
	path  string
	now   func() time.Time // nil for the machine's clock
	clock *clock.Clock
	index *denylist.Memory // the live revocations; it also tells the watchers

	db     *bbolt.DB
	commit func(*bbolt.Tx) error
	// allowEmpty has a file without a byte be a new store.
	allowEmpty bool
	file       *os.File // that db has open
	// stuck is set while a transaction has begun and not ended.
	stuck bool

	writes  chan *write
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed when the writer has returned
	once    sync.Once
}

var (
	_ denylist.Store  = (*Store)(nil)
	_ denylist.Shared = (*Store)(nil)
)

// Shared implements [denylist.Shared]: no other process hears of a file's records.
func (s *Store) Shared() bool { return false }

// Option adjusts a [Store].
type Option func(*Store)

// WithClock makes the store tell the time by now instead of [time.Now]. A record
// whose time has come by it does not count any more. It counts again if the clock
// goes back, as it is removed only when as much time has passed by the machine's
// monotonic clock as well.
func WithClock(now func() time.Time) Option {
	return func(s *Store) {
		if now != nil {
			s.now = now
		}
	}
}

// Open opens the store in the file at [Config.Path]. A configuration that is not
// valid is refused, see [Config.Validate].
//
// It reads the whole file, a second or two for a million revocations. While
// another process, or a store in this one, has the file open, it waits for two
// seconds and then returns an error that wraps [ErrLocked]; a file that is not
// as it was written is one that wraps [ErrDamaged]. The database of another
// program, and a file in a newer format, are refused and left as they are.
// When ctx ends, opening does, with the context's error.
func Open(ctx context.Context, cfg Config, opts ...Option) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Store{
		path:       cfg.Path,
		allowEmpty: cfg.AllowEmptyFile,
		commit:     (*bbolt.Tx).Commit,
		writes:     make(chan *write),
		closing:    make(chan struct{}),
		ended:      make(chan struct{}),
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	s.clock = clock.New(s.now)
	s.index = denylist.NewMemory(denylist.WithClock(s.now))
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	go s.run() //nolint:contextcheck // ctx is for opening alone
	return s, nil
}

// Revoke implements [denylist.Store]. It returns once r is on the disk. When
// ctx ends first, r is not recorded, unless it is being written already: then
// Revoke waits for that, as long as the disk takes.
func (s *Store) Revoke(ctx context.Context, r denylist.Revocation) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	if err := r.Validate(); err != nil {
		return err
	}
	w := &write{revocation: r}
	w.kind, w.key, w.record = recordOf(r)
	return s.submit(ctx, w).err
}

// Revoked implements [denylist.Store]. It never waits for the disk.
func (s *Store) Revoked(ctx context.Context, t denylist.Token) (bool, error) {
	return s.index.Revoked(ctx, t)
}

// Consume implements [denylist.Store]. It returns once the winner is on the
// disk, and deals with an ending ctx as Revoke does.
func (s *Store) Consume(ctx context.Context, key, value string, until time.Time) (winner string, first bool, err error) {
	return s.advance(ctx, denylist.ValidateConsumption(key, value), key, "", value, until)
}

// Advance implements [denylist.Store]. It returns once the value is on the disk,
// and deals with an ending ctx as Revoke does.
func (s *Store) Advance(ctx context.Context, key, from, to string, until time.Time) (current string, advanced bool, err error) {
	return s.advance(ctx, denylist.ValidateAdvance(key, from, to), key, from, to, until)
}

func (s *Store) advance(ctx context.Context, invalid error, key, from, to string, until time.Time) (current string, advanced bool, err error) {
	if err := s.ready(ctx); err != nil {
		return "", false, err
	}
	if invalid != nil {
		return "", false, invalid
	}
	a := s.submit(ctx, &write{kind: consumed, key: key, from: from, record: record{until: expiry(until), value: []byte(to)}})
	return a.current, a.advanced, a.err
}

// Watch implements [denylist.Store].
func (s *Store) Watch(ctx context.Context, fn func(denylist.Event)) error {
	return s.index.Watch(ctx, fn)
}

// Close implements [denylist.Store]. It waits for what is being written.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closing)
		<-s.ended
		err = errors.Join(s.index.Close(), s.closeFile())
	})
	return err
}

// ready reports why the store cannot serve a call.
func (s *Store) ready(ctx context.Context) error {
	select {
	case <-s.closing:
		return denylist.ErrClosed
	default:
		return ctx.Err()
	}
}
