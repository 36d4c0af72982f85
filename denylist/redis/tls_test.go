package redis_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
)

// certificate makes a certificate for 127.0.0.1 that is its own authority, and
// the files that hold it and its key.
func certificate(t *testing.T) (cert tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	if cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, content := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, certFile, keyFile
}

// TestTLS uses a server that wants the client's certificate as well.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, certFile, keyFile := certificate(t)
	stranger, _, _ := certificate(t)
	server := redistest.StartTLS(t, certFile, keyFile, certFile)
	plain, encrypted := server.Addr(), server.TLSAddr()
	authority := x509.NewCertPool()
	authority.AddCert(cert.Leaf)
	good := &tls.Config{RootCAs: authority, Certificates: []tls.Certificate{cert}}

	store := openStore(t, redis.Config{Addresses: []string{encrypted}, TLS: redis.StaticTLS(good)})
	startWatch(t, store)
	if !works(t, store, "x") {
		t.Error("the store does not work")
	}

	for _, test := range []struct {
		name    string
		address string
		tls     *tls.Config
		want    string
		hasty   bool // no answer may be the answer
	}{
		{"unknown authority", encrypted, &tls.Config{Certificates: good.Certificates}, "the server's authority in RootCAs", false},
		{"another name", encrypted, &tls.Config{RootCAs: authority, Certificates: good.Certificates, ServerName: "other"}, "the name of its certificate", false},
		// How the server's refusal arrives is a matter of chance.
		{"no certificate", encrypted, &tls.Config{RootCAs: authority}, "see that TLS holds", false},
		{"another's certificate", encrypted, &tls.Config{RootCAs: authority, Certificates: []tls.Certificate{stranger}}, "see that TLS holds", false},
		{"TLS to a plain port", plain, good, "does not speak TLS", true},
		{"plain to a TLS port", encrypted, nil, "if the port speaks TLS, set TLS", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := redis.Config{Addresses: []string{test.address}, Timeout: patience}
			if test.hasty {
				cfg.Timeout = hasty
			}
			if test.tls != nil {
				cfg.TLS = redis.StaticTLS(test.tls)
			}
			store, err := redis.Open(t.Context(), cfg)
			if err == nil {
				store.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open = %q, want it to say %q", err, test.want)
			}
		})
	}
}
