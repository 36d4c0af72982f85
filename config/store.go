package config

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/paseto"
)

// The stores that denylist.store names.
const (
	storeMemory = "memory"
	storeBolt   = "bolt"
	storeRedis  = "redis"
)

// checkStore adds what the named store needs and has not got.
func (c *Config) checkStore(add func(key, value, rule string)) {
	if !c.Denylist.Enabled {
		return
	}
	r := c.Denylist.Redis
	switch c.Denylist.Store {
	case storeBolt:
		if c.Denylist.Path == "" {
			add("denylist.path", "", "is empty while denylist.store is bolt; name the file that keeps the records")
		}
	case storeRedis:
		if len(r.Addresses) == 0 {
			add("denylist.redis.addresses", "", "is empty while denylist.store is redis; list at least one host:port")
		}
	}
	for _, p := range []struct{ key, value, file string }{
		{"denylist.redis.password_file", r.Password.Reveal(), r.PasswordFile},
		{"denylist.redis.sentinel_password_file", r.SentinelPassword.Reveal(), r.SentinelPasswordFile},
	} {
		if p.value != "" && p.file != "" {
			add(p.key, shown(p.file), "the password itself is set as well; keep one of them")
		}
	}
	if (r.TLS.CertFile == "") != (r.TLS.KeyFile == "") {
		add("denylist.redis.tls.cert_file", shown(r.TLS.CertFile), "goes together with denylist.redis.tls.key_file; set both or neither")
	}
}

// checkFiles adds which files of the store cannot be what they should be. They
// are looked at when a configuration is opened, and not when it is loaded: whoever
// does not ask the store need not be able to read its passwords.
func (c *Config) checkFiles(add func(key, value, rule string)) {
	if !c.Denylist.Enabled {
		return
	}
	switch c.Denylist.Store {
	case storeBolt:
		if _, err := os.Stat(filepath.Dir(c.Denylist.Path)); c.Denylist.Path != "" && errors.Is(err, fs.ErrNotExist) {
			rule := "its directory does not exist; make it first"
			if !filepath.IsAbs(c.Denylist.Path) {
				rule += ": " + withTried(err).Error()
			}
			add("denylist.path", shown(c.Denylist.Path), rule)
		}
		if info, err := os.Stat(c.Denylist.Path); err == nil && info.Mode().IsRegular() && info.Size() == 0 && !c.Denylist.AllowEmptyFile {
			add("denylist.path", shown(c.Denylist.Path), "the file is empty; a file that was in use never is. Restore it from a backup. "+
				"If nothing was ever recorded in it, delete it, or set denylist.allow_empty_file to true until it is in use")
		}
	case storeRedis:
		c.Denylist.Redis.redis(slog.New(slog.DiscardHandler), add)
	}
}

// openStore opens the store that is named. Its clock is now, or the machine's if that
// is nil.
func openStore(ctx context.Context, c Denylist, log *slog.Logger, now func() time.Time) (denylist.Store, error) {
	switch c.Store {
	case storeBolt:
		store, err := bolt.Open(ctx, bolt.Config{Path: c.Path, AllowEmptyFile: c.AllowEmptyFile}, bolt.WithClock(now))
		if err != nil {
			return nil, fmt.Errorf("config: denylist.path: %w", withTried(err))
		}
		return store, nil
	case storeRedis:
		var ps problems
		cfg := c.Redis.redis(log, func(key, value, rule string) { ps.add(Problem{Key: key, Value: value, Rule: rule}) })
		if err := ps.err(); err != nil {
			return nil, err
		}
		store, err := redis.Open(ctx, cfg, redis.WithLogger(log), redis.WithClock(now))
		if err != nil {
			return nil, fmt.Errorf("config: denylist.redis: %w", err)
		}
		return store, nil
	}
	return denylist.NewMemory(denylist.WithClock(now)), nil
}

// redis returns what the configuration means for the store. Passwords and certificates in
// files are read now, and anew for every connection; it adds what is wrong with the files now.
func (r Redis) redis(log *slog.Logger, add func(key, value, rule string)) redis.Config {
	credentials := func(username string, password paseto.Secret, key, file string) redis.Credentials {
		if file == "" {
			if username == "" && password.Reveal() == "" {
				return nil
			}
			return redis.StaticCredentials(username, password.Reveal())
		}
		read, err := reread(log, key, func() (string, error) { return passwordAt(file, "") })
		if err != nil {
			add(key, "", err.Error())
			return nil
		}
		return func(context.Context) (string, string, error) { return username, read(), nil }
	}
	cfg := redis.Config{
		Addresses:      r.Addresses,
		Credentials:    credentials(r.Username, r.Password, "denylist.redis.password_file", r.PasswordFile),
		Database:       r.Database,
		SentinelMaster: r.SentinelMaster,
		SentinelCredentials: credentials(r.SentinelUsername, r.SentinelPassword,
			"denylist.redis.sentinel_password_file", r.SentinelPasswordFile),
		Prefix:        r.Prefix,
		CacheTTL:      r.CacheTTL,
		MinReplicas:   r.MinReplicas,
		Timeout:       r.Timeout,
		AllowEviction: r.AllowEviction,
	}
	if r.CacheTTL == 0 {
		cfg.CacheTTL = redis.NoCache
	}
	if r.TLS.Enabled {
		cfg.TLS = r.TLS.tls(log, add)
	}
	return cfg
}

// tls returns the configuration of each connection. It reads files as redis does.
func (t RedisTLS) tls(log *slog.Logger, add func(key, value, rule string)) func(context.Context) (*tls.Config, error) {
	roots := func() *x509.CertPool { return nil } // those of the system
	var own func() tls.Certificate
	var err error
	if t.CAFile != "" {
		const key = "denylist.redis.tls.ca_file"
		if roots, err = reread(log, key, t.roots); err != nil {
			add(key, shown(t.CAFile), withTried(err).Error())
		}
	}
	if t.CertFile != "" && t.KeyFile != "" {
		const key = "denylist.redis.tls.cert_file"
		read := func() (tls.Certificate, error) { return tls.LoadX509KeyPair(t.CertFile, t.KeyFile) }
		if own, err = reread(log, key, read); err != nil {
			add(key, shown(t.CertFile), withTried(err).Error())
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

func (t RedisTLS) roots() (*x509.CertPool, error) {
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
