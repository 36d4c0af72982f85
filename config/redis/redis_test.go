package redis_test

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/config/redis"
	"github.com/pasetokit/pasetokit/denylist"
	store "github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestMain fails if goroutines are left, except one that a client of Sentinels
// leaves asleep for a second.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}

func env(t *testing.T) driver.Env {
	t.Helper()
	return driver.Env{Log: slog.New(slog.DiscardHandler)}
}

// patient is a timeout for tests that share their machine.
const patient = time.Minute

func open(t *testing.T, s *redis.Settings, env driver.Env) denylist.Store {
	t.Helper()
	s.Timeout = cmp.Or(s.Timeout, patient)
	opened, err := s.Open(t.Context(), env)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return opened
}

func revoke(t *testing.T, s denylist.Store, id string) {
	t.Helper()
	if err := s.Revoke(t.Context(), denylist.Revocation{TokenID: id, Until: time.Now().Add(time.Hour)}); err != nil {
		t.Errorf("Revoke: %v", err)
	}
}

func wantRevoked(t *testing.T, s denylist.Store, id string, want bool) {
	t.Helper()
	if revoked, err := s.Revoked(t.Context(), denylist.Token{ID: id}); revoked != want || err != nil {
		t.Errorf("%s is revoked: %t, %v; want %t", id, revoked, err, want)
	}
}

// TestOpen opens one server with a password in the settings and in a file, and apart from
// these with another prefix and another database.
func TestOpen(t *testing.T) {
	t.Parallel()
	const password = "open sesame"
	server := redistest.Start(t, "--requirepass", password)
	with := func(change func(*redis.Settings)) denylist.Store {
		return open(t, at(server.Addr(), func(s *redis.Settings) {
			s.Password = paseto.NewSecret(password)
			change(s)
		}), env(t))
	}
	one := with(func(*redis.Settings) {})
	revoke(t, one, "a")
	wantRevoked(t, with(func(s *redis.Settings) { s.Password, s.PasswordFile = paseto.Secret{}, file(t, password+"\r\n") }), "a", true)
	wantRevoked(t, with(func(s *redis.Settings) {
		s.Password, s.Credentials = paseto.Secret{}, store.StaticCredentials("", password) // given in code
	}), "a", true)
	wantRevoked(t, with(func(s *redis.Settings) { s.Prefix = "apart:" }), "a", false)
	wantRevoked(t, with(func(s *redis.Settings) { s.Database = 1 }), "a", false)
	if keys := server.Command(t, "KEYS", "*"); !strings.HasPrefix(keys, "pasetokit:") {
		t.Errorf("the keys in database 0 are %q, want all with the prefix pasetokit:", keys)
	}
	late := env(t)
	late.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	wantRevoked(t, open(t, at(server.Addr(), func(s *redis.Settings) { s.Password = paseto.NewSecret(password) }), late), "a", false)
}

// TestValues checks that the other values reach the store, by what the server makes of
// them.
func TestValues(t *testing.T) {
	t.Parallel()
	const password = "open sesame"
	server := redistest.Start(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	server.Command(t, "ACL", "SETUSER", "app", "on", ">"+password, "~*", "&*", "+@all")
	evicting := at(server.Addr(), func(s *redis.Settings) {
		s.Username, s.Password, s.Timeout = "app", paseto.NewSecret(password), patient
	})
	if opened, err := evicting.Open(t.Context(), env(t)); opened != nil || err == nil || !strings.Contains(err.Error(), "maxmemory-policy") {
		t.Fatalf("a server that evicts is opened: %v", err)
	}
	evicting.AllowEviction, evicting.CacheTTL = true, store.NoCache
	wantRevoked(t, open(t, evicting, env(t)), "a", false)
	if clients := server.Command(t, "CLIENT", "LIST"); !strings.Contains(clients, "user=app") {
		t.Errorf("the user app is not among the clients:\n%s", clients)
	}
	const cached = "tracking_clients:0\r\n"
	if clients := server.Command(t, "INFO", "clients"); !strings.Contains(clients, cached) {
		t.Errorf("without a cache the server is asked to tell of changes:\n%s", clients)
	}
	caching := open(t, at(server.Addr(), func(s *redis.Settings) {
		s.AllowEviction, s.MinReplicas, s.Timeout = true, 1, 5*time.Second // which it waits for a replica
	}), env(t))
	wantRevoked(t, caching, "a", false)
	if clients := server.Command(t, "INFO", "clients"); strings.Contains(clients, cached) {
		t.Errorf("with a cache the server is not asked to tell of changes:\n%s", clients)
	}
	if err := caching.Revoke(t.Context(), denylist.Revocation{TokenID: "a"}); !errors.Is(err, store.ErrNotReplicated) {
		t.Errorf("Revoke without a replica = %v", err)
	}
}

// TestSentinel finds the server through a Sentinel.
func TestSentinel(t *testing.T) {
	t.Parallel()
	const password, sentinelPassword = "sesame", "another"
	server := redistest.Start(t, "--requirepass", password)
	sentinels := redistest.StartSentinel(t, server, "denylist", 1, "requirepass "+sentinelPassword)
	for _, test := range []struct {
		name   string
		change func(*redis.Settings)
		good   bool
	}{
		{"in the settings", func(s *redis.Settings) { s.SentinelPassword = paseto.NewSecret(sentinelPassword) }, true},
		{"in a file", func(s *redis.Settings) { s.SentinelPasswordFile = file(t, sentinelPassword+"\n") }, true},
		{"of a user", func(s *redis.Settings) {
			s.SentinelUsername, s.SentinelPassword = "default", paseto.NewSecret(sentinelPassword)
		}, true},
		{"no password", func(*redis.Settings) {}, false},
		{"no such user", func(s *redis.Settings) {
			s.SentinelUsername, s.SentinelPassword = "nobody", paseto.NewSecret(sentinelPassword)
		}, false},
	} {
		s := at(sentinels.Addrs()[0], func(s *redis.Settings) {
			s.SentinelMaster, s.Password, s.Timeout = "denylist", paseto.NewSecret(password), patient
			test.change(s)
		})
		if test.good {
			revoke(t, open(t, s, env(t)), test.name)
		} else if opened, err := s.Open(t.Context(), env(t)); opened != nil || err == nil {
			t.Errorf("%s: Open = %v, %v", test.name, opened, err)
		}
	}
}

// TestRefused opens servers that are away, or that let nobody in.
func TestRefused(t *testing.T) {
	t.Parallel()
	const password, wrong = "open sesame", "s3cret password"
	server := redistest.Start(t, "--requirepass", password)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, addr string
		change     func(*redis.Settings)
		want       string
		later      bool // it may succeed later
	}{
		{"away", away, func(s *redis.Settings) { s.Password = paseto.NewSecret(wrong) }, away, true},
		{"wrong password", server.Addr(), func(s *redis.Settings) { s.Password = paseto.NewSecret(wrong) }, "WRONGPASS", false},
		{"wrong password in a file", server.Addr(), func(s *redis.Settings) { s.PasswordFile = file(t, wrong) }, "WRONGPASS", false},
		{"no such user", server.Addr(), func(s *redis.Settings) { s.Username, s.Password = "nobody", paseto.NewSecret(wrong) }, "WRONGPASS", false},
		{"no password", server.Addr(), func(*redis.Settings) {}, "NOAUTH", false},
		{"no such database", server.Addr(), func(s *redis.Settings) { s.Password, s.Database = paseto.NewSecret(password), 4000 }, "DB index is out of range", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := at(test.addr, test.change)
			s.Timeout = patient
			opened, err := s.Open(t.Context(), env(t))
			if opened != nil || err == nil {
				t.Fatalf("Open = %v, %v", opened, err)
			}
			text := err.Error()
			if !strings.HasPrefix(text, "config: denylist.redis: ") || !strings.Contains(text, test.want) {
				t.Errorf("the error is not clear: %v", err)
			}
			if errors.Is(err, denylist.ErrUnavailable) != test.later {
				t.Errorf("that a later attempt may succeed is said wrongly: %v", err)
			}
			if strings.Contains(text, password) || strings.Contains(text, wrong) {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}
