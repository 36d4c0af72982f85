package httpauth_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestRemoteKeysRefused checks that an answer with any fault is refused as a
// whole, first and later, and that no error shows a key.
func TestRemoteKeysRefused(t *testing.T) {
	t.Parallel()
	half := publicHalf(secretKey)
	good := published(secretKey)
	other := publicHalf(paseto.NewSecretKey())
	entry := func(kid, paserk string) string { return `{"keys":[{"kid":"` + kid + `","paserk":"` + paserk + `"}]}` }
	pem := strings.ReplaceAll(must(half.ExportPEM()), "\n", `\n`)
	for _, test := range []struct{ name, body, want string }{
		{"secret key", listing(good, map[string]string{"kid": secretKey.KeyID(), "paserk": secretKey.Export()}), "keys[1]: it is a secret or local key"},
		{"local key", listing(good, map[string]string{"kid": localKey.KeyID(), "paserk": localKey.Export()}), "keys[1]: it is a secret or local key"},
		{"PEM", entry(half.ID(), pem), "expected a PASERK"},
		{"no key", entry(half.ID(), "k4.public.AAAA"), "invalid key"},
		{"another key's kid", entry(other.ID(), half.Export()), "its kid is another key's"},
		{"the secret key's id", entry(secretKey.ID(), half.Export()), "its kid is another key's"},
		{"no kid", `{"keys":[{"paserk":"` + half.Export() + `"}]}`, "its kid is another key's"},
		{"kid is a number", `{"keys":[{"kid":1,"paserk":"` + half.Export() + `"}]}`, "kid is no string"},
		{"kid in another case", `{"keys":[{"KID":"` + half.ID() + `","paserk":"` + half.Export() + `"}]}`, "its kid is another key's"},
		{"twice", listing(good, good), "keys[1]: the same key occurs twice"},
		{"time", listing(map[string]string{"kid": half.ID(), "paserk": half.Export(), "not_after": "tomorrow"}), "not_after is no time"},
		{"hour of one digit", listing(map[string]string{"kid": half.ID(), "paserk": half.Export(), "not_after": "2030-01-31T1:00:00Z"}), "not_after is no time"},
		{"comma in a time", listing(map[string]string{"kid": half.ID(), "paserk": half.Export(), "not_after": "2030-01-31T12:00:00,5Z"}), "not_after is no time"},
		{"offset of a day", listing(map[string]string{"kid": half.ID(), "paserk": half.Export(), "not_after": "2030-01-31T12:00:00+24:00"}), "not_after is no time"},
		{"zero time", listing(map[string]string{"kid": half.ID(), "paserk": half.Export(), "not_after": "0001-01-01T00:00:00Z"}), "not_after is no time"},
		{"empty time", listing(map[string]string{"kid": half.ID(), "paserk": half.Export(), "not_after": ""}), "not_after is no string, or empty"},
		{"huge", `{"keys":[],"x":"` + strings.Repeat("x", 256<<10) + `"}`, "the answer has more than 262144 bytes"},
		{"no JSON", "<html>", "not valid JSON"},
		{"no object", "[]", "not a JSON object"},
		{"nothing", "", "not valid JSON"},
		{"no list", `{}`, "expected a list of keys"},
		{"null", `{"keys":null}`, "expected a list of keys"},
		{"list in another case", `{"Keys":[]}`, "expected a list of keys"},
		{"duplicate list", `{"keys":[],"keys":[]}`, `member "keys" occurs twice`},
		{"duplicate in depth", `{"keys":[{"kid":"a","kid":"b"}]}`, `member "kid" occurs twice`},
		{"half of a surrogate pair", `{"keys":[{"use":"a\ud800"}]}`, "half of a surrogate pair"},
		{"entry is no object", `{"keys":["` + half.Export() + `"]}`, "keys[0]: not a JSON object"},
		{"two values", listing(good) + "{}", "not valid JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPublisher(t, text(test.body))
			keys := p.reader(t)
			_, err := keys.Keys(t.Context(), paseto.V4, paseto.Public, "")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
			for _, secret := range []string{secretKey.Export(), localKey.Export()} {
				if strings.Contains(keys.log.String(), secret[10:30]) {
					t.Errorf("the log shows a key:\n%s", keys.log)
				}
			}
			// After a good answer the keys of that stay.
			p.serve(text(listing(published(other))))
			keys.clock.Advance(time.Minute)
			keys.want(t, "", other)
			p.serve(text(test.body))
			keys.clock.Advance(time.Hour)
			keys.want(t, "", other)
			p.wantRequests(t, 3)
		})
	}
}

// TestRemoteKeysBroken checks answers that are none.
func TestRemoteKeysBroken(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		},
		"not modified":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"no answer at all": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		p := newPublisher(t, handler)
		if _, err := p.reader(t).Keys(t.Context(), paseto.V4, paseto.Public, ""); err == nil {
			t.Errorf("%s: there is no error", name)
		}
	}
	// Without a client of the test's, the publisher's certificate is nobody's.
	p := newPublisher(t, text(listing(published(secretKey))))
	keys := must(httpauth.NewRemoteKeys(p.URL))
	if _, err := keys.Keys(t.Context(), paseto.V4, paseto.Public, ""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	p.wantRequests(t, 0)
}
