package wsauth_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// closureTable is what clients are promised: they have programs that act on it.
var closureTable = []wsauth.Closure{
	{Cause: paseto.ErrNoToken, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrMalformedCredential, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrAmbiguousCredential, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrMalformed, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrVersion, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrPurpose, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrBase64, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrDecrypt, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrSignature, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrClaims, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrExpired, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrNoExpiry, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrNotYetValid, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrNoIssuer, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrIssuer, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrAudience, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrType, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrRevoked, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrKeyWithdrawn, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrTicket, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: paseto.ErrTicketUsed, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: wsauth.ErrMessage, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},
	{Cause: live.ErrOlder, Standard: 1008, Private: 4401, GraphQLWS: 4403, Reconnect: "refreshed"},

	{Cause: paseto.ErrLocation, Standard: 1008, Private: 4403, GraphQLWS: 1008, Reconnect: "never"},
	{Cause: paseto.ErrNotFresh, Standard: 1008, Private: 4403, GraphQLWS: 1008, Reconnect: "never"},
	{Cause: paseto.ErrScope, Standard: 1008, Private: 4403, GraphQLWS: 1008, Reconnect: "never"},
	{Cause: paseto.ErrForbidden, Standard: 1008, Private: 4403, GraphQLWS: 1008, Reconnect: "never"},
	{Cause: live.ErrOtherSubject, Standard: 1008, Private: 4403, GraphQLWS: 1008, Reconnect: "never"},

	{Cause: wsauth.ErrNoMessage, Standard: 1008, Private: 4408, GraphQLWS: 4408, Reconnect: "now"},
	{Cause: live.ErrReplaced, Standard: 1008, Private: 4409, GraphQLWS: 4409, Reconnect: "never"},
	{Cause: live.ErrRenewals, Standard: 1008, Private: 4429, GraphQLWS: 1013, Reconnect: "later"},
	{Cause: wsauth.ErrRate, Standard: 1008, Private: 4429, GraphQLWS: 1013, Reconnect: "later"},
	{Cause: live.ErrTooMany, Standard: 1013, Private: 4429, GraphQLWS: 1013, Reconnect: "later"},
	{Cause: live.ErrSlow, Standard: 1013, Private: 4429, GraphQLWS: 1013, Reconnect: "later"},
	{Cause: paseto.ErrUnavailable, Standard: 1013, Private: 1013, GraphQLWS: 1013, Reconnect: "later"},
	{Cause: paseto.ErrKeysUnavailable, Standard: 1013, Private: 1013, GraphQLWS: 1013, Reconnect: "later"},
	{Cause: wsauth.ErrUnresponsive, Standard: 1001, Private: 4408, GraphQLWS: 1001, Reconnect: "now"},
	{Cause: live.ErrShutdown, Standard: 1001, Private: 1001, GraphQLWS: 1001, Reconnect: "now"},
	{Cause: live.ErrLifetime, Standard: 1001, Private: 1001, GraphQLWS: 1001, Reconnect: "now"},
	{Cause: wsauth.ErrPayload, Standard: 1007, Private: 1007, GraphQLWS: 1007, Reconnect: "never"},
	{Cause: live.ErrPanic, Standard: 1011, Private: 1011, GraphQLWS: 1013, Reconnect: "later"},
	{Cause: httpauth.ErrServer, Standard: 1011, Private: 1011, GraphQLWS: 1013, Reconnect: "later"},
	{Cause: live.ErrClosed, Standard: 1000, Private: 1000, GraphQLWS: 1008, Reconnect: "never"},
}

// closeCode returns what closureTable says of the code of a cause. One that is not
// in it comes from a Check.
func closeCode(cause paseto.Code, codes wsauth.CloseCodes) wsauth.CloseCode {
	i := slices.IndexFunc(closureTable, func(c wsauth.Closure) bool { return c.Cause == cause })
	if i < 0 {
		return closeCode(paseto.ErrForbidden, codes)
	}
	switch codes {
	case wsauth.PrivateCodes:
		return closureTable[i].Private
	case wsauth.GraphQLWSCodes:
		return closureTable[i].GraphQLWS
	}
	return closureTable[i].Standard
}

// TestClosureTable compares what a program can ask for with what clients are
// promised. No cause is listed twice.
func TestClosureTable(t *testing.T) {
	t.Parallel()
	promised := make(map[paseto.Code]wsauth.Closure)
	for _, c := range closureTable {
		promised[c.Cause] = c
	}
	seen := make(map[paseto.Code]bool)
	for _, c := range wsauth.Closures() {
		code := c.Cause
		if seen[code] {
			t.Errorf("%s is listed twice", code)
		}
		seen[code] = true
		if c != promised[code] {
			t.Errorf("%s is listed as\n%+v, promised is\n%+v", code, c, promised[code])
		}
	}
	for code := range promised {
		if !seen[code] {
			t.Errorf("%s is not listed", code)
		}
	}
}

// TestCloseFor: a program that uses another WebSocket library closes as the Guard does.
func TestCloseFor(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, codes := range closePresets {
		guard := newGuard(t, auth, setup{Config: wsauth.Config{CloseCodes: codes, ShutdownCode: 1012, CloseCodeFor: map[paseto.Code]wsauth.CloseCode{"banned": 4999}}})
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

// TestClosuresAreACopy: whoever changes the list changes nobody else's.
func TestClosuresAreACopy(t *testing.T) {
	t.Parallel()
	before := wsauth.Closures()
	clear(wsauth.Closures())
	if !slices.Equal(wsauth.Closures(), before) {
		t.Error("the list changes for all when one caller changes it")
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
	refusals := 0
	for _, dir := range []string{".", "../paseto", "../paseto/live"} {
		for name, code := range sentinels(t, dir) {
			refusals++
			listed := slices.ContainsFunc(wsauth.Closures(), func(c wsauth.Closure) bool { return c.Cause == code })
			if never := slices.Contains(closesNothing, name); listed == never {
				t.Errorf("%s (%s): listed is %t, want %t", name, code, listed, !never)
			}
		}
	}
	if refusals < len(closureTable) {
		t.Errorf("only %d refusals are found in the source", refusals)
	}
}

// sentinels returns the codes of a package's exported errors of type paseto.Code, by
// their names.
func sentinels(t *testing.T, dir string) map[string]paseto.Code {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	codes := make(map[string]paseto.Code)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if constants, ok := decl.(*ast.GenDecl); ok && constants.Tok == token.CONST {
				addSentinels(codes, constants.Specs)
			}
		}
	}
	return codes
}

func addSentinels(codes map[string]paseto.Code, constants []ast.Spec) {
	for _, spec := range constants {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || len(v.Names) != 1 || len(v.Values) != 1 || !v.Names[0].IsExported() {
			continue
		}
		if kind := types.ExprString(v.Type); kind != "Code" && kind != "paseto.Code" {
			continue
		}
		if literal, ok := v.Values[0].(*ast.BasicLit); ok {
			code, _ := strconv.Unquote(literal.Value)
			codes[v.Names[0].Name] = paseto.Code(code)
		}
	}
}

// TestClosuresCanBeSent: RFC 6455 lets no frame carry another code (section 7.4), or
// a longer reason (section 5.5), and a browser that is sent one sees neither.
func TestClosuresCanBeSent(t *testing.T) {
	t.Parallel()
	sendable := []wsauth.CloseCode{
		wsauth.CloseNormal, wsauth.CloseGoingAway, wsauth.CloseInvalidPayload, wsauth.ClosePolicyViolation,
		wsauth.CloseInternalError, wsauth.CloseTryAgainLater,
	}
	private := []wsauth.CloseCode{
		wsauth.CloseUnauthorized, wsauth.CloseForbidden, wsauth.CloseTimeout, wsauth.CloseConflict, wsauth.CloseTooMany,
	}
	for _, c := range wsauth.Closures() {
		if !slices.Contains(sendable, c.Standard) {
			t.Errorf("%s: %d is no registered code for it", c.Cause, c.Standard)
		}
		if c.Private != c.Standard && !slices.Contains(private, c.Private) {
			t.Errorf("%s: %d is neither a private code nor the standard one, %d", c.Cause, c.Private, c.Standard)
		}
		if c.GraphQLWS != c.Standard && !slices.Contains(sendable, c.GraphQLWS) && !slices.Contains(private, c.GraphQLWS) {
			t.Errorf("%s: %d is no code that is sent", c.Cause, c.GraphQLWS)
		}
		reason := c.Cause.Message()
		if reason == "" || len(reason) > 123 || !utf8.ValidString(reason) {
			t.Errorf("%s: no frame can carry the reason %q", c.Cause, reason)
		}
	}
}

// TestClosuresOfAuthority are 1008 unless configured otherwise, and nothing else is:
// those that HTTP blames on the client, and what only WebSockets know of.
func TestClosuresOfAuthority(t *testing.T) {
	t.Parallel()
	ofTokens := slices.Collect(maps.Values(sentinels(t, "../paseto")))
	for _, c := range wsauth.Closures() {
		var refuses bool
		switch c.Cause {
		case wsauth.ErrMessage, live.ErrOlder, live.ErrOtherSubject, live.ErrRenewals, wsauth.ErrRate, wsauth.ErrNoMessage, live.ErrReplaced,
			paseto.ErrLocation: // which is the program's mistake, told like a refusal
			refuses = true
		default:
			refuses = slices.Contains(ofTokens, c.Cause) && httpauth.Status(c.Cause) < http.StatusInternalServerError
		}
		if refuses != (c.Standard == wsauth.ClosePolicyViolation) {
			t.Errorf("%s closes with %d; it is a refusal of authority: %t", c.Cause, c.Standard, refuses)
		}
	}
}
