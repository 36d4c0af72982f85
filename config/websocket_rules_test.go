package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/wsauth"
)

func TestWebSocketRules(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, section, want string }{ // no want: it is taken
		{"location message", "locations: [message, header]", ""},
		{"unknown location", "locations: [body]", "expected one of header, query, cookie, subprotocol, ticket, message"},
		{"prefix of paths", "path_prefix: /api/v1", ""},
		{"prefix without a slash", "path_prefix: api", `websocket.path_prefix = "api" (FILE): expected a path that begins with a slash`},
		{"prefix that ends with a slash", "path_prefix: /api/", `websocket.path_prefix = "/api/" (FILE): expected a prefix that does not end with a slash`},
		{"no queue", "send_queue: 0", "websocket.send_queue = 0 (FILE): must be at least 1"},
		{"no pings", "ping_interval: 0", ""},
		{"pings of the code's own none", "ping_interval: -1s", "websocket.ping_interval = -1s (FILE): must be 0, or at least 1ms"},
		{"pings without a pause", "ping_interval: 1us", "websocket.ping_interval = 1µs (FILE): must be 0, or at least 1ms"},
		{"rare pings", "ping_interval: 25h", "websocket.ping_interval = 25h0m0s (FILE): must be at most 24h"},
		{"negative life", "max_lifetime: -1s", "websocket.max_lifetime = -1s (FILE): must be at least 0"},
		{"life that no clock has", "max_lifetime: 2562047h", "websocket.max_lifetime = 2562047h0m0s (FILE): must be at most 876000h"},
		{"no time for a message", "message_timeout: 0s", "websocket.message_timeout = 0s (FILE): must be at least 1ms"},
		{"much time for a message", "message_timeout: 25h", "websocket.message_timeout = 25h0m0s (FILE): must be at most 24h"},
		{"renewal failure", "renew_failure: ignore", `websocket.renew_failure = "ignore" (FILE): must be one of keep, close`},
		{"renewals at will", "renew_interval: 0s", "websocket.renew_interval = 0s (FILE): must be at least 1ms"},
		{"rare renewals", "renew_interval: 25h", "websocket.renew_interval = 25h0m0s (FILE): must be at most 24h"},
		{"no rechecks", "recheck_interval: 0s", "websocket.recheck_interval = 0s (FILE): must be at least 1ms"},
		{"rare rechecks", "recheck_interval: 25h", "websocket.recheck_interval = 25h0m0s (FILE): must be at most 24h"},
		{"unchecked for ever", "max_unchecked: 0s", ""},
		{"unchecked for less than nothing", "max_unchecked: -1s", "websocket.max_unchecked = -1s (FILE): must be 0, or at least 1ms"},
		{"close codes", "close_codes: secret", `websocket.close_codes = "secret" (FILE): must be one of standard, private`},
		{"shutdown code", "shutdown_code: 1000", "websocket.shutdown_code = 1000 (FILE): must be one of 1001, 1012"},
		{"shutdown rate", "shutdown_rate: 0", "websocket.shutdown_rate = 0 (FILE): must be at least 1"},
		{"unknown limit", "limits: {sockets: 1}", "websocket.limits.sockets (FILE): unknown key; known in websocket.limits: connections, per_subject, on_excess,"},
		{"limit of connections", "limits: {connections: -1}", "websocket.limits.connections = -1 (FILE): must be at least 0"},
		{"limit of a subject", "limits: {per_subject: -1}", "websocket.limits.per_subject = -1 (FILE): must be at least 0"},
		{"excess", "limits: {on_excess: drop}", `websocket.limits.on_excess = "drop" (FILE): must be one of reject, replace_oldest`},
		{"short leases", "limits: {lease_ttl: 999ms}", "websocket.limits.lease_ttl = 999ms (FILE): must be at least 1s"},
		{"long leases", "limits: {lease_ttl: 25h}", "websocket.limits.lease_ttl = 25h0m0s (FILE): must be at most 24h"},
		{"nobody pending", "limits: {pending: 0}", "websocket.limits.pending = 0 (FILE): must be at least 1"},
		{"share of an address", "limits: {pending_per_address: -1}", "websocket.limits.pending_per_address = -1 (FILE): must be at least 0"},
		{"limit of handshakes", "limits: {handshakes_per_minute: -1}", "websocket.limits.handshakes_per_minute = -1 (FILE): must be at least 0"},
		{"limit of failures", "limits: {failures_per_minute: -1}", "websocket.limits.failures_per_minute = -1 (FILE): must be at least 0"},
		{"proxies at their old place", "limits: {trusted_proxies: [10.0.0.1]}", "websocket.limits.trusted_proxies (FILE): unknown key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "auth.yaml", "websocket: {"+test.section+"}")
			_, _, err := load(nil, []string{path})
			if test.want != "" {
				wantProblem(t, err, strings.ReplaceAll(test.want, "FILE", path))
			} else if err != nil {
				t.Errorf("it is refused: %v", err)
			}
		})
	}
}

// everyWebSocketKey has another value than the default for each key of the section
// that is about connections, as the environment gives it.
var everyWebSocketKey = map[string]string{
	"SEND_QUEUE": "7", "PING_INTERVAL": "7s", "MAX_LIFETIME": "7h", "MESSAGE_TIMEOUT": "8s", "RENEW_MESSAGES": "true",
	"RENEW_FAILURE": "close", "RENEW_INTERVAL": "9s", "RECHECK_INTERVAL": "10", "MAX_UNCHECKED": "11m", "CLOSE_CODES": "private",
	"SHUTDOWN_CODE": "1012", "SHUTDOWN_RATE": "12", "READ_LIMIT": "13", "WRITE_TIMEOUT": "14s", "CLOSE_TIMEOUT": "15s",
	"LIMITS__CONNECTIONS": "16", "LIMITS__PER_SUBJECT": "17", "LIMITS__ON_EXCESS": "replace_oldest", "LIMITS__LEASE_TTL": "18s",
	"LIMITS__PENDING": "19", "LIMITS__PENDING_PER_ADDRESS": "18", "LIMITS__HANDSHAKES_PER_MINUTE": "20", "LIMITS__FAILURES_PER_MINUTE": "21",
	"LOCATIONS": "message", "QUERY_KEY": "q", "QUERY_PREFIX": "P", "TICKET_KEY": "t", "PATH_PREFIX": "/api", "REJECT": "http",
	"ALLOWED_ORIGINS": "https://a.example", "SUBPROTOCOLS": "chat",
}

// TestWebSocketReachesTheGuard: every key of the section has its variable, and its
// value is that of the guard's field of the same name.
func TestWebSocketReachesTheGuard(t *testing.T) {
	t.Parallel()
	var environ []string
	for name, value := range everyWebSocketKey {
		environ = append(environ, "PASETOKIT_WEBSOCKET__"+name+"="+value)
	}
	cfg, _, err := load(environ, nil)
	if err != nil {
		t.Fatal(err)
	}
	guards := cfg.wsauth()
	wantSame(t, "websocket", reflect.ValueOf(cfg.WebSocket), reflect.ValueOf(Default().WebSocket), reflect.ValueOf(guards))
}

// wantSame checks that the guard's fields have the values of a section, none of which
// may be its default.
func wantSame(t *testing.T, section string, set, byDefault, guards reflect.Value) {
	t.Helper()
	for f, value := range set.Fields() {
		key, its := join(section, f.Tag.Get(tag)), guards.FieldByName(f.Name)
		switch {
		case !its.IsValid():
			t.Errorf("%s: the guard has no field %s", key, f.Name)
		case f.Type.Kind() == reflect.Struct:
			wantSame(t, key, value, byDefault.FieldByName(f.Name), its)
		case reflect.DeepEqual(value.Interface(), byDefault.FieldByName(f.Name).Interface()):
			t.Errorf("%s: the test sets nothing but the default", key)
		case fmt.Sprint(value) != fmt.Sprint(its):
			t.Errorf("%s is %v, and the guard's %v", key, value, its)
		}
	}
}

// TestWebSocketZero: 0 lifts what it is documented to lift, where it would be a
// default for the guard.
func TestWebSocketZero(t *testing.T) {
	t.Parallel()
	cfg := Default()
	cfg.WebSocket.PingInterval, cfg.WebSocket.MaxUnchecked = 0, 0
	if err := checked(cfg); err != nil {
		t.Fatal(err)
	}
	got := cfg.wsauth()
	for _, test := range []struct {
		name      string
		got, want time.Duration
	}{
		{"ping_interval", got.PingInterval, wsauth.NoPing},
		{"max_unchecked", got.MaxUnchecked, wsauth.NoLimit},
		{"max_lifetime", got.MaxLifetime, 0},
	} {
		if test.got != test.want {
			t.Errorf("%s: 0 is %d for the guard, want %d", test.name, test.got, test.want)
		}
	}
}

// checked returns what breaks a rule.
func checked(cfg *Config) error {
	var ps problems
	cfg.check(&ps, nil)
	return ps.err()
}
