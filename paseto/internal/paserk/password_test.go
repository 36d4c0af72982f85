package paserk_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/paserk"
)

const password = "correct horse battery staple"

// cheap is the least that deriving a key from a password can cost, most what
// the tests are ready to spend.
var (
	cheap = paserk.Cost{Memory: 8 << 10, Passes: 1, Threads: 1}
	most  = paserk.Cost{Memory: 64 << 20, Passes: 10_000, Threads: 4}
)

// passwordKeys are the official vectors of keys wrapped with a password, but
// for those that need more than 64 MiB.
var passwordKeys = []struct{ text, key string }{
	{"k2.local-pw.vriwmfTyiNlP0_0YrLajjQAAAAAEAAAAAAAAAgAAAAEYrv81QxQEEJCJXk4uTCpFDCTasAay2QR7v1vo7xrmSGbwvbApgFMkDXaUjmYTY1vPv0LlOx" +
		"xRh-b4zUoY_Ru_vs5EPaa4NtGzXRiXBu71yoTZf8Yxz-rH", sequential},
	{"k2.secret-pw.7CmJPtrh6L_Uv5z4yOTRowAAAAAEAAAAAAAAAgAAAAGU9OiNm2lT7p43UF7NTwnwXJPJ7qN-Q3CuEXkj1mDS6wntUBBShjBvCywheKdrO1586sHz" +
		"SjCVDveEs9Yv1hs98-rH5DEA1rrDacfmo9TFU48Me8hqN79TpMo38pxGrDhCXA1uRtGeUkgemaH67K_WHJ2NE8DpoRU", sequentialPair},
	{"k3.local-pw.3_mLGmsVTYEz-wtP6Xiu7rFYvGw26ZsZGagGLxWdwToAAAPoHT9jnrFPCZlSHty7cnWCusJb2AIhL9reTADbOB0OqS0kfTp5VmdmQZKHU2KqU1EoOO" +
		"82xRReS8EPCFtMrrcwQulsKq7KDB7bxgrk3ueWtHRrPYlbCoRY-lSQKHKBGURL", sequential},
	{"k3.local-pw.i8HI5x3xBVS8hIjkMCcLRzdwwiBbXflrwiO9dW1JjxEAACcQLvmda_TZbm45IR1qg6wWkkMh5c0-kB4_ic3nhV3tegdMN7f2axXFNoK-4s69K1hF6r" +
		"dF5DybpOBu6oMIemS8UnrYEEW_zrNm73WUnrOnPcUtMdRhK4X6SzH3oaUqRkgH", sequential},
	{"k3.secret-pw.PwKCZfMhhDfxrbbAkRqc32Rc7A1xEGX3RNYr7hB0QlEAAAPoieZcUSyzO8e3ahOdC-Tb6qcnydeSlugJn8QRJTUmicfrnFFHR4Bs_xLrhRPybltSu" +
		"5QMk7IuE2g7ioexgS4oZGyjTpFbCDprWhLKlGHrPhp6MFeHU3TEFyCvG44rqwdEnZKVBfLCSMw5UXd88KVxxQ", sequentialScalar},
	{"k4.local-pw.-0q-gj9oN18gifSrvpClFwAAAAAEAAAAAAAAAgAAAAH1hyLMFQGs5F1aZoysb7bRtc91SYXu2-bi-mmISIF5cs-SQHp1MoppBFc9I1LTkZA4KsVR_i" +
		"pH3XdGLj3Pe77qCE64HI1cPG1LNDF0vINnGOrLEaE1Clfi", sequential},
	{"k4.secret-pw.Stkwnh1lHUA7p3t2GDRxdQAAAAAEAAAAAAAAAgAAAAEUtfYRjsLAnE5hGX0Ni8H_W2XdVz5laZ9MdByIYgnDQnXEEx7NyXzBHhKdNVa12XhSLNTN" +
		"MLuSo5kDMsJUHlEMt8yIE-F7GMDvBXTFvNFniK1Ao0TreYqIYTSKfIvfcZhwiWuHqFGddVhOvTrNt8zi53IeF-g089U", sequentialPair},
}

func TestUnwrapPassword(t *testing.T) {
	t.Parallel()
	for _, v := range passwordKeys {
		header, data := split(v.text)
		t.Run(header+data[:4], func(t *testing.T) {
			t.Parallel()
			key, err := paserk.UnwrapPassword(header, []byte(password), data, most)
			if err != nil || hex.EncodeToString(key) != v.key {
				t.Errorf("unwrapped is %x, error %v, want %s", key, err, v.key)
			}
		})
	}
}

// cheaply returns each vector's key wrapped at the least cost.
func cheaply(t testing.TB) map[string][]byte {
	t.Helper()
	texts := make(map[string][]byte)
	for _, v := range passwordKeys {
		header, official := split(v.text)
		key := unhex(t, v.key)
		text, err := paserk.WrapPassword(header, []byte(password), key, cheap, most)
		if err != nil {
			t.Fatal(err)
		}
		if _, data := split(text); len(data) != len(official) {
			t.Errorf("%s: wrapped is %s, want as many bytes as the vector has", header, text)
		}
		texts[text] = key
	}
	return texts
}

func TestWrapPasswordRoundTrip(t *testing.T) {
	t.Parallel()
	texts := cheaply(t)
	if len(texts) != len(passwordKeys) {
		t.Error("two wrappings are the same")
	}
	for text, want := range texts {
		header, data := split(text)
		key, err := paserk.UnwrapPassword(header, []byte(password), data, cheap)
		if err != nil || !bytes.Equal(key, want) {
			t.Errorf("%s: unwrapped is %x, error %v, want %x", header, key, err, want)
		}
		for _, wrong := range []string{"", "Correct horse battery staple", password + "\n"} {
			if key, err := paserk.UnwrapPassword(header, []byte(wrong), data, cheap); !errors.Is(err, paserk.ErrAuthentication) || key != nil {
				t.Errorf("%s with %q: unwrapped is %x, error %v, want %v", header, wrong, key, err, paserk.ErrAuthentication)
			}
		}
	}
}

// TestUnwrapPasswordRefusesFlippedBits flips every bit of the data. Those of
// the parameters may also ask for more than is granted.
func TestUnwrapPasswordRefusesFlippedBits(t *testing.T) {
	t.Parallel()
	for text := range cheaply(t) {
		header, data := split(text)
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			b, err := paserk.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			for bit := range len(b) * 8 {
				b[bit/8] ^= 1 << (bit % 8)
				_, flipped := split(paserk.Encode(header, b))
				key, err := paserk.UnwrapPassword(header, []byte(password), flipped, paserk.Cost{Memory: 16 << 10, Passes: 2, Threads: 2})
				if key != nil || !errors.Is(err, paserk.ErrAuthentication) && !errors.Is(err, paserk.ErrLimits) {
					t.Errorf("bit %d flipped: unwrapped is %x, error %v, want %v", bit, key, err, paserk.ErrAuthentication)
				}
				b[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
}

// TestUnwrapPasswordRefusesAnotherHeader has the two kinds of one version, and
// versions 2 and 4, which differ in nothing but the header.
func TestUnwrapPasswordRefusesAnotherHeader(t *testing.T) {
	t.Parallel()
	for text := range cheaply(t) {
		own, data := split(text)
		for _, header := range []string{"k2.local-pw.", "k2.secret-pw.", "k3.local-pw.", "k3.secret-pw.", "k4.local-pw.", "k4.secret-pw."} {
			if header == own || (own[:2] == "k3") != (header[:2] == "k3") {
				continue
			}
			key, err := paserk.UnwrapPassword(header, []byte(password), data, cheap)
			if !errors.Is(err, paserk.ErrAuthentication) || key != nil {
				t.Errorf("%s as %s: unwrapped is %x, error %v, want %v", own, header, key, err, paserk.ErrAuthentication)
			}
		}
	}
}

func TestUnwrapPasswordRefusesForm(t *testing.T) {
	t.Parallel()
	for text := range cheaply(t) {
		header, data := split(text)
		b, err := paserk.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		none := 88 // what is no key yet, in bytes
		if strings.HasPrefix(header, "k3.") {
			none = 100
		}
		_, empty := split(paserk.Encode(header, b[:none]))
		_, long := split(paserk.Encode(header, append(bytes.Clone(b), 0)))
		for name, test := range map[string]struct {
			data string
			want error
		}{
			"nothing":         {"", paserk.ErrForm},
			"padding":         {data + "=", paserk.ErrForm},
			"line feed":       {data + "\n", paserk.ErrForm},
			"no key inside":   {empty, paserk.ErrForm},
			"a byte too many": {long, paserk.ErrAuthentication},
		} {
			if key, err := paserk.UnwrapPassword(header, []byte(password), test.data, cheap); !errors.Is(err, test.want) || key != nil {
				t.Errorf("%s %s: unwrapped is %x, error %v, want %v", header, name, key, err, test.want)
			}
		}
	}
}

// costs returns the data of a wrapped key that says that it costs this much.
func costs(t testing.TB, header string, c paserk.Cost) string {
	t.Helper()
	text, err := paserk.WrapPassword(header, []byte(password), make([]byte, 32), cheap, most)
	if err != nil {
		t.Fatal(err)
	}
	_, data := split(text)
	b, err := paserk.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(header, "k3.") {
		binary.BigEndian.PutUint32(b[32:], c.Passes)
	} else {
		binary.BigEndian.PutUint64(b[16:], c.Memory)
		binary.BigEndian.PutUint32(b[24:], c.Passes)
		binary.BigEndian.PutUint32(b[28:], c.Threads)
	}
	_, data = split(paserk.Encode(header, b))
	return data
}

// TestLimits asks for a little more than is allowed, and for what no machine has.
// The error names the bound. Unwrapping and wrapping have the same.
func TestLimits(t *testing.T) {
	t.Parallel()
	allowed := paserk.Cost{Memory: 32 << 10, Passes: 16, Threads: 3, Total: 128 << 10}
	const possible = "at least 1 pass, 1 thread, and memory in whole KiB, at least 8 for each thread"
	for _, test := range []struct {
		name   string
		header string
		cost   paserk.Cost
		why    string // none if it is allowed
	}{
		{"all the memory", "k4.local-pw.", paserk.Cost{Memory: 32 << 10, Passes: 4, Threads: 3}, ""},
		{"all the passes", "k2.local-pw.", paserk.Cost{Memory: 8 << 10, Passes: 16, Threads: 1}, ""},
		{"all the iterations", "k3.local-pw.", paserk.Cost{Passes: 16}, ""},
		{"a KiB too much", "k4.local-pw.", paserk.Cost{Memory: 33 << 10, Passes: 1, Threads: 1}, "33 KiB of memory; at most 32"},
		{"all the memory there is", "k4.local-pw.", paserk.Cost{Memory: 1 << 63, Passes: 1, Threads: 1}, "at most 32"},
		{"memory that 32 bits cut to nothing", "k2.local-pw.", paserk.Cost{Memory: 1 << 42, Passes: 1, Threads: 1}, "at most 32"},
		{"memory of a part of a KiB", "k4.local-pw.", paserk.Cost{Memory: 8<<10 + 1, Passes: 1, Threads: 1}, possible},
		{"no memory", "k4.local-pw.", paserk.Cost{Passes: 1, Threads: 1}, possible},
		{"memory too small for its threads", "k4.local-pw.", paserk.Cost{Memory: 8 << 10, Passes: 1, Threads: 2}, possible},
		{"a pass too many", "k4.local-pw.", paserk.Cost{Memory: 8 << 10, Passes: 17, Threads: 1}, "17 passes; at most 16"},
		{"passes without end", "k2.local-pw.", paserk.Cost{Memory: 8 << 10, Passes: 1<<32 - 1, Threads: 1}, "at most 16"},
		{"no passes", "k4.local-pw.", paserk.Cost{Memory: 8 << 10, Threads: 1}, possible},
		{"a KiB too much in all", "k4.local-pw.", paserk.Cost{Memory: 12 << 10, Passes: 11, Threads: 1}, "11 passes over 12 KiB of memory; at most 128 KiB"},
		{"a thread too many", "k4.local-pw.", paserk.Cost{Memory: 32 << 10, Passes: 1, Threads: 4}, "4 threads; at most 3"},
		{"threads that 8 bits cut to one", "k4.local-pw.", paserk.Cost{Memory: 32 << 10, Passes: 1, Threads: 257}, "at most 3"},
		{"no threads", "k4.local-pw.", paserk.Cost{Memory: 8 << 10, Passes: 1}, possible},
		{"an iteration too many", "k3.local-pw.", paserk.Cost{Passes: 17}, "17 iterations of PBKDF2; at most 16"},
		{"iterations without end", "k3.secret-pw.", paserk.Cost{Passes: 1<<32 - 1}, "at most 16"},
		{"no iterations", "k3.local-pw.", paserk.Cost{}, "at least 1 iteration"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := paserk.UnwrapPassword(test.header, []byte(password), costs(t, test.header, test.cost), allowed)
			text, wrapErr := paserk.WrapPassword(test.header, []byte(password), make([]byte, 32), test.cost, allowed)
			if test.why == "" {
				if !errors.Is(err, paserk.ErrAuthentication) || wrapErr != nil {
					t.Errorf("errors are %v and %v, want %v and none", err, wrapErr, paserk.ErrAuthentication)
				}
				return
			}
			for _, err := range []error{err, wrapErr} {
				if !errors.Is(err, paserk.ErrLimits) || !strings.Contains(err.Error(), test.why) {
					t.Errorf("error is %v, want %v that says %q", err, paserk.ErrLimits, test.why)
				}
			}
			if key != nil || text != "" {
				t.Errorf("unwrapped is %x, wrapped %s", key, text)
			}
		})
	}
	// More threads than Argon2 has here are refused whatever is allowed.
	data := costs(t, "k4.local-pw.", paserk.Cost{Memory: 1 << 30, Passes: 1, Threads: 256})
	if _, err := paserk.UnwrapPassword("k4.local-pw.", nil, data, paserk.Cost{Memory: 1 << 40, Passes: 1, Threads: 1 << 20}); !errors.Is(err, paserk.ErrLimits) {
		t.Errorf("error of 256 threads is %v, want %v", err, paserk.ErrLimits)
	}
}
