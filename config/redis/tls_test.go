package redis_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config/redis"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTLS opens a server that ends the connection after the handshake of
// TLS, and looks at that.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, certPEM, keyPEM := selfSigned(t, "redis.internal")
	_, otherPEM, _ := selfSigned(t, "redis.internal")
	own, ownKey, other := file(t, string(certPEM)), file(t, string(keyPEM)), file(t, string(otherPEM))
	for _, test := range []struct {
		name string
		tls  redis.TLS
		good bool
	}{
		{"good", redis.TLS{CAFile: own, CertFile: own, KeyFile: ownKey, ServerName: "redis.internal"}, true},
		{"another CA", redis.TLS{CAFile: other, CertFile: own, KeyFile: ownKey, ServerName: "redis.internal"}, false},
		{"the CAs of the system", redis.TLS{CertFile: own, KeyFile: ownKey, ServerName: "redis.internal"}, false},
		{"no certificate of the client", redis.TLS{CAFile: own, ServerName: "redis.internal"}, false},
		{"the name of the address", redis.TLS{CAFile: own, CertFile: own, KeyFile: ownKey}, false},
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
			s := at(addr, func(s *redis.Settings) { s.TLS, s.Timeout = test.tls, patient })
			if _, err := s.Open(t.Context(), env(t)); err == nil {
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

// TestFilesAreReread changes the password, the authority and the client's
// certificate while a store is open: new connections go by the files as they are then, and
// while a file is broken, by what it held before.
func TestFilesAreReread(t *testing.T) {
	t.Parallel()
	_, cert, key := selfSigned(t, "redis.internal")
	certFile, keyPath, passwordFile := file(t, string(cert)), file(t, string(key)), file(t, "first\n")
	write := func(path, content string) {
		t.Helper()
		check(t, os.WriteFile(path, []byte(content), 0o600))
	}
	server := redistest.StartTLS(t, certFile, keyPath, certFile)
	server.Command(t, "ACL", "SETUSER", "app", "on", ">first", "~*", "&*", "+@all")
	logged := new(testlog.Buffer)
	settings := at(server.TLSAddr(), func(s *redis.Settings) {
		s.Username, s.PasswordFile, s.Timeout = "app", passwordFile, 20*time.Second
		s.TLS = redis.TLS{Enabled: true, CAFile: certFile, CertFile: certFile, KeyFile: keyPath, ServerName: "redis.internal"}
	})
	env := env(t)
	env.Log = slog.New(slog.NewTextHandler(logged, nil))
	store := open(t, settings, env)
	// reconnects has the store connect anew, and waits until it has.
	reconnects := func(what string) {
		t.Helper()
		server.Command(t, "CLIENT", "KILL", "USER", "app")
		testtool.Eventually(t, "the store connects anew: "+what, func() bool {
			return store.Revoke(t.Context(), denylist.Revocation{TokenID: what}) == nil
		})
		wantRevoked(t, store, what, true)
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
