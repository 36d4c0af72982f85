package paseto

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// maxKeys bounds the keys that one token can be tried with, and so the work
// that it can cause.
const maxKeys = 32

// kidMember is the footer member that names a token's key.
const kidMember = "kid"

// KeySource finds keys that are not configured, such as those that another
// service publishes; see httpauth.RemoteKeys.
type KeySource interface {
	// Keys returns keys that may open a token of a version and purpose, the
	// likeliest first: at most 32 are tried. Kid is the one in the token's
	// footer, empty if there is none; it is not authenticated, and may only
	// choose among keys that are trusted anyway. No key is no error. An error
	// means that the source does not know.
	Keys(ctx context.Context, version Version, purpose Purpose, kid string) ([]Key, error)
}

// WithKeySource has the Authorizer ask source for keys where none of its own
// opens a token. Keys of a source never issue.
func WithKeySource(source KeySource) Option {
	return func(a *Authorizer) { a.source = source }
}

// keyring is a set of keys that is never changed, only replaced.
type keyring []ringKey

// ringKey is a key beside what its tokens carry: the kid, and the footer that they
// have unless a grant asks for another.
type ringKey struct {
	Key
	kid    string
	footer []byte
}

// newKeyring checks the keys and reports every problem.
func newKeyring(keys []Key) (keyring, error) {
	var errs []error
	if len(keys) > maxKeys {
		errs = append(errs, fmt.Errorf("%w: Keys has %d entries; at most %d are allowed", ErrConfig, len(keys), maxKeys))
	}
	ring := make(keyring, len(keys))
	for i, key := range keys {
		if key.opener == nil {
			errs = append(errs, fmt.Errorf("%w: Keys[%d] is the zero Key", ErrConfig, i))
			continue
		}
		if key.weak() {
			errs = append(errs, fmt.Errorf("%w: Keys[%d] is a point of small order, with which everybody can sign", ErrConfig, i))
		}
		ring[i] = ringKey{Key: key, kid: key.KeyID()}
		ring[i].footer, _ = Grant{}.footer(ring[i].kid) // cannot fail
	}
	return ring, errors.Join(errs...)
}

// SetKeys replaces the keys while the Authorizer is at work: a verification uses
// either the old ones or the new ones. To rotate, put the new key first and
// [Key.Retire] the old one. On an error, which wraps [ErrConfig], the old keys
// stay.
func (a *Authorizer) SetKeys(keys ...Key) error {
	if len(keys) == 0 && a.source == nil {
		return fmt.Errorf("%w: Keys is empty; without a key no token can be issued or opened", ErrConfig)
	}
	ring, err := newKeyring(keys)
	if err != nil {
		return err
	}
	a.ring.Store(&ring)
	return nil
}

// Keys returns the keys in force.
func (a *Authorizer) Keys() []Key {
	var keys []Key
	for _, key := range *a.ring.Load() {
		keys = append(keys, key.Key)
	}
	return keys
}

// issuing returns the key that issues tokens of a version and purpose.
func (r keyring) issuing(version Version, purpose Purpose) (ringKey, bool) {
	for _, key := range r {
		if key.version == version && key.Purpose() == purpose && key.CanIssue() {
			return key, true
		}
	}
	return ringKey{}, false
}

// opening returns the keys that open tokens of a version and purpose now.
func (r keyring) opening(version Version, purpose Purpose, now time.Time) keyring {
	var found keyring
	for _, key := range r {
		if key.version == version && key.Purpose() == purpose && key.opensAt(now) {
			found = append(found, key)
		}
	}
	return found
}

// opens reports whether the key of that kid opens tokens now.
func (r keyring) opens(kid string, now time.Time) bool {
	return slices.ContainsFunc(r, func(k ringKey) bool { return k.kid == kid && k.opensAt(now) })
}

// serves refuses a token that no key serves by its header alone.
func (a *Authorizer) serves(ring keyring, p codec.Parts) *Error {
	version, purpose := Version(p.Version), Purpose(p.Purpose)
	knownVersion := slices.ContainsFunc(ring, func(k ringKey) bool { return k.version == version })
	knownPurpose := slices.ContainsFunc(ring, func(k ringKey) bool { return k.version == version && k.Purpose() == purpose })
	if a.source != nil {
		knownVersion = knownVersion || version == V2 || version == V3 || version == V4
		knownPurpose = knownPurpose || purpose == Local || purpose == Public
	}
	switch {
	case !knownVersion:
		return refuseWith(ErrVersion, "Invalid PASETO version"+shown(p.Version))
	case !knownPurpose:
		return refuseWith(ErrPurpose, "Invalid PASETO purpose"+shown(p.Purpose))
	}
	return nil
}

// shown returns a word of a token's header for a message, or nothing where it
// is not a short word: the header is the sender's to write.
func shown(word string) string {
	const longest = 16
	odd := func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
	if word == "" || len(word) > longest || slices.ContainsFunc([]rune(word), odd) {
		return ""
	}
	return " " + word
}

// keyID matches the identifiers that PASERK gives to keys.
var keyID = regexp.MustCompile(`^k\d\.(lid|sid|pid)\.[\w-]{44}$`)

// own returns the footer of a token of the key, without keeping a copy of what most
// of them have: claims may be held for long.
func (k ringKey) own(footer []byte) []byte {
	if bytes.Equal(footer, k.footer) {
		return slices.Clip(k.footer)
	}
	return footer
}

// foreign reports whether tokens of the key are another issuer's: the key is a
// source's, or but a public half.
func (k ringKey) foreign() bool { return k.kid == "" || k.kind == codec.Public }

// unseal returns the claims of a token of a version and purpose that is served,
// and the key that opened it, which has no kid if it is a source's.
func (a *Authorizer) unseal(ctx context.Context, ring keyring, version Version, purpose Purpose, t sealed) (claims []byte, with ringKey, err error) {
	kid := footerKeyID(t.footer)
	own, chosen := ring.candidates(version, purpose, kid, a.now())
	claims, with, err = t.openWithAny(own)
	if err != nil && !chosen && a.source != nil && !errors.Is(err, codec.ErrForm) {
		more, askErr := a.ask(ctx, version, purpose, kid)
		if askErr != nil {
			return nil, ringKey{}, askErr
		}
		claims, with, err = t.openWithAny(more)
	}
	switch {
	case err == nil:
		return claims, with, nil
	case errors.Is(err, codec.ErrForm):
		return nil, ringKey{}, refuse(ErrMalformed, "%w", err)
	case purpose == Local:
		return nil, ringKey{}, refuse(ErrDecrypt, "%w", err)
	}
	return nil, ringKey{}, refuse(ErrSignature, "%w", err)
}

// candidates returns the keys to try on a token, in order. A kid chooses one of
// them. A kid that is another key's in PASERK's form leaves none; any other kid
// is the issuer's own way of naming keys, and says nothing.
func (r keyring) candidates(version Version, purpose Purpose, kid string, now time.Time) (keys keyring, chosen bool) {
	for _, key := range r.opening(version, purpose, now) {
		if kid != "" && key.kid == kid {
			return keyring{key}, true
		}
		keys = append(keys, key)
	}
	if keyID.MatchString(kid) {
		return nil, false
	}
	return keys, false
}

// ask returns the keys of the source that may open a token.
func (a *Authorizer) ask(ctx context.Context, version Version, purpose Purpose, kid string) (keyring, error) {
	found, err := a.source.Keys(ctx, version, purpose, kid)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("paseto: asking for keys: %w", ctx.Err())
	case err != nil:
		a.clientLog.Write(ctx, netip.Prefix{}, slog.LevelError, "keys cannot be had", "err", err)
		return nil, refuse(ErrKeysUnavailable, "%w", err)
	}
	var keys keyring
	for _, key := range found {
		if key.opener != nil && key.version == version && key.Purpose() == purpose && key.opensAt(a.now()) && !key.weak() {
			keys = append(keys, ringKey{Key: key})
		}
	}
	return keys[:min(len(keys), maxKeys)], nil
}

// sealed is a token decoded and not yet opened.
type sealed struct{ payload, footer, implicit []byte }

// errNoKey is why a token is refused that no key is for.
var errNoKey = errors.New("there is no key for it")

// openWithAny tries the keys in order, and returns the one that opens the token
// or the last one's error.
func (t sealed) openWithAny(keys keyring) (claims []byte, with ringKey, err error) {
	err = errNoKey
	for _, key := range keys {
		if claims, err = key.opener.Open(t.payload, t.footer, t.implicit); err == nil {
			return claims, key, nil
		}
	}
	return nil, ringKey{}, err
}

// footerKeyID returns the kid in a footer, empty if there is none: a footer is
// a JSON object only if it is meant to be.
func footerKeyID(footer []byte) string {
	if len(footer) == 0 || footer[0] != '{' {
		return ""
	}
	var kid string
	err := strictjson.Object(footer, func(name string, value json.RawMessage) error {
		if name == kidMember {
			return json.Unmarshal(value, &kid)
		}
		return nil
	})
	if err != nil {
		return ""
	}
	return kid
}
