package wsauth_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/wsauth"
)

// FuzzParseAuth holds what is read of a message against what encoding/json reads: a
// message is accepted if it is an object of type auth with a token and nothing else,
// and left to the application only if its type is another.
func FuzzParseAuth(f *testing.F) {
	for _, message := range foreign() {
		f.Add([]byte(message))
	}
	for _, message := range malformed() {
		f.Add([]byte(message))
	}
	for _, message := range []string{
		authMessage(""), authMessage("TOKEN"), `{"type":"auth"}`, ` { "token" : "\u0041\n" , "type" : "\u0061uth" } `,
		`{"type":"auth","token":"\ud800"}`, `{"type":"auth","tok\ud800en":""}`, "{\"type\":\"auth\",\"token\":\"\xff\"}", `{"type":"auth","token":"`,
		strings.Repeat(`{"type":`, 100), strings.Repeat("[", 10_000),
	} {
		f.Add([]byte(message))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		token, ours, err := wsauth.ParseAuth(data)
		var members map[string]any
		read := json.Unmarshal(data, &members) == nil
		switch {
		case ours && err == nil:
			checkAuthMembers(t, data, members, token)
		case token != "" && !ours:
			t.Errorf("%q is the application's, and its token is %q", data, token)
		case !ours && read && utf8.Valid(data) && members["type"] == "auth": // what is not UTF-8 closes the connection
			t.Errorf("%q is left to the application", data)
		}
	})
}

// checkAuthMembers checks a message that is accepted.
func checkAuthMembers(t *testing.T, data []byte, members map[string]any, token string) {
	t.Helper()
	want := map[string]any{"type": "auth", "token": token}
	for name, value := range members {
		if value != want[name] {
			t.Errorf("%q is accepted with the token %q, and its member %q is %q", data, token, name, value)
		}
	}
	if len(members) == 0 || len(members) == 1 && token != "" {
		t.Errorf("%q is accepted with the token %q", data, token)
	}
	tokens := 0
	for d := json.NewDecoder(bytes.NewReader(data)); d.More(); tokens++ {
		if _, err := d.Token(); err != nil {
			break
		}
	}
	if tokens > 1+2*2 { // the brace, and the names and values
		t.Errorf("%q is accepted with more than two members", data)
	}
}
