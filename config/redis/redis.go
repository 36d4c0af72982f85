// Package redis lets a configuration name the store redis, which keeps the records of the
// denylist in Redis, for many processes; see package denylist/redis. Import it for that:
//
//	import _ "github.com/pasetokit/pasetokit/config/redis"
//
// and write
//
//	denylist:
//	  store: redis
//	  redis: {addresses: ["redis.internal:6379"]}
//
// A program without the import does not link the store. There [config.Load]
// and [config.Open] return an error that names the import where a configuration needs it.
//
// [config.Load]: https://pkg.go.dev/github.com/pasetokit/pasetokit/config#Load
// [config.Open]: https://pkg.go.dev/github.com/pasetokit/pasetokit/config#Open
package redis

import (
	"context"
	"fmt"

	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/denylist"
	store "github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
)

func init() { driver.Register("redis", func() driver.Settings { return new(Settings) }) }

// Settings is the section denylist.redis. Its methods are for package config.
type Settings struct {
	store.Config `koanf:",squash"`

	// Username is the ACL user of this program. Default none: the default user of the server.
	Username string `koanf:"username"`
	// Password is the password of [Settings.Username]. It is never shown. Better in the
	// environment, or in [Settings.PasswordFile]. Default none: connections do not
	// authenticate.
	Password paseto.Secret `koanf:"password"`
	// PasswordFile is a file that holds the password instead. It is read for every new
	// connection, so that the password can change; a line break at its end is not part of
	// it. One that others may read is a warning in the log. Default none.
	PasswordFile string `koanf:"password_file"`
	// SentinelUsername is the ACL user of this program at the Sentinels. Default none.
	SentinelUsername string `koanf:"sentinel_username"`
	// SentinelPassword is the password of [Settings.SentinelUsername]. It is never shown.
	// Better in the environment, or in [Settings.SentinelPasswordFile]. Default none.
	SentinelPassword paseto.Secret `koanf:"sentinel_password"`
	// SentinelPasswordFile is a file that holds the password for the Sentinels instead; see
	// [Settings.PasswordFile]. Default none.
	SentinelPasswordFile string `koanf:"sentinel_password_file"`
	// TLS says how connections are encrypted.
	TLS TLS `koanf:"tls"`
}

// TLS says how connections to Redis, and to its Sentinels, are encrypted and
// authenticated. Its files are read for every new connection, so that they can change.
type TLS struct {
	// Enabled encrypts the connections. Default false. Danger: without it, an attacker
	// between this program and the server can make revocations vanish.
	Enabled bool `koanf:"enabled"`
	// CAFile is a file with the certificates, in PEM, that the server's must descend from.
	// It is read for every new connection. Default none: those of the system.
	CAFile string `koanf:"ca_file"`
	// CertFile is a file with the client's certificate, in PEM. It goes together with
	// [TLS.KeyFile], and both are read for every new connection. Default none.
	CertFile string `koanf:"cert_file"`
	// KeyFile is a file with the key of [TLS.CertFile], in PEM. One that others may read is a
	// warning in the log. Default none.
	KeyFile string `koanf:"key_file"`
	// ServerName is the name in the server's certificate. Default none: the host of its
	// address.
	ServerName string `koanf:"server_name" validate:"omitempty,server_name"`
}

// Open connects to the server.
func (s *Settings) Open(ctx context.Context, env driver.Env) (denylist.Store, error) {
	var problems settings.Problems
	cfg := s.connection(env.Log, func(path string, value any, rule string) { problems.Add(path, value, "%s", rule) })
	if err := problems.Err(paseto.ErrConfig); err != nil {
		return nil, err
	}
	opened, err := store.Open(ctx, cfg, store.WithLogger(env.Log), store.WithClock(env.Now))
	if err != nil {
		return nil, fmt.Errorf("config: denylist.redis: %w", err)
	}
	return opened, nil
}
