package paseto

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
	"github.com/pasetokit/pasetokit/paseto/internal/paserk"
)

// Version is a version of the PASETO protocol. Version 1 is not supported: it
// rests on RSA, and is out of use.
type Version string

const (
	// V2 is version 2: XChaCha20-Poly1305 and Ed25519, without implicit
	// assertions. It is superseded by version 4.
	V2 Version = codec.V2
	// V3 is version 3: AES-256-CTR with HMAC-SHA384, and ECDSA over P-384, for
	// where NIST's algorithms are demanded.
	V3 Version = codec.V3
	// V4 is version 4: XChaCha20 with BLAKE2b, and Ed25519. The default.
	V4 Version = codec.V4
)

// Purpose tells encrypted tokens from signed ones.
type Purpose string

const (
	// Local tokens are encrypted with a shared key: only its holders read,
	// verify and issue them.
	Local Purpose = codec.Local
	// Public tokens are signed: everyone reads them, holders of the public key
	// verify them, and only the holder of the secret key issues them.
	Public Purpose = codec.Public
)

// Key is a key of one version and purpose. The zero Key is not usable; keys
// come from [ParseKey], [ParseKeyFor], [NewKey] and the functions that unwrap.
//
// However a Key is printed or logged, its material does not show; only
// [Key.Export] and the methods that wrap give it out.
type Key struct {
	version  Version
	kind     string // local, secret or public, as in PASERK
	opener   codec.Opener
	notAfter time.Time // zero: never retired
}

// Version returns the version of the tokens that the key opens.
func (k Key) Version() Version { return k.version }

// Purpose returns the purpose of the tokens that the key opens.
func (k Key) Purpose() Purpose {
	if k.kind == codec.Secret {
		return Public
	}
	return Purpose(k.kind)
}

// CanIssue reports whether the key issues tokens: false for the public half of
// a key pair, for a retired key and for the zero Key.
func (k Key) CanIssue() bool { return k.sealer() != nil }

// sealer returns what issues tokens, nil for a key that may not.
func (k Key) sealer() codec.Sealer {
	if !k.notAfter.IsZero() {
		return nil
	}
	sealer, _ := k.opener.(codec.Sealer)
	return sealer
}

// Retire returns the key as one that no longer issues, and opens tokens until
// notAfter: what becomes of a key that another has followed. Give it the time
// at which the last token that it has issued expires. The zero time is long
// over: the key then opens nothing.
func (k Key) Retire(notAfter time.Time) Key {
	if notAfter.IsZero() {
		notAfter = time.Unix(0, 0) // zero stands for a key that is not retired
	}
	k.notAfter = notAfter
	return k
}

// NotAfter returns the time from which a retired key opens nothing any more,
// zero for a key that is not retired.
func (k Key) NotAfter() time.Time { return k.notAfter }

// opensAt reports whether the key opens tokens at a time.
func (k Key) opensAt(now time.Time) bool { return k.notAfter.IsZero() || now.Before(k.notAfter) }

// PublicKey returns the half of a key pair that verifies and cannot issue. Of a
// public half it is the key itself. A local key has none.
func (k Key) PublicKey() (Key, error) {
	if k.kind == codec.Public {
		return k, nil
	}
	half, ok := codec.PublicHalf(k.opener)
	if !ok {
		return Key{}, keyError("only a key of purpose public has a public half")
	}
	return Key{version: k.version, kind: codec.Public, opener: half, notAfter: k.notAfter}, nil
}

// NewKey returns a fresh random key of a version and purpose: for [Public] a
// key pair. The error wraps [ErrKey] for a version or purpose that there is
// not.
func NewKey(version Version, purpose Purpose) (Key, error) {
	kind, err := issuingKind(purpose)
	if err != nil {
		return Key{}, err
	}
	material, err := codec.Generate(string(version), kind, rand.Reader)
	if err != nil {
		return Key{}, keyError("there are no keys of version %.8q and purpose %.8q", string(version), string(purpose))
	}
	return newKey(version, kind, material)
}

// issuingKind returns the kind of the keys that issue tokens of a purpose.
func issuingKind(purpose Purpose) (string, error) {
	switch purpose {
	case Local:
		return codec.Local, nil
	case Public:
		return codec.Secret, nil
	}
	return "", keyError("unknown purpose %.16q; expected local or public", string(purpose))
}

// weak reports whether anybody can sign with the key: it is a point of small
// order.
func (k Key) weak() bool {
	point, ok := k.opener.(interface{ Weak() bool })
	return ok && point.Weak()
}

// NewLocalKey returns a fresh random key for v4.local tokens.
func NewLocalKey() Key { return must(NewKey(V4, Local)) }

// NewSecretKey returns a fresh random key pair for v4.public tokens.
func NewSecretKey() Key { return must(NewKey(V4, Public)) }

// must is for keys that can always be made: crypto/rand never fails.
func must(k Key, err error) Key {
	if err != nil {
		panic(err)
	}
	return k
}

// String returns the kind of the key and nothing of its material.
func (k Key) String() string {
	switch {
	case k.opener == nil:
		return "no key"
	case k.kind == codec.Local:
		return string(k.version) + ".local key (redacted)"
	case k.kind == codec.Secret:
		return string(k.version) + ".public secret key (redacted)"
	default:
		return string(k.version) + ".public public key"
	}
}

// Format implements [fmt.Formatter]: every verb prints [Key.String].
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue implements [slog.LogValuer].
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// newKey reads the bytes of a key.
func newKey(version Version, kind string, material []byte) (Key, error) {
	size := codec.Size(string(version), kind)
	switch {
	case size == 0:
		return Key{}, keyError("unknown kind of key; expected %s", knownKinds)
	case len(material) != size:
		return Key{}, keyError("a %s %s key has %d bytes, this one %d", version, kind, size, len(material))
	}
	opener, err := codec.New(string(version), kind, material)
	switch {
	case err == nil:
		return Key{version: version, kind: kind, opener: opener}, nil
	case kind == codec.Public:
		return Key{}, keyError("it is not a point on the curve")
	case version == V3:
		return Key{}, keyError("it is not a scalar of the curve P-384")
	}
	return Key{}, keyError("the public half of the key pair does not belong to its seed")
}

const knownKinds = "local, secret or public of version k2, k3 or k4"

func keyError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrKey, fmt.Sprintf(format, args...))
}

// ID returns the identifier of the key after PASERK: lid for a local key, sid
// for a key pair, pid for a public half. It tells nothing of the key and may be
// published and logged. It is empty for the zero Key.
func (k Key) ID() string {
	if k.opener == nil {
		return ""
	}
	return paserk.ID(k.header(map[string]string{codec.Local: "lid", codec.Secret: "sid", codec.Public: "pid"}[k.kind]), k.Export())
}

// KeyID returns the kid of the tokens that the key makes or opens: the
// identifier of a local key, and for the two halves of a pair that of the public
// half, so that both have the same.
func (k Key) KeyID() string {
	if public, err := k.PublicKey(); err == nil {
		k = public
	}
	return k.ID()
}

// header returns the beginning of a PASERK of the key's version.
func (k Key) header(paserkType string) string {
	return "k" + string(k.version[1:]) + "." + paserkType + "."
}

// Export returns the key as PASERK: k4.local.…, k4.secret.… or k4.public.….
// Danger: but for a public half, whoever reads it can issue tokens. Keep it
// where the key itself may be kept, or wrap it.
func (k Key) Export() string {
	if k.opener == nil {
		return ""
	}
	return paserk.Encode(k.header(k.kind), k.opener.Bytes())
}

// Equal reports whether both are the same key, retired or not.
func (k Key) Equal(other Key) bool { return k.ID() == other.ID() }
