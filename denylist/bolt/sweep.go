package bolt

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// A write adds one record at the most, so that to look at several for each finds
// expired ones faster than they gather. The work is part of a transaction that
// waits for the disk anyway.
const (
	sweepLeast    = 64
	sweepPerWrite = 4
)

// sweeper removes expired records. It goes round the buckets, a few records at
// a time.
type sweeper struct {
	kind int    // an index of kinds
	next []byte // the key to go on from, nil for the first
}

// sweep looks at n records and deletes those that have expired.
func (s *sweeper) sweep(tx *bbolt.Tx, passed int64, n int) error {
	for range kinds { // no more than one round
		var err error
		if n, err = s.sweepBucket(tx, passed, n); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// sweepBucket looks at no more than n records of the bucket where the sweeper
// is, and moves it on. It returns how many are left to look at elsewhere.
func (s *sweeper) sweepBucket(tx *bbolt.Tx, passed int64, n int) (left int, err error) {
	k := kinds[s.kind]
	bucket, err := k.bucket(tx)
	if err != nil {
		return 0, err
	}
	var expired [][]byte // deleted afterwards, as a deletion upsets the cursor
	cursor := bucket.Cursor()
	key, data := cursor.Seek(s.next)
	for ; key != nil && n > 0; key, data = cursor.Next() {
		r, err := decode(k, key, data)
		if err != nil {
			return 0, err
		}
		if r.until <= passed {
			expired = append(expired, bytes.Clone(key))
		}
		n--
	}
	s.next = bytes.Clone(key)
	if s.next == nil {
		s.kind = (s.kind + 1) % len(kinds)
	}
	for _, key := range expired {
		if err := bucket.Delete(key); err != nil {
			return 0, err
		}
	}
	return n, nil
}
