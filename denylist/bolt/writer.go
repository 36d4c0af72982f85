package bolt

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/pasetokit/pasetokit/denylist"
)

// write is a record to be made, and the caller that waits for it.
type write struct {
	kind       kind
	key        string
	from       string // of a consumed key: the value that record takes the place of, empty for none
	record     record
	revocation denylist.Revocation // what the record keeps, unless the kind is consumed

	answer answer
	done   chan struct{} // closed when answer is set
}

type answer struct {
	current  string // value of a consumed key
	advanced bool
	err      error
}

// submit has the writer make w. The channel has no room: what the writer has
// not taken when ctx ends or the store closes is not made.
func (s *Store) submit(ctx context.Context, w *write) answer {
	w.done = make(chan struct{})
	select {
	case s.writes <- w:
		<-w.done
		return w.answer
	case <-ctx.Done():
		return answer{err: ctx.Err()}
	case <-s.closing:
		return answer{err: denylist.ErrClosed}
	}
}

// maxBatch bounds the writes of one transaction, and so how long it takes.
const maxBatch = 4096

// run makes the records, all that wait at a time in one transaction, until the
// store is closed. It alone uses the database.
func (s *Store) run() {
	defer close(s.ended)
	var (
		batch  []*write
		sweep  sweeper
		broken error
	)
	for {
		select {
		case <-s.closing:
			return
		case w := <-s.writes:
			batch = s.gather(append(batch[:0], w))
		}
		err := broken
		if err == nil {
			err = s.record(batch, &sweep)
		}
		if errors.Is(err, ErrDamaged) || errors.Is(err, errUnconfirmed) {
			broken = err // what the file holds is not known, and not written to any more
		}
		s.finish(batch, err)
		clear(batch)
	}
}

// gather adds to batch what waits to be written.
func (s *Store) gather(batch []*write) []*write {
	for len(batch) < maxBatch {
		select {
		case w := <-s.writes:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// record makes all records of batch, or, when it returns an error, none.
func (s *Store) record(batch []*write, sweep *sweeper) error {
	now := s.clock.Read()
	err := s.update(func(tx *bbolt.Tx) (changed bool, err error) {
		for _, w := range batch {
			made, err := w.make(tx, now.Now)
			if err != nil {
				return false, err
			}
			changed = changed || made
		}
		if !changed {
			return false, nil
		}
		return true, sweep.sweep(tx, now.Passed, sweepLeast+sweepPerWrite*len(batch))
	})
	if err != nil {
		return unavailable(s.path, err)
	}
	return nil
}

// make makes the record of w, if there is not one that says as much.
func (w *write) make(tx *bbolt.Tx, now int64) (changed bool, err error) {
	key := []byte(w.key)
	bucket, err := w.kind.bucket(tx)
	if err != nil {
		return false, err
	}
	r := w.record
	old, live := record{}, false
	if data := bucket.Get(key); data != nil {
		if old, err = decode(w.kind, key, data); err != nil {
			return false, err
		}
		live = old.until > now
	}
	switch {
	case w.kind == consumed:
		if live {
			w.answer.current = string(old.value)
		}
		// Empty stands for no record, and not for a key that is consumed with
		// an empty value.
		if w.answer.current != w.from || live != (w.from != "") {
			return false, nil
		}
		w.answer = answer{current: string(r.value), advanced: true}
	case live:
		r = old.merged(r)
		if r.until == old.until && r.cutoff == old.cutoff && r.except == old.except {
			return false, nil
		}
	}
	if r.except != "" {
		if err := markFormat(tx, formatExcept); err != nil {
			return false, err
		}
	}
	return true, bucket.Put(key, r.encode(w.kind, key))
}

// finish lets what is on the disk take effect, and answers the callers.
func (s *Store) finish(batch []*write, err error) {
	for _, w := range batch {
		switch {
		case err != nil:
			w.answer = answer{err: err}
		case w.kind != consumed:
			w.answer.err = s.index.Revoke(context.Background(), w.revocation)
		}
		close(w.done)
	}
}

// errUnconfirmed is the error of a transaction that the database may go on from
// although the disk has not confirmed it. A system that failed to write forgets
// that it did, so that the next success would say nothing of this transaction.
var errUnconfirmed = errors.New("the disk did not confirm what was written; nothing is recorded until the store is opened anew")

// update runs fn in a transaction, which it commits if fn changed something. What
// is wrong with the file is returned as an ErrDamaged.
func (s *Store) update(fn func(*bbolt.Tx) (changed bool, err error)) error {
	var tx *bbolt.Tx
	var committing int // the transaction's number, once it is
	err := guarded(s.path, func() (err error) {
		s.stuck = true
		tx, err = s.db.Begin(true)
		if err != nil {
			s.stuck = false
			return err
		}
		changed, err := fn(tx)
		if err != nil || !changed {
			return err
		}
		committing = tx.ID()
		return s.commit(tx)
	})
	if tx != nil {
		// This does nothing after a commit, and frees the database's locks
		// after an error or a panic.
		_ = guarded(s.path, func() error {
			_ = tx.Rollback()
			s.stuck = false
			return nil
		})
	}
	if err != nil && committing > 0 && !errors.Is(err, ErrDamaged) && s.reached(committing) {
		err = fmt.Errorf("%w: %w", errUnconfirmed, err)
	}
	return err
}

// reached reports whether the database goes on from a transaction, or may.
func (s *Store) reached(transaction int) bool {
	last := transaction
	_ = guarded(s.path, func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			last = tx.ID()
			return nil
		})
	})
	return last >= transaction
}
