package paserk

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/crypto/argon2"
)

// Cost is what deriving a key from a password costs. Versions 2 and 4 use
// Memory, Passes and Threads, version 3 uses Passes alone: the iterations of
// PBKDF2.
type Cost struct {
	Memory  uint64 // bytes
	Passes  uint32
	Threads uint32
	// Total bounds memory times passes, and so the time. Only a limit has it,
	// and zero is none.
	Total uint64
}

// check reports, as an error that wraps [ErrLimits] and names the bound, why c is
// not possible, or asks for more than most.
func (c Cost) check(most Cost, v3 bool) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrLimits, fmt.Sprintf(format, args...))
	}
	const kib = 1024
	threads := min(most.Threads, math.MaxUint8) // Argon2 has no more
	switch {
	case v3 && c.Passes == 0:
		return bad("PBKDF2 needs at least 1 iteration")
	case v3 && c.Passes > most.Passes:
		return bad("%d iterations of PBKDF2; at most %d are allowed", c.Passes, most.Passes)
	case v3:
		return nil
	case c.Memory > most.Memory:
		return bad("%d KiB of memory; at most %d are allowed", c.Memory/kib, most.Memory/kib)
	case c.Passes > most.Passes:
		return bad("%d passes; at most %d are allowed", c.Passes, most.Passes)
	case c.Threads > threads:
		return bad("%d threads; at most %d are allowed", c.Threads, threads)
	case most.Total > 0 && c.Memory*uint64(c.Passes) > most.Total:
		return bad("%d passes over %d KiB of memory; at most %d KiB in all are allowed", c.Passes, c.Memory/kib, most.Total/kib)
	case c.Passes == 0 || c.Threads == 0 || c.Memory%kib != 0 || c.Memory/kib < 8*uint64(c.Threads):
		return bad("Argon2id needs at least 1 pass, 1 thread, and memory in whole KiB, at least 8 for each thread")
	}
	return nil
}

// layout says where the parts of a password-wrapped key are.
type layout struct{ salt, params, nonce, tag int }

func layoutOf(header string) layout {
	if isV3(header) {
		return layout{salt: 32, params: 4, nonce: 16, tag: 48}
	}
	return layout{salt: 16, params: 16, nonce: 24, tag: 32}
}

// WrapPassword returns a key wrapped with a password, after PASERK's PBKW, at a cost
// that is at most most. The header is such as "k4.local-pw.".
func WrapPassword(header string, password, key []byte, cost, most Cost) (string, error) {
	if err := cost.check(most, isV3(header)); err != nil {
		return "", err
	}
	l := layoutOf(header)
	prefix := make([]byte, l.salt)
	_, _ = rand.Read(prefix) // never fails
	if isV3(header) {
		prefix = binary.BigEndian.AppendUint32(prefix, cost.Passes)
	} else {
		prefix = binary.BigEndian.AppendUint64(prefix, cost.Memory)
		prefix = binary.BigEndian.AppendUint32(prefix, cost.Passes)
		prefix = binary.BigEndian.AppendUint32(prefix, cost.Threads)
	}
	nonce := make([]byte, l.nonce)
	_, _ = rand.Read(nonce)

	pre, err := derive(header, password, prefix[:l.salt], cost)
	if err != nil {
		return "", err
	}
	ciphertext := passwordCrypt(header, pre, nonce, key)
	body := concat(prefix, nonce, ciphertext)
	return Encode(header, append(body, passwordTag(header, pre, body)...)), nil
}

// PasswordSize returns the length of the data of a wrapped key of so many bytes,
// as it is encoded.
func PasswordSize(header string, key int) int {
	l := layoutOf(header)
	return encoding.EncodedLen(l.salt + l.params + l.nonce + key + l.tag)
}

// UnwrapPassword returns the key that WrapPassword has wrapped; data is what
// follows the header. It spends no more than most on a string that may come
// from anywhere.
func UnwrapPassword(header string, password []byte, data string, most Cost) ([]byte, error) {
	b, err := Decode(data)
	if err != nil {
		return nil, err
	}
	l := layoutOf(header)
	if len(b) <= l.salt+l.params+l.nonce+l.tag {
		return nil, ErrForm
	}
	salt, params := b[:l.salt], b[l.salt:l.salt+l.params]
	body, tag := b[:len(b)-l.tag], b[len(b)-l.tag:]
	nonce, ciphertext := body[l.salt+l.params:][:l.nonce], body[l.salt+l.params+l.nonce:]

	cost := Cost{Passes: binary.BigEndian.Uint32(params)}
	if !isV3(header) {
		cost = Cost{
			Memory:  binary.BigEndian.Uint64(params),
			Passes:  binary.BigEndian.Uint32(params[8:]),
			Threads: binary.BigEndian.Uint32(params[12:]),
		}
	}
	if err := cost.check(most, isV3(header)); err != nil {
		return nil, err
	}
	pre, err := derive(header, password, salt, cost)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(tag, passwordTag(header, pre, body)) != 1 {
		return nil, ErrAuthentication
	}
	return passwordCrypt(header, pre, nonce, ciphertext), nil
}

// derive returns the 32 bytes that a password stands for.
func derive(header string, password, salt []byte, cost Cost) ([]byte, error) {
	if isV3(header) {
		return pbkdf2.Key(sha512.New384, string(password), salt, int(cost.Passes), 32)
	}
	//nolint:gosec // check has bounded memory and threads
	return argon2.IDKey(password, salt, cost.Passes, uint32(cost.Memory/1024), uint8(cost.Threads), 32), nil
}

// The bytes that keep the two keys derived from one password apart.
const (
	passwordEncryption     = 0xff
	passwordAuthentication = 0xfe
)

func passwordCrypt(header string, pre, nonce, data []byte) []byte {
	if isV3(header) {
		key := sha512.Sum384(concat([]byte{passwordEncryption}, pre))
		return aesCTR(key[:32], nonce, data)
	}
	return xchacha20(hash(nil, 32, []byte{passwordEncryption}, pre), nonce, data)
}

func passwordTag(header string, pre, body []byte) []byte {
	if isV3(header) {
		key := sha512.Sum384(concat([]byte{passwordAuthentication}, pre))
		return mac(key[:], []byte(header), body)
	}
	return hash(hash(nil, 32, []byte{passwordAuthentication}, pre), 32, []byte(header), body)
}
