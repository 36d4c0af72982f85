package config_test

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestRedisFilesAreReread changes the password, the authority and the client's
// certificate while a kit is open: new connections go by the files as they are then, and
// while a file is broken, by what it held before.
func TestRedisFilesAreReread(t *testing.T) {
	t.Parallel()
	_, cert, key := selfSigned(t, "redis.internal")
	certFile, keyPath, passwordFile := keyFile(t, string(cert)), keyFile(t, string(key)), keyFile(t, "first\n")
	write := func(path, content string) {
		t.Helper()
		check(t, os.WriteFile(path, []byte(content), 0o600))
	}
	server := redistest.StartTLS(t, certFile, keyPath, certFile)
	server.Command(t, "ACL", "SETUSER", "app", "on", ">first", "~*", "&*", "+@all")
	logged := new(testlog.Buffer)
	cfg := withRedis(server.TLSAddr(), func(r *config.Redis) {
		r.Username, r.PasswordFile = "app", passwordFile
		r.TLS = config.RedisTLS{Enabled: true, CAFile: certFile, CertFile: certFile, KeyFile: keyPath, ServerName: "redis.internal"}
	})
	kit := open(t, cfg, config.WithLogger(slog.New(slog.NewTextHandler(logged, nil))))
	// reconnects has the kit connect anew, and waits until it has.
	reconnects := func(what string) {
		t.Helper()
		server.Command(t, "CLIENT", "KILL", "USER", "app")
		testtool.Eventually(t, "the kit connects anew: "+what, func() bool {
			token, claims := issue(t, kit, "alice")
			if kit.Authorizer.Revoke(t.Context(), claims) != nil {
				return false
			}
			wantVerdict(t, kit, token, paseto.ErrRevoked)
			return true
		})
	}
	reconnects("as it did first")

	write(passwordFile, "second\n")
	server.Command(t, "ACL", "SETUSER", "app", "resetpass", ">second")
	reconnects("with another password")

	_, cert, key = selfSigned(t, "redis.internal")
	write(certFile, string(cert))
	write(keyPath, string(key))
	server.Command(t, "CONFIG", "SET", "tls-cert-file", certFile, "tls-key-file", keyPath, "tls-ca-cert-file", certFile)
	reconnects("with another authority and certificate")

	write(passwordFile, "")
	write(certFile, "no certificate")
	reconnects("with what the files held before they broke")
	reconnects("and again")
	for _, setting := range []string{"password_file", "tls.ca_file", "tls.cert_file"} {
		if n := strings.Count(logged.String(), "key=denylist.redis."+setting); n != 1 {
			t.Errorf("it is logged %d times that %s cannot be read any more, want once:\n%s", n, setting, logged)
		}
	}
	write(passwordFile, "third")
	server.Command(t, "ACL", "SETUSER", "app", "resetpass", ">third")
	reconnects("once the password file is well")
	for _, secret := range []string{"first", "second", "third"} {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("the log has a password:\n%s", logged)
		}
	}
}
