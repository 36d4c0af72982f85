package doctest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/doctest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

const (
	refusalsDocument    = "docs/refusals.md"
	connectionsDocument = "docs/connections.md"
)

// TestRefusalsDocument checks that docs/refusals.md gives each sentinel's code,
// message and status.
func TestRefusalsDocument(t *testing.T) {
	t.Parallel()
	text := doctest.Text(t, refusalsDocument)
	check := func(refusal paseto.Code, status string) {
		// A name in angle brackets would be taken for HTML.
		row := "| `" + string(refusal) + "` | " + strings.ReplaceAll(refusal.Message(), "<", `\<`) + " | " + status
		if !strings.Contains(text, "\n"+row) {
			t.Errorf("no row begins %s", row)
		}
	}
	for _, refusal := range []paseto.Code{
		paseto.ErrNoToken, paseto.ErrMalformedCredential, paseto.ErrAmbiguousCredential, paseto.ErrLocation,
		paseto.ErrMalformed, paseto.ErrVersion, paseto.ErrPurpose, paseto.ErrBase64, paseto.ErrDecrypt,
		paseto.ErrSignature, paseto.ErrClaims, paseto.ErrExpired, paseto.ErrNoExpiry, paseto.ErrNotYetValid,
		paseto.ErrNoIssuer, paseto.ErrIssuer, paseto.ErrAudience, paseto.ErrType, paseto.ErrNotFresh,
		paseto.ErrScope, paseto.ErrRevoked, paseto.ErrKeyWithdrawn, paseto.ErrReused, paseto.ErrRefreshes, paseto.ErrTicket, paseto.ErrTicketUsed,
		paseto.ErrForbidden, paseto.ErrUnavailable, paseto.ErrKeysUnavailable,
		httpauth.ErrCredentials, httpauth.ErrCrossOrigin, httpauth.ErrServer,
		live.ErrShutdown, live.ErrOverload, live.ErrTooMany, live.ErrReplaced, live.ErrOtherSubject, live.ErrOlder, live.ErrRenewals,
		live.ErrLifetime, live.ErrSlow, live.ErrPanic, live.ErrClosed, wsauth.ErrOrigin, wsauth.ErrThrottled,
	} {
		check(refusal, strconv.Itoa(httpauth.Status(refusal)))
	}
	for _, refusal := range []paseto.Code{
		wsauth.ErrNoMessage, wsauth.ErrMessage, wsauth.ErrRate, wsauth.ErrUnresponsive, wsauth.ErrPayload,
	} {
		check(refusal, "–") // never answered over HTTP
	}
}

// TestCloseCodesDocument checks that docs/connections.md has a row for every cause
// for which a guard closes connections, in their order, and no other.
func TestCloseCodesDocument(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(doctest.Text(t, connectionsDocument), "\n## Close codes\n")
	var got, want []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	for _, c := range wsauth.Closures() {
		want = append(want, fmt.Sprintf("| %#q | %d | %d | %d | %#q | %s |", c.Cause, c.Standard, c.Private, c.GraphQLWS, c.Cause.Message(), c.Reconnect))
	}
	for _, row := range want {
		if !slices.Contains(got, row) {
			t.Errorf("no row is %s", row)
		}
	}
	for _, row := range got {
		if !slices.Contains(want, row) {
			t.Errorf("there is no such cause: %s", row)
		}
	}
	if !t.Failed() && !slices.Equal(got, want) {
		t.Error("the rows are in another order than the causes, or one is there twice")
	}
}

// TestReconnectDocument checks what docs/rights.md has clients do after each cause.
func TestReconnectDocument(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(doctest.Text(t, "docs/rights.md"), "\n## What a client should do\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|.*\\| (.*) \\|$").FindAllStringSubmatch(section, -1)
	if len(rows) != 4 {
		t.Errorf("there are %d rows, want 4", len(rows))
	}
	for _, row := range rows {
		for cause := range strings.SplitSeq(strings.ReplaceAll(row[2], "`", ""), ", ") {
			if got := httpauth.ReconnectAfter(paseto.Code(cause)); string(got) != row[1] {
				t.Errorf("after %s a client should reconnect %s, not %s", cause, got, row[1])
			}
		}
	}
}

// TestDocumentsSettings checks that there are the settings that documents name.
func TestDocumentsSettings(t *testing.T) {
	t.Parallel()
	settings := doctest.Text(t, "docs/configuration.md")
	full := regexp.MustCompile(`\b(http|websocket|live|denylist|token)\.[a-z_.]*[a-z]`)
	short := regexp.MustCompile("`(limits\\.[a-z_]+)")
	for _, document := range []string{connectionsDocument, "docs/rights.md", "docs/streams.md", refusalsDocument, "SECURITY.md"} {
		text := doctest.Text(t, document)
		names := full.FindAllString(text, -1)
		for _, name := range short.FindAllStringSubmatch(text, -1) {
			names = append(names, "websocket."+name[1])
		}
		for _, name := range names {
			isSetting := strings.Contains(settings, "| `"+name+"` |") || strings.Contains(settings, "| `"+name+".") // or a group of them
			if !isSetting && name != "http.md" {
				t.Errorf("%s names %s, which is no setting", document, name)
			}
		}
	}
}

// TestLogDocument checks that the lines which docs/rights.md names are those of package live.
func TestLogDocument(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob(filepath.Join(testtool.Root(t), "paseto", "live", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	code := ""
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		code += string(text)
	}
	lines := regexp.MustCompile("(?m)^\\| (?:info|warn|error) \\| `(.*?)` \\|").FindAllStringSubmatch(doctest.Text(t, "docs/rights.md"), -1)
	if len(lines) < 5 {
		t.Errorf("found %d lines", len(lines))
	}
	for _, line := range lines {
		if !strings.Contains(code, `"`+line[1]) {
			t.Errorf("nothing logs %q", line[1])
		}
	}
}

// TestDocumentsCode checks that the Go code of documents is that of examples, which
// tests run.
func TestDocumentsCode(t *testing.T) {
	t.Parallel()
	flat := func(code string) string { return strings.ReplaceAll(code, "\t", "") }
	for document, directory := range map[string]string{
		connectionsDocument:  "wsauth",
		"docs/revocation.md": "paseto/httpauth",
		"docs/rights.md":     "paseto/live",
	} {
		examples, err := filepath.Glob(filepath.Join(testtool.Root(t), directory, "example*_test.go"))
		if err != nil || len(examples) == 0 {
			t.Fatalf("%d examples in %s, %v", len(examples), directory, err)
		}
		run := ""
		for _, file := range examples {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			run += flat(string(text))
		}
		for _, block := range doctest.Blocks(t, document, "go") {
			if block.File == "" && !strings.Contains(run, flat(block.Text)) { // CheckFiles compares the others
				t.Errorf("%s: no example has this code:\n%s", document, block.Text)
			}
		}
	}
}
