package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// closeCode returns the code of a cause. One that is not listed comes from a Check. What is
// listed is compared with what clients are promised, in docs/connections.md, by package doctest.
func closeCode(cause paseto.Code, codes wsauth.CloseCodes) wsauth.CloseCode {
	all := wsauth.Closures()
	i := slices.IndexFunc(all, func(c wsauth.Closure) bool { return c.Cause == cause })
	switch {
	case i < 0:
		return closeCode(paseto.ErrForbidden, codes)
	case codes == wsauth.PrivateCodes:
		return all[i].Private
	case codes == wsauth.GraphQLWSCodes:
		return all[i].GraphQLWS
	}
	return all[i].Standard
}

// TestCloseFor: a program that uses another WebSocket library closes as the Guard does.
func TestCloseFor(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, codes := range closePresets {
		guard := newGuard(t, auth, setup{Config: wsauth.Config{
			CloseCodes: codes, ShutdownCode: 1012, CloseCodeFor: map[paseto.Code]wsauth.CloseCode{"banned": 4999},
		}})
		for _, row := range []struct {
			name   string
			cause  error
			code   wsauth.CloseCode
			reason string
		}{
			{"expiry", paseto.ErrExpired, closeCode(paseto.ErrExpired, codes), "Token expired."},
			{"shutdown", live.ErrShutdown, 1012, "Server is shutting down"},
			{"end of the handler", live.ErrClosed, closeCode(live.ErrClosed, codes), ""},
			{"code of its own", &paseto.Error{Code: "banned", Message: "You are banned"}, 4999, "You are banned"},
			{"long message", &paseto.Error{Code: "banned", Message: strings.Repeat("ä", 200)}, 4999, strings.Repeat("ä", 61)},
			{"error of the server", errors.New("no such host"), closeCode(httpauth.ErrServer, codes), "The server could not answer the request"},
		} {
			if code, reason := guard.CloseFor(row.cause); code != row.code || reason != row.reason {
				t.Errorf("%s, %s: %d %q, want %d %q", codes, row.name, code, reason, row.code, row.reason)
			}
		}
	}
}

// TestClosuresAreComplete reads the source for refusals, so that none is added
// without an answer to how it closes.
func TestClosuresAreComplete(t *testing.T) {
	t.Parallel()
	closesNothing := []string{
		"ErrReused", "ErrRefreshes", "ErrRevocation", // of a refresh or a logout alone
		"ErrOverload", "ErrThrottled", "ErrOrigin", // answered over HTTP
	}
	constant := regexp.MustCompile(`(?m)^(?:\t|const )(Err\w+) +(?:paseto\.)?Code = "(\w+)"`)
	clear(wsauth.Closures()) // which is a copy
	found := 0
	for _, dir := range []string{".", "../paseto", "../paseto/live"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range constant.FindAllStringSubmatch(string(source), -1) {
				found++
				name, code := match[1], paseto.Code(match[2])
				listed := slices.ContainsFunc(wsauth.Closures(), func(c wsauth.Closure) bool { return c.Cause == code })
				if never := slices.Contains(closesNothing, name); listed == never {
					t.Errorf("%s (%s): listed is %t, want %t", name, code, listed, !never)
				}
			}
		}
	}
	if found < len(wsauth.Closures()) {
		t.Errorf("only %d refusals are found in the source", found)
	}
}

// TestClosuresCanBeSent: RFC 6455 lets no frame carry another code (section 7.4), or
// a longer reason (section 5.5), and a browser that is sent one sees neither.
func TestClosuresCanBeSent(t *testing.T) {
	t.Parallel()
	for _, c := range wsauth.Closures() {
		for _, code := range []wsauth.CloseCode{c.Standard, c.Private, c.GraphQLWS} {
			if err := (wsauth.Config{CloseCodeFor: map[paseto.Code]wsauth.CloseCode{c.Cause: code}}).Validate(); err != nil {
				t.Error(err)
			}
		}
		reason := c.Cause.Message()
		if reason == "" || len(reason) > 123 || !utf8.ValidString(reason) {
			t.Errorf("%s: no frame can carry the reason %q", c.Cause, reason)
		}
	}
}

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

// TestBareCode returns codes as they are from a Check: the client is told what an *Error
// with the message of the code would tell.
func TestBareCode(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	send := bearer(access(t, auth, paseto.Grant{}))
	overHTTP := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}})
	closing := newGuard(t, auth, setup{})
	for code, message := range map[paseto.Code]string{
		paseto.ErrForbidden:     "Access denied",
		paseto.ErrExpired:       "Token expired.",
		httpauth.ErrCredentials: "Bad username or password",
		live.ErrOtherSubject:    "Token is of another subject or session",
		"banned":                "Access denied", // a code of the program's own
	} {
		for form, err := range map[string]error{
			"bare": code, "wrapped": fmt.Errorf("alice: %w", code), "without a message": &paseto.Error{Code: code},
		} {
			t.Run(string(code)+", "+form, func(t *testing.T) {
				t.Parallel()
				req := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return err }}
				checkRefused(t, listen(t, overHTTP.Require(req, unreachable(t))), send, &paseto.Error{Code: code, Message: message})
				checkClosed(t, connect(t, listen(t, closing.Require(req, unreachable(t))), send), wsauth.ClosePolicyViolation, message)
				claims, err := closing.Authenticate(send.request(t.Context()), req)
				if claims != nil || !errors.Is(err, code) || httpauth.Refusal(err).Message != message {
					t.Errorf("Authenticate returns %v, %v; want %q", claims, err, message)
				}
			})
		}
	}
}
