package codec

import (
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/blake2b"
)

// pae is the pre-authentication encoding of the PASETO specification: a count
// of pieces, and before each its length, as 64-bit little-endian numbers.
func pae(pieces ...[]byte) []byte {
	size := 8
	for _, piece := range pieces {
		size += 8 + len(piece)
	}
	out := binary.LittleEndian.AppendUint64(make([]byte, 0, size), uint64(len(pieces)))
	for _, piece := range pieces {
		out = binary.LittleEndian.AppendUint64(out, uint64(len(piece)))
		out = append(out, piece...)
	}
	return out
}

// writePAE writes what pae returns to a hash, without a copy.
func writePAE(h hash.Hash, pieces ...[]byte) {
	var number [8]byte
	write := func(n int) {
		binary.LittleEndian.PutUint64(number[:], uint64(n)) //nolint:gosec // A length is not negative.
		h.Write(number[:])
	}
	write(len(pieces))
	for _, piece := range pieces {
		write(len(piece))
		h.Write(piece)
	}
}

// keyedHash is BLAKE2b with a key of 32 bytes and at most 64 bytes of output:
// sizes with which it cannot fail.
func keyedHash(key []byte, size int) hash.Hash {
	h, err := blake2b.New(size, key)
	if err != nil {
		panic("codec: " + err.Error())
	}
	return h
}
