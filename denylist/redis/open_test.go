package redis_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// wantRefused opens a store in vain.
func wantRefused(t *testing.T, cfg redis.Config, want string, unavailable bool) {
	t.Helper()
	cfg.Timeout = cmp.Or(cfg.Timeout, patience)
	store, err := redis.Open(t.Context(), cfg)
	if err == nil {
		store.Close()
		t.Fatal("opened")
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("Open = %q, want it to say %q", err, want)
	}
	if errors.Is(err, denylist.ErrUnavailable) != unavailable {
		t.Errorf("Open = %q, which wraps ErrUnavailable: %t, want %t", err, !unavailable, unavailable)
	}
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("Open = %q, which gives a password away", err)
	}
}

func TestOpenRefused(t *testing.T) {
	t.Parallel()
	plain := redistest.Start(t, "--databases", "4").Addr()
	locked := redistest.Start(t, "--requirepass", "hush").Addr()
	small := redistest.Start(t, "--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru").Addr()
	replica := redistest.StartReplica(t, redistest.Start(t)).Addr()
	primary := redistest.Start(t)
	sentinels := redistest.StartSentinel(t, primary, "mymaster", 1).Addrs()
	node := redistest.Start(t, "--cluster-enabled", "yes").Addr()

	for _, test := range []struct {
		name string
		cfg  redis.Config
		want string
	}{
		{"wrong password", redis.Config{Addresses: []string{locked}, Credentials: redis.StaticCredentials("", "hush hush")}, "check Credentials"},
		{"unknown user", redis.Config{Addresses: []string{locked}, Credentials: redis.StaticCredentials("bob", "hush")}, "check Credentials"},
		{"no password", redis.Config{Addresses: []string{locked}}, "set Credentials"},
		{"no such database", redis.Config{Addresses: []string{plain}, Database: 4}, "no database of the number Database"},
		{"drops records", redis.Config{Addresses: []string{small}}, "set maxmemory-policy to noeviction there, or AllowEviction here"},
		{"replica", redis.Config{Addresses: []string{replica}}, "is a replica"},
		{"Sentinel for a server", redis.Config{Addresses: sentinels}, "name by SentinelMaster the primary"},
		{"server for a Sentinel", redis.Config{Addresses: []string{plain}, SentinelMaster: "mymaster"}, "Addresses are servers, no Sentinels"},
		{"unknown master", redis.Config{Addresses: sentinels, SentinelMaster: "theirs"}, "do not know SentinelMaster"},
		{"several servers", redis.Config{Addresses: []string{plain, primary.Addr()}, Timeout: 5 * time.Second}, "several servers that are no cluster"},
		{"cluster with a database", redis.Config{Addresses: []string{node}, Database: 1}, "leave Database 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, test.cfg, test.want, false)
		})
	}
	t.Run("the right password", func(t *testing.T) {
		t.Parallel()
		openStore(t, redis.Config{Addresses: []string{locked}, Credentials: redis.StaticCredentials("", "hush")})
		openStore(t, redis.Config{Addresses: []string{locked}, Credentials: redis.StaticCredentials("default", "hush")})
	})
	t.Run("drops records, which is allowed", func(t *testing.T) {
		t.Parallel()
		openStore(t, redis.Config{Addresses: []string{small}, AllowEviction: true})
	})
	t.Run("empty cluster", func(t *testing.T) {
		t.Parallel()
		wantRefused(t, redis.Config{Addresses: []string{node}}, "CLUSTER INFO", false)
	})
}

// TestOpenUnavailable: what may be well a moment later is told apart.
func TestOpenUnavailable(t *testing.T) {
	t.Parallel()
	closed := redistest.Start(t)
	closed.Kill()
	silent := redistest.Start(t)
	silent.Pause()
	t.Cleanup(silent.Resume)
	for _, test := range []struct {
		name string
		cfg  redis.Config
		want string
	}{
		{"nobody there", redis.Config{Addresses: []string{closed.Addr()}}, "connection refused"},
		{"no answer", redis.Config{Addresses: []string{silent.Addr()}, Timeout: hasty}, "no answer within 1s"},
		{"neither Sentinel", redis.Config{Addresses: []string{closed.Addr(), silent.Addr()}, SentinelMaster: "m", Timeout: hasty}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, test.cfg, test.want, true)
		})
	}
}

// TestOpenEnds: opening ends with its context.
func TestOpenEnds(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := redis.Open(ended, redis.Config{Addresses: []string{server.Addr()}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want context.Canceled", err)
	}

	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := bounded(t, func() error {
		_, err := redis.Open(ctx, redis.Config{Addresses: []string{server.Addr()}, Timeout: patience})
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open = %v, want context.DeadlineExceeded", err)
	}
}

// permissions are those that the package documentation asks for.
const permissions = "resetchannels ~app:* &app:* -@all +@pubsub +eval +evalsha +get +set +exists +asking " +
	"+client|tracking +echo +hello +info +ping +select +wait +role +cluster|slots +cluster|shards"

// TestPermissions opens stores for a user who may do no more than what the
// documentation asks for, and for users who may not even do that.
func TestPermissions(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	grant := func(name, rules string) redis.Config {
		server.Command(t, append([]string{"ACL", "SETUSER", name}, strings.Fields(rules)...)...)
		return redis.Config{Addresses: []string{server.Addr()}, Credentials: redis.StaticCredentials(name, "hush"), Prefix: "app:"}
	}
	all := "on >hush " + permissions
	t.Run("all", func(t *testing.T) {
		store := openStore(t, grant("all", all))
		startWatch(t, store)
		if !works(t, store, "x") {
			t.Error("the store does not work")
		}
	})
	for _, test := range []struct{ name, rules, want string }{
		{"no publish", all + " -publish", "grant the user"},
		{"no channel", all + " resetchannels", "grant the user"},
		{"no keys", all + " resetkeys ~other:*", "grant the user"},
		{"no set", all + " -set", "grant the user"},
		{"no get", all + " -get", "grant the user"},
		{"no scripts", all + " -eval -evalsha", "grant the user"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantRefused(t, grant("limited", "reset "+test.rules), test.want, false)
		})
	}
}

// TestMemoryUnknown: where INFO is forbidden, a warning must do.
func TestMemoryUnknown(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	server.Command(t, "ACL", "SETUSER", "curious", "on", ">hush", "~*", "&*", "+@all", "-info")
	_, logged := openLogged(t, redis.Config{
		Addresses: []string{server.Addr()}, Credentials: redis.StaticCredentials("curious", "hush"),
	})
	if !strings.Contains(logged.String(), "level=WARN") || !strings.Contains(logged.String(), "drops records") {
		t.Errorf("logged %q, want a warning that the server may drop records", logged.String())
	}
	if strings.Contains(logged.String(), "hush") {
		t.Errorf("logged %q, which gives a password away", logged.String())
	}
}

// TestRotatedPassword changes the password while the store is open. Connections
// that are open stay so; once the server drops them, the store is unavailable until it is
// given the new one, for which it asks at every connection.
func TestRotatedPassword(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Command(t, "ACL", "SETUSER", "app", "on", ">hush", "~*", "&*", "+@all")
	var password atomic.Pointer[string]
	set := func(to string) { password.Store(&to) }
	set("hush")
	store := openStore(t, redis.Config{
		Addresses: []string{server.Addr()},
		Credentials: func(context.Context) (string, string, error) {
			if given := *password.Load(); given != "" {
				return "app", given, nil
			}
			return "", "", errors.New("the vault is locked")
		},
	})
	server.Command(t, "ACL", "SETUSER", "app", "resetpass", ">other")
	server.Command(t, "CLIENT", "KILL", "USER", "app")
	testtool.Eventually(t, "calls fail", func() bool { return !works(t, store, "x") })
	wantUnavailable(t, store)
	set("")
	testtool.Eventually(t, "the error says why", func() bool {
		_, err := store.Revoked(t.Context(), denylist.Token{ID: "x"})
		return errors.Is(err, denylist.ErrUnavailable) && strings.Contains(err.Error(), "the vault is locked")
	})
	set("other")
	testtool.Eventually(t, "the store works again", func() bool { return works(t, store, "y") })
}
