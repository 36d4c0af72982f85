package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// Config says where a [Store] keeps its records, and how. Only Addresses must
// be set. A Config prints and logs without its passwords.
type Config struct {
	// Addresses are host:port, at least one: those of a single server, of some
	// nodes of a Redis Cluster, from which the others are found, or of the
	// Sentinels if SentinelMaster is set.
	Addresses []string
	// Username and Password are those of a user of Redis. A Password alone is
	// the default user's. Default: connections do not authenticate.
	Username string
	Password string `json:"-"`
	// Database is the number of the database, default 0. A cluster has no other
	// one.
	Database int
	// TLS encrypts the connections, to the Sentinels as well. Its ServerName is
	// by default the host that is connected to. Nil means no encryption, over
	// which whoever sits in between can make revocations vanish.
	TLS *tls.Config `json:"-"`

	// SentinelMaster is the name by which the Sentinels know the primary.
	// Default: Addresses are servers.
	SentinelMaster string
	// SentinelUsername and SentinelPassword are for the Sentinels themselves.
	SentinelUsername string
	SentinelPassword string `json:"-"`

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
	case c.SentinelMaster == "" && (c.SentinelUsername != "" || c.SentinelPassword != ""):
		return c, errors.New("redis: SentinelUsername or SentinelPassword is set without SentinelMaster; name the primary that the Sentinels watch")
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

const redacted = "(redacted)"

// open returns the configuration without what is secret.
func (c Config) open() Config {
	for _, secret := range []*string{&c.Password, &c.SentinelPassword} {
		if *secret != "" {
			*secret = redacted
		}
	}
	return c
}

// Format implements [fmt.Formatter]: passwords are left out.
func (c Config) Format(f fmt.State, verb rune) {
	type printed Config // without this method
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), printed(c.open()))
}

// LogValue implements [slog.LogValuer]: passwords are left out.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", c)) }
