package config_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// Stores of a program's own: one says that others share it, one lets the store that it
// wraps say it, and one hides that.
type (
	sharedStore struct{ denylist.Store }
	clearStore  struct{ denylist.Store }
	hidingStore struct{ denylist.Store }
)

func (sharedStore) Shared() bool { return true }

func (s clearStore) Unwrap() denylist.Store { return s.Store }

// TestNotes checks what the log says of values that are valid and probably not meant.
func TestNotes(t *testing.T) {
	t.Parallel()
	shared := sharedStore{memory(t)}
	const cookies, unset = "key=websocket.locations note=", "key=http.locations note="
	const own, mistyped = "key=denylist.store note=", "key=denylist.check note="
	perSubject := func(c *config.Config) { c.Live.PerSubject = 1 }
	verifier := func(c *config.Config) {
		c.Token.VerifyOnly, c.Token.Purpose = true, "public"
		c.Token.Keys = []config.Key{{Value: paseto.NewSecret(publicKey)}}
	}
	for _, test := range []struct {
		name   string
		change func(*config.Config)
		opts   []config.Option
		want   []string
	}{
		{"defaults", func(*config.Config) {}, nil, nil},
		{"cookies for requests alone", func(c *config.Config) { c.HTTP.Locations = []httpauth.Location{"cookie"} }, nil, []string{cookies, "Token required"}},
		{"cookies among others", func(c *config.Config) { c.HTTP.Locations = []httpauth.Location{"header", "cookie"} }, nil, []string{cookies}},
		{"cookies for both", func(c *config.Config) {
			c.HTTP.Locations, c.WebSocket.Locations = []httpauth.Location{"cookie"}, []httpauth.Location{"cookie"}
		}, nil, nil},
		{"cookies and tickets on purpose", func(c *config.Config) {
			c.HTTP.Locations, c.WebSocket.Locations = []httpauth.Location{"cookie"}, []httpauth.Location{"ticket"}
		}, nil, nil},
		{"cookies for handshakes alone", func(c *config.Config) { c.WebSocket.Locations = []httpauth.Location{"cookie"} }, nil, []string{unset}},
		{"cookies of another service", func(c *config.Config) {
			verifier(c)
			c.WebSocket.Locations = []httpauth.Location{"cookie"}
		}, []config.Option{config.WithStore(shared)}, nil},
		{"a misspelt type", func(c *config.Config) { c.Denylist.Check = []string{"acces", "refresh"} }, nil,
			[]string{mistyped, `acces`, "did you mean access?"}},
		{"a type in capitals", func(c *config.Config) { c.Denylist.Check = []string{"access", "Refresh"} }, nil,
			[]string{mistyped, "did you mean refresh?"}},
		{"a type of its own", func(c *config.Config) { c.Denylist.Check = []string{"access", "email-verify"} }, nil, nil},
		{"verifying with a memory", verifier, nil, []string{own, "redis", "denylist.disabled to true"}},
		{"verifying with a file", func(c *config.Config) {
			verifier(c)
			c.Denylist.Store, config.BoltOf(c).Path = "bolt", filepath.Join(t.TempDir(), "revoked.db")
		}, nil, []string{own}},
		{"verifying with a memory that is given", verifier, []config.Option{config.WithStore(memory(t))}, []string{own}},
		{"verifying with a wrapped memory", verifier, []config.Option{config.WithStore(clearStore{memory(t)})}, []string{own, "redis"}},
		{"verifying with a hidden memory", verifier, []config.Option{config.WithStore(hidingStore{memory(t)})},
			[]string{own, "config_test.hidingStore", "denylist.Shared", "denylist.Wrapper"}},
		{"verifying with a store that is shared", verifier, []config.Option{config.WithStore(shared)}, nil},
		{"verifying with a wrapped store that is shared", verifier, []config.Option{config.WithStore(clearStore{shared})}, nil},
		{"limit per subject with a memory", perSubject, nil, nil},
		{"limit per subject with leases", perSubject, []config.Option{config.WithStore(&leasing{Store: shared})}, nil},
		{"limit per subject with wrapped leases", perSubject, []config.Option{config.WithStore(clearStore{&leasing{Store: shared}})}, nil},
		{"limit per subject with hidden leases", perSubject, []config.Option{config.WithStore(hidingStore{&leasing{Store: shared}})},
			[]string{"counted in this process alone", "store=config_test.hidingStore", "denylist.Wrapper"}},
		{"verifying without a denylist", func(c *config.Config) {
			verifier(c)
			c.Denylist.Disabled = true
		}, nil, nil},
		{"a password with a space behind", func(c *config.Config) {
			c.Denylist.Store, config.RedisOf(c).Addresses = "redis", []string{"127.0.0.1:1"}
			config.RedisOf(c).PasswordFile = keyFile(t, "secret \r\n")
		}, []config.Option{config.WithStore(shared)}, []string{"key=denylist.redis.password_file", "white space"}},
		{"without notes", verifier, []config.Option{config.WithoutNotes()}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			open(t, with(test.change), append(test.opts, config.WithLogger(logger))...)
			if notes := strings.Count(log.String(), "level=WARN"); notes != min(len(test.want), 1) {
				t.Errorf("%d notes:\n%s", notes, log.String())
			}
			for _, want := range test.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log does not say %q:\n%s", want, log.String())
				}
			}
		})
	}
}

// TestTicketWithoutDenylist refuses tickets that a file asks for, also where it asks for no more
// than the default, which leaves them out without a denylist.
func TestTicketWithoutDenylist(t *testing.T) {
	t.Parallel()
	const off = "denylist: {disabled: true}\n"
	for locations, refused := range map[string]bool{
		"": false, "websocket: {locations: [header]}": false,
		"websocket: {locations: [ticket]}": true, "websocket: {locations: [header, ticket]}": true, "websocket: {locations: [ticket, header]}": true,
	} {
		path := filepath.Join(t.TempDir(), "auth.yaml")
		check(t, os.WriteFile(path, []byte(off+locations), 0o600))
		_, err := config.Load(path)
		want := "config: websocket.locations (" + path + ":2): ticket needs a denylist, because a ticket must work only once"
		if refused != (err != nil) || refused && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error is %v", locations, err)
		}
	}
}

// TestCheckedTypes refuses types that no token that is looked up can have.
func TestCheckedTypes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ticket", "two words", `no"type`, "zugriffsrecht-für-alle", "a\nb"} {
		_, err := config.Open(t.Context(), with(func(c *config.Config) { c.Denylist.Check = []string{"access", name} }))
		if err == nil || !strings.Contains(err.Error(), "denylist.check[1] = ") || !strings.Contains(err.Error(), "can have this type") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}
