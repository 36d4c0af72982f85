package paseto

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
	"github.com/pasetokit/pasetokit/paseto/internal/paserk"
)

// Wrap returns the key encrypted with another, a local key of the same version,
// after PASERK's PIE: k4.local-wrap.pie.… or k4.secret-wrap.pie.…. The result
// may lie where the key itself must not. A public half is no secret and cannot
// be wrapped.
func (k Key) Wrap(wrapping Key) (string, error) {
	header, err := k.wrapHeader("-wrap.pie")
	if err != nil {
		return "", err
	}
	if err := checkWrapping(k.version, wrapping); err != nil {
		return "", err
	}
	return paserk.Wrap(header, wrapping.opener.Bytes(), k.opener.Bytes()), nil
}

// UnwrapKey returns the key that [Key.Wrap] has wrapped. The error wraps
// [ErrKey] and contains none of the text.
func UnwrapKey(text string, wrapping Key) (Key, error) {
	version, kind, header, data, err := splitWrapped(text, "-wrap", "pie.")
	if err != nil {
		return Key{}, err
	}
	if err := checkWrapping(version, wrapping); err != nil {
		return Key{}, err
	}
	material, err := paserk.Unwrap(header, wrapping.opener.Bytes(), data)
	if err != nil {
		return Key{}, keyError("%v", err)
	}
	return newKey(version, kind, material)
}

// PasswordCost is what it costs to try one password on a wrapped key. The zero
// value of a field is its default.
type PasswordCost struct {
	// Memory in bytes, a multiple of 1 KiB, for Argon2id (versions 2 and 4).
	// Default 64 MiB, at most 256 MiB.
	Memory uint64
	// Passes over that memory: at most 16, and at most 1 GiB in all. Default 3. For
	// version 3, which uses PBKDF2, iterations: at most a million, by default
	// 210,000.
	Passes uint32
	// Threads that share the work of Argon2id. Default 1, at most 16.
	Threads uint32
}

func (c PasswordCost) withDefaults(version Version) paserk.Cost {
	cost := paserk.Cost{Memory: 64 << 20, Passes: 3, Threads: 1}
	if version == V3 {
		cost.Passes = 210_000
	}
	if c.Memory != 0 {
		cost.Memory = c.Memory
	}
	if c.Passes != 0 {
		cost.Passes = c.Passes
	}
	if c.Threads != 0 {
		cost.Threads = c.Threads
	}
	return cost
}

// mostPasswordCost is what unwrapping spends at most: a wrapped key says itself
// what it costs, and may come from anywhere. It is more than the official vectors
// need, 256 MiB and 3 passes, and about a second of one core.
func mostPasswordCost(version Version) paserk.Cost {
	if version == V3 {
		return paserk.Cost{Passes: 1_000_000}
	}
	return paserk.Cost{Memory: 256 << 20, Passes: 16, Threads: 16, Total: 1 << 30}
}

// WrapPassword returns the key encrypted with a password, after PASERK's PBKW:
// k4.local-pw.… or k4.secret-pw.…. It is as safe as the password is hard to
// guess. A public half cannot be wrapped. A cost beyond the bounds of
// [PasswordCost] is refused, since [UnwrapKeyPassword] would not spend it.
func (k Key) WrapPassword(password []byte, cost PasswordCost) (string, error) {
	header, err := k.wrapHeader("-pw")
	if err != nil {
		return "", err
	}
	if len(password) == 0 {
		return "", keyError("the password is empty")
	}
	wrapped, err := paserk.WrapPassword(header, password, k.opener.Bytes(), cost.withDefaults(k.version), mostPasswordCost(k.version))
	if err != nil {
		return "", keyError("%v", err)
	}
	return wrapped, nil
}

// UnwrapKeyPassword returns the key that [Key.WrapPassword] has wrapped, or another
// library. A text that asks for more than the bounds of [PasswordCost], which take
// about a second, is refused before anything is spent on it. The error wraps
// [ErrKey] and contains neither text nor password.
func UnwrapKeyPassword(text string, password []byte) (Key, error) {
	version, kind, header, data, err := splitWrapped(text, "-pw", "")
	if err != nil {
		return Key{}, err
	}
	if len(data) != paserk.PasswordSize(header, codec.Size(string(version), kind)) {
		return Key{}, keyError("%v", paserk.ErrForm) // before anything is spent on it
	}
	material, err := paserk.UnwrapPassword(header, password, data, mostPasswordCost(version))
	if errors.Is(err, paserk.ErrAuthentication) {
		return Key{}, keyError("%v%s", err, aboutPassword(password))
	}
	if err != nil {
		return Key{}, keyError("%v", err)
	}
	return newKey(version, kind, material)
}

// wrapHeader returns the header of the key when it is wrapped.
func (k Key) wrapHeader(suffix string) (string, error) {
	switch {
	case k.opener == nil:
		return "", keyError("there is no key to wrap")
	case k.kind == codec.Public:
		return "", keyError("a public half is no secret and has no wrapped form")
	}
	return k.header(k.kind + suffix), nil
}

// checkWrapping reports why a key cannot wrap keys of a version.
func checkWrapping(version Version, wrapping Key) error {
	if wrapping.opener == nil || wrapping.kind != codec.Local || wrapping.version != version {
		return keyError("the wrapping key must be a local key of the same version, %s", version)
	}
	return nil
}

// splitWrapped takes a wrapped key apart: "k4.local-pw.DATA" or
// "k4.local-wrap.pie.DATA".
func splitWrapped(text, suffix, protocol string) (version Version, kind, header, data string, err error) {
	text = strings.TrimSpace(text)
	if isPASERK(text) {
		name, rest, _ := strings.Cut(text[3:], ".")
		kind, isWrapped := strings.CutSuffix(name, suffix)
		data, isProtocol := strings.CutPrefix(rest, protocol)
		version := Version("v" + text[1:2])
		if isWrapped && isProtocol && kind != codec.Public && codec.Size(string(version), kind) > 0 {
			return version, kind, text[:len(text)-len(data)], data, nil
		}
	}
	expected := fmt.Sprintf("expected a wrapped key such as k4.local%s.%s… or k4.secret%[1]s.%[2]s…", suffix, protocol)
	return "", "", "", "", keyError("%s", misread(text, expected))
}
