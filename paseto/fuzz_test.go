package paseto_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// fuzzLocal is a token of the shared local key. It is written out because the
// processes that fuzz must agree on it, and each would issue another.
const fuzzLocal = "v4.local.2n2TllnqU0eL7if7mWfPOlg6uHpFr3b0M0NAMl_vZ6LCGNf3lEiNgvqZsIrSXE_21XIkZVKYa0NIcI7IqhB9NW4YQny" +
	"JkslH3PSiHD9rTGF2KKk_rjV4qlhkbT8IL77KoJJV_C3ItfJFT3rzGU0inWbHrYFnMmYRIjevKgYRf_ZOJfS5_m5iblL-EFjkXnU" +
	"d9c-kCGEmCdM3pKy2lP2ZfmDVKuk_Ga-iOmzi5-3iRHVxYJQN6Dt8-c_i9KyVd7BgYSfnepfxrtkfROWw6XVt4eoVd4Y34llsuix" +
	"TrQmu3YqVLfvp-nag.eyJraWQiOiIxIn0"

// FuzzVerify checks that nothing verifies but the two seeds that should, and
// that every refusal is one with a code and a printable message.
func FuzzVerify(f *testing.F) {
	auth := newAuthorizer(f, paseto.Config{})
	valid := map[string]bool{}
	public := sign(`{"type":"access","sub":"alice","exp":"2030-01-02T03:19:05Z"}`, `{"kid":"1"}`, "")
	for _, plain := range []string{fuzzLocal, public} {
		for _, token := range []string{plain, base64.StdEncoding.EncodeToString([]byte(plain))} {
			valid[token] = true
			for _, seed := range []string{token, token + ".", token + "=", token + "\n", tamper(token), token[:len(token)/2]} {
				f.Add(seed)
			}
		}
	}
	for _, seed := range []string{"", "...", "v4.local.", "v4.public.AAAA.AAAA", "v3.local.AAAA", "v4.other.AAAA", sign("{}", "", ""), sign("{", "", "")} {
		f.Add(seed)
	}
	for _, v := range vectors(f) {
		f.Add(v.Token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		for _, wrapped := range []bool{false, true} {
			claims, err := auth.Verify(t.Context(), token, paseto.Requirement{Base64: wrapped})
			if expected := valid[token] && wrapped == !strings.Contains(token, "."); (err == nil) != expected {
				t.Fatalf("%q, wrapped %t: error is %v", token, wrapped, err)
			}
			if err == nil {
				continue
			}
			refusal, ok := errors.AsType[*paseto.Error](err)
			if !ok || claims != nil || refusal.Code == "" {
				t.Fatalf("%q: claims %v, error %v", token, claims, err)
			}
			if len(refusal.Message) > 80 || strings.ContainsFunc(refusal.Message, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%q: the message is %q", token, refusal.Message)
			}
		}
	})
}
