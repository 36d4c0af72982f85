package wsauth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// reasons are messages and as much of them as a close frame carries: 123 bytes,
// cut between runes. A browser fails the connection if the reason is not UTF-8.
var reasons = []struct{ name, message, want string }{
	{"empty", "", ""},
	{"fits", strings.Repeat("a", 123), strings.Repeat("a", 123)},
	{"one byte too long", strings.Repeat("a", 124), strings.Repeat("a", 123)},
	{"far too long", strings.Repeat("a", 1<<16), strings.Repeat("a", 123)},
	{"two-byte runes", strings.Repeat("é", 100), strings.Repeat("é", 61)},
	{"three-byte runes, the last one fits", strings.Repeat("€", 100), strings.Repeat("€", 41)},
	{"four-byte runes", strings.Repeat("🔑", 100), strings.Repeat("🔑", 30)},
	{"rune across the end", strings.Repeat("a", 121) + "€b", strings.Repeat("a", 121)},
	{"invalid UTF-8", "a\xffb\xe2\x82", "a\uFFFDb\uFFFD\uFFFD"},
	{"invalid UTF-8, too long once replaced", strings.Repeat("\xff", 123), strings.Repeat("\uFFFD", 41)},
}

func TestReason(t *testing.T) {
	t.Parallel()
	for _, test := range reasons {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn, ws := held(t, setup{})
			conn.Close(4000, test.message)
			checkClosed(t, ws, 4000, test.want)
		})
	}
}

// TestReasonOverHTTP is not cut: a problem document has room.
func TestReasonOverHTTP(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	banned := &paseto.Error{Code: "banned", Message: strings.Repeat("é", 100)}
	req := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return banned }}
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}}).Require(req, unreachable(t)))
	checkRefused(t, srv, bearer(access(t, auth, paseto.Grant{})), banned)
}
