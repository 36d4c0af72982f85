package codec_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

func localKey(t testing.TB, material []byte) codec.Sealer {
	t.Helper()
	return sealer(t, codec.V4, codec.Local, material)
}

func secretKey(t testing.TB, material []byte) codec.Sealer {
	t.Helper()
	return sealer(t, codec.V4, codec.Secret, material)
}

func sealer(t testing.TB, version, kind string, material []byte) codec.Sealer {
	t.Helper()
	key, err := codec.New(version, kind, material)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := key.(codec.Sealer)
	if !ok {
		t.Fatalf("a key of kind %s cannot seal", kind)
	}
	return s
}

// material returns a key's worth of bytes; different n give different keys.
func material(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

func pair(n byte) []byte { return ed25519.NewKeyFromSeed(material(n)) }

func scalar(n byte) []byte { return bytes.Repeat([]byte{n}, 48) }

// open does what a reader of tokens does: it splits, compares the header with
// the key's, decodes and opens.
func open(key codec.Opener, header, token, implicit string) (claims, footer []byte, err error) {
	parts, err := codec.Split(token)
	if err != nil {
		return nil, nil, err
	}
	if parts.Version+"."+parts.Purpose != header {
		return nil, nil, codec.ErrForm
	}
	payload, footer, err := parts.Decode()
	if err != nil {
		return nil, nil, err
	}
	claims, err = key.Open(payload, footer, []byte(implicit))
	return claims, footer, err
}

// kind is one kind of key that seals, in two specimens.
type kind struct {
	header     string
	overhead   int    // what a token has beside its claims, in bytes
	implicit   string // an implicit assertion, if the version has them
	key, other codec.Sealer
}

func kinds(tb testing.TB) []kind {
	tb.Helper()
	of := func(version, keyKind string, bytes func(byte) []byte) (key, other codec.Sealer) {
		return sealer(tb, version, keyKind, bytes(1)), sealer(tb, version, keyKind, bytes(2))
	}
	all := []kind{
		{header: "v2.local", overhead: 40},
		{header: "v2.public", overhead: 64},
		{header: "v3.local", overhead: 80, implicit: "implicit"},
		{header: "v3.public", overhead: 96, implicit: "implicit"},
		{header: "v4.local", overhead: 64, implicit: "implicit"},
		{header: "v4.public", overhead: 64, implicit: "implicit"},
	}
	for i := range all {
		version, purpose, _ := strings.Cut(all[i].header, ".")
		switch {
		case purpose == codec.Local:
			all[i].key, all[i].other = of(version, codec.Local, material)
		case version == codec.V3:
			all[i].key, all[i].other = of(version, codec.Secret, scalar)
		default:
			all[i].key, all[i].other = of(version, codec.Secret, pair)
		}
	}
	return all
}

// kindOf returns one of kinds.
func kindOf(tb testing.TB, header string) kind {
	tb.Helper()
	for _, k := range kinds(tb) {
		if k.header == header {
			return k
		}
	}
	tb.Fatalf("there is no kind %s", header)
	return kind{}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, token string
		ok          bool
	}{
		{"three parts", "v4.local.AAAA", true},
		{"four parts", "v4.local.AAAA.AAAA", true},
		{"unknown words", "v9.other.AAAA", true},
		{"empty version", ".local.AAAA", true},
		{"nothing", "", false},
		{"one part", "v4", false},
		{"two parts", "v4.local", false},
		{"five parts", "v4.local.AAAA.AAAA.AAAA", false},
		{"dots alone", "..", false},
		{"empty payload", "v4.local.", false},
		{"empty payload before a footer", "v4.local..AAAA", false},
		{"trailing dot", "v4.local.AAAA.", false},
		{"a mebibyte of dots", strings.Repeat(".", 1<<20), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := codec.Split(test.token)
			if test.ok && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !test.ok && !errors.Is(err, codec.ErrForm) {
				t.Errorf("error is %v, want %v", err, codec.ErrForm)
			}
		})
	}
}

func TestSplitParts(t *testing.T) {
	t.Parallel()
	parts, err := codec.Split("v4.public.cGF5bG9hZA.Zm9vdGVy")
	if err != nil {
		t.Fatal(err)
	}
	payload, footer, err := parts.Decode()
	if err != nil {
		t.Fatal(err)
	}
	if parts.Version != "v4" || parts.Purpose != "public" || string(payload) != "payload" || string(footer) != "footer" {
		t.Errorf("parts are %q %q %q %q", parts.Version, parts.Purpose, payload, footer)
	}
	if got := parts.FooterLen(); got != len("footer") {
		t.Errorf("FooterLen is %d, want %d", got, len("footer"))
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text string }{
		{"padding", "QUE="},
		{"standard alphabet", "+/+/"},
		{"line feed inside", "AA\nAA"},
		{"carriage return at the end", "AAAA\r"},
		{"space", "AA AA"},
		{"stray bits at the end", "QUF"},
		{"impossible length", "AAAAA"},
		{"not ASCII", "AAÄA"},
	} {
		for part, token := range map[string]string{
			"payload": "v4.local." + test.text,
			"footer":  "v4.local.AAAA." + test.text,
		} {
			t.Run(part+" "+test.name, func(t *testing.T) {
				t.Parallel()
				parts, err := codec.Split(token)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := parts.Decode(); !errors.Is(err, codec.ErrForm) {
					t.Errorf("error of %q is %v, want %v", token, err, codec.ErrForm)
				}
			})
		}
	}
}

func TestOpenRefusesShortPayloads(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(kind.header, func(t *testing.T) {
			t.Parallel()
			for size := range kind.overhead + 1 {
				if _, err := kind.key.Open(make([]byte, size), nil, nil); !errors.Is(err, codec.ErrForm) {
					t.Errorf("error of %d bytes is %v, want %v", size, err, codec.ErrForm)
				}
			}
			if _, err := kind.key.Open(make([]byte, kind.overhead+1), nil, nil); !errors.Is(err, codec.ErrAuthentication) {
				t.Errorf("error of a byte of claims is %v, want %v", err, codec.ErrAuthentication)
			}
		})
	}
}

func TestOpenRefusesWhatWasNotSealed(t *testing.T) {
	t.Parallel()
	const claims, footer = `{"sub":"alice"}`, "footer"
	for _, kind := range kinds(t) {
		t.Run(kind.header, func(t *testing.T) {
			t.Parallel()
			implicit := kind.implicit
			token, err := kind.key.Seal([]byte(claims), []byte(footer), []byte(implicit))
			if err != nil {
				t.Fatal(err)
			}
			if got, _, err := open(kind.key, kind.header, token, implicit); err != nil || string(got) != claims {
				t.Fatalf("the token opens to %s, %v", got, err)
			}
			if _, _, err := open(kind.key, kind.header, token, ""); implicit != "" && !errors.Is(err, codec.ErrAuthentication) {
				t.Errorf("no implicit assertion: error is %v, want %v", err, codec.ErrAuthentication)
			}
			bare := token[:strings.LastIndexByte(token, '.')]
			encoded := base64.RawURLEncoding.EncodeToString([]byte("other"))
			for name, attempt := range map[string]struct {
				key             codec.Opener
				token, implicit string
			}{
				"another key":                {kind.other, token, implicit},
				"another implicit assertion": {kind.key, token, "other"},
				"another footer":             {kind.key, bare + "." + encoded, implicit},
				"no footer":                  {kind.key, bare, implicit},
			} {
				if got, _, err := open(attempt.key, kind.header, attempt.token, attempt.implicit); !errors.Is(err, codec.ErrAuthentication) {
					t.Errorf("%s: opens to %q with error %v, want %v", name, got, err, codec.ErrAuthentication)
				}
			}
		})
	}
}

// TestOpenRefusesFlippedBits flips every bit of the payload and the footer, but
// every seventh where verifying is slow.
func TestOpenRefusesFlippedBits(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(kind.header, func(t *testing.T) {
			t.Parallel()
			token, err := kind.key.Seal([]byte(`{"a":1}`), []byte("f"), nil)
			if err != nil {
				t.Fatal(err)
			}
			parts, err := codec.Split(token)
			if err != nil {
				t.Fatal(err)
			}
			payload, footer, err := parts.Decode()
			if err != nil {
				t.Fatal(err)
			}
			for name, part := range map[string][]byte{"payload": payload, "footer": footer} {
				step := 1
				if kind.header == "v3.public" {
					step = 7
				}
				for bit := 0; bit < len(part)*8; bit += step {
					part[bit/8] ^= 1 << (bit % 8)
					if _, err := kind.key.Open(payload, footer, nil); !errors.Is(err, codec.ErrAuthentication) {
						t.Errorf("bit %d of the %s flipped: error is %v, want %v", bit, name, err, codec.ErrAuthentication)
					}
					part[bit/8] ^= 1 << (bit % 8)
				}
			}
			if _, err := kind.key.Open(payload, footer, nil); err != nil {
				t.Errorf("the restored token does not open: %v", err)
			}
		})
	}
}

// TestOpenInVainLeavesTheTokenAlone opens the same bytes again, as with the next of
// several keys: nothing may be decrypted in place that does not authenticate.
func TestOpenInVainLeavesTheTokenAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		token, err := kind.key.Seal([]byte(`{"a":1}`), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := codec.Split(token)
		if err != nil {
			t.Fatal(err)
		}
		payload, _, err := parts.Decode()
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Clone(payload)
		if _, err := kind.key.Open(payload, []byte("another footer"), nil); err == nil || !bytes.Equal(payload, before) {
			t.Errorf("%s: opening in vain changed the payload (error %v)", kind.header, err)
		}
		if _, err := kind.key.Open(payload, nil, nil); err != nil {
			t.Errorf("%s: after that the right key fails: %v", kind.header, err)
		}
	}
}

func TestSealRefusesWhatIsNoObject(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		for _, claims := range []string{"", "[]", `"x"`, "1", "{", `{"a":1}x`} {
			if token, err := kind.key.Seal([]byte(claims), nil, nil); err == nil {
				t.Errorf("%s: %q is sealed as %s", kind.header, claims, token)
			}
		}
	}
}
