package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"

	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/config/internal/secretfile"
	store "github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/paseto"
)

// section is where the settings are, for the log.
const section = "denylist.redis."

// connection returns what the settings mean for the store. Passwords and certificates in
// files are read now, and anew for every connection; it adds what is wrong with the files
// now.
func (s *Settings) connection(log *slog.Logger, add driver.Add) store.Config {
	cfg := s.Config
	credentials := func(given store.Credentials, username string, password paseto.Secret, path, key, file string) store.Credentials {
		switch {
		case file == "" && username == "" && password.IsZero():
			return given
		case file == "":
			return store.StaticCredentials(username, password.Reveal())
		}
		read, err := reread(log, section+key, func() (string, error) { return secretfile.Password(file) })
		if err != nil {
			add(path, nil, err.Error())
			return nil
		}
		return func(context.Context) (string, string, error) { return username, read(), nil }
	}
	cfg.Credentials = credentials(cfg.Credentials, s.Username, s.Password, "PasswordFile", "password_file", s.PasswordFile)
	cfg.SentinelCredentials = credentials(cfg.SentinelCredentials, s.SentinelUsername, s.SentinelPassword,
		"SentinelPasswordFile", "sentinel_password_file", s.SentinelPasswordFile)
	if s.TLS.Enabled {
		cfg.TLS = s.TLS.connection(log, add)
	}
	return cfg
}

// connection returns the configuration of each connection. It reads files as that of
// [Settings] does.
func (t TLS) connection(log *slog.Logger, add driver.Add) func(context.Context) (*tls.Config, error) {
	roots := func() *x509.CertPool { return nil } // those of the system
	var own func() tls.Certificate
	var err error
	if t.CAFile != "" {
		if roots, err = reread(log, section+"tls.ca_file", t.roots); err != nil {
			add("TLS.CAFile", t.CAFile, secretfile.WithTried(err).Error())
		}
	}
	if t.CertFile != "" && t.KeyFile != "" {
		read := func() (tls.Certificate, error) { return tls.LoadX509KeyPair(t.CertFile, t.KeyFile) }
		if own, err = reread(log, section+"tls.cert_file", read); err != nil {
			add("TLS.CertFile", t.CertFile, secretfile.WithTried(err).Error())
		}
	}
	return func(context.Context) (*tls.Config, error) {
		cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, RootCAs: roots()}
		if own != nil {
			cfg.Certificates = []tls.Certificate{own()}
		}
		return cfg, nil
	}
}

func (t TLS) roots() (*x509.CertPool, error) {
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("it holds no certificate in PEM")
	}
	return pool, nil
}
