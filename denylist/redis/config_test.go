package redis_test

import (
	"crypto/ed25519"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/secrettest"
)

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	good := []string{"127.0.0.1:6379"}
	for _, test := range []struct {
		name string
		cfg  redis.Config
		want string // part of the error
	}{
		{"no address", redis.Config{}, "Addresses: it is empty; list at least one host:port"},
		{"no port", redis.Config{Addresses: []string{"localhost"}}, `Addresses[0] = "localhost": expected host:port`},
		{"no host", redis.Config{Addresses: []string{":6379"}}, `Addresses[0] = ":6379": expected host:port`},
		{"a slash for a host", redis.Config{Addresses: []string{"/:6379"}}, `Addresses[0]: expected host:port`},
		{"twice", redis.Config{Addresses: []string{"a:1", "a:1"}}, "Addresses: must not list anything twice"},
		{"second one bad", redis.Config{Addresses: []string{"a:1", "b"}}, "Addresses[1]"},
		{"port not a number", redis.Config{Addresses: []string{"a:redis"}}, "expected host:port"},
		{"port 0", redis.Config{Addresses: []string{"a:0"}}, "expected host:port"},
		{"port too large", redis.Config{Addresses: []string{"a:65536"}}, "expected host:port"},
		{"URL", redis.Config{Addresses: []string{"redis://:hush@a:6379/1"}}, "Addresses[0]: expected host:port, without a scheme or a password"},
		{"URL without a scheme", redis.Config{Addresses: []string{"user:hush@a:6379"}}, "Addresses[0]: expected host:port, without a scheme or a password"},
		{"database", redis.Config{Addresses: good, Database: -1}, "Database = -1: expected 0 or more"},
		{"cache TTL", redis.Config{Addresses: good, CacheTTL: -2}, "CacheTTL = -2ns: expected 1ms to 1h, 0 for the default, or -1 for none"},
		{"tiny cache TTL", redis.Config{Addresses: good, CacheTTL: time.Microsecond}, "CacheTTL = 1µs: expected 1ms to 1h"},
		{"replicas", redis.Config{Addresses: good, MinReplicas: -1}, "MinReplicas = -1: expected 0 to 100"},
		{"long cache TTL", redis.Config{Addresses: good, CacheTTL: 2 * time.Hour}, "CacheTTL = 2h: expected 1ms to 1h"},
		{"many replicas", redis.Config{Addresses: good, MinReplicas: 101}, "MinReplicas = 101: expected 0 to 100"},
		{"long timeout", redis.Config{Addresses: good, Timeout: time.Hour}, "Timeout = 1h: expected 1ms to 1m"},
		{"timeout", redis.Config{Addresses: good, Timeout: -time.Second}, "Timeout = -1s: expected 1ms to 1m"},
		{"tiny timeout", redis.Config{Addresses: good, Timeout: 1}, "Timeout = 1ns: expected 1ms to 1m"},
		{"Sentinel user, no master", redis.Config{Addresses: good, SentinelCredentials: redis.StaticCredentials("u", "")}, "SentinelCredentials: nobody asks for them without SentinelMaster"},
		{"Sentinel password, no master", redis.Config{Addresses: good, SentinelCredentials: redis.StaticCredentials("", "hush")}, "SentinelCredentials: nobody asks for them without SentinelMaster"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store, err := redis.Open(t.Context(), test.cfg)
			if err == nil {
				store.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open = %q, want it to say %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("Open = %q, which gives a password away", err)
			}
		})
	}
}

func TestConfigShowsNoSecret(t *testing.T) {
	t.Parallel()
	secrettest.Hides(t, redis.Config{
		Addresses:           []string{"visible:1"},
		Credentials:         redis.StaticCredentials("alice", "horse battery"),
		SentinelMaster:      "m",
		SentinelCredentials: redis.StaticCredentials("sam", "correct staple"),
		TLS: redis.StaticTLS(&tls.Config{
			ServerName: "hidden name", MinVersion: tls.VersionTLS12,
			Certificates: []tls.Certificate{{PrivateKey: ed25519.PrivateKey("private key")}},
		}),
	}, "horse battery", "correct staple", "hidden name", "private key")
}
