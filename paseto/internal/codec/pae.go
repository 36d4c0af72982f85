package codec

import (
	"encoding/binary"

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

// keyedHash is BLAKE2b with a key of 32 bytes and at most 64 bytes of output:
// sizes with which it cannot fail.
func keyedHash(key []byte, size int, data []byte) []byte {
	h, err := blake2b.New(size, key)
	if err != nil {
		panic("codec: " + err.Error())
	}
	h.Write(data)
	return h.Sum(nil)
}
