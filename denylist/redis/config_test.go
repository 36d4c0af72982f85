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
		{"no address", redis.Config{}, "Addresses is empty"},
		{"no port", redis.Config{Addresses: []string{"localhost"}}, `Addresses[0] is "localhost"; give host:port`},
		{"no host", redis.Config{Addresses: []string{":6379"}}, `":6379"; give host:port`},
		{"second one bad", redis.Config{Addresses: []string{"a:1", "b"}}, "Addresses[1]"},
		{"port not a number", redis.Config{Addresses: []string{"a:redis"}}, "port is not a number"},
		{"port 0", redis.Config{Addresses: []string{"a:0"}}, "port is not a number from 1 to 65535"},
		{"port too large", redis.Config{Addresses: []string{"a:65536"}}, "port is not a number"},
		{"URL", redis.Config{Addresses: []string{"redis://:hush@a:6379/1"}}, "Addresses[0] is a URL"},
		{"URL without a scheme", redis.Config{Addresses: []string{"user:hush@a:6379"}}, "Addresses[0] is a URL"},
		{"database", redis.Config{Addresses: good, Database: -1}, "Database is -1"},
		{"cache TTL", redis.Config{Addresses: good, CacheTTL: -2}, "CacheTTL is -2ns"},
		{"tiny cache TTL", redis.Config{Addresses: good, CacheTTL: time.Microsecond}, "CacheTTL is 1µs"},
		{"replicas", redis.Config{Addresses: good, MinReplicas: -1}, "MinReplicas is -1"},
		{"timeout", redis.Config{Addresses: good, Timeout: -time.Second}, "Timeout is -1s"},
		{"tiny timeout", redis.Config{Addresses: good, Timeout: 1}, "Timeout is 1ns"},
		{"Sentinel user, no master", redis.Config{Addresses: good, SentinelCredentials: redis.StaticCredentials("u", "")}, "without SentinelMaster"},
		{"Sentinel password, no master", redis.Config{Addresses: good, SentinelCredentials: redis.StaticCredentials("", "hush")}, "without SentinelMaster"},
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
