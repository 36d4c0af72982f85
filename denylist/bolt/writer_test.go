package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

// TestGroupCommit: callers that come together share transactions.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	path := file(t)
	s := open(t, path)
	const callers = 1000
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range callers {
		wg.Go(func() {
			<-start
			id := fmt.Sprint(i)
			if i%2 == 0 {
				revoke(t, s, denylist.Revocation{TokenID: id})
			} else if _, first, err := s.Consume(t.Context(), id, id, time.Time{}); !first || err != nil {
				t.Errorf("Consume = %t, %v", first, err)
			}
		})
	}
	close(start)
	wg.Wait()
	closed(t, s)
	records, transactions := stored(t, path)
	if records["tokens"] != callers/2 || records["consumed"] != callers/2 {
		t.Errorf("the file holds %v", records)
	}
	if transactions > callers/10 {
		t.Errorf("%d calls at a time took %d transactions", callers, transactions)
	}
}

// TestNothingNew: to say again what is recorded does not write, so that whoever
// presents a used ticket for ever wears out no disk.
func TestNothingNew(t *testing.T) {
	t.Parallel()
	path := file(t)
	s := open(t, path)
	say := func() {
		revoke(t, s, denylist.Revocation{TokenID: "a"})
		if _, _, err := s.Consume(t.Context(), "k", "v", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	say()
	closed(t, s)
	_, before := stored(t, path)
	s = open(t, path)
	for range 100 {
		say()
	}
	closed(t, s)
	if _, after := stored(t, path); after != before {
		t.Errorf("repeating made %d transactions", after-before)
	}
}

// gate is a clock that, while it is shut, stands still with everyone who asks it:
// the writer asks the time before it begins a transaction.
type gate struct {
	shut   atomic.Bool
	opened chan struct{}
}

func (g *gate) Now() time.Time {
	if g.shut.Load() {
		<-g.opened
	}
	return time.Now()
}

// TestContextWhileWaiting: a call whose context ends while another is being
// written returns and leaves nothing behind; the one being written is made.
func TestContextWhileWaiting(t *testing.T) {
	t.Parallel()
	path := file(t)
	synctest.Test(t, func(t *testing.T) {
		clock := &gate{opened: make(chan struct{})}
		s, err := bolt.Open(t.Context(), bolt.Config{Path: path}, bolt.WithClock(clock.Now))
		if err != nil {
			t.Fatal(err)
		}
		clock.shut.Store(true)
		begin := func(call func(context.Context) error) (end context.CancelFunc, result chan error) {
			ctx, cancel := context.WithCancel(t.Context())
			result = make(chan error, 1)
			go func() { result <- call(ctx) }()
			synctest.Wait()
			return cancel, result
		}
		endTaken, taken := begin(func(ctx context.Context) error {
			return s.Revoke(ctx, denylist.Revocation{TokenID: "taken"})
		})
		endRevoke, revoke := begin(func(ctx context.Context) error {
			return s.Revoke(ctx, denylist.Revocation{TokenID: "waiting"})
		})
		endConsume, consume := begin(func(ctx context.Context) error {
			_, _, err := s.Consume(ctx, "waiting", "v", time.Time{})
			return err
		})
		endTaken()
		endRevoke()
		endConsume()
		if err := <-revoke; !errors.Is(err, context.Canceled) {
			t.Errorf("Revoke = %v, want context.Canceled", err)
		}
		if err := <-consume; !errors.Is(err, context.Canceled) {
			t.Errorf("Consume = %v, want context.Canceled", err)
		}
		close(clock.opened)
		if err := <-taken; err != nil {
			t.Errorf("the call that was being written: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s := open(t, path)
	wantRevoked(t, s, denylist.Token{ID: "taken"}, true)
	wantRevoked(t, s, denylist.Token{ID: "waiting"}, false)
	if _, first, err := s.Consume(t.Context(), "waiting", "", time.Time{}); !first || err != nil {
		t.Errorf("Consume = %t, %v of a key that was not consumed", first, err)
	}
}

// TestCloseWhileWriting: Close waits for what is being written, and what waits
// is told that it was not.
func TestCloseWhileWriting(t *testing.T) {
	t.Parallel()
	path := file(t)
	synctest.Test(t, func(t *testing.T) {
		clock := &gate{opened: make(chan struct{})}
		s, err := bolt.Open(t.Context(), bolt.Config{Path: path}, bolt.WithClock(clock.Now))
		if err != nil {
			t.Fatal(err)
		}
		clock.shut.Store(true)
		results := make(map[string]chan error)
		for _, id := range []string{"taken", "waiting"} {
			result := make(chan error, 1)
			go func() { result <- s.Revoke(t.Context(), denylist.Revocation{TokenID: id}) }()
			synctest.Wait()
			results[id] = result
		}
		var isClosed atomic.Bool
		go func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			isClosed.Store(true)
		}()
		synctest.Wait()
		if isClosed.Load() {
			t.Error("Close did not wait for what was being written")
		}
		if err := <-results["waiting"]; !errors.Is(err, denylist.ErrClosed) {
			t.Errorf("Revoke that waited = %v, want ErrClosed", err)
		}
		close(clock.opened)
		if err := <-results["taken"]; err != nil {
			t.Errorf("Revoke that was being written = %v", err)
		}
		synctest.Wait()
		if !isClosed.Load() {
			t.Error("Close did not return")
		}
	})
	s := open(t, path)
	wantRevoked(t, s, denylist.Token{ID: "taken"}, true)
	wantRevoked(t, s, denylist.Token{ID: "waiting"}, false)
}

func TestLongValue(t *testing.T) {
	t.Parallel()
	path := file(t)
	s := open(t, path)
	long := strings.Repeat("v", 1<<20)
	if _, _, err := s.Consume(t.Context(), "k", long+"v", time.Time{}); !errors.Is(err, denylist.ErrInvalid) {
		t.Errorf("Consume of a value that is too long = %v, want ErrInvalid", err)
	}
	if _, first, err := s.Consume(t.Context(), "k", long, time.Time{}); !first || err != nil {
		t.Errorf("Consume of the longest value = %t, %v", first, err)
	}
	closed(t, s)
	wantConsumed(t, open(t, path), "k", long)
}
