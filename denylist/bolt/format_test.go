package bolt_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

// rawRecord is a record as the format has it: the CRC-32C of bucket, key and
// fields, and then the fields, big-endian.
type rawRecord struct {
	bucket, key string
	fields      []any
}

func (r rawRecord) put(tx *bbolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists([]byte(r.bucket))
	if err != nil || r.key == "" {
		return err
	}
	var data []byte
	for _, field := range r.fields {
		if s, ok := field.(string); ok {
			field = []byte(s)
		}
		if data, err = binary.Append(data, binary.BigEndian, field); err != nil {
			return err
		}
	}
	sum := crc32.Checksum([]byte(r.bucket+r.key+string(data)), crc32.MakeTable(crc32.Castagnoli))
	return b.Put([]byte(r.key), append(binary.BigEndian.AppendUint32(nil, sum), data...))
}

// formatOne is a store in format 1, but for what a test adds.
func formatOne(t testing.TB, number uint32, add ...rawRecord) (path string) {
	t.Helper()
	path = file(t)
	inDatabase(t, path, func(tx *bbolt.Tx) error {
		for _, r := range append([]rawRecord{
			{"meta", "pasetokit denylist", []any{number}},
			{bucket: "tokens"}, {bucket: "sessions"}, {bucket: "subjects"}, {bucket: "consumed"},
		}, add...) {
			if err := r.put(tx); err != nil {
				return err
			}
		}
		return nil
	})
	return path
}

// TestFormat reads a file that this package did not write, so that it can read
// the ones that earlier versions of it wrote.
func TestFormat(t *testing.T) {
	t.Parallel()
	c := newClock()
	now := c.Now().Unix()
	s := open(t, formatOne(t, 1,
		rawRecord{"tokens", "a", []any{now + 60}},
		rawRecord{"tokens", "expired", []any{now}},
		rawRecord{"sessions", "b", []any{int64(1<<63 - 1)}},
		rawRecord{"subjects", "c", []any{now + 60, now - 60}},
		rawRecord{"consumed", "d", []any{now + 60, "value"}},
	), bolt.WithClock(c.Now))
	cutoff := time.Unix(now-60, 0)
	wantRevoked(t, s, denylist.Token{ID: "a"}, true)
	wantRevoked(t, s, denylist.Token{ID: "expired"}, false)
	wantRevoked(t, s, denylist.Token{Session: "b"}, true)
	wantRevoked(t, s, denylist.Token{Subject: "c", IssuedAt: cutoff}, true)
	wantRevoked(t, s, denylist.Token{Subject: "c", IssuedAt: cutoff.Add(time.Second)}, false)
	wantConsumed(t, s, "d", "value")
	c.Advance(time.Minute)
	wantRevoked(t, s, denylist.Token{ID: "a"}, false)
	c.Advance(1000 * time.Hour)
	wantRevoked(t, s, denylist.Token{Session: "b"}, true)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFormatTwo excepts a session from a cut-off. A file says that it is of format 2
// only when it has such a record, so that earlier versions refuse it then, and say why.
func TestFormatTwo(t *testing.T) {
	t.Parallel()
	c := newClock()
	now := c.Now().Unix()
	path := formatOne(t, 1, rawRecord{"subjects", "old", []any{now + 60, now}}, rawRecord{"subjects", "u", []any{now + 60, now - 60}})
	number := func() (n uint32) {
		inDatabase(t, path, func(tx *bbolt.Tx) error {
			n = binary.BigEndian.Uint32(tx.Bucket([]byte("meta")).Get([]byte("pasetokit denylist"))[4:])
			return nil
		})
		return n
	}
	s := open(t, path, bolt.WithClock(c.Now))
	revoke(t, s, denylist.Revocation{Session: "s"})
	revoke(t, s, denylist.Revocation{Subject: "v", IssuedBefore: c.Now()})
	must(t, s.Close())
	if n := number(); n != 1 {
		t.Errorf("without such a record the file is of format %d", n)
	}
	s = open(t, path, bolt.WithClock(c.Now))
	revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: c.Now(), Except: "mine", Until: c.Now().Add(time.Minute)})
	must(t, s.Close())
	if n := number(); n != 2 {
		t.Errorf("with such a record the file is of format %d", n)
	}
	s = open(t, path, bolt.WithClock(c.Now))
	at := c.Now()
	wantRevoked(t, s, denylist.Token{Subject: "old", IssuedAt: at}, true)
	wantRevoked(t, s, denylist.Token{Subject: "u", Session: "other", IssuedAt: at}, true)
	wantRevoked(t, s, denylist.Token{Subject: "u", Session: "mine", IssuedAt: at}, false)

	written := open(t, formatOne(t, 2, rawRecord{"subjects", "u", []any{now + 60, now, "mine"}}), bolt.WithClock(c.Now))
	wantRevoked(t, written, denylist.Token{Subject: "u", Session: "other", IssuedAt: at}, true)
	wantRevoked(t, written, denylist.Token{Subject: "u", Session: "mine", IssuedAt: at}, false)
}

func TestNewerFormat(t *testing.T) {
	t.Parallel()
	path := formatOne(t, 3)
	err := refuse(t, path)
	if errors.Is(err, bolt.ErrDamaged) {
		t.Errorf("Open = %v", err)
	}
	wantWords(t, err, path, "format 3", "version")
}

// TestDamagedRecord: records that a sound database has, but this package would
// not have written.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	raw := func(bucket, key, data string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Put([]byte(key), []byte(data)) }
	}
	for _, test := range []struct {
		name   string
		change func(tx *bbolt.Tx) error
	}{
		{"wrong checksum", raw("tokens", "a", "0123456789ab")},
		{"no data", raw("sessions", "a", "")},
		{"consumed, wrong checksum", raw("consumed", "a", "0123456789ab")},
		{"token too short", rawRecord{"tokens", "a", []any{uint32(1)}}.put},
		{"token too long", rawRecord{"tokens", "a", []any{int64(1), int64(1)}}.put},
		{"subject without a cut-off", rawRecord{"subjects", "a", []any{int64(1)}}.put},
		{"consumed too short", rawRecord{"consumed", "a", []any{"value"}}.put},
		{"format of no number", rawRecord{"meta", "pasetokit denylist", []any{int64(1)}}.put},
		{"format, wrong checksum", raw("meta", "pasetokit denylist", "01234567")},
		{"moved to another key", func(tx *bbolt.Tx) error {
			tokens := tx.Bucket([]byte("tokens"))
			return errors.Join(
				rawRecord{"tokens", "a", []any{int64(1<<63 - 1)}}.put(tx),
				tokens.Put([]byte("b"), tokens.Get([]byte("a"))),
				tokens.Delete([]byte("a")))
		}},
		{"bucket missing", func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("sessions")) }},
		{"bucket for a record", func(tx *bbolt.Tx) error {
			_, err := tx.Bucket([]byte("tokens")).CreateBucket([]byte("a"))
			return err
		}},
		{"empty database", func(tx *bbolt.Tx) error {
			return tx.ForEach(func(name []byte, _ *bbolt.Bucket) error { return tx.DeleteBucket(name) })
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := formatOne(t, 1)
			open(t, path).Close()
			inDatabase(t, path, test.change)
			wantDamaged(t, path, refuse(t, path))
		})
	}
}
