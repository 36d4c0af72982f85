package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
)

// withRedis returns a configuration whose denylist is the Redis at addr. It is
// patient: tests share their machine.
func withRedis(addr string, change func(*config.Redis)) *config.Config {
	return with(func(c *config.Config) {
		c.Denylist.Store, c.Denylist.Redis.Addresses = "redis", []string{addr}
		c.Denylist.Redis.Timeout = 20 * time.Second
		change(&c.Denylist.Redis)
	})
}

// TestRedis revokes with one kit what another has verified.
func TestRedis(t *testing.T) {
	t.Parallel()
	const password = "open sesame"
	server := redistest.Start(t, "--requirepass", password)
	one := open(t, withRedis(server.Addr(), func(r *config.Redis) { r.Password = paseto.NewSecret(password) }))
	two := open(t, withRedis(server.Addr(), func(r *config.Redis) { r.PasswordFile = keyFile(t, password+"\r\n") }))
	apart := map[string]*config.Kit{
		"prefix":   open(t, withRedis(server.Addr(), func(r *config.Redis) { r.Password, r.Prefix = paseto.NewSecret(password), "apart:" })),
		"database": open(t, withRedis(server.Addr(), func(r *config.Redis) { r.Password, r.Database = paseto.NewSecret(password), 1 })),
	}
	token, claims := issue(t, one, "alice")
	for _, kit := range []*config.Kit{one, two, apart["prefix"], apart["database"]} {
		wantVerdict(t, kit, token, nil)
	}
	check(t, one.Authorizer.RevokeSession(t.Context(), claims.Session))
	wantVerdict(t, one, token, paseto.ErrRevoked)
	testtool.Eventually(t, "the other kit has heard of it", func() bool {
		_, err := two.Authorizer.Verify(t.Context(), token, paseto.Requirement{})
		return errors.Is(err, paseto.ErrRevoked)
	})
	for name, kit := range apart {
		if _, err := kit.Authorizer.Verify(t.Context(), token, paseto.Requirement{}); err != nil {
			t.Errorf("a kit with another %s has heard of it: %v", name, err)
		}
	}
	if keys := server.Command(t, "KEYS", "*"); !strings.HasPrefix(keys, "pasetokit:") {
		t.Errorf("the keys in database 0 are %q, want all with the prefix pasetokit:", keys)
	}
	check(t, two.Close())
	wantVerdict(t, open(t, withRedis(server.Addr(), func(r *config.Redis) { r.Password = paseto.NewSecret(password) })), token, paseto.ErrRevoked)
}

// TestRedisValues checks that the other values reach the store, by what the
// server makes of them.
func TestRedisValues(t *testing.T) {
	t.Parallel()
	const password = "open sesame"
	server := redistest.Start(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	server.Command(t, "ACL", "SETUSER", "app", "on", ">"+password, "~*", "&*", "+@all")
	evicting := withRedis(server.Addr(), func(r *config.Redis) { r.Username, r.Password = "app", paseto.NewSecret(password) })
	if kit, err := config.Open(t.Context(), evicting); kit != nil || err == nil || !strings.Contains(err.Error(), "maxmemory-policy") {
		t.Fatalf("a server that evicts is opened: %v", err)
	}
	evicting.Denylist.Redis.AllowEviction = true
	evicting.Denylist.Redis.CacheTTL = 0
	kit := open(t, evicting)
	token, claims := issue(t, kit, "alice")
	wantVerdict(t, kit, token, nil)
	if clients := server.Command(t, "CLIENT", "LIST"); !strings.Contains(clients, "user=app") {
		t.Errorf("the user app is not among the clients:\n%s", clients)
	}
	const cached = "tracking_clients:0\r\n"
	if clients := server.Command(t, "INFO", "clients"); !strings.Contains(clients, cached) {
		t.Errorf("without a cache the server is asked to tell of changes:\n%s", clients)
	}
	caching := withRedis(server.Addr(), func(r *config.Redis) {
		r.AllowEviction, r.MinReplicas = true, 1
	})
	kit = open(t, caching)
	wantVerdict(t, kit, token, nil)
	if clients := server.Command(t, "INFO", "clients"); strings.Contains(clients, cached) {
		t.Errorf("with a cache the server is not asked to tell of changes:\n%s", clients)
	}
	if err := kit.Authorizer.Revoke(t.Context(), claims); !errors.Is(err, paseto.ErrUnavailable) {
		t.Errorf("Revoke without a replica = %v", err)
	}
}

// TestRedisSentinel finds the server through a Sentinel.
func TestRedisSentinel(t *testing.T) {
	t.Parallel()
	const password, sentinelPassword = "sesame", "another"
	server := redistest.Start(t, "--requirepass", password)
	sentinels := redistest.StartSentinel(t, server, "denylist", 1, "requirepass "+sentinelPassword)
	for name, change := range map[string]func(*config.Redis){
		"in the configuration": func(r *config.Redis) { r.SentinelPassword = paseto.NewSecret(sentinelPassword) },
		"in a file":            func(r *config.Redis) { r.SentinelPasswordFile = keyFile(t, sentinelPassword+"\n") },
		"of a user": func(r *config.Redis) {
			r.SentinelUsername, r.SentinelPassword = "default", paseto.NewSecret(sentinelPassword)
		},
	} {
		kit := open(t, withRedis(sentinels.Addrs()[0], func(r *config.Redis) {
			r.SentinelMaster, r.Password = "denylist", paseto.NewSecret(password)
			change(r)
		}))
		token, claims := issue(t, kit, "alice, "+name)
		check(t, kit.Authorizer.Revoke(t.Context(), claims))
		wantVerdict(t, kit, token, paseto.ErrRevoked)
	}
	for name, change := range map[string]func(*config.Redis){
		"no password": func(*config.Redis) {},
		"no user": func(r *config.Redis) {
			r.SentinelUsername, r.SentinelPassword = "nobody", paseto.NewSecret(sentinelPassword)
		},
	} {
		kit, err := config.Open(t.Context(), withRedis(sentinels.Addrs()[0], func(r *config.Redis) {
			r.SentinelMaster, r.Password = "denylist", paseto.NewSecret(password)
			change(r)
		}))
		if kit != nil || err == nil {
			t.Errorf("%s: Open = %v, %v", name, kit, err)
		}
	}
}

// TestRedisRefused opens servers that are away, or that do not let the kit in.
func TestRedisRefused(t *testing.T) {
	t.Parallel()
	const password, wrong = "open sesame", "s3cret password"
	server := redistest.Start(t, "--requirepass", password)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	away := listener.Addr().String()
	check(t, listener.Close())
	silent, err := net.Listen("tcp", "127.0.0.1:0") // and nobody accepts
	check(t, err)
	t.Cleanup(func() { silent.Close() })
	for _, test := range []struct {
		name, addr string
		change     func(*config.Redis)
		want       string
		later      bool // it may succeed later
	}{
		{"away", away, func(r *config.Redis) { r.Password, r.Timeout = paseto.NewSecret(wrong), time.Second }, away, true},
		{"silent", silent.Addr().String(), func(r *config.Redis) {
			r.Password, r.Timeout = paseto.NewSecret(wrong), 300*time.Millisecond
		}, "no answer within 300ms", true},
		{"wrong password", server.Addr(), func(r *config.Redis) { r.Password = paseto.NewSecret(wrong) }, "WRONGPASS", false},
		{"wrong password in a file", server.Addr(), func(r *config.Redis) { r.PasswordFile = keyFile(t, wrong) }, "WRONGPASS", false},
		{"wrong user", server.Addr(), func(r *config.Redis) { r.Username, r.Password = "nobody", paseto.NewSecret(wrong) }, "WRONGPASS", false},
		{"no password", server.Addr(), func(*config.Redis) {}, "NOAUTH", false},
		{"no such database", server.Addr(), func(r *config.Redis) { r.Password, r.Database = paseto.NewSecret(password), 4000 }, "DB index is out of range", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kit, err := config.Open(t.Context(), withRedis(test.addr, test.change))
			if kit != nil || err == nil {
				t.Fatalf("Open = %v, %v", kit, err)
			}
			text := err.Error()
			if !strings.HasPrefix(text, "config: denylist.redis: ") || !strings.Contains(text, test.want) {
				t.Errorf("the error is not clear: %v", err)
			}
			if errors.Is(err, denylist.ErrUnavailable) != test.later {
				t.Errorf("that a later attempt may succeed is said wrongly: %v", err)
			}
			for _, secret := range []string{password, wrong, localKey} {
				if strings.Contains(text, secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
}

// TestRedisTLS opens a server that ends the connection after the handshake of
// TLS, and looks at that.
func TestRedisTLS(t *testing.T) {
	t.Parallel()
	cert, certPEM, keyPEM := selfSigned(t, "redis.internal")
	_, otherPEM, _ := selfSigned(t, "redis.internal")
	own, ownKey, other := keyFile(t, string(certPEM)), keyFile(t, string(keyPEM)), keyFile(t, string(otherPEM))
	for _, test := range []struct {
		name string
		tls  config.RedisTLS
		good bool
	}{
		{"good", config.RedisTLS{CAFile: own, CertFile: own, KeyFile: ownKey, ServerName: "redis.internal"}, true},
		{"another CA", config.RedisTLS{CAFile: other, CertFile: own, KeyFile: ownKey, ServerName: "redis.internal"}, false},
		{"the CAs of the system", config.RedisTLS{CertFile: own, KeyFile: ownKey, ServerName: "redis.internal"}, false},
		{"no certificate of the client", config.RedisTLS{CAFile: own, ServerName: "redis.internal"}, false},
		{"the name of the address", config.RedisTLS{CAFile: own, CertFile: own, KeyFile: ownKey}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			known := x509.NewCertPool()
			known.AppendCertsFromPEM(certPEM)
			addr, handshakes := serveTLS(t, &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert},
				ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known,
			})
			test.tls.Enabled = true
			_, err := config.Open(t.Context(), withRedis(addr, func(r *config.Redis) {
				r.TLS = test.tls
			}))
			if err == nil {
				t.Fatal("a server that ends the connection is taken for a Redis")
			}
			if err := <-handshakes; (err == nil) != test.good {
				t.Errorf("the handshake ends with %v", err)
			}
		})
	}
}

// serveTLS listens until the test ends, and tells how the first handshake ended.
func serveTLS(t *testing.T, cfg *tls.Config) (addr string, handshakes <-chan error) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	check(t, err)
	first, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, err = conn.Read(make([]byte, 1)) // after the handshake
			select {
			case first <- err:
			default:
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-ended })
	return listener.Addr().String(), first
}

// selfSigned returns a certificate for a name, for clients too, that vouches for
// itself, and its PEM and that of its key.
func selfSigned(t *testing.T, name string) (cert tls.Certificate, certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	cert, err = tls.X509KeyPair(certPEM, keyPEM)
	check(t, err)
	return cert, certPEM, keyPEM
}
