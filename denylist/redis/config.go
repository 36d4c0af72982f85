package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// Config says where a [Store] keeps its records, and how. Only Addresses must
// be set; the zero value of every other field is its documented default. Secrets are
// behind functions, so that a Config can be printed and logged.
type Config struct {
	// Addresses are host:port, at least one: those of a single server, of some
	// nodes of a Redis Cluster, from which the others are found, or of the
	// Sentinels if [Config.SentinelMaster] is set.
	Addresses []string `koanf:"addresses" validate:"omitempty,unique,dive,address"`
	// Credentials returns the user and the password for a connection to a server. It is
	// asked for every new one, so that a password can change while the store is open.
	// Default: connections do not authenticate.
	Credentials Credentials `json:"-" xml:"-" yaml:"-"`
	// Database is the number of the database. Default 0. A cluster has no other one.
	Database int `koanf:"database" validate:"omitempty,min=0"`
	// TLS returns how a connection is encrypted, those to the Sentinels as well. It is
	// asked for every new one, so that certificates can change while the store is open;
	// [StaticTLS] returns the same always. Its ServerName is by default the host that is
	// connected to. Nil means no encryption: an attacker in between can then make
	// revocations vanish.
	TLS func(context.Context) (*tls.Config, error) `json:"-" xml:"-" yaml:"-"`

	// SentinelMaster is the name by which the Sentinels at [Config.Addresses] know the
	// primary. Default none: the addresses are servers.
	SentinelMaster string `koanf:"sentinel_master"`
	// SentinelCredentials are for the Sentinels themselves. Default: connections to them
	// do not authenticate.
	SentinelCredentials Credentials `json:"-" xml:"-" yaml:"-"`

	// Prefix begins every key and the name of the channel. Default pasetokit:. All who
	// share revocations need the same. Stores that are not to share their records have
	// different ones, of which none may begin with another.
	Prefix string `koanf:"prefix" default:"pasetokit:"`
	// CacheTTL bounds how long an answer may be given from the memory of this process.
	// Redis says when such an answer is out of date, within milliseconds as a rule; this is
	// the limit for when it cannot. [NoCache] asks Redis every time. Default 30s.
	CacheTTL time.Duration `koanf:"cache_ttl" default:"30s" validate:"omitempty,none|min=1ms,max=1h"`
	// MinReplicas is how many replicas must have a record before it counts as made. With 1
	// or more, a failover does not lose it. Default 0: a failover may lose the records of the
	// last moments.
	//
	// Where fewer have it, the error is [ErrNotReplicated].
	MinReplicas int `koanf:"min_replicas" validate:"omitempty,min=0,max=100"`
	// Timeout bounds every call, the opening of a connection included. While a
	// server hangs and hundreds of calls wait for it, some may take twice as
	// long. Default 1s.
	Timeout time.Duration `koanf:"timeout" default:"1s" validate:"omitempty,min=1ms,max=1m"`
	// AllowEviction opens a server that may drop records when its memory is full. Default
	// false: it is refused. Danger: each dropped record makes a token that was revoked
	// valid again.
	AllowEviction bool `koanf:"allow_eviction"`
}

// Credentials returns a user of Redis and the password. An empty user is the default
// one, and without a password either the connection does not authenticate. It must end
// with its context. An error means that there will be no connection; it is shown, so it
// must not have a secret.
type Credentials func(context.Context) (username, password string, err error)

// StaticCredentials returns the same user and password always.
func StaticCredentials(username, password string) Credentials {
	return func(context.Context) (string, string, error) { return username, password, nil }
}

// StaticTLS returns the same configuration always.
func StaticTLS(config *tls.Config) func(context.Context) (*tls.Config, error) {
	return func(context.Context) (*tls.Config, error) { return config, nil }
}

// NoCache as a [Config.CacheTTL] turns caching off: none in files.
const NoCache time.Duration = -1

var errConfig = errors.New("redis: invalid configuration")

// Validate reports everything that is wrong with the configuration, as one error. It asks
// no server. [Open] calls it.
func (c Config) Validate() error {
	problems := settings.Check(c)
	for i, p := range problems {
		if address, ok := p.Value.(string); ok && strings.ContainsAny(address, "/@") {
			problems[i].Value = nil // a URL may have a password in it
		}
	}
	if len(c.Addresses) == 0 {
		problems.Add("Addresses", nil, "it is empty; list at least one host:port")
	}
	if c.SentinelMaster == "" && c.SentinelCredentials != nil {
		problems.Add("SentinelCredentials", nil, "nobody asks for them without {SentinelMaster}; name the primary that the Sentinels watch")
	}
	return problems.Err(errConfig)
}

// withDefaults returns the configuration with its defaults filled in.
func (c Config) withDefaults() Config {
	settings.SetDefaults(&c)
	return c
}

// caches reports whether answers are kept in this process.
func (c Config) caches() bool { return c.CacheTTL != NoCache }
