package paserk_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/paserk"
)

// wrapped is one of the official vectors of keys wrapped with another.
type wrapped struct{ text, wrapping, key string }

var wrappedKeys = []wrapped{
	{"k2.local-wrap.pie.vvUtoAJZQiG67EqLHLM-h7rJqS79K8Tg0lUNSxprDtRMT-gJEKZGf_teH3MOCdJWGf0D_G_MU-jg_jgG26-vxhMPuEmrQKu7LN2jzv1hPDgM" +
		"F_Wd2Pp1rOxf1ITbeZMy", sequential, zeros},
	{"k2.local-wrap.pie.eMkOihjSKr01gxPqj1oFpYDQ66YSmkIFaFxXwjGWh0wOojzEOSxTvoZc84S7ocpyz1lzaRVLHGRO_gnG_TlgPGlPCv2Ua3GpIqsVkxn60Gi5" +
		"tap46vp0Rw6hA76SXVdq", sequential, ones},
	{"k2.secret-wrap.pie.7POlSwAxJP-yZYTi1oIsPC9kI34Ui3oiP0c_mgvZYuZKSbXHRD3g64yyzkDjDysonw-X3_TGKXksOAFhB5VF-tIru8xS8jy9c6xdFaYq459" +
		"hXBmXLONWJSmtavF-VyXhQeffX0igJRZzxBOelMM9wvHlTKNHiJbEYWGAQRCWsIg", sequential, zeroPair},
	{"k2.secret-wrap.pie.MMdHghvp1yDr2nqeFmrrlsiZC9O4MMfobSKML62CTzofArLMxqRNUA7ONGlUea5IwMFc6G7Nka2PqrBDaXW1yREpuyFcmfgdTmTIwWGHb-S" +
		"grgHe5RDg221beOvbo2hxTzjBnXay_hfPsJPA97PPWdYH_9vAa06piaEux94TUoc", ones, sequentialPair},

	{"k3.local-wrap.pie.cLJLT84tUuU-ZLPqKWfhlDw4c2Fhk896z97sK2eM2-HYB3dk_NrHsSS340sJPsBsb7VeFpDBQMzzqRXr4Oylrpzmg-NZC9FVqgaWm1gtEikm" +
		"-1yvlGRYwstUFLvUF30NrBE3GxYzI63DqJPqfmHSmQ", sequential, zeros},
	{"k3.local-wrap.pie.bkbHfW4bBJQ8jcPfLOYxUrg4SkKRHbsywYZwRvxUGFt1je2idZxlFr8sbkB6jTZ6hnrVlI25G2hqZtfdQyFIUcrRAiBrCWNPP1b3afdD9_Yx" +
		"sAXoKEA3X4AZhReuvHCzuPqXNCtrvJtpupGZn-PLFQ", sequential, ones},
	{"k3.secret-wrap.pie.hLBw_r4wY1mTy9hu27ibzOnFfW37jc3SER1fu3x2sh0cyE31abqEFzocZRg-KgAGY7syAoMsBZZi7ZlJ4xFreLdCi7cQWpIH3ejUQ5WIRMR" +
		"DK2lh4X9knh2Bj26XaBOSqtK62ACF-V2utRiI3QVeOOLhH-GWuD8RovVQvA1Vv5Q", sequential, scalarOne},
	{"k3.secret-wrap.pie._9Npd2vzpHCHdGYDQ5QFMc6Nirlv3ubsPPb-xJnh6cLImLhpirH_PDQWRIkmb95m-fc1XpqwY2QQbUkkvb2-_tznGQBt0Yg2-0Lux2MNxOb" +
		"kxDIfxfz5lD_tToF58BIuTh9_Pny0dy27HmJPnUBgy7JP2Je-h3doq6i0V2Q5hRA", ones, sequentialScalar},

	{"k4.local-wrap.pie.y-PC8Zh6P1DoOBUdhRr7W8GWSgHtRKvE8PWWYA-qXy3fxJDmaRsxcZVQzuvXHZuBg5MqCgh_y5K0WbukJCrDX73Wdf631VBnE1DNHafbjnGN" +
		"zFNWP59ba9ifsOAgE7Bw", sequential, zeros},
	{"k4.local-wrap.pie.cy-Mu6zSfhu6q0_XdAM9p1zre_joUWjreSjHgisVNh-oHaNarN4_c7xuSyaHwqEDxF7lTbfNplBGU7wTeUyt__hZyj1J38NdNxVwuXamJY2Q" +
		"hRE-kWYA9_16xTsGwCQX", sequential, ones},
	{"k4.secret-wrap.pie.NC6xj8t0VuK-0KE7Fy6PAKtbQwEFRyQMe39A0ctrkaIcS1zjVgvYTN6cu1AZM7bU2bz-jzKclAWu3Bln6xhSOsUqcQPi6Kw_LtKXLRCeggi" +
		"uPnaqWfIT4qacjXtXhFvOvDPye21fbWOPuoNM9VppuTzN0LzYDYgNYCPsbWt2n4c", sequential, zeroPair},
	{"k4.secret-wrap.pie.dYA31PP6a-d1Cyk3xt2Dz8kpGSlbpwkG5UyrLcgRspSvq1RUO1UQicQNE3-eXYUYGhXrG9zAVnR93tize-IPtiFEyO70U3bWEXd0uU7asDJ" +
		"Q19I3V2mf5OPIcKQl-TnY0XXtw5DPqY1yEFEbA9WTiDG0I3z6KTWA2z09NWm0OHQ", ones, sequentialPair},
}

// split returns the header of a wrapped key, with its last dot, and the data.
func split(text string) (header, data string) {
	i := strings.LastIndexByte(text, '.') + 1
	return text[:i], text[i:]
}

func TestUnwrap(t *testing.T) {
	t.Parallel()
	for _, v := range wrappedKeys {
		header, data := split(v.text)
		t.Run(header+data[:4], func(t *testing.T) {
			t.Parallel()
			key, err := paserk.Unwrap(header, unhex(t, v.wrapping), data)
			if err != nil || hex.EncodeToString(key) != v.key {
				t.Errorf("unwrapped is %x, error %v, want %s", key, err, v.key)
			}
		})
	}
}

func TestWrapRoundTrip(t *testing.T) {
	t.Parallel()
	for _, v := range wrappedKeys {
		header, official := split(v.text)
		one := paserk.Wrap(header, unhex(t, v.wrapping), unhex(t, v.key))
		if two := paserk.Wrap(header, unhex(t, v.wrapping), unhex(t, v.key)); one == two {
			t.Errorf("%s: two wrappings are the same", header)
		}
		gotHeader, data := split(one)
		if gotHeader != header || len(data) != len(official) {
			t.Errorf("%s: wrapped is %s, want as many bytes as the vector has", header, one)
		}
		key, err := paserk.Unwrap(header, unhex(t, v.wrapping), data)
		if err != nil || hex.EncodeToString(key) != v.key {
			t.Errorf("%s: unwrapped is %x, error %v, want %s", header, key, err, v.key)
		}
	}
}

// TestUnwrapRefusesFlippedBits flips every bit of the data.
func TestUnwrapRefusesFlippedBits(t *testing.T) {
	t.Parallel()
	for _, v := range wrappedKeys {
		header, data := split(v.text)
		t.Run(header+data[:4], func(t *testing.T) {
			t.Parallel()
			b, err := paserk.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			wrapping := unhex(t, v.wrapping)
			for bit := range len(b) * 8 {
				b[bit/8] ^= 1 << (bit % 8)
				_, flipped := split(paserk.Encode(header, b))
				if key, err := paserk.Unwrap(header, wrapping, flipped); !errors.Is(err, paserk.ErrAuthentication) || key != nil {
					t.Errorf("bit %d flipped: unwrapped is %x, error %v, want %v", bit, key, err, paserk.ErrAuthentication)
				}
				b[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
}

// TestUnwrapRefusesAnotherHeader has each wrapped key under every header but
// its own: the header is authenticated, so that a key of one version or kind
// never comes out as one of another.
func TestUnwrapRefusesAnotherHeader(t *testing.T) {
	t.Parallel()
	for _, v := range wrappedKeys {
		own, data := split(v.text)
		for _, other := range wrappedKeys {
			header, _ := split(other.text)
			if header == own {
				continue
			}
			key, err := paserk.Unwrap(header, unhex(t, v.wrapping), data)
			if !errors.Is(err, paserk.ErrAuthentication) || key != nil {
				t.Errorf("%s as %s: unwrapped is %x, error %v, want %v", own, header, key, err, paserk.ErrAuthentication)
			}
		}
	}
}

func TestUnwrapRefuses(t *testing.T) {
	t.Parallel()
	for _, v := range wrappedKeys {
		header, data := split(v.text)
		wrapping := unhex(t, v.wrapping)
		b, err := paserk.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		encoded := func(b []byte) string {
			_, data := split(paserk.Encode(header, b))
			return data
		}
		longest := 64 // what is no key yet, in bytes
		if strings.HasPrefix(header, "k3.") {
			longest = 80
		}
		for _, test := range []struct {
			name     string
			wrapping []byte
			data     string
			want     error
		}{
			{"another wrapping key", bytes.Repeat([]byte{1}, 32), data, paserk.ErrAuthentication},
			{"nothing", wrapping, "", paserk.ErrForm},
			{"padding", wrapping, data + "=", paserk.ErrForm},
			{"line feed", wrapping, data + "\n", paserk.ErrForm},
			{"no key inside", wrapping, encoded(b[:longest]), paserk.ErrForm},
			{"a byte of the key", wrapping, encoded(b[:longest+1]), paserk.ErrAuthentication},
			{"a byte too few", wrapping, encoded(b[:len(b)-1]), paserk.ErrAuthentication},
			{"a byte too many", wrapping, encoded(append(bytes.Clone(b), 0)), paserk.ErrAuthentication},
		} {
			if key, err := paserk.Unwrap(header, test.wrapping, test.data); !errors.Is(err, test.want) || key != nil {
				t.Errorf("%s %s: unwrapped is %x, error %v, want %v", header, test.name, key, err, test.want)
			}
		}
	}
}
