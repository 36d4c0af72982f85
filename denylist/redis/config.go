package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Config says where a [Store] keeps its records, and how. Only Addresses must
// be set. Secrets are behind functions, so that a Config can be printed and logged.
type Config struct {
	// Addresses are host:port, at least one: those of a single server, of some
	// nodes of a Redis Cluster, from which the others are found, or of the
	// Sentinels if SentinelMaster is set.
	Addresses []string
	// Credentials returns the user and the password for a connection to a server. It is
	// asked for every new one, so that a password can change while the store is open.
	// Default: connections do not authenticate.
	Credentials Credentials `json:"-" xml:"-" yaml:"-"`
	// Database is the number of the database, default 0. A cluster has no other
	// one.
	Database int
	// TLS returns how a connection is encrypted, those to the Sentinels as well. It is
	// asked for every new one, so that certificates can change while the store is open;
	// [StaticTLS] returns the same always. Its ServerName is by default the host that is
	// connected to. Nil means no encryption, over which whoever sits in between can make
	// revocations vanish.
	TLS func(context.Context) (*tls.Config, error) `json:"-" xml:"-" yaml:"-"`

	// SentinelMaster is the name by which the Sentinels know the primary.
	// Default: Addresses are servers.
	SentinelMaster string
	// SentinelCredentials are for the Sentinels themselves. Default: connections to them
	// do not authenticate.
	SentinelCredentials Credentials `json:"-" xml:"-" yaml:"-"`

	// Prefix begins every key and the name of the channel; default
	// [DefaultPrefix]. Stores that are not to share their records have
	// different ones, of which none may begin with another.
	Prefix string
	// CacheTTL bounds how long Revoked may go on answering from the memory of
	// this process. Redis says when such an answer is out of date, within
	// milliseconds as a rule; this is the limit for when it cannot. Zero means
	// [DefaultCacheTTL], and [NoCache] asks Redis every time.
	CacheTTL time.Duration
	// MinReplicas is how many replicas must have a record before Revoke and
	// Consume return without an error; see [ErrNotReplicated]. Default 0: a
	// failover may lose the records of the last moments.
	MinReplicas int
	// Timeout bounds every call, the opening of a connection included. While a
	// server hangs and hundreds of calls wait for it, some may take twice as
	// long. Default [DefaultTimeout].
	Timeout time.Duration
	// AllowEviction opens a server that drops records when its memory is full:
	// tokens that were revoked become valid again. Default: such a server is
	// refused.
	AllowEviction bool
}

// The defaults of [Config].
const (
	DefaultPrefix   = "pasetokit:"
	DefaultCacheTTL = 30 * time.Second
	DefaultTimeout  = time.Second
)

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

// NoCache as a [Config.CacheTTL] turns caching off.
const NoCache time.Duration = -1

// complete returns the configuration with its defaults, or what is wrong with
// it.
func (c Config) complete() (Config, error) {
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	if c.CacheTTL == 0 {
		c.CacheTTL = DefaultCacheTTL
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if len(c.Addresses) == 0 {
		return c, errors.New("redis: Addresses is empty; list at least one host:port")
	}
	for i, address := range c.Addresses {
		if why := badAddress(address); why != "" {
			return c, fmt.Errorf("redis: Addresses[%d] %s", i, why)
		}
	}
	switch {
	case c.Database < 0:
		return c, fmt.Errorf("redis: Database is %d; the first one is 0", c.Database)
	case c.CacheTTL != NoCache && c.CacheTTL < time.Millisecond:
		return c, fmt.Errorf("redis: CacheTTL is %s; give a millisecond or more, 0 for %s, or NoCache", c.CacheTTL, DefaultCacheTTL)
	case c.MinReplicas < 0:
		return c, fmt.Errorf("redis: MinReplicas is %d; give 0 or more", c.MinReplicas)
	case c.Timeout < time.Millisecond:
		return c, fmt.Errorf("redis: Timeout is %s; give a millisecond or more, or 0 for %s", c.Timeout, DefaultTimeout)
	case c.SentinelMaster == "" && c.SentinelCredentials != nil:
		return c, errors.New("redis: SentinelCredentials is set without SentinelMaster; name the primary that the Sentinels watch")
	}
	return c, nil
}

// badAddress returns why address is not host:port. What may hold a password is
// not repeated.
func badAddress(address string) string {
	if strings.Contains(address, "/") || strings.Contains(address, "@") {
		return "is a URL; give host:port alone, and what else it says by the other fields"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return fmt.Sprintf("is %q; give host:port", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Sprintf("is %q, whose port is not a number from 1 to 65535", address)
	}
	return ""
}

// caches reports whether answers are kept in this process.
func (c Config) caches() bool { return c.CacheTTL != NoCache }
