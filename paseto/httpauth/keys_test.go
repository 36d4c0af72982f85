package httpauth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

func publicHalf(key paseto.Key) paseto.Key { return must(key.PublicKey()) }

// published is one key as the endpoint should list it.
func published(key paseto.Key) map[string]string {
	half := publicHalf(key)
	entry := map[string]string{"kid": half.ID(), "paserk": half.Export()}
	if !key.NotAfter().IsZero() {
		entry["not_after"] = key.NotAfter().UTC().Format(time.RFC3339Nano)
	}
	return entry
}

func listing(keys ...map[string]string) string {
	if keys == nil {
		keys = []map[string]string{}
	}
	return string(must(json.Marshal(map[string]any{"keys": keys})))
}

// entries reads the list that the endpoint answers with.
func entries(t testing.TB, a answer) []map[string]string {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("answer is %d %s", a.status, a.body)
	}
	var list struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	if list.Keys == nil {
		t.Fatalf("body %q has no list", a.body)
	}
	return list.Keys
}

func TestKeys(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	v3 := must(paseto.NewKey(paseto.V3, paseto.Public))
	lone := publicHalf(paseto.NewSecretKey())
	retired := paseto.NewSecretKey().Retire(start.Add(time.Hour).In(zone))
	pair := paseto.NewSecretKey()
	for _, test := range []struct {
		name string
		keys []paseto.Key
		want []map[string]string
	}{
		{"local keys alone", []paseto.Key{localKey}, nil},
		{"all kinds", []paseto.Key{localKey, secretKey, v3, lone, retired},
			[]map[string]string{published(secretKey), published(v3), published(lone), published(retired)}},
		{"over", []paseto.Key{secretKey.Retire(start), lone}, []map[string]string{published(lone)}},
		{"a key pair and its public half", []paseto.Key{pair, publicHalf(pair)}, []map[string]string{published(pair)}},
		{"both halves, one retired first", []paseto.Key{pair.Retire(start.Add(time.Hour)), publicHalf(pair)}, []map[string]string{published(pair)}},
		{"both halves, one retired last", []paseto.Key{pair, publicHalf(pair).Retire(start.Add(time.Hour))}, []map[string]string{published(pair)}},
		{"both halves retired", []paseto.Key{pair.Retire(start.Add(time.Hour)), publicHalf(pair).Retire(start.Add(2 * time.Hour))},
			[]map[string]string{published(pair.Retire(start.Add(2 * time.Hour)))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{auth: paseto.Config{Keys: test.keys}})
			a := get(t, s.web.Keys())
			entries(t, a)
			if want := listing(test.want...); !sameJSON(t, a.body, want) {
				t.Errorf("keys are\n%s, want\n%s", a.body, want)
			}
			for _, key := range test.keys {
				if key.CanIssue() && strings.Contains(a.body, key.Export()) {
					t.Error("a secret is published")
				}
			}
		})
	}
}

func sameJSON(t testing.TB, a, b string) bool {
	t.Helper()
	normal := func(text string) string {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		return string(must(json.Marshal(v)))
	}
	return normal(a) == normal(b)
}

func TestKeysOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	keys := s.web.Keys()
	first := get(t, keys)
	etag := first.header.Get("ETag")
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff",
	} {
		if got := first.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(etag) < 20 || !strings.HasPrefix(etag, `"`) {
		t.Errorf("ETag is %s, want a strong one", etag)
	}
	if head := send(t, keys, http.MethodHead); head.status != http.StatusOK || head.body != "" || head.header.Get("ETag") != etag {
		t.Errorf("HEAD is answered with %+v", head)
	}
	for _, condition := range []string{etag, `"other", ` + etag, "W/" + etag, "*"} {
		a := get(t, keys, header("If-None-Match", condition))
		if a.status != http.StatusNotModified || a.body != "" || a.header.Get("ETag") != etag || a.header.Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("If-None-Match: %s is answered with %+v", condition, a)
		}
	}
	if err := s.auth.SetKeys(paseto.NewSecretKey(), secretKey.Retire(start.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	if a := get(t, keys, header("If-None-Match", etag)); len(entries(t, a)) != 2 || a.header.Get("ETag") == etag {
		t.Errorf("after a change the answer is %+v", a)
	}
	s.clock.Advance(time.Hour)
	if a := get(t, keys); len(entries(t, a)) != 1 {
		t.Errorf("a retired key is published after its time: %s", a.body)
	}
	a := post(t, keys)
	checkProblem(t, a, problem{status: http.StatusMethodNotAllowed, code: "method_not_allowed", detail: "Expected method GET"})
	if a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow is %q", a.header.Get("Allow"))
	}
}

// TestKeysOfAnImpossibleYear checks that a time that cannot be written is not
// left out, which would make a retired key a lasting one.
func TestKeysOfAnImpossibleYear(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{Keys: []paseto.Key{
		localKey, secretKey.Retire(time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)),
	}}})
	if a := get(t, s.web.Keys()); a.status != http.StatusInternalServerError {
		t.Errorf("answer is %d %s", a.status, a.body)
	}
}
