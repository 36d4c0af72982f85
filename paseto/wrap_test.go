package paseto_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	paserks "github.com/pasetokit/pasetokit/paseto/internal/paserk"
)

// everyKey returns a key of every version and purpose that issues, of the same
// bytes in versions 2 and 4.
func everyKey(t testing.TB) []paseto.Key {
	t.Helper()
	var keys []paseto.Key
	for _, known := range knownKeys {
		if known.material == sequential || known.kind() == "secret" {
			keys = append(keys, must(paseto.ParseKey(known.paserk)))
		}
	}
	if len(keys) != 6 {
		t.Fatalf("there are %d keys", len(keys))
	}
	return keys
}

// wrappingKey returns a local key of 32 bytes 0xff.
func wrappingKey(version paseto.Version) paseto.Key {
	return must(paseto.ParseKeyFor(version, paseto.Local, ones))
}

// wrappedKeys are official vectors: the keys that are known of their version,
// wrapped with a key of 32 bytes 0xff, or the local key of zeros, wrapped with
// the known one.
var wrappedKeys = []struct{ text, wrapping, key string }{
	{"k2.local-wrap.pie.vvUtoAJZQiG67EqLHLM-h7rJqS79K8Tg0lUNSxprDtRMT-gJEKZGf_teH3MOCdJWGf0D_G_MU-jg_jgG26-vxhMPuEmrQKu7LN2jzv1hPDgM" +
		"F_Wd2Pp1rOxf1ITbeZMy", sequential, "k2.local." + strings.Repeat("A", 43)},
	{"k2.secret-wrap.pie.MMdHghvp1yDr2nqeFmrrlsiZC9O4MMfobSKML62CTzofArLMxqRNUA7ONGlUea5IwMFc6G7Nka2PqrBDaXW1yREpuyFcmfgdTmTIwWGHb-S" +
		"grgHe5RDg221beOvbo2hxTzjBnXay_hfPsJPA97PPWdYH_9vAa06piaEux94TUoc", ones, paserkOf("k2", "secret", unhex(sequentialPair))},
	{"k3.local-wrap.pie.cLJLT84tUuU-ZLPqKWfhlDw4c2Fhk896z97sK2eM2-HYB3dk_NrHsSS340sJPsBsb7VeFpDBQMzzqRXr4Oylrpzmg-NZC9FVqgaWm1gtEikm" +
		"-1yvlGRYwstUFLvUF30NrBE3GxYzI63DqJPqfmHSmQ", sequential, "k3.local." + strings.Repeat("A", 43)},
	{"k3.secret-wrap.pie._9Npd2vzpHCHdGYDQ5QFMc6Nirlv3ubsPPb-xJnh6cLImLhpirH_PDQWRIkmb95m-fc1XpqwY2QQbUkkvb2-_tznGQBt0Yg2-0Lux2MNxOb" +
		"kxDIfxfz5lD_tToF58BIuTh9_Pny0dy27HmJPnUBgy7JP2Je-h3doq6i0V2Q5hRA", ones, paserkOf("k3", "secret", unhex(scalar))},
	{"k4.local-wrap.pie.y-PC8Zh6P1DoOBUdhRr7W8GWSgHtRKvE8PWWYA-qXy3fxJDmaRsxcZVQzuvXHZuBg5MqCgh_y5K0WbukJCrDX73Wdf631VBnE1DNHafbjnGN" +
		"zFNWP59ba9ifsOAgE7Bw", sequential, "k4.local." + strings.Repeat("A", 43)},
	{"k4.secret-wrap.pie.dYA31PP6a-d1Cyk3xt2Dz8kpGSlbpwkG5UyrLcgRspSvq1RUO1UQicQNE3-eXYUYGhXrG9zAVnR93tize-IPtiFEyO70U3bWEXd0uU7asDJ" +
		"Q19I3V2mf5OPIcKQl-TnY0XXtw5DPqY1yEFEbA9WTiDG0I3z6KTWA2z09NWm0OHQ", ones, paserkOf("k4", "secret", unhex(sequentialPair))},
}

var ones = strings.Repeat("ff", 32)

func TestUnwrapKey(t *testing.T) {
	t.Parallel()
	for _, v := range wrappedKeys {
		wrapping := must(paseto.ParseKeyFor(paseto.Version("v"+v.text[1:2]), paseto.Local, v.wrapping))
		for _, text := range []string{v.text, "\n " + v.text + "\r\n"} {
			key, err := paseto.UnwrapKey(text, wrapping)
			if err != nil || key.Export() != v.key {
				t.Errorf("%.18s: unwrapped is %s, error %v", v.text, key.ID(), err)
			}
		}
	}
}

func TestWrapRoundTrip(t *testing.T) {
	t.Parallel()
	for _, key := range everyKey(t) {
		wrapping := must(paseto.NewKey(key.Version(), paseto.Local))
		text, err := key.Wrap(wrapping)
		if err != nil {
			t.Fatal(err)
		}
		kind := strings.Split(key.Export(), ".")[1]
		if want := "k" + string(key.Version()[1:]) + "." + kind + "-wrap.pie."; !strings.HasPrefix(text, want) {
			t.Errorf("wrapped is %s, want %s…", text, want)
		}
		if again := must(key.Wrap(wrapping)); again == text {
			t.Errorf("%s: two wrappings are the same", key)
		}
		// A retired key wraps still: what it has wrapped must be had back.
		unwrapped, err := paseto.UnwrapKey(text, wrapping.Retire(start))
		if err != nil || !unwrapped.Equal(key) || !unwrapped.CanIssue() {
			t.Errorf("%s: unwrapped is %s, error %v", key, unwrapped, err)
		}
	}
}

func TestWrapRefuses(t *testing.T) {
	t.Parallel()
	for _, key := range everyKey(t) {
		for name, wrapping := range map[string]paseto.Key{
			"no wrapping key":       {},
			"a key pair":            must(paseto.NewKey(key.Version(), paseto.Public)),
			"a public half":         must(must(paseto.NewKey(key.Version(), paseto.Public)).PublicKey()),
			"another version's key": wrappingKey(otherVersion(key.Version())),
		} {
			text, err := key.Wrap(wrapping)
			checkNoKey(t, paseto.Key{}, err, key.Export(), "must be a local key of the same version, "+string(key.Version()))
			if text != "" {
				t.Errorf("%s with %s is wrapped: %s", key, name, text)
			}
		}
	}
	for why, key := range map[string]paseto.Key{"a public half is no secret": publicKey, "there is no key": {}} {
		if text, err := key.Wrap(localKey); text != "" || err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s is wrapped: %s, error %v", key, text, err)
		}
	}
}

func otherVersion(version paseto.Version) paseto.Version {
	return versions[(slices.Index(versions, version)+1)%len(versions)]
}

func TestUnwrapKeyRefuses(t *testing.T) {
	t.Parallel()
	for _, key := range everyKey(t) {
		t.Run(key.String(), func(t *testing.T) {
			t.Parallel()
			wrapping := wrappingKey(key.Version())
			text := must(key.Wrap(wrapping))
			other := must(paseto.NewKey(key.Version(), paseto.Local))
			kind := strings.Split(key.Export(), ".")[1]
			changed := func(from, to string) string { return strings.Replace(text, from, to, 1) }
			wrong, form := "wrong, or it was changed", "expected a wrapped key"
			for _, test := range []struct {
				name, text string
				wrapping   paseto.Key
				why        string
			}{
				{"another wrapping key", text, other, wrong},
				{"the key itself", text, key, ""},
				{"no wrapping key", text, paseto.Key{}, "must be a local key"},
				{"wrapping key of another version", text, wrappingKey(otherVersion(key.Version())), "of the same version, " + string(key.Version())},
				{"header of another version", changed(text[:3], "k"+string(otherVersion(key.Version())[1:])+"."), wrappingKey(otherVersion(key.Version())), ""},
				{"header of another kind", changed(kind, map[string]string{"local": "secret", "secret": "local"}[kind]), wrapping, wrong},
				{"public kind", changed(kind, "public"), wrapping, form},
				{"unknown kind", changed(kind, "other"), wrapping, form},
				{"version 1", changed(text[:3], "k1."), wrapping, form},
				{"another protocol", changed(".pie.", ".aws-kms."), wrapping, form},
				{"no protocol", changed(".pie.", "."), wrapping, form},
				{"no data", text[:strings.LastIndexByte(text, '.')+1], wrapping, "damaged or cut off"},
				{"cut off", text[:len(text)-8], wrapping, ""},
				{"padding", text + "=", wrapping, "damaged or cut off"},
				{"another part", text + ".AAAA", wrapping, "damaged or cut off"},
				{"line feed inside", text[:40] + "\n" + text[40:], wrapping, "damaged or cut off"},
				{"trailing bytes", text + "AAAA", wrapping, wrong},
				{"not wrapped", key.Export(), wrapping, form},
				{"wrapped with a password", must(key.WrapPassword([]byte("x"), cheap)), wrapping, form},
				{"nothing", "", wrapping, form},
			} {
				unwrapped, err := paseto.UnwrapKey(test.text, test.wrapping)
				if err == nil {
					t.Errorf("%s: unwrapped is %s", test.name, unwrapped)
					continue
				}
				checkNoKey(t, unwrapped, err, test.text, test.why)
				checkQuiet(t, err, key.Export())
				checkQuiet(t, err, wrapping.Export())
			}
		})
	}
}

// TestUnwrapKeyRefusesFlippedBits flips every bit of the data.
func TestUnwrapKeyRefusesFlippedBits(t *testing.T) {
	t.Parallel()
	for _, v := range wrappedKeys {
		wrapping := must(paseto.ParseKeyFor(paseto.Version("v"+v.text[1:2]), paseto.Local, v.wrapping))
		i := strings.LastIndexByte(v.text, '.') + 1
		data := must(base64.RawURLEncoding.DecodeString(v.text[i:]))
		for bit := range len(data) * 8 {
			data[bit/8] ^= 1 << (bit % 8)
			text := v.text[:i] + base64.RawURLEncoding.EncodeToString(data)
			data[bit/8] ^= 1 << (bit % 8)
			if key, err := paseto.UnwrapKey(text, wrapping); err == nil {
				t.Errorf("bit %d of %.18s flipped: unwrapped is %s", bit, v.text, key)
			}
		}
	}
}

// TestWrappedRubbish has data that is authentic and no key of its kind.
func TestWrappedRubbish(t *testing.T) {
	t.Parallel()
	mixed := slices.Concat(keyPair[:32], unhex(sequential))
	for _, test := range []struct {
		header string
		data   []byte
		why    string
	}{
		{"k4.local-wrap.pie.", keyPair, "a v4 local key has 32 bytes, this one 64"},
		{"k2.secret-wrap.pie.", keyPair[:32], "a v2 secret key has 64 bytes, this one 32"},
		{"k4.secret-wrap.pie.", mixed, "does not belong to its seed"},
		{"k3.secret-wrap.pie.", make([]byte, 48), "not a scalar"},
		{"k3.secret-wrap.pie.", keyPair, "a v3 secret key has 48 bytes, this one 64"},
	} {
		wrapping := wrappingKey(paseto.Version("v" + test.header[1:2]))
		text := paserks.Wrap(test.header, unhex(ones), test.data)
		key, err := paseto.UnwrapKey(text, wrapping)
		checkNoKey(t, key, err, text, test.why)
	}
}
