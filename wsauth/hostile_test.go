package wsauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testtoken"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestNoTokenIsTheServersFault presents authentic tokens with claims that nobody here
// would give them, in the handshake, in the first message and to renew. What is sent
// to package httpauth is tested there.
func TestNoTokenIsTheServersFault(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Leeway: time.Minute})
	const exp = `"exp":"2030-01-03T00:00:00Z",`
	for name, members := range map[string]string{
		"half of a pair":         exp + `"sub":"bob\ud800"`,
		"hour of one digit":      exp + `"iat":"2030-01-02T1:00:00Z"`,
		"name that is too long":  exp + `"sub":"` + strings.Repeat("a", 4001) + `"`,
		"names of control codes": exp + `"sub":"\u0000\r\n","jti":"\u0000","sid":"\u0000","iss":"\u0000"`,
		"end of time":            `"exp":"9999-12-31T23:59:59Z"`,
		"after the end of time":  `"exp":"9999-12-31T23:59:59-12:00"`,
		"large claims":           exp + `"a":"` + strings.Repeat("x", 5300) + `"`,
		"deeper claims":          exp + `"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := testtoken.Sign(secretKey, `{"type":"access",`+members+`}`, "", "")

			byHTTP := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP, RenewMessages: true}})
			srv := listen(t, byHTTP.Require(paseto.Requirement{}, echo))
			if _, resp := dial(t, srv, bearer(token)); resp.StatusCode >= http.StatusInternalServerError {
				t.Errorf("the handshake is answered with %s", resp.Status)
			}

			ws := connect(t, srv, bearer(access(t, auth, paseto.Grant{})))
			say(t, ws, authMessage(token))
			if a := nextAnswer(t, ws); a.Code == httpauth.ErrServer {
				t.Errorf("the renewal is answered with %+v", a)
			}

			_, srv = takingMessages(t, auth, setup{}, paseto.Requirement{}, echo)
			ws = connect(t, srv, none())
			say(t, ws, authMessage(token))
			_, _, err := ws.ReadMessage()
			if closed, ok := errors.AsType[*websocket.CloseError](err); err != nil && (!ok || closed.Code != int(wsauth.ClosePolicyViolation)) {
				t.Errorf("the first message is answered with %v", err)
			}
		})
	}
}

// TestEndOfTime has a token whose deadline, with the leeway, is in the year 10000,
// which no answer could say.
func TestEndOfTime(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Leeway: time.Minute})
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	token := testtoken.Sign(secretKey, fmt.Sprintf(`{"type":"access","exp":%q}`, last.Format(time.RFC3339)), "", "")
	_, srv := takingMessages(t, auth, setup{Config: wsauth.Config{RenewMessages: true}}, paseto.Requirement{}, echo)
	ws := connect(t, srv, none())
	for range 2 { // the first message, and a renewal
		say(t, ws, authMessage(token))
		checkAccepted(t, ws, last)
	}
	checkEcho(t, ws, "still here")
}
