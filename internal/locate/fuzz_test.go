package locate_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
)

// checkFinding checks what must hold whatever a client sends: an error is a
// refusal and comes without a token; a token is one word that can be nothing
// else. It reports whether there is a token.
func checkFinding(t *testing.T, token string, err error) bool {
	t.Helper()
	if err != nil {
		if token != "" {
			t.Fatalf("there is an error and a token, %q", token)
		}
		if !errors.Is(err, paseto.ErrMalformedCredential) && !errors.Is(err, paseto.ErrAmbiguousCredential) {
			t.Fatalf("error is %v", err)
		}
		return false
	}
	for _, b := range []byte(token) {
		if b <= ' ' || b > '~' || b == ',' {
			t.Fatalf("the token %q contains %q", token, b)
		}
	}
	return token != ""
}

func FuzzHeader(f *testing.F) {
	f.Add("Bearer v4.local.AAAA", "", false, "Bearer")
	f.Add("Bearer a b", "Bearer x", true, "Bearer")
	f.Add("bearer  x", "", false, "BEARER")
	f.Add("v4.local.AAAA", "", false, "")
	f.Add("", "", false, "Bearer")
	f.Fuzz(func(t *testing.T, first, second string, both bool, scheme string) {
		h := http.Header{"Authorization": {first}}
		if both {
			h.Add("Authorization", second)
		}
		token, err := locate.Header(h, "Authorization", scheme)
		found := checkFinding(t, token, err)
		if found == (err != nil) {
			t.Fatalf("a header that is there is neither refused nor gives a token")
		}
		if found && (both || !strings.HasSuffix(first, token) || scheme == "" && first != token) {
			t.Fatalf("the token of %q is %q", h.Values("Authorization"), token)
		}
	})
}

func FuzzCookie(f *testing.F) {
	f.Add("a=b; door=v4.local.AAAA; c=d", "")
	f.Add("door=a; door=b", "")
	f.Add("door=a", "door=a")
	f.Add("door", "a=door=x")
	f.Add(`door="a"`, ";;=;")
	f.Fuzz(func(t *testing.T, first, second string) {
		h := http.Header{"Cookie": {first, second}}
		token, err := locate.Cookie(h, "door")
		if !checkFinding(t, token, err) {
			return
		}
		if !strings.Contains(first, "="+token) && !strings.Contains(second, "="+token) {
			t.Fatalf("the token of %q is %q", h["Cookie"], token)
		}
		if strings.Contains(token, ";") {
			t.Fatalf("the token %q reaches into the next cookie", token)
		}
		// What is taken, the handler must read alike.
		if strings.ContainsAny(token, `"\\`) || strings.Count(first+second, ";") > 1000 {
			return // which net/http drops
		}
		if cookies := (&http.Request{Header: h}).CookiesNamed("door"); len(cookies) != 1 || cookies[0].Value != token {
			t.Fatalf("net/http reads %q as %v, and the token is %q", h["Cookie"], cookies, token)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("room=5&token=v4.local.AAAA", "")
	f.Add("token=Bearer+a.b", "Bearer")
	f.Add("token=a&%74oken=b", "")
	f.Add("token=%zz;", "")
	f.Add("token", "Bearer")
	f.Fuzz(func(t *testing.T, query, prefix string) {
		token, err := locate.Query(query, "token", prefix)
		found := checkFinding(t, token, err)
		values, parseErr := url.ParseQuery(query)
		switch {
		case err == nil && parseErr != nil:
			t.Fatalf("the malformed query %q is taken", query)
		case err == nil && found != (len(values["token"]) == 1):
			t.Fatalf("the parameters of %q are %q, and the token is %q", query, values["token"], token)
		case found && !strings.HasSuffix(values["token"][0], token):
			t.Fatalf("the parameter of %q is %q, and the token is %q", query, values["token"][0], token)
		}
	})
}

func FuzzMember(f *testing.F) {
	f.Add([]byte(`{"access_token":"v4.local.AAAA"}`), "")
	f.Add([]byte(`{"access_token":"Token a.b","n":[{},null,1e9]}`), "Token")
	f.Add([]byte(`{"access_token":"a","access\u005ftoken":"b"}`), "")
	f.Add([]byte(`{"access_token":null}`), "")
	f.Add([]byte(`[]`), "")
	f.Add([]byte("{\"\xff\":\"\\ud800\"}"), "")
	f.Fuzz(func(t *testing.T, body []byte, prefix string) {
		token, err := locate.Member(body, "access_token", prefix)
		found := checkFinding(t, token, err)
		if err != nil {
			return
		}
		// What is taken, every other reader of JSON must read alike.
		var members map[string]any
		if jsonErr := json.Unmarshal(body, &members); jsonErr != nil {
			t.Fatalf("the body %q is taken, though %v", body, jsonErr)
		}
		value, there := members["access_token"]
		if there != found {
			t.Fatalf("the member of %q is %v, and the token is %q", body, value, token)
		}
		if text, _ := value.(string); found && !strings.HasSuffix(text, token) {
			t.Fatalf("the member of %q is %q, and the token is %q", body, text, token)
		}
	})
}

func FuzzSubprotocol(f *testing.F) {
	f.Add("chat, paseto.bearer, v4.local.AAAA", "superchat")
	f.Add("paseto.bearer", "v4.local.AAAA")
	f.Add("paseto.bearer, a, paseto.bearer, b", "")
	f.Add("paseto.bearer,,chat", ",")
	f.Fuzz(func(t *testing.T, first, second string) {
		h := http.Header{"Sec-Websocket-Protocol": {first, second}}
		token, others, err := locate.Subprotocol(h)
		found := checkFinding(t, token, err)
		if slices.Contains(others, locate.Marker) {
			t.Fatalf("the marker counts as a protocol: %q", others)
		}
		if found && !strings.Contains(first+second, locate.Marker) {
			t.Fatalf("the token of %q is %q", h.Values("Sec-Websocket-Protocol"), token)
		}
		for _, other := range others {
			if strings.ContainsAny(other, ", ") && strings.TrimSpace(other) != other {
				t.Fatalf("the protocol %q is not one", other)
			}
		}
	})
}
