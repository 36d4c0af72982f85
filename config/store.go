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

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
	"github.com/pasetokit/pasetokit/denylist/redis"
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
			add("denylist.path", shown(c.Denylist.Path), "its directory does not exist; make it first")
		}
	case storeRedis:
		c.Denylist.Redis.redis(add)
	}
}

// openStore opens the store that is named.
func openStore(ctx context.Context, c Denylist, log *slog.Logger) (denylist.Store, error) {
	switch c.Store {
	case storeBolt:
		store, err := bolt.Open(ctx, c.Path)
		if err != nil {
			return nil, fmt.Errorf("config: denylist.path: %w", err)
		}
		return store, nil
	case storeRedis:
		var ps problems
		cfg := c.Redis.redis(func(key, value, rule string) { ps.add(Problem{Key: key, Value: value, Rule: rule}) })
		if err := ps.err(); err != nil {
			return nil, err
		}
		store, err := redis.Open(ctx, cfg, redis.WithLogger(log))
		if err != nil {
			return nil, fmt.Errorf("config: denylist.redis: %w", err)
		}
		return store, nil
	}
	return denylist.NewMemory(), nil
}

// redis returns what the configuration means for the store, passwords and
// certificates read. It adds what is wrong with their files.
func (r Redis) redis(add func(key, value, rule string)) redis.Config {
	cfg := redis.Config{
		Addresses:        r.Addresses,
		Username:         r.Username,
		Password:         r.Password.Reveal(),
		Database:         r.Database,
		SentinelMaster:   r.SentinelMaster,
		SentinelUsername: r.SentinelUsername,
		SentinelPassword: r.SentinelPassword.Reveal(),
		Prefix:           r.Prefix,
		CacheTTL:         r.CacheTTL,
		MinReplicas:      r.MinReplicas,
		Timeout:          r.Timeout,
		AllowEviction:    r.AllowEviction,
	}
	if r.CacheTTL == 0 {
		cfg.CacheTTL = redis.NoCache
	}
	for _, p := range []struct {
		key, file string
		password  *string
	}{
		{"denylist.redis.password_file", r.PasswordFile, &cfg.Password},
		{"denylist.redis.sentinel_password_file", r.SentinelPasswordFile, &cfg.SentinelPassword},
	} {
		if p.file == "" {
			continue
		}
		text, err := passwordAt(p.file, "")
		if err != nil {
			add(p.key, "", err.Error())
		}
		*p.password = text
	}
	if r.TLS.Enabled {
		cfg.TLS = r.TLS.tls(add)
	}
	return cfg
}

// tls returns the configuration of the connections, certificates read. It adds
// what is wrong with their files.
func (t RedisTLS) tls(add func(key, value, rule string)) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		cfg.RootCAs = x509.NewCertPool()
		switch {
		case err != nil:
			add("denylist.redis.tls.ca_file", "", err.Error())
		case !cfg.RootCAs.AppendCertsFromPEM(pem):
			add("denylist.redis.tls.ca_file", shown(t.CAFile), "it holds no certificate in PEM")
		}
	}
	if t.CertFile != "" && t.KeyFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			add("denylist.redis.tls.cert_file", shown(t.CertFile), err.Error())
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg
}
