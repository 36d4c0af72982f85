package wsauth_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// authMessage is the message that carries a token.
func authMessage(token string) string { return fmt.Sprintf(`{"type":"auth","token":%q}`, token) }

// foreign are messages of the application's that look like those with a token. TOKEN
// stands for one.
func foreign() map[string]string {
	return map[string]string{
		"another type":                  `{"type":"chat","token":"TOKEN"}`,
		"auth in another member":        `{"type":"chat","text":"auth","auth":"TOKEN"}`,
		"auth for a type that is none":  `{"kind":"auth","token":"TOKEN"}`,
		"no type":                       `{"token":"TOKEN","auth":"auth"}`,
		"no members":                    `{}`,
		"nested":                        `{"type":"chat","data":{"type":"auth","token":"TOKEN"}}`,
		"nested without a type":         `{"data":{"type":"auth","token":"TOKEN"}}`,
		"in a list":                     `[{"type":"auth","token":"TOKEN"}]`,
		"list":                          `["type","auth","token","TOKEN"]`,
		"string":                        `"auth"`,
		"quoted":                        `"{\"type\":\"auth\",\"token\":\"TOKEN\"}"`,
		"name in upper case":            `{"Type":"auth","token":"TOKEN"}`,
		"type in upper case":            `{"type":"AUTH","token":"TOKEN"}`,
		"type with a space":             `{"type":"auth ","token":"TOKEN"}`,
		"type in a list":                `{"type":["auth"],"token":"TOKEN"}`,
		"type in an object":             `{"type":{"auth":"auth"},"token":"TOKEN"}`,
		"type null":                     `{"type":null,"token":"auth"}`,
		"cut off":                       `{"type":"auth","token":"TOKEN"`,
		"followed by something":         `{"type":"auth","token":"TOKEN"} {}`,
		"with a comma too many":         `{"type":"auth","token":"TOKEN",}`,
		"no JSON":                       `type "auth" token TOKEN`,
		"empty":                         ``,
		"duplicates of something else":  `{"type":"chat","text":"auth","text":"auth"}`,
		"nested duplicates of the type": `{"type":"chat","data":{"type":"auth","type":"auth"}}`,
	}
}

// TestMessagesThatDoNotRenew are the application's, where it does not see those that
// do, and all are where nothing is said of renewals.
func TestMessagesThatDoNotRenew(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, anHour)
	open := func(t *testing.T, renews bool) *websocket.Conn {
		t.Helper()
		srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{RenewMessages: renews}}).Require(paseto.Requirement{}, echo))
		return connect(t, srv, bearer(token))
	}
	for name, message := range foreign() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := strings.ReplaceAll(message, "TOKEN", token)
			checkEchoOf(t, open(t, true), message, message)
		})
	}
	t.Run("binary", func(t *testing.T) {
		t.Parallel()
		ws := open(t, true)
		if err := ws.WriteMessage(websocket.BinaryMessage, []byte(authMessage(token))); err != nil {
			t.Fatal(err)
		}
		checkMessage(t, ws, authMessage(token))
	})
	t.Run("without RenewMessages", func(t *testing.T) {
		t.Parallel()
		ws := open(t, false)
		for _, message := range []string{authMessage(token), authMessage(""), `{"type":"auth","x":1}`} {
			checkEchoOf(t, ws, message, message)
		}
	})
}

// TestMessagesThatRenew are those of an object with these two members, however it is
// written.
func TestMessagesThatRenew(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := issued(t, auth, anHour)
	var escaped strings.Builder
	for _, b := range []byte(token.Token.Reveal()) {
		fmt.Fprintf(&escaped, `\u%04x`, b)
	}
	for _, test := range []struct{ name, message string }{
		{"plain", `{"type":"auth","token":"TOKEN"}`},
		{"the other way around", `{"token":"TOKEN","type":"auth"}`},
		{"with space", " \n{\t\"type\" : \"auth\" ,\r\n \"token\" : \"TOKEN\" }\n "},
		{"escaped names", `{"\u0074ype":"auth","t\u006fken":"TOKEN"}`},
		{"escaped type", `{"type":"\u0061ut\u0068","token":"TOKEN"}`},
		{"escaped token", `{"type":"auth","token":"` + escaped.String() + `"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{RenewMessages: true}}).Require(paseto.Requirement{}, echo))
			ws := connect(t, srv, bearer(token.Token.Reveal()))
			say(t, ws, strings.ReplaceAll(test.message, "TOKEN", token.Token.Reveal()))
			checkAccepted(t, ws, token.Claims.ExpiresAt)
			checkEcho(t, ws, "still here")
		})
	}
}

// malformed are messages whose type is auth, and which are not as they have to be.
func malformed() map[string]string {
	return map[string]string{
		"another member":                 `{"type":"auth","token":"TOKEN","id":1}`,
		"another member first":           `{"id":1,"type":"auth","token":"TOKEN"}`,
		"member in upper case":           `{"type":"auth","Token":"TOKEN"}`,
		"token a number":                 `{"type":"auth","token":1}`,
		"token null":                     `{"type":"auth","token":null}`,
		"token an object":                `{"type":"auth","token":{"token":"TOKEN"}}`,
		"token a list":                   `{"type":"auth","token":["TOKEN"]}`,
		"two tokens":                     `{"type":"auth","token":"TOKEN","token":"TOKEN"}`,
		"two tokens first":               `{"token":"TOKEN","token":"TOKEN","type":"auth"}`,
		"two tokens, one escaped":        `{"token":"TOKEN","\u0074oken":"TOKEN","type":"auth"}`,
		"two types":                      `{"type":"auth","type":"auth","token":"TOKEN"}`,
		"two types, the first is auth":   `{"type":"auth","type":"chat","token":"TOKEN"}`,
		"two types, the second is auth":  `{"type":"chat","type":"auth","token":"TOKEN"}`,
		"nested duplicates":              `{"type":"auth","token":"TOKEN","data":{"a":1,"a":2}}`,
		"nested duplicates first":        `{"data":{"a":1,"a":2},"type":"auth","token":"TOKEN"}`,
		"half of a surrogate pair":       `{"type":"auth","token":"TOKEN\ud800"}`,
		"half of a pair in a name":       `{"\udc01":1,"type":"auth","token":"TOKEN"}`,
		"too deep":                       `{"type":"auth","token":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		"too deep first":                 `{"data":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `,"type":"auth","token":"TOKEN"}`,
		"escaped type of another member": `{"type":"\u0061uth","tokens":"TOKEN"}`,
	}
}

// TestMalformedRenewals are answered, and not seen by the application.
func TestMalformedRenewals(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, anHour)
	type malformation struct {
		message string
		want    paseto.Code
	}
	tests := map[string]malformation{
		"no token":        {`{"type":"auth"}`, paseto.ErrNoToken},
		"empty token":     {authMessage(""), paseto.ErrNoToken},
		"token and space": {authMessage(" " + token), paseto.ErrVersion},
	}
	for name, message := range malformed() {
		tests[name] = malformation{message, wsauth.ErrMessage}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{RenewMessages: true}}).Require(paseto.Requirement{}, echo))
			ws := connect(t, srv, bearer(token))
			say(t, ws, strings.ReplaceAll(test.message, "TOKEN", token))
			if a := nextAnswer(t, ws); a.Code != test.want || a.Message == "" || a.ExpiresAt != nil {
				t.Errorf("the answer is %+v, want one that says %s", a, test.want)
			}
			checkEcho(t, ws, "still here")
		})
	}
}
