package pasetokit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/doctest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

const (
	refusalsDocument    = "docs/refusals.md"
	connectionsDocument = "docs/connections.md"
)

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRefusalsDocument checks that docs/refusals.md gives each sentinel's code,
// message and status.
func TestRefusalsDocument(t *testing.T) {
	t.Parallel()
	text := readText(t, refusalsDocument)
	check := func(refusal *paseto.Error, status string) {
		// A name in angle brackets would be taken for HTML.
		row := "| `" + refusal.Code + "` | " + strings.ReplaceAll(refusal.Message, "<", `\<`) + " | " + status
		if !strings.Contains(text, "\n"+row) {
			t.Errorf("no row begins %s", row)
		}
	}
	for _, refusal := range []*paseto.Error{
		paseto.ErrNoToken, paseto.ErrMalformedCredential, paseto.ErrAmbiguousCredential, paseto.ErrLocation,
		paseto.ErrMalformed, paseto.ErrVersion, paseto.ErrPurpose, paseto.ErrBase64, paseto.ErrDecrypt,
		paseto.ErrSignature, paseto.ErrClaims, paseto.ErrExpired, paseto.ErrNoExpiry, paseto.ErrNotYetValid,
		paseto.ErrNoIssuer, paseto.ErrIssuer, paseto.ErrAudience, paseto.ErrType, paseto.ErrNotFresh,
		paseto.ErrScope, paseto.ErrRevoked, paseto.ErrKeyWithdrawn, paseto.ErrReused, paseto.ErrRefreshes, paseto.ErrTicket, paseto.ErrTicketUsed,
		paseto.ErrForbidden, paseto.ErrUnavailable, paseto.ErrKeysUnavailable,
		httpauth.ErrCredentials, httpauth.ErrCrossOrigin, httpauth.ErrServer,
	} {
		check(refusal, strconv.Itoa(httpauth.Status(refusal)))
	}
	for _, socket := range []struct {
		refusal *paseto.Error
		status  string // – for what is never answered over HTTP
	}{
		{wsauth.ErrOrigin, "403"}, {wsauth.ErrShutdown, "503"}, {wsauth.ErrOverload, "503"},
		{wsauth.ErrThrottled, "429"}, {wsauth.ErrTooMany, "429"},
		{wsauth.ErrNoMessage, "–"}, {wsauth.ErrMessage, "–"}, {wsauth.ErrReplaced, "–"},
		{wsauth.ErrOtherSubject, "–"}, {wsauth.ErrOlder, "–"}, {wsauth.ErrRenewals, "–"},
		{wsauth.ErrLifetime, "–"}, {wsauth.ErrUnresponsive, "–"}, {wsauth.ErrSlow, "–"},
		{wsauth.ErrPanic, "–"}, {wsauth.ErrPayload, "–"}, {wsauth.ErrClosed, "–"},
	} {
		check(socket.refusal, socket.status)
	}
}

// TestCloseCodesDocument checks that docs/connections.md has a row for every cause
// for which a guard closes connections, in their order, and no other.
func TestCloseCodesDocument(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(readText(t, connectionsDocument), "\n## Close codes\n")
	var got, want []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	for _, c := range wsauth.Closures() {
		want = append(want, fmt.Sprintf("| %#q | %d | %d | %#q | %s |", c.Cause.Code, c.Standard, c.Private, c.Cause.Message, c.Reconnect))
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

// TestConnectionsDocumentSettings checks that there are the settings that
// docs/connections.md names.
func TestConnectionsDocumentSettings(t *testing.T) {
	t.Parallel()
	settings := readText(t, "docs/configuration.md")
	text := readText(t, connectionsDocument)
	for _, name := range regexp.MustCompile(`\b(websocket|denylist|token)\.[a-z_.]*[a-z]`).FindAllString(text, -1) {
		if !strings.Contains(settings, "| `"+name+"` |") {
			t.Errorf("there is no setting %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`(limits\\.[a-z_]+)").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(settings, "| `websocket."+name[1]+"` |") {
			t.Errorf("there is no setting websocket.%s", name[1])
		}
	}
}

// blocks returns what stands in a document in blocks of code of a language.
func blocks(t *testing.T, document, language string) []string {
	t.Helper()
	var found []string
	for _, block := range doctest.Blocks(t, document, language) {
		found = append(found, block.Text)
	}
	return found
}

// TestDocumentsCode checks that the Go code of documents is that of examples, which
// tests run.
func TestDocumentsCode(t *testing.T) {
	t.Parallel()
	flat := func(code string) string { return strings.ReplaceAll(code, "\t", "") }
	for document, examples := range map[string][]string{
		connectionsDocument:  {"wsauth/example_conn_test.go", "wsauth/example_shutdown_test.go"},
		"docs/revocation.md": {"paseto/httpauth/example_ticket_test.go"},
	} {
		run := ""
		for _, file := range examples {
			run += flat(readText(t, file))
		}
		for _, block := range blocks(t, document, "go") {
			if !strings.Contains(run, flat(block)) {
				t.Errorf("%s: no example has this code:\n%s", document, block)
			}
		}
	}
}

// runScript runs the JavaScript of docs/connections.md and what follows it, and
// returns what that prints.
func runScript(t *testing.T, script string, args ...string) string {
	t.Helper()
	node := testtool.Need(t, "node", "nodejs")
	const dir = "internal/nodeclient" // which has the package ws
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "ws")); err != nil {
		testtool.Missing(t, "the npm package ws in "+dir)
	}
	// The clock of the server stands still: at once, for a token of an hour.
	document := strings.Replace(strings.Join(blocks(t, connectionsDocument, "js"), "\n"), "const margin = 30;", "const margin = 3599.9;", 1)
	cmd := testtool.Command(t, node, append([]string{"--input-type=module", "--eval",
		"import WebSocket from 'ws'; globalThis.WebSocket = WebSocket; const args = process.argv.slice(1);\n" + document + script, "--"}, args...)...)
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the script ends with %v:\n%s", err, output)
	}
	return string(output)
}

// TestReconnectScript checks that the function of docs/connections.md tells from a
// close code what Closures says, where the code tells.
func TestReconnectScript(t *testing.T) {
	t.Parallel()
	want := make(map[wsauth.CloseCode]wsauth.Reconnect)
	for _, c := range wsauth.Closures() {
		if class, other := want[c.Private]; other && class != c.Reconnect {
			t.Errorf("the code %d stands for %s and %s", c.Private, class, c.Reconnect)
		}
		want[c.Private] = c.Reconnect
		if c.Standard != wsauth.ClosePolicyViolation {
			want[c.Standard] = c.Reconnect
		}
	}
	want[wsauth.CloseServiceRestart] = wsauth.ReconnectNow
	codes, err := json.Marshal(slices.Sorted(maps.Keys(want)))
	if err != nil {
		t.Fatal(err)
	}
	var got map[wsauth.CloseCode]wsauth.Reconnect
	output := runScript(t, `console.log(JSON.stringify(Object.fromEntries(JSON.parse(args[0]).map((code) => [code, afterClose(code)]))))`, string(codes))
	if err := json.Unmarshal([]byte(output), &got); err != nil {
		t.Fatal(err)
	}
	for code, class := range want {
		if got[code] != class {
			t.Errorf("after %d the script says %s, want %s", code, got[code], class)
		}
	}
}

// TestClientScript runs the client of docs/connections.md. It shows its token, renews
// it, comes back with another after its session was revoked, and then stays away,
// since the application has closed.
func TestClientScript(t *testing.T) {
	t.Parallel()
	store := denylist.NewMemory()
	defer store.Close()
	now := time.Now().Truncate(time.Second)
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}, AccessTTL: time.Hour},
		paseto.WithDenylist(store), paseto.WithClock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	var session atomic.Value // of the tokens that are issued
	session.Store("first")
	token := func() string {
		name, _ := session.Load().(string)
		issued, err := auth.IssueAccess(paseto.Grant{Subject: "alice", Session: name})
		if err != nil {
			t.Error(err)
		}
		return issued.Token.Reveal()
	}
	logOut := sync.OnceFunc(func() {
		session.Store("second")
		if err := auth.RevokeSession(t.Context(), "first"); err != nil {
			t.Error(err)
		}
	})
	guard, err := wsauth.New(auth, wsauth.Config{
		Locations: []wsauth.Location{wsauth.Message}, RenewMessages: true, CloseCodes: wsauth.PrivateCodes,
		MessageTimeout: testtool.Patience, CloseTimeout: testtool.Patience, PingInterval: wsauth.NoPing,
	}, wsauth.WithObserver(func(e wsauth.Event) {
		if e.Kind == wsauth.EventRenewed {
			logOut()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
		if conn.WriteJSON(map[string]string{"session": conn.Claims().Session}) != nil || conn.Claims().Session == "second" {
			return
		}
		_, _, _ = conn.ReadMessage() // until the session is revoked
	}))
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, token()) })
	server := httptest.NewServer(mux)
	defer server.Close()
	defer func() { _ = guard.Shutdown(context.Background()) }()

	output := runScript(t, `
		const [url, token] = args;
		const refresh = async () => (await fetch(url + "/token", {method: "POST"})).text();
		stay(url.replace("http", "ws") + "/ws", token, refresh,
			(message) => console.log(message.session), (why) => console.log("end", why === ""));`, server.URL, token())
	if want := "first\nsecond\nend true\n"; output != want {
		t.Errorf("the client prints %q, want %q", output, want)
	}
}
