package config

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestMain fails if goroutines are left, except one that a client of Sentinels
// leaves asleep for a second.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}

// hexKey is a key that no real program uses.
const hexKey = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"

// write puts a file into a folder of the test's own.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got, _, err := load(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantConfig(t, got, newConfig())
}

// TestDatesAreText: a date stands as it is written where a string is expected.
func TestDatesAreText(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{"2030-01-31", "2030-01-31T12:00:00Z"} {
		cfg, _, err := load(nil, []string{write(t, "auth.yaml", "token: {issuer: "+issuer+"}")})
		if err != nil {
			t.Errorf("%s: %v", issuer, err)
		} else if cfg.Token.Issuer != issuer {
			t.Errorf("%s is read as %q", issuer, cfg.Token.Issuer)
		}
	}
}

// TestKeyTimes reads the time at which a key retires, as each format writes it.
func TestKeyTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)
	key := write(t, "key", hexKey)
	for name, content := range map[string]string{
		"time.yaml": "token: {keys: [{file: FILE, not_after: 2030-01-31T13:00:00+01:00}]}",
		"text.yaml": "token: {keys: [{file: FILE, not_after: '2030-01-31T12:00:00Z'}]}",
		"time.toml": "[token]\nkeys = [{file = \"FILE\", not_after = 2030-01-31T12:00:00Z}]",
		"text.toml": "[token]\nkeys = [{file = \"FILE\", not_after = \"2030-01-31T12:00:00Z\"}]",
		"text.json": `{"token": {"keys": [{"file": "FILE", "not_after": "2030-01-31T12:00:00Z"}]}}`,
	} {
		cfg, _, err := load(nil, []string{write(t, name, strings.ReplaceAll(content, "FILE", key))})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := cfg.Token.Keys[0]
		if !got.NotAfter.Equal(want) || got.File != key {
			t.Errorf("%s: the key is %+v", name, got)
		}
	}
}

// sample is one configuration in every format.
var sample = map[string]string{
	"auth.yaml": `
token:
  keys: ["` + hexKey + `", {file: FILE}]
  audience: [a, b]
  access_ttl: 5m
  refresh_ttl: 3600
  other_ttl: none
  allow_no_expiry: true
  leeway: 30s
  max_length: 4096
http:
  cookie: {insecure: true, same_site: strict}
websocket:
  # everything commented out says nothing
denylist: {fail_open: true}
`,
	"auth.toml": `
[token]
keys = ["` + hexKey + `", {file = "FILE"}]
audience = ["a", "b"]
access_ttl = "5m"
refresh_ttl = 3600
other_ttl = "none"
allow_no_expiry = true
leeway = "30s"
max_length = 4096
[http.cookie]
insecure = true
same_site = "strict"
[denylist]
fail_open = true
`,
	"auth.json": `{
"token": {"keys": ["` + hexKey + `", {"file": "FILE"}], "audience": ["a", "b"], "access_ttl": "5m", "refresh_ttl": 3600,
"other_ttl": "none", "allow_no_expiry": true, "leeway": "30s", "max_length": 4096},
"http": {"cookie": {"insecure": true, "same_site": "strict"}}, "denylist": {"fail_open": true}}`,
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for name, content := range sample {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := write(t, "key", hexKey+"\n")
			cfg, _, err := load(nil, []string{write(t, name, strings.ReplaceAll(content, "FILE", key))})
			if err != nil {
				t.Fatal(err)
			}
			want := newConfig()
			want.Token.Keys = []Key{{Value: paseto.NewSecret(hexKey)}, {File: key}}
			want.Token.Audience = []string{"a", "b"}
			want.Token.AccessTTL = 5 * time.Minute
			want.Token.RefreshTTL = time.Hour
			want.Token.OtherTTL = paseto.NoExpiry
			want.Token.AllowNoExpiry = true
			want.Token.Leeway = 30 * time.Second
			want.Token.MaxLength = 4096
			want.HTTP.Cookie.Insecure = true
			want.HTTP.Cookie.SameSite = "strict"
			want.Denylist.FailOpen = true
			wantConfig(t, cfg, want)
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	cfg, _, err := load([]string{
		"HOME=/root",
		"PASETOKITTEN=ignored",
		"PASETOKIT_TOKEN__ACCESS_TTL=5m",
		"PASETOKIT_TOKEN__REFRESH_TTL=none",
		"PASETOKIT_TOKEN__OTHER_TTL=60",
		"PASETOKIT_TOKEN__ALLOW_NO_EXPIRY=true",
		"PASETOKIT_TOKEN__LEEWAY=2",
		"PASETOKIT_TOKEN__MAX_LENGTH=1024",
		"PASETOKIT_TOKEN__ISSUER=123",
		"PASETOKIT_TOKEN__AUDIENCE=a, b",
		"PASETOKIT_TOKEN__KEYS=" + hexKey,
		"PASETOKIT_HTTP__LOCATIONS=header,cookie",
		"PASETOKIT_HTTP__HEADER_SCHEME=none",
		"PASETOKIT_HTTP__COOKIE__PERSISTENT=true",
		"PASETOKIT_HTTP__COOKIE__FORMER=/api, example.com/",
		"PASETOKIT_WEBSOCKET__WRITE_TIMEOUT=3s",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := newConfig()
	want.Token.AccessTTL = 5 * time.Minute
	want.Token.RefreshTTL = paseto.NoExpiry
	want.Token.OtherTTL = time.Minute
	want.Token.AllowNoExpiry = true
	want.Token.Leeway = 2 * time.Second
	want.Token.MaxLength = 1024
	want.Token.Issuer = "123"
	want.Token.Audience = []string{"a", "b"}
	want.Token.Keys = []Key{{Value: paseto.NewSecret(hexKey)}}
	want.HTTP.Locations = []httpauth.Location{"header", "cookie"}
	want.HTTP.HeaderScheme = "none"
	want.HTTP.Cookie.Persistent = true
	want.HTTP.Cookie.Former = []string{"/api", "example.com/"}
	want.WebSocket.WriteTimeout = 3 * time.Second
	wantConfig(t, cfg, want)
}

// TestPrecedence checks defaults < first file < second file < environment.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	first := write(t, "a.yaml", "token: {issuer: first, audience: [first, other], access_ttl: 1m, leeway: 1s}")
	second := write(t, "b.json", `{"token": {"issuer": "second", "audience": ["second"], "access_ttl": "2m"}}`)
	cfg, _, err := load([]string{"PASETOKIT_TOKEN__ISSUER=environment"}, []string{first, second})
	if err != nil {
		t.Fatal(err)
	}
	want := newConfig()
	want.Token.Issuer = "environment"
	want.Token.Audience = []string{"second"}
	want.Token.AccessTTL = 2 * time.Minute
	want.Token.Leeway = time.Second
	wantConfig(t, cfg, want)
}

// TestLoadEnvironment checks that Load reads the environment of the process.
func TestLoadEnvironment(t *testing.T) {
	t.Setenv("PASETOKIT_TOKEN__ISSUER", "from the environment")
	cfg, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Token.Issuer != "from the environment" {
		t.Errorf("issuer is %q", cfg.Token.Issuer)
	}
}

// TestEncoding reads files with a byte order mark, which Windows' editors write, and refuses all but UTF-8: of
// UTF-16 the parsers read some, and not whether there is a second document in it.
func TestEncoding(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"a.yaml": "# first\n---\ntoken: {issuer: them}\n", "a.toml": "[token]\r\nissuer = \"them\"\r\n", "a.json": `{"token": {"issuer": "them"}}`,
	} {
		cfg, _, err := load(nil, []string{write(t, name, "\ufeff"+content)})
		if err != nil || cfg.Token.Issuer != "them" {
			t.Errorf("%s with a byte order mark: %v", name, err)
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			var wide []byte
			for _, unit := range utf16.Encode([]rune("\ufeff" + content)) {
				wide = order.AppendUint16(wide, unit)
			}
			for _, text := range []string{string(wide), string(wide[2:])} {
				_, _, err := load(nil, []string{write(t, name, text)})
				wantProblem(t, err, name+": it is not text in UTF-8; save it as UTF-8")
			}
		}
	}
}

// wantConfig compares two configurations, and their secrets, which reflection
// cannot see.
func wantConfig(t *testing.T, got, want *Config) {
	t.Helper()
	gotOpen, gotSecrets := withoutSecrets(*got)
	wantOpen, wantSecrets := withoutSecrets(*want)
	if !reflect.DeepEqual(gotOpen, wantOpen) || !slices.Equal(gotSecrets, wantSecrets) {
		t.Errorf("got\n%+v\nwith the secrets %q, want\n%+v\nwith %q", gotOpen, gotSecrets, wantOpen, wantSecrets)
	}
}

func withoutSecrets(cfg Config) (Config, []string) {
	cfg.Token.Keys = slices.Clone(cfg.Token.Keys)
	redis := *redisOf(&cfg)
	cfg.Denylist.Redis = &redis
	all := []*paseto.Secret{&redis.Password, &redis.SentinelPassword}
	for i := range cfg.Token.Keys {
		all = append(all, &cfg.Token.Keys[i].Value)
	}
	texts := make([]string, len(all))
	for i, secret := range all {
		texts[i], *secret = secret.Reveal(), paseto.Secret{}
	}
	return cfg, texts
}
