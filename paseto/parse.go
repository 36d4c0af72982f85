package paseto

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
	"github.com/pasetokit/pasetokit/paseto/internal/paserk"
)

// ParseKey reads a key that says itself what it is:
//
//   - PASERK: local, secret and public of k2, k3 and k4;
//   - PEM: a private key (PKCS #8, SEC 1) or public key (SPKI) of Ed25519, for
//     version 4, or P-384, for version 3.
//
// White space around it is ignored. The error wraps [ErrKey] and contains none
// of the text. Wrapped keys are read by [UnwrapKey] and [UnwrapKeyPassword].
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Key{}, keyError("it is empty")
	case strings.HasPrefix(text, "-----BEGIN "):
		return parsePEM(V4, text)
	case isPASERK(text):
		return parsePASERK(text)
	}
	return Key{}, keyError("%s", misread(text, "expected a PASERK (k4.local.…, k4.secret.…, k4.public.…) or a PEM block"))
}

// ParseKeyFor reads a key for a version and purpose. It reads what [ParseKey]
// does, which says itself what it is and may be of another version or purpose,
// but takes Ed25519 in PEM for version 2 where that is asked for, and beside:
//
//   - hexadecimal digits: the bytes of a local key or of a key pair;
//   - the bytes of a local key or of a key pair themselves, as a file may hold
//     them.
//
// Bytes do not say what they are. For Public the 32 bytes of a lone Ed25519 seed
// are therefore refused, since they cannot be told from a public key.
func ParseKeyFor(version Version, purpose Purpose, text string) (Key, error) {
	kind, err := issuingKind(purpose)
	if err != nil {
		return Key{}, err
	}
	trimmed := strings.TrimSpace(text)
	switch {
	case len(text) == codec.Size(string(version), kind) && !printable(text):
		return newKey(version, kind, []byte(text))
	case strings.HasPrefix(trimmed, "-----BEGIN "):
		return parsePEM(version, trimmed)
	case isPASERK(trimmed):
		return parsePASERK(trimmed)
	case trimmed == "":
		return Key{}, keyError("it is empty")
	}
	size := codec.Size(string(version), kind)
	material, err := hex.DecodeString(trimmed)
	switch {
	case err != nil && size > 0 && !printable(text) && misread(text, "") == "":
		return Key{}, keyError("%s, nor a PASERK (k4.local.…), a PEM block, or hexadecimal digits", wrongSize(version, kind, len(text)))
	case err != nil:
		return Key{}, keyError("%s", misread(text, "expected a PASERK (k4.local.…, k4.secret.…, k4.public.…), a PEM block, or pairs of hexadecimal digits"))
	case purpose == Public && version != V3 && len(material) == ed25519.SeedSize:
		return Key{}, keyError("32 bytes may be a seed or a public key: write it as k4.secret.…, k4.public.… or PEM; a local key goes with purpose local")
	case size > 0 && len(material) != size:
		return Key{}, keyError("%s", wrongSize(version, kind, len(material)))
	}
	return newKey(version, kind, material)
}

// printable reports whether s is text, which no random key is.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r > '~' })
}

// isPASERK reports whether text begins as PASERKs do.
func isPASERK(text string) bool {
	return len(text) > 2 && text[0] == 'k' && text[1] >= '0' && text[1] <= '9' && text[2] == '.'
}

func parsePASERK(text string) (Key, error) {
	version, rest, _ := strings.Cut(text, ".")
	kind, data, found := strings.Cut(rest, ".")
	wrapped := strings.HasSuffix(kind, "-wrap") || strings.HasSuffix(kind, "-pw")
	version = "v" + version[1:]
	switch {
	case found && wrapped:
		return Key{}, keyError("it is wrapped: unwrap it with the wrapping key or the password first")
	case !found || codec.Size(version, kind) == 0:
		return Key{}, keyError("unknown kind of PASERK; expected %s", knownKinds)
	}
	material, err := paserk.Decode(data)
	if err != nil {
		return Key{}, keyError("the data of the PASERK is not base64url without padding")
	}
	return newKey(Version(version), kind, material)
}

// parsePEM reads a key in PEM, an Ed25519 one for version 2 if that is wanted
// and else for version 4.
func parsePEM(version Version, text string) (Key, error) {
	block, rest := pem.Decode([]byte(text))
	if block != nil && block.Type == "EC PARAMETERS" { // which openssl writes before a key
		block, rest = pem.Decode(rest)
	}
	switch {
	case block == nil:
		return Key{}, keyError("%s", misread(text, "the PEM block is damaged"))
	case strings.TrimSpace(string(rest)) != "":
		return Key{}, keyError("something follows the PEM block; expected exactly one key")
	case trailing(block.Bytes):
		return Key{}, keyError("something follows the key inside the PEM block")
	}
	if version != V2 {
		version = V4
	}
	switch key := parseDER(block).(type) {
	case ed25519.PrivateKey:
		return newKey(version, codec.Secret, key)
	case ed25519.PublicKey:
		return newKey(version, codec.Public, key)
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P384() {
			scalar, err := key.Bytes()
			if err != nil {
				return Key{}, keyError("it is not a scalar of the curve P-384")
			}
			return newKey(V3, codec.Secret, scalar)
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P384() {
			point, err := codec.CompressP384(key)
			if err != nil {
				return Key{}, keyError("it is not a point on the curve")
			}
			return newKey(V3, codec.Public, point)
		}
	}
	return Key{}, keyError("the PEM block holds no key of Ed25519 or P-384 (\"PRIVATE KEY\", \"EC PRIVATE KEY\" or \"PUBLIC KEY\")")
}

// trailing reports whether something follows the first element, which some of
// the parsers pass over.
func trailing(der []byte) bool {
	var element asn1.RawValue
	rest, err := asn1.Unmarshal(der, &element)
	return err == nil && len(rest) > 0
}

// parseDER returns the key of a PEM block, nil if it holds none.
func parseDER(block *pem.Block) any {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil
	}
	return key
}

// ExportPEM returns a key pair as PKCS #8 or a public half as SPKI, in PEM.
// Danger: see [Key.Export]. Local keys have no PEM form.
func (k Key) ExportPEM() (string, error) {
	key, err := k.standard()
	if err != nil {
		return "", err
	}
	block := &pem.Block{Type: "PUBLIC KEY"}
	if k.kind == codec.Secret {
		block.Type = "PRIVATE KEY"
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
	} else {
		block.Bytes, err = x509.MarshalPKIXPublicKey(key)
	}
	if err != nil {
		return "", keyError("it has no PEM form")
	}
	return string(pem.EncodeToMemory(block)), nil
}

// standard returns the key as the standard library has it.
func (k Key) standard() (any, error) {
	if k.opener == nil || k.kind == codec.Local {
		return nil, keyError("only keys of purpose public have a PEM form")
	}
	material := k.opener.Bytes()
	switch {
	case k.version != V3 && k.kind == codec.Secret:
		return ed25519.PrivateKey(material), nil
	case k.version != V3:
		return ed25519.PublicKey(material), nil
	case k.kind == codec.Secret:
		return ecdsa.ParseRawPrivateKey(elliptic.P384(), material)
	}
	return codec.DecompressP384(material)
}
