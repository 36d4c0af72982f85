package httpauth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/sentinel"
	"github.com/pasetokit/pasetokit/paseto"
)

// What [HashPassword] asks of Argon2id: the first choice of OWASP's Password
// Storage Cheat Sheet. Each hash takes 19 MiB of memory while it is computed.
const (
	hashMemory  = 19 << 10 // KiB
	hashPasses  = 2
	hashThreads = 1
	hashSalt    = 16 // bytes
	hashSum     = 32 // bytes
)

// The most that [CheckPassword] takes from a hash, so that one which somebody
// else wrote costs no more than a second and 256 MiB.
const (
	maxHash        = 256 // characters
	maxHashMemory  = 256 << 10
	maxHashPasses  = 10
	maxHashThreads = 16
	maxHashWork    = 1 << 20 // memory times passes
	minHashBytes   = 8
	maxHashBytes   = 64
)

// HashPassword returns what to keep of a password: its Argon2id hash (RFC 9106)
// with a random salt, in the usual encoded form
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>
//
// The cost is the first choice of OWASP's Password Storage Cheat Sheet: 19 MiB of
// memory, two passes, one thread.
func HashPassword(password paseto.Secret) string {
	h := defaultHash()
	_, _ = rand.Read(h.salt) // never fails
	h.sum = h.of(password, argon2.IDKey)
	return h.String()
}

// CheckPassword returns nil if hash is that of password, as [HashPassword] or
// another program has made it with Argon2id, and [ErrCredentials] if it is not.
//
// Call it with an empty hash for a user who does not exist: it then does the
// same work as for a hash of HashPassword, and returns ErrCredentials. So the time
// does not tell who exists.
//
// It does the same for a hash that it cannot check, because that is malformed, or asks
// for more than 256 MiB of memory, 10 passes, 16 threads, or 1 GiB as memory times
// passes: its error is then both ErrCredentials, for the client, and [ErrHash], for the
// operator. It does not show the hash.
func CheckPassword(hash string, password paseto.Secret) error {
	return checkPassword(hash, password, argon2.IDKey)
}

// deriveFunc is [argon2.IDKey].
type deriveFunc func(password, salt []byte, passes, memory uint32, threads uint8, length uint32) []byte

func checkPassword(hash string, password paseto.Secret, derive deriveFunc) error {
	refused := refusal.New(ErrCredentials)
	h, broken := parseHash(hash)
	if broken != nil {
		h = defaultHash()
		if hash != "" {
			refused.Cause = broken
		}
	}
	if same := subtle.ConstantTimeCompare(h.sum, h.of(password, derive)); same != 1 || broken != nil {
		return refused
	}
	return nil
}

// passwordHash is an encoded hash, taken apart.
type passwordHash struct {
	memory, passes uint32 // memory in KiB
	threads        uint8
	salt, sum      []byte
}

// defaultHash returns a hash of today's cost, whose salt and sum are zeros.
func defaultHash() passwordHash {
	return passwordHash{
		memory: hashMemory, passes: hashPasses, threads: hashThreads,
		salt: make([]byte, hashSalt), sum: make([]byte, hashSum),
	}
}

// of returns the sum that password has with the salt and the cost of h.
func (h passwordHash) of(password paseto.Secret, derive deriveFunc) []byte {
	return derive([]byte(password.Reveal()), h.salt, h.passes, h.memory, h.threads, uint32(len(h.sum))) //nolint:gosec // at most maxHashBytes
}

const hashForm = "$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s"

// String returns the encoded form.
func (h passwordHash) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf(hashForm, h.memory, h.passes, h.threads, encode(h.salt), encode(h.sum))
}

// ErrHash: [CheckPassword] cannot check a hash. Its user cannot log in until the
// password is set anew. The log tells it as an error of the server.
const ErrHash sentinel.Error = "httpauth: the password hash cannot be checked"

var (
	errHash = fmt.Errorf("%w: it is malformed; expected one of Argon2id, $argon2id$v=19$m=…,t=…,p=…$<salt>$<hash>", ErrHash)
	// errHashCost does not say what the hash asks for: that is part of it.
	errHashCost = fmt.Errorf("%w: it asks for too much; expected at most %d KiB of memory, %d passes, %d threads, "+
		"and %d KiB as memory times passes", ErrHash, maxHashMemory, maxHashPasses, maxHashThreads, maxHashWork)
)

// parseHash takes an encoded hash apart. What it does not write the same way
// itself is malformed.
func parseHash(s string) (passwordHash, error) {
	var h passwordHash
	parts := strings.Split(s[:min(len(s), maxHash+1)], "$")
	if len(s) > maxHash || len(parts) != 6 {
		return h, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.threads); err != nil {
		return h, errHash
	}
	var badSalt, badSum error
	h.salt, badSalt = base64.RawStdEncoding.DecodeString(parts[4])
	h.sum, badSum = base64.RawStdEncoding.DecodeString(parts[5])
	switch {
	case badSalt != nil, badSum != nil, h.String() != s,
		min(len(h.salt), len(h.sum)) < minHashBytes, max(len(h.salt), len(h.sum)) > maxHashBytes,
		h.passes < 1, h.threads < 1, h.memory < 8*uint32(h.threads):
		return h, errHash
	case h.memory > maxHashMemory, h.passes > maxHashPasses, h.threads > maxHashThreads, h.memory*h.passes > maxHashWork:
		return h, errHashCost
	}
	return h, nil
}
