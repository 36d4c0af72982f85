package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config/redis"
	store "github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestStoreFiles reads every key of the stores, of sessions and of tickets, in
// every format.
func TestStoreFiles(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"auth.yaml": `
token: {session_ttl: none, refresh_grace: none, ticket_ttl: 5}
websocket: {locations: [ticket], ticket_key: t}
denylist:
  store: redis
  bolt: {path: revoked.db}
  redis:
    addresses: ["redis-1:6379", "[::1]:6380"]
    username: app
    password: s3cret
    database: 3
    sentinel_master: main
    sentinel_username: watcher
    sentinel_password_file: /run/secrets/sentinel
    prefix: "app:"
    cache_ttl: none
    min_replicas: 1
    timeout: 250ms
    allow_eviction: true
    tls: {enabled: true, ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem, server_name: redis.internal}
`,
		"auth.toml": `
[token]
session_ttl = "none"
refresh_grace = "none"
ticket_ttl = "5s"
[websocket]
locations = ["ticket"]
ticket_key = "t"
[denylist]
store = "redis"
bolt = {path = "revoked.db"}
[denylist.redis]
addresses = ["redis-1:6379", "[::1]:6380"]
username = "app"
password = "s3cret"
database = 3
sentinel_master = "main"
sentinel_username = "watcher"
sentinel_password_file = "/run/secrets/sentinel"
prefix = "app:"
cache_ttl = "none"
min_replicas = 1
timeout = "250ms"
allow_eviction = true
tls = {enabled = true, ca_file = "ca.pem", cert_file = "cert.pem", key_file = "key.pem", server_name = "redis.internal"}
`,
		"auth.json": `{"token": {"session_ttl": "none", "refresh_grace": "none", "ticket_ttl": "5s"},
"websocket": {"locations": ["ticket"], "ticket_key": "t"},
"denylist": {"store": "redis", "bolt": {"path": "revoked.db"}, "redis": {"addresses": ["redis-1:6379", "[::1]:6380"],
"username": "app", "password": "s3cret", "database": 3, "sentinel_master": "main", "sentinel_username": "watcher",
"sentinel_password_file": "/run/secrets/sentinel", "prefix": "app:", "cache_ttl": "none", "min_replicas": 1,
"timeout": "250ms", "allow_eviction": true, "tls": {"enabled": true, "ca_file": "ca.pem", "cert_file": "cert.pem",
"key_file": "key.pem", "server_name": "redis.internal"}}}}`,
	} {
		cfg, _, err := load(nil, []string{write(t, name, content)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantConfig(t, cfg, withStore())
	}
}

func TestStoreEnvironment(t *testing.T) {
	t.Parallel()
	cfg, _, err := load([]string{
		"PASETOKIT_TOKEN__SESSION_TTL=none",
		"PASETOKIT_TOKEN__REFRESH_GRACE=none",
		"PASETOKIT_TOKEN__TICKET_TTL=5",
		"PASETOKIT_WEBSOCKET__LOCATIONS=ticket",
		"PASETOKIT_WEBSOCKET__TICKET_KEY=t",
		"PASETOKIT_DENYLIST__STORE=redis",
		"PASETOKIT_DENYLIST__BOLT__PATH=revoked.db",
		"PASETOKIT_DENYLIST__REDIS__ADDRESSES=redis-1:6379, [::1]:6380",
		"PASETOKIT_DENYLIST__REDIS__USERNAME=app",
		"PASETOKIT_DENYLIST__REDIS__PASSWORD=s3cret",
		"PASETOKIT_DENYLIST__REDIS__DATABASE=3",
		"PASETOKIT_DENYLIST__REDIS__SENTINEL_MASTER=main",
		"PASETOKIT_DENYLIST__REDIS__SENTINEL_USERNAME=watcher",
		"PASETOKIT_DENYLIST__REDIS__SENTINEL_PASSWORD_FILE=/run/secrets/sentinel",
		"PASETOKIT_DENYLIST__REDIS__PREFIX=app:",
		"PASETOKIT_DENYLIST__REDIS__CACHE_TTL=none",
		"PASETOKIT_DENYLIST__REDIS__MIN_REPLICAS=1",
		"PASETOKIT_DENYLIST__REDIS__TIMEOUT=250ms",
		"PASETOKIT_DENYLIST__REDIS__ALLOW_EVICTION=true",
		"PASETOKIT_DENYLIST__REDIS__TLS__ENABLED=true",
		"PASETOKIT_DENYLIST__REDIS__TLS__CA_FILE=ca.pem",
		"PASETOKIT_DENYLIST__REDIS__TLS__CERT_FILE=cert.pem",
		"PASETOKIT_DENYLIST__REDIS__TLS__KEY_FILE=key.pem",
		"PASETOKIT_DENYLIST__REDIS__TLS__SERVER_NAME=redis.internal",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantConfig(t, cfg, withStore())
}

// withStore returns what the tests above configure.
func withStore() *Config {
	cfg := newConfig()
	cfg.Token.SessionTTL, cfg.Token.RefreshGrace, cfg.Token.TicketTTL = paseto.NoExpiry, paseto.NoGrace, 5*time.Second
	cfg.WebSocket.Locations, cfg.WebSocket.TicketKey = []httpauth.Location{"ticket"}, "t"
	cfg.Denylist.Store, boltOf(cfg).Path = "redis", "revoked.db"
	*redisOf(cfg) = redis.Settings{
		Config: store.Config{
			Addresses: []string{"redis-1:6379", "[::1]:6380"}, Database: 3, SentinelMaster: "main",
			Prefix: "app:", CacheTTL: store.NoCache, MinReplicas: 1, Timeout: 250 * time.Millisecond, AllowEviction: true,
		},
		Username: "app", Password: paseto.NewSecret("s3cret"), SentinelUsername: "watcher", SentinelPasswordFile: "/run/secrets/sentinel",
		TLS: redis.TLS{Enabled: true, CAFile: "ca.pem", CertFile: "cert.pem", KeyFile: "key.pem", ServerName: "redis.internal"},
	}
	return cfg
}

// storeRules are values that a rule refuses. Each is tried in a file and in the
// environment; the error names KEY and SOURCE.
var storeRules = []struct{ name, key, value, want string }{
	{"session that has ended", "token.session_ttl", "-1h", "KEY = -1h (SOURCE): expected 1s to 100 years, or none"},
	{"session without a unit of time", "token.session_ttl", "long", `KEY = "long" (SOURCE): expected a duration such as 30s or 15m, or a number of seconds, or none`},
	{"long grace", "token.refresh_grace", "5m1s", "KEY = 5m1s (SOURCE): expected 1ms to 5m, 0 for the default, or none"},
	{"too many refreshes", "token.refreshes_per_minute", "61", "KEY = 61 (SOURCE): expected 1 to 60, 0 for the default, or none"},
	{"the code's own none", "token.refreshes_per_minute", "-1", "KEY = -1 (SOURCE): write none instead"},
	{"store", "denylist.store", "mongo", `KEY = "mongo" (SOURCE): expected one of memory, bolt, redis, program`},
	{"bolt alone", "denylist.store", "bolt", "denylist.bolt.path: "},
	{"redis alone", "denylist.store", "redis", "denylist.redis.addresses: "},
	{"negative database", "denylist.redis.database", "-1", "KEY = -1 (SOURCE): expected 0 or more"},
	{"database by name", "denylist.redis.database", "main", `KEY = "main" (SOURCE): expected a whole number`},
	{"eviction", "denylist.redis.allow_eviction", "maybe", `KEY = "maybe" (SOURCE): expected true or false`},
	{"server name with a port", "denylist.redis.tls.server_name", "redis:6379", `KEY = "redis:6379" (SOURCE): expected a host name or an IP address, without a port`},
}

func TestStoreRules(t *testing.T) {
	t.Parallel()
	for _, test := range storeRules {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "auth.yaml", nested(test.key, test.value))
			_, _, err := load(nil, []string{path})
			wantProblem(t, err, strings.NewReplacer("KEY", test.key, "SOURCE", fmt.Sprint(path, ":", strings.Count(test.key, ".")+1)).Replace(test.want))

			variable := variableName(test.key)
			_, _, err = load([]string{variable + "=" + test.value}, nil)
			wantProblem(t, err, strings.NewReplacer("KEY", test.key, "SOURCE", variable).Replace(test.want))
		})
	}
}

// nested returns a YAML file that sets one key. Numbers, lists and what is in quotes stay
// what they are; true and false are written bare, and all else is a string.
func nested(key, value string) string {
	var b strings.Builder
	levels := strings.Split(key, ".")
	for i, level := range levels {
		b.WriteString(strings.Repeat("  ", i) + level + ":")
		if i < len(levels)-1 {
			b.WriteString("\n")
		}
	}
	if value != "true" && value != "false" && strings.Trim(value, "-0123456789") != "" && value[0] != '[' && value[0] != '"' {
		value = fmt.Sprintf("%q", value)
	}
	return b.String() + " " + value + "\n"
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address string
		good    bool
	}{
		{"localhost:6379", true},
		{"redis-1.example.com:1", true},
		{"redis_1:65535", true},
		{"127.0.0.1:6379", true},
		{"[::1]:6379", true},
		{"[2001:db8::1]:6379", true},
		{"localhost", false},
		{":6379", false},
		{"localhost:", false},
		{"localhost:0", false},
		{"localhost:65536", false},
		{"localhost:-1", false},
		{"localhost:redis", false},
		{"::1:6379", false},
		{"[::g]:6379", false},
		{"a..b:6379", false},
		{"my host:6379", false},
		{"höst:6379", false},
		{"redis://localhost:6379", false},
		{"localhost:6379/0", false},
	} {
		path := write(t, "auth.yaml", fmt.Sprintf("denylist: {redis: {addresses: [%q]}}", test.address))
		_, _, err := load(nil, []string{path})
		if test.good {
			if err != nil {
				t.Errorf("%s: %v", test.address, err)
			}
			continue
		}
		wantProblem(t, err, fmt.Sprintf("denylist.redis.addresses[0] = %q (%s:1): expected host:port", test.address, path))
	}
	_, _, err := load([]string{"PASETOKIT_DENYLIST__REDIS__ADDRESSES=a:1,a:1"}, nil)
	wantProblem(t, err, "denylist.redis.addresses (PASETOKIT_DENYLIST__REDIS__ADDRESSES): must not list anything twice")
}

// TestStoreCombinations checks what goes together, and that nobody is asked for
// what he does not use.
func TestStoreCombinations(t *testing.T) {
	t.Parallel()
	const redis = "denylist: {store: redis, redis: {addresses: ['a:1'], "
	for _, test := range []struct{ name, yaml, want string }{
		{"password twice", redis + "password: x, password_file: y}}",
			`denylist.redis.password_file = "y" (FILE): the password itself is set as well; keep one of them`},
		{"sentinel password twice", redis + "sentinel_master: main, sentinel_password: x, sentinel_password_file: y}}",
			`denylist.redis.sentinel_password_file = "y" (FILE): the password itself is set as well; keep one of them`},
		{"certificate without a key", redis + "tls: {enabled: true, cert_file: c}}}",
			`denylist.redis.tls.cert_file = "c" (FILE): goes together with denylist.redis.tls.key_file; set both or neither`},
		{"key without a certificate", redis + "tls: {enabled: true, key_file: k}}}",
			`denylist.redis.tls.`},
		{"one parameter for two", "websocket: {locations: [query, ticket], query_key: ticket}",
			`websocket.ticket_key = "ticket": must differ from websocket.query_key`},
		{"both passwords, from different places", redis + "sentinel_master: main, password: x, sentinel_password_file: y}}", ""},
		{"bolt", "denylist: {store: bolt, bolt: {path: revoked.db}}", ""},
		{"redis", redis + "}}", ""},
		{"parameters swapped", "websocket: {query_key: ticket, ticket_key: token}", ""},
		{"bolt, disabled", "denylist: {disabled: true, store: bolt}", ""},
		{"redis, disabled", "denylist: {disabled: true, store: redis, redis: {password: x, password_file: y, tls: {key_file: z}}}", ""},
		{"files that are not there", redis + "password_file: /nonexistent/password, tls: {enabled: true, ca_file: /nonexistent/ca}}}", ""},
		{"bounds", "token: {session_ttl: 1s, refresh_grace: 5m, ticket_ttl: 30s}\n" +
			"denylist: {redis: {cache_ttl: 1h, min_replicas: 100, timeout: 1m, tls: {server_name: '::1'}}}", ""},
		{"lower bounds", "token: {session_ttl: 0s, ticket_ttl: 1s}\ndenylist: {redis: {timeout: 1ms, tls: {server_name: 10.0.0.1}}}", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "auth.yaml", test.yaml)
			_, _, err := load(nil, []string{path})
			if test.want != "" {
				wantProblem(t, err, strings.ReplaceAll(test.want, "FILE", path+":1"))
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRelativePaths: what a configuration names is not resolved against its
// own folder.
func TestRelativePaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "auth.yaml")
	if err := os.WriteFile(path, []byte("denylist: {store: bolt, bolt: {path: revoked.db}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := load(nil, []string{path})
	if err != nil || boltOf(cfg).Path != "revoked.db" {
		t.Errorf("load = %v; the path is %s", err, boltOf(cfg).Path)
	}
}
