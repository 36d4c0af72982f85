package bolt

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"github.com/pasetokit/pasetokit/denylist"
)

// kind is what a record is about, and the name of the bucket that it is in.
type kind string

const (
	tokens   kind = "tokens"
	sessions kind = "sessions"
	subjects kind = "subjects"
	consumed kind = "consumed"
	// meta tells that the file is a denylist, and in which format.
	meta kind = "meta"
)

// kinds are the buckets with records.
var kinds = [...]kind{tokens, sessions, subjects, consumed}

// bucket returns the bucket of a kind.
func (k kind) bucket(tx *bbolt.Tx) (*bbolt.Bucket, error) {
	if b := tx.Bucket([]byte(k)); b != nil {
		return b, nil
	}
	return nil, noBucket
}

// record is what is kept under a key. Times are Unix seconds.
type record struct {
	until  int64
	cutoff int64  // of subjects
	except string // of subjects: the session that the cut-off does not cover
	value  []byte // of consumed keys
}

// forever is the expiry of a record that is kept for good.
const forever = math.MaxInt64

// expiry rounds t up to a whole second, so that nothing is forgotten early.
func expiry(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return s
}

// recordOf returns the record that keeps r, and where.
func recordOf(r denylist.Revocation) (k kind, key string, rec record) {
	rec.until = expiry(r.Until)
	switch {
	case r.TokenID != "":
		return tokens, r.TokenID, rec
	case r.Session != "":
		return sessions, r.Session, rec
	default:
		rec.cutoff, rec.except = r.IssuedBefore.Unix(), r.Except
		return subjects, r.Subject, rec
	}
}

// merged returns what a live record becomes when a revocation is recorded after it:
// the later expiry and the later cut-off hold, and of two cut-offs in one second the
// new one.
func (r record) merged(next record) record {
	next.until = max(next.until, r.until)
	if r.cutoff > next.cutoff {
		next.cutoff, next.except = r.cutoff, r.except
	}
	return next
}

// revocation returns what the record of a kind other than consumed keeps.
func (r record) revocation(k kind, key string) denylist.Revocation {
	var made denylist.Revocation
	if r.until != forever {
		made.Until = time.Unix(r.until, 0)
	}
	switch k {
	case tokens:
		made.TokenID = key
	case sessions:
		made.Session = key
	default:
		made.Subject = key
		made.IssuedBefore = time.Unix(r.cutoff, 1) // in its second, and never the zero time
		made.Except = r.except
	}
	return made
}

// A value on disk is the checksum of all else, the expiry, and then, of a
// subject the cut-off and the excepted session if there is one, of a consumed key
// the value given with it. Numbers are big-endian.
const (
	checksumSize = 4
	timeSize     = 8
)

const (
	wrongChecksum = damage("a record does not match its checksum")
	wrongLength   = damage("a record has the wrong length")
	noBucket      = damage("a bucket is missing")
)

// encode returns r as it is kept on disk.
func (r record) encode(k kind, key []byte) []byte {
	data := make([]byte, checksumSize, checksumSize+2*timeSize+len(r.value)+len(r.except))
	data = binary.BigEndian.AppendUint64(data, uint64(r.until)) //nolint:gosec // decode turns it back
	switch k {
	case subjects:
		data = binary.BigEndian.AppendUint64(data, uint64(r.cutoff)) //nolint:gosec // as above
		data = append(data, r.except...)
	case consumed:
		data = append(data, r.value...)
	}
	return seal(k, key, data)
}

// decode returns the record that was kept as data. Its value is a part of data.
func decode(k kind, key, data []byte) (r record, err error) {
	data, err = unseal(k, key, data)
	if err != nil {
		return record{}, err
	}
	want := timeSize
	if k == subjects {
		want += timeSize
	}
	if len(data) < want || len(data) > want && k != consumed && k != subjects {
		return record{}, wrongLength
	}
	r.until = int64(binary.BigEndian.Uint64(data)) //nolint:gosec // as encoded
	switch k {
	case subjects:
		r.cutoff = int64(binary.BigEndian.Uint64(data[timeSize:])) //nolint:gosec // as encoded
		r.except = string(data[want:])
	case consumed:
		r.value = data[timeSize:]
	}
	return r, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum covers where data is kept as well, so that a record that strayed is
// no record.
func checksum(k kind, key, data []byte) uint32 {
	sum := crc32.Checksum([]byte(k), castagnoli)
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, data)
}

// seal fills in the checksum that data has room for at its begin.
func seal(k kind, key, data []byte) []byte {
	binary.BigEndian.PutUint32(data, checksum(k, key, data[checksumSize:]))
	return data
}

// unseal returns what follows the checksum, if that is right.
func unseal(k kind, key, data []byte) ([]byte, error) {
	if len(data) < checksumSize || binary.BigEndian.Uint32(data) != checksum(k, key, data[checksumSize:]) {
		return nil, wrongChecksum
	}
	return data[checksumSize:], nil
}
