package redis_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist/redis"
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
		{"Sentinel user, no master", redis.Config{Addresses: good, SentinelUsername: "u"}, "without SentinelMaster"},
		{"Sentinel password, no master", redis.Config{Addresses: good, SentinelPassword: "hush"}, "without SentinelMaster"},
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

// TestConfigPrintsNoPassword prints a configuration in every way that comes to
// mind.
func TestConfigPrintsNoPassword(t *testing.T) {
	t.Parallel()
	cfg := redis.Config{
		Addresses: []string{"a:1"}, Username: "alice", Password: "hush1",
		SentinelMaster: "m", SentinelUsername: "sam", SentinelPassword: "hush2",
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "cfg", cfg, "pointer", &cfg)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("json", "cfg", cfg, "group", slog.GroupValue(slog.Any("cfg", &cfg)))
	marshalled, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	nested := struct{ Inner redis.Config }{cfg}
	for name, text := range map[string]string{
		"%v":      fmt.Sprintf("%v", cfg),
		"%+v":     fmt.Sprintf("%+v", cfg),
		"%#v":     fmt.Sprintf("%#v", cfg),
		"%s":      fmt.Sprintf("%s", cfg),
		"%q":      fmt.Sprintf("%q", cfg),
		"%d":      fmt.Sprintf("%d", cfg),
		"pointer": fmt.Sprintf("%+v", &cfg),
		"nested":  fmt.Sprintf("%+v", nested),
		"slog":    logged.String(),
		"JSON":    string(marshalled),
	} {
		if strings.Contains(text, "hush") || strings.Contains(text, "68757368") { // which is hex
			t.Errorf("%s shows a password: %s", name, text)
		}
		if name != "%d" && !strings.Contains(text, "alice") {
			t.Errorf("%s does not show the rest: %s", name, text)
		}
	}
}
