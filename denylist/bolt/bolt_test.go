package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
	"github.com/pasetokit/pasetokit/denylist/denylisttest"
	"github.com/pasetokit/pasetokit/internal/testclock"
)

// TestMain runs the tests, or, in a process that a test has started, its part.
func TestMain(m *testing.M) {
	if part := os.Getenv(childVariable); part != "" {
		os.Exit(child(part, os.Args[1]))
	}
	goleak.VerifyTestMain(m)
}

// clock is a time that tests move by hand.
type clock = testclock.Clock

func newClock() *clock {
	return testclock.New(time.Date(2030, 1, 2, 3, 4, 5, 600_000_000, time.UTC))
}

// file returns the path of a file that does not exist yet.
func file(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "revoked.db")
}

func open(t testing.TB, path string, opts ...bolt.Option) *bolt.Store {
	t.Helper()
	return openConfig(t, bolt.Config{Path: path}, opts...)
}

func openConfig(t testing.TB, cfg bolt.Config, opts ...bolt.Option) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(t.Context(), cfg, opts...)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { closed(t, s) })
	return s
}

func closed(t testing.TB, s *bolt.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func revoke(t testing.TB, s *bolt.Store, r denylist.Revocation) {
	t.Helper()
	if err := s.Revoke(t.Context(), r); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
}

func wantRevoked(t testing.TB, s *bolt.Store, token denylist.Token, want bool) {
	t.Helper()
	if got, err := s.Revoked(t.Context(), token); got != want || err != nil {
		t.Errorf("Revoked(%.40v) = %t, %v; want %t", token, got, err, want)
	}
}

func wantConsumed(t testing.TB, s *bolt.Store, key, value string) {
	t.Helper()
	if winner, first, err := s.Consume(t.Context(), key, "another", time.Time{}); winner != value || first || err != nil {
		t.Errorf("Consume(%.40q) = %.40q, %t, %v; want the first value", key, winner, first, err)
	}
}

// stored tells what is in the file of a store that is closed: how many records,
// and how many transactions there were.
func stored(t testing.TB, path string) (records map[string]int, transactions int) {
	t.Helper()
	records = make(map[string]int)
	db := database(t, path)
	defer db.Close()
	err := db.View(func(tx *bbolt.Tx) error {
		transactions = tx.ID()
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			records[string(name)] = b.Inspect().KeyN
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, transactions
}

// inDatabase runs fn in a transaction of bbolt itself.
func inDatabase(t testing.TB, path string, fn func(*bbolt.Tx) error) {
	t.Helper()
	db := database(t, path)
	defer db.Close()
	if err := db.Update(fn); err != nil {
		t.Fatal(err)
	}
}

func database(t testing.TB, path string) *bbolt.DB {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestStore(t *testing.T) {
	c := newClock()
	h := harness(bolt.WithClock(c.Now))
	h.Now, h.Advance = c.Now, c.Advance
	denylisttest.Run(t, h)
}

// TestStoreWallClock runs the suite on a store with the default clock.
func TestStoreWallClock(t *testing.T) {
	t.Parallel()
	denylisttest.Run(t, harness(nil, bolt.WithClock(nil)))
}

func harness(opts ...bolt.Option) denylisttest.Harness {
	paths := make(map[denylist.Store]string)
	openAt := func(t testing.TB, path string) denylist.Store {
		t.Helper()
		s := open(t, path, opts...)
		paths[s] = path
		return s
	}
	return denylisttest.Harness{
		Open: func(t testing.TB) denylist.Store {
			t.Helper()
			return openAt(t, file(t))
		},
		Reopen: func(t testing.TB, s denylist.Store) denylist.Store {
			t.Helper()
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			return openAt(t, paths[s])
		},
	}
}

// TestReopenFraction: nothing is forgotten before its time, which may lie within
// a second.
func TestReopenFraction(t *testing.T) {
	t.Parallel()
	c, path := newClock(), file(t)
	s := open(t, path, bolt.WithClock(c.Now))
	until := c.Now().Truncate(time.Second).Add(10*time.Second + 500*time.Millisecond)
	revoke(t, s, denylist.Revocation{TokenID: "a", Until: until})
	if _, _, err := s.Consume(t.Context(), "a", "v", until); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	s = open(t, path, bolt.WithClock(c.Now))
	c.Advance(until.Sub(c.Now()) - time.Millisecond)
	wantRevoked(t, s, denylist.Token{ID: "a"}, true)
	wantConsumed(t, s, "a", "v")
	c.Advance(time.Second)
	wantRevoked(t, s, denylist.Token{ID: "a"}, false)
}

// TestReopenMerged: what several calls said of one subject is what is found
// after a restart, as is what an expired one said not.
func TestReopenMerged(t *testing.T) {
	t.Parallel()
	c, path := newClock(), file(t)
	s := open(t, path, bolt.WithClock(c.Now))
	now := c.Now().Truncate(time.Second)
	for _, r := range []denylist.Revocation{
		{Subject: "twice", IssuedBefore: now, Until: now.Add(time.Hour)},
		{Subject: "twice", IssuedBefore: now.Add(-time.Minute), Until: now.Add(2 * time.Hour)},
		{Subject: "expired", IssuedBefore: now.Add(time.Hour), Until: now.Add(time.Second)},
		{Subject: "for ever", IssuedBefore: time.Time{}.Add(time.Millisecond)},
		{TokenID: "longer", Until: now.Add(time.Minute)},
		{TokenID: "longer", Until: now.Add(3 * time.Hour)},
		{TokenID: "longer", Until: now.Add(time.Second)},
	} {
		revoke(t, s, r)
	}
	c.Advance(10 * time.Second)
	revoke(t, s, denylist.Revocation{Subject: "expired", IssuedBefore: now, Until: now.Add(time.Hour)})
	closed(t, s)

	s = open(t, path, bolt.WithClock(c.Now))
	wantRevoked(t, s, denylist.Token{Subject: "twice", IssuedAt: now}, true)
	wantRevoked(t, s, denylist.Token{Subject: "twice", IssuedAt: now.Add(time.Second)}, false)
	wantRevoked(t, s, denylist.Token{Subject: "expired", IssuedAt: now}, true)
	wantRevoked(t, s, denylist.Token{Subject: "expired", IssuedAt: now.Add(time.Minute)}, false)
	wantRevoked(t, s, denylist.Token{Subject: "for ever"}, true)
	c.Advance(90 * time.Minute)
	wantRevoked(t, s, denylist.Token{Subject: "twice", IssuedAt: now}, true)
	c.Advance(time.Hour)
	wantRevoked(t, s, denylist.Token{Subject: "twice", IssuedAt: now}, false)
	wantRevoked(t, s, denylist.Token{ID: "longer"}, true)
}

// TestSweep: what has expired leaves the file bit by bit, and all else stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testSweep)
}

func testSweep(t *testing.T) {
	path := file(t)
	s := open(t, path)
	soon, later := time.Now().Add(time.Minute), time.Now().Add(time.Hour)
	record := func(id string, until time.Time) {
		revoke(t, s, denylist.Revocation{TokenID: id, Until: until})
		revoke(t, s, denylist.Revocation{Session: id, Until: until})
		revoke(t, s, denylist.Revocation{Subject: id, IssuedBefore: time.Now(), Until: until})
		if _, _, err := s.Consume(t.Context(), id, "value of "+id, until); err != nil {
			t.Error(err)
		}
	}
	const kept, dropped = 100, 2000
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			record(fmt.Sprintf("kept %d", i), later)
			for j := range dropped / 100 {
				record(fmt.Sprintf("dropped %d %d", i, j), soon)
			}
		})
	}
	wg.Wait()

	time.Sleep(2 * time.Minute)
	const writes = 200
	for i := range writes {
		revoke(t, s, denylist.Revocation{TokenID: fmt.Sprint("new ", i), Until: later})
	}
	for i := range kept {
		id := fmt.Sprintf("kept %d", i)
		wantConsumed(t, s, id, "value of "+id)
	}
	closed(t, s)

	records, _ := stored(t, path)
	want := map[string]int{"tokens": kept + writes, "sessions": kept, "subjects": kept, "consumed": kept, "meta": 1}
	if fmt.Sprint(records) != fmt.Sprint(want) {
		t.Errorf("the file holds %v, want %v", records, want)
	}
	s = open(t, path)
	for i := range kept {
		id := fmt.Sprintf("kept %d", i)
		wantRevoked(t, s, denylist.Token{ID: id}, true)
		wantRevoked(t, s, denylist.Token{Session: id}, true)
		wantRevoked(t, s, denylist.Token{Subject: id}, true)
		wantConsumed(t, s, id, "value of "+id)
	}
}
