package paseto_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	paserks "github.com/pasetokit/pasetokit/paseto/internal/paserk"
)

// cheap is what tests spend on a password.
var cheap = paseto.PasswordCost{Memory: 8 << 10, Passes: 1}

// passwordKeys are official vectors of keys wrapped with a password.
var passwordKeys = []struct{ text, material string }{
	{"k2.local-pw.vriwmfTyiNlP0_0YrLajjQAAAAAEAAAAAAAAAgAAAAEYrv81QxQEEJCJXk4uTCpFDCTasAay2QR7v1vo7xrmSGbwvbApgFMkDXaUjmYTY1vPv0LlOx" +
		"xRh-b4zUoY_Ru_vs5EPaa4NtGzXRiXBu71yoTZf8Yxz-rH", sequential},
	{"k2.secret-pw.7CmJPtrh6L_Uv5z4yOTRowAAAAAEAAAAAAAAAgAAAAGU9OiNm2lT7p43UF7NTwnwXJPJ7qN-Q3CuEXkj1mDS6wntUBBShjBvCywheKdrO1586sHz" +
		"SjCVDveEs9Yv1hs98-rH5DEA1rrDacfmo9TFU48Me8hqN79TpMo38pxGrDhCXA1uRtGeUkgemaH67K_WHJ2NE8DpoRU", sequentialPair},
	{"k3.local-pw.3_mLGmsVTYEz-wtP6Xiu7rFYvGw26ZsZGagGLxWdwToAAAPoHT9jnrFPCZlSHty7cnWCusJb2AIhL9reTADbOB0OqS0kfTp5VmdmQZKHU2KqU1EoOO" +
		"82xRReS8EPCFtMrrcwQulsKq7KDB7bxgrk3ueWtHRrPYlbCoRY-lSQKHKBGURL", sequential},
	{"k3.secret-pw.PwKCZfMhhDfxrbbAkRqc32Rc7A1xEGX3RNYr7hB0QlEAAAPoieZcUSyzO8e3ahOdC-Tb6qcnydeSlugJn8QRJTUmicfrnFFHR4Bs_xLrhRPybltSu" +
		"5QMk7IuE2g7ioexgS4oZGyjTpFbCDprWhLKlGHrPhp6MFeHU3TEFyCvG44rqwdEnZKVBfLCSMw5UXd88KVxxQ", scalar},
	{"k4.local-pw.-0q-gj9oN18gifSrvpClFwAAAAAEAAAAAAAAAgAAAAH1hyLMFQGs5F1aZoysb7bRtc91SYXu2-bi-mmISIF5cs-SQHp1MoppBFc9I1LTkZA4KsVR_i" +
		"pH3XdGLj3Pe77qCE64HI1cPG1LNDF0vINnGOrLEaE1Clfi", sequential},
	{"k4.local-pw.3oPc6UhC5SCQjL0sCCeTgQAAAAAQAAAAAAAAAwAAAAHimvu_i1YAd7f8VZSilxXd4gXM-sefO6VyEV7qmuDJXx3xuMcg45tjWQit-wOugj-Q-Czh" +
		"MGYEFNImI2s0gMA8SZE0d_-HbmRM6MsC0XqzlxWpSI8rTyO-", sequential}, // 256 MiB, the most that a vector needs
	{"k4.secret-pw.Stkwnh1lHUA7p3t2GDRxdQAAAAAEAAAAAAAAAgAAAAEUtfYRjsLAnE5hGX0Ni8H_W2XdVz5laZ9MdByIYgnDQnXEEx7NyXzBHhKdNVa12XhSLNTN" +
		"MLuSo5kDMsJUHlEMt8yIE-F7GMDvBXTFvNFniK1Ao0TreYqIYTSKfIvfcZhwiWuHqFGddVhOvTrNt8zi53IeF-g089U", sequentialPair},
}

const password = "correct horse battery staple"

func TestUnwrapKeyPassword(t *testing.T) {
	t.Parallel()
	for _, v := range passwordKeys {
		t.Run(v.text[:12], func(t *testing.T) {
			t.Parallel()
			kind := strings.TrimSuffix(strings.Split(v.text, ".")[1], "-pw")
			key, err := paseto.UnwrapKeyPassword(" "+v.text+"\n", []byte(password))
			if want := paserkOf(v.text[:2], kind, unhex(v.material)); err != nil || key.Export() != want {
				t.Errorf("unwrapped is %s, error %v", key.ID(), err)
			}
		})
	}
}

func TestWrapPasswordRoundTrip(t *testing.T) {
	t.Parallel()
	for _, key := range everyKey(t) {
		text, err := key.WrapPassword([]byte("x"), cheap)
		if err != nil {
			t.Fatal(err)
		}
		kind := strings.Split(key.Export(), ".")[1]
		if want := "k" + string(key.Version()[1:]) + "." + kind + "-pw."; !strings.HasPrefix(text, want) {
			t.Errorf("wrapped is %s, want %s…", text, want)
		}
		if again := must(key.WrapPassword([]byte("x"), cheap)); again == text {
			t.Errorf("%s: two wrappings are the same", key)
		}
		unwrapped, err := paseto.UnwrapKeyPassword(text, []byte("x"))
		if err != nil || !unwrapped.Equal(key) || !unwrapped.CanIssue() {
			t.Errorf("%s: unwrapped is %s, error %v", key, unwrapped, err)
		}
	}
}

// params returns what a password-wrapped key says that it costs, given its
// text and the data in it.
func params(text string, data []byte) paseto.PasswordCost {
	if strings.HasPrefix(text, "k3.") {
		return paseto.PasswordCost{Passes: binary.BigEndian.Uint32(data[32:])}
	}
	return paseto.PasswordCost{
		Memory:  binary.BigEndian.Uint64(data[16:]),
		Passes:  binary.BigEndian.Uint32(data[24:]),
		Threads: binary.BigEndian.Uint32(data[28:]),
	}
}

func TestPasswordCost(t *testing.T) {
	t.Parallel()
	v2, v3 := must(paseto.NewKey(paseto.V2, paseto.Local)), must(paseto.NewKey(paseto.V3, paseto.Local))
	for _, test := range []struct {
		name       string
		key        paseto.Key
		cost, want paseto.PasswordCost
	}{
		{"default", localKey, paseto.PasswordCost{}, paseto.PasswordCost{Memory: 64 << 20, Passes: 3, Threads: 1}},
		{"default of version 2", v2, paseto.PasswordCost{}, paseto.PasswordCost{Memory: 64 << 20, Passes: 3, Threads: 1}},
		{"default of version 3", v3, paseto.PasswordCost{}, paseto.PasswordCost{Passes: 210_000}},
		{"memory", localKey, paseto.PasswordCost{Memory: 1 << 20}, paseto.PasswordCost{Memory: 1 << 20, Passes: 3, Threads: 1}},
		{"threads", localKey, paseto.PasswordCost{Memory: 1 << 20, Passes: 2, Threads: 4}, paseto.PasswordCost{Memory: 1 << 20, Passes: 2, Threads: 4}},
		{"version 3 needs no memory", v3, paseto.PasswordCost{Memory: 1, Passes: 1000, Threads: 1 << 31}, paseto.PasswordCost{Passes: 1000}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, err := test.key.WrapPassword([]byte("x"), test.cost)
			if err != nil {
				t.Fatal(err)
			}
			data := must(base64.RawURLEncoding.DecodeString(text[strings.LastIndexByte(text, '.')+1:]))
			if got := params(text, data); got != test.want {
				t.Errorf("the cost is %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestWrapPasswordRefusesCosts asks for what UnwrapKeyPassword would not spend.
func TestWrapPasswordRefusesCosts(t *testing.T) {
	t.Parallel()
	v3 := must(paseto.NewKey(paseto.V3, paseto.Local))
	for _, test := range []struct {
		name string
		key  paseto.Key
		cost paseto.PasswordCost
		why  string
	}{
		{"memory", localKey, paseto.PasswordCost{Memory: 256<<20 + 1024, Passes: 1}, "262145 KiB of memory; at most 262144"},
		{"all memory", secretKey, paseto.PasswordCost{Memory: 1<<64 - 1024}, "at most 262144"},
		{"passes", localKey, paseto.PasswordCost{Memory: 8 << 10, Passes: 17}, "17 passes; at most 16"},
		{"memory and passes", localKey, paseto.PasswordCost{Memory: 256 << 20, Passes: 5}, "at most 1048576 KiB in all"},
		{"threads", localKey, paseto.PasswordCost{Threads: 17}, "17 threads; at most 16"},
		{"iterations", v3, paseto.PasswordCost{Passes: 1_000_001}, "1000001 iterations of PBKDF2; at most 1000000"},
		{"part of a KiB", localKey, paseto.PasswordCost{Memory: 10_000}, "whole KiB"},
		{"too little memory", localKey, paseto.PasswordCost{Memory: 4 << 10}, "at least 8"},
		{"too little memory for the threads", localKey, paseto.PasswordCost{Memory: 8 << 10, Threads: 2}, "at least 8"},
	} {
		text, err := test.key.WrapPassword([]byte("x"), test.cost)
		checkNoKey(t, paseto.Key{}, err, test.key.Export(), test.why)
		if text != "" {
			t.Errorf("%s: wrapped is %s", test.name, text)
		}
	}
}

func TestWrapPasswordRefuses(t *testing.T) {
	t.Parallel()
	for why, test := range map[string]struct {
		key      paseto.Key
		password []byte
	}{
		"the password is empty":        {localKey, nil},
		"a public half is no secret":   {publicKey, []byte("x")},
		"there is no key to wrap":      {paseto.Key{}, []byte("x")},
		"invalid key: the password is": {secretKey, []byte{}},
	} {
		text, err := test.key.WrapPassword(test.password, cheap)
		if text != "" || !errors.Is(err, paseto.ErrKey) || !strings.Contains(err.Error(), why) {
			t.Errorf("wrapped is %s, error %v, want %v about %s", text, err, paseto.ErrKey, why)
		}
	}
}

func TestUnwrapKeyPasswordRefuses(t *testing.T) {
	t.Parallel()
	for _, key := range everyKey(t) {
		t.Run(key.String(), func(t *testing.T) {
			t.Parallel()
			const secret = "correct horse"
			text := must(key.WrapPassword([]byte(secret), cheap))
			kind := strings.Split(key.Export(), ".")[1]
			changed := func(from, to string) string { return strings.Replace(text, from, to, 1) }
			wrong, form, damaged := "wrong, or it was changed", "expected a wrapped key", "damaged or cut off"
			for _, test := range []struct{ name, text, password, why string }{
				{"another password", text, "Correct horse", wrong},
				{"no password", text, "", wrong},
				{"white space behind the password", text, secret + "\n", wrong},
				{"header of another kind", changed(kind, map[string]string{"local": "secret", "secret": "local"}[kind]), secret, damaged},
				{"header of another version", changed(text[:3], "k"+string(otherVersion(key.Version())[1:])+"."), secret, ""},
				{"public kind", changed(kind, "public"), secret, form},
				{"version 1", changed(text[:3], "k1."), secret, form},
				{"unknown kind", changed(kind, "other"), secret, form},
				{"no data", text[:strings.LastIndexByte(text, '.')+1], secret, damaged},
				{"cut off", text[:len(text)-8], secret, ""},
				{"cut to its header", text[:40], secret, damaged},
				{"padding", text + "=", secret, damaged},
				{"another part", text + ".AAAA", secret, damaged},
				{"line feed inside", text[:40] + "\n" + text[40:], secret, damaged},
				{"trailing bytes", text + "AAAA", secret, damaged},
				{"not wrapped", key.Export(), secret, form},
				{"wrapped with a key", must(key.Wrap(wrappingKey(key.Version()))), secret, form},
				{"nothing", " ", secret, form},
			} {
				unwrapped, err := paseto.UnwrapKeyPassword(test.text, []byte(test.password))
				if err == nil {
					t.Errorf("%s: unwrapped is %s", test.name, unwrapped)
					continue
				}
				checkNoKey(t, unwrapped, err, test.text, test.why)
				checkQuiet(t, err, key.Export())
				checkQuiet(t, err, test.password)
			}
		})
	}
}

// TestUnwrapKeyPasswordIsBounded asks for a little too much, and for all that a
// machine has. The error says what is allowed.
func TestUnwrapKeyPasswordIsBounded(t *testing.T) {
	t.Parallel()
	argon2 := func(header string, memory uint64, passes, threads uint32) string {
		data := make([]byte, 16+16+24+32+keySize(header))
		binary.BigEndian.PutUint64(data[16:], memory)
		binary.BigEndian.PutUint32(data[24:], passes)
		binary.BigEndian.PutUint32(data[28:], threads)
		return paserks.Encode(header, data)
	}
	pbkdf2 := func(header string, iterations uint32) string {
		data := make([]byte, 32+4+16+48+keySize(header))
		binary.BigEndian.PutUint32(data[32:], iterations)
		return paserks.Encode(header, data)
	}
	for name, test := range map[string]struct{ text, why string }{
		"a KiB too much":         {argon2("k4.local-pw.", 256<<20+1024, 1, 1), "262145 KiB of memory; at most 262144"},
		"memory without end":     {argon2("k4.secret-pw.", 1<<64-1024, 1, 1), "at most 262144"},
		"memory beyond 32 bits":  {argon2("k2.local-pw.", 1<<42, 1, 1), "at most 262144"},
		"a pass too many":        {argon2("k2.secret-pw.", 8<<10, 17, 1), "17 passes; at most 16"},
		"memory and passes":      {argon2("k4.local-pw.", 256<<20, 5, 1), "at most 1048576 KiB in all"},
		"passes over less":       {argon2("k4.local-pw.", 65<<20, 16, 1), "at most 1048576 KiB in all"},
		"passes without end":     {argon2("k4.local-pw.", 8<<10, 1<<32-1, 1), "at most 16"},
		"a thread too many":      {argon2("k4.local-pw.", 1<<20, 1, 17), "17 threads; at most 16"},
		"threads without end":    {argon2("k4.local-pw.", 1<<20, 1, 1<<32-1), "at most 16"},
		"nothing at all":         {argon2("k4.local-pw.", 0, 0, 0), "at least 1 pass"},
		"an iteration too many":  {pbkdf2("k3.local-pw.", 1_000_001), "1000001 iterations of PBKDF2; at most 1000000"},
		"iterations without end": {pbkdf2("k3.secret-pw.", 1<<32-1), "at most 1000000"},
		"no iterations":          {pbkdf2("k3.local-pw.", 0), "at least 1 iteration"},
	} {
		key, err := paseto.UnwrapKeyPassword(test.text, []byte(password))
		checkNoKey(t, key, err, test.text, test.why)
		if !strings.Contains(err.Error(), "its password costs more than is allowed, or nothing") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// keySize returns the length of the key that is wrapped under a header.
func keySize(header string) int {
	return map[string]int{
		"k2.local-pw.": 32, "k2.secret-pw.": 64, "k3.local-pw.": 32,
		"k3.secret-pw.": 48, "k4.local-pw.": 32, "k4.secret-pw.": 64,
	}[header]
}
