package redis

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/internal/hub"
)

// Store is a [denylist.Store] in Redis; [Open] makes one. It holds a few
// connections to each server, and runs goroutines until Close.
type Store struct {
	client  rueidis.Client
	conns   *dialer
	servers *servers
	cluster bool

	prefix      string
	channel     string
	cacheTTL    time.Duration // NoCache if there is no cache
	minReplicas int           // 0 while opening
	timeout     time.Duration
	log         *slog.Logger
	now         func() time.Time // the clock that judges tokens too

	// recent holds the revocations that this store made or heard of, for as
	// long as the cache may not know of them yet. Nil without a cache.
	recent *denylist.Memory
	// replaced has the subjects, as token identifiers, whose record has come to except
	// a session as recently. Nil without a cache.
	replaced *denylist.Memory
	// requests are the turns of calls whose requests share connections, and
	// waits those of calls that wait for replicas over connections of their own:
	// the client would let some of these be overtaken until their time is up.
	requests, waits turns

	watchers *hub.Hub[denylist.Event]
	listener listener

	life context.Context // ends with Close
	end  context.CancelFunc
	mu   sync.Mutex // held to start work, and to close
	work sync.WaitGroup
	once sync.Once
}

var (
	_ denylist.Store  = (*Store)(nil)
	_ denylist.Shared = (*Store)(nil)
)

// Shared implements [denylist.Shared]: every program with the same Redis and
// [Config.Prefix] hears of all records.
func (s *Store) Shared() bool { return true }

// Option adjusts a [Store].
type Option func(*Store)

// WithLogger logs at level Warn when a watch loses its connection, and what the
// store could not find out about the server. No identifier, no token and no
// password is logged. Default, and with nil: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(s *Store) {
		if logger != nil {
			s.log = logger
		}
	}
}

// WithClock makes the store tell the time by now instead of [time.Now]. A record
// whose time has come by it does not count any more. Redis forgets it when as much
// time has passed by its own clock, and counts leases by that alone.
func WithClock(now func() time.Time) Option {
	return func(s *Store) {
		if now == nil {
			return
		}
		s.now = now
		if s.recent != nil {
			s.recent, s.replaced = denylist.NewMemory(denylist.WithClock(now)), denylist.NewMemory(denylist.WithClock(now))
		}
	}
}

// Open connects to Redis and makes sure that the store can work there: that it
// reached a primary, may read, write and announce, and that the server does not
// drop records when its memory is full. What does not fit is an error that says
// what to mend. An error wraps [denylist.ErrUnavailable] where a later attempt
// may succeed.
//
// When ctx ends, opening does, with the context's error; without that it takes a
// few times [Config.Timeout] for each address at most.
func Open(ctx context.Context, cfg Config, opts ...Option) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := newStore(cfg, opts)
	if err := s.connect(ctx, cfg); err != nil {
		return nil, err
	}
	if err := s.inspect(ctx, cfg); err != nil {
		_ = s.Close() // It never fails.
		return nil, err
	}
	s.minReplicas = cfg.MinReplicas
	s.start(s.supervise)
	return s, nil
}

func newStore(cfg Config, opts []Option) *Store {
	s := &Store{
		prefix:   cfg.Prefix,
		channel:  channel(cfg),
		cacheTTL: cfg.CacheTTL,
		timeout:  cfg.Timeout,
		log:      slog.New(slog.DiscardHandler),
		now:      time.Now,
		requests: make(turns, maxRequests),
		waits:    make(turns, maxWaits),
		watchers: hub.New(denylist.Event{Kind: denylist.EventMissed}, denylist.ErrClosed),
		listener: newListener(),
	}
	if cfg.caches() {
		s.recent, s.replaced = denylist.NewMemory(), denylist.NewMemory()
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.servers = newServers(s.log)
	s.conns = newDialer(s.life, cfg, s.servers)
	return s
}

// connect makes the client, which reaches a server or fails.
func (s *Store) connect(ctx context.Context, cfg Config) error {
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.client, err = rueidis.NewClient(s.options(cfg))
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.end() // and with it all attempts to connect
		s.conns.end(0)
		<-ended
	}
	if ctx.Err() == nil && err == nil {
		s.cluster = s.client.Mode() == rueidis.ClientModeCluster
		return nil
	}
	s.end()
	if err == nil {
		s.client.Close()
	}
	s.conns.end(s.timeout)
	if err := ctx.Err(); err != nil {
		return err
	}
	return refused(err, cfg)
}

const (
	// ringScale makes room for 2^10 requests that a server has yet to answer.
	// Beyond that the client would let calls wait without regard to their
	// contexts; so that no more than maxRequests may be under way. When the
	// server hangs, each of these leaves its request behind after Timeout, and
	// after twice the Timeout the connection is given up.
	ringScale   = 10
	maxRequests = 400

	// maxWaits is how many calls may wait for replicas at a time, each over a
	// connection of its own. There may be twice as many to each server, as they
	// are cleaned up after use; those that are not needed are closed after
	// idleConn.
	maxWaits = 32
	idleConn = time.Minute

	// bufferSize is that of either way of a connection.
	bufferSize = 64 << 10
	// cacheSize bounds the cache of the connection to each server.
	cacheSize = 32 << 20

	// How often the client looks whether servers have changed their places,
	// apart from whenever one fails.
	clusterInterval  = 5 * time.Second
	sentinelInterval = 2 * time.Second
)

// options returns how the client is to work.
//
// The client tries no command again: Consume must not be repeated, and a server
// that is away is to be reported at once. All connections are read from at all
// times, so that one that has broken is not used any more, and a connection that
// does not answer a ping within Timeout is given up, with what was cached from it.
//
// In broadcast mode the server tells every connection of every revocation. That
// costs it nothing where nothing is revoked; the other modes make it remember
// every key that anyone has asked for, about 300 bytes for each token.
func (s *Store) options(cfg Config) rueidis.ClientOption {
	dial := net.Dialer{Timeout: cfg.Timeout / 2, KeepAlive: min(cfg.Timeout/2, time.Second)}
	option := rueidis.ClientOption{
		InitAddress:   slices.Clone(cfg.Addresses),
		ClientName:    "pasetokit",
		ClientSetInfo: rueidis.DisableClientSetInfo,
		SelectDB:      cfg.Database,

		DialCtxFn:         s.conns.dial,
		AuthCredentialsFn: authenticate,
		Dialer:            dial, // whose KeepAlive is how often idle connections are pinged
		ConnWriteTimeout:  cfg.Timeout,

		DisableRetry:        true,
		AlwaysPipelining:    true,
		PipelineMultiplex:   -1, // one connection, and one cache, for each server
		RingScaleEachConn:   ringScale,
		ReadBufferEachConn:  bufferSize,
		WriteBufferEachConn: bufferSize,
		BlockingPoolSize:    2 * maxWaits,
		BlockingPoolCleanup: idleConn,

		DisableCache:      !cfg.caches(),
		CacheSizeEachConn: cacheSize,

		ClusterOption: rueidis.ClusterOption{ShardsRefreshInterval: clusterInterval},
	}
	if cfg.caches() {
		option.ClientTrackingOptions = []string{
			"BCAST", "PREFIX", s.key(tokens, ""), "PREFIX", s.key(sessions, ""), "PREFIX", s.key(subjects, ""),
		}
	}
	if cfg.TLS != nil { // which the dialer asks; the client chooses ports by it
		option.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if cfg.SentinelMaster != "" {
		dial.Resolver = toSentinels
		option.Sentinel = rueidis.SentinelOption{
			MasterSet:               cfg.SentinelMaster,
			ClientName:              option.ClientName,
			Dialer:                  dial,
			TLSConfig:               option.TLSConfig,
			TopologyRefreshInterval: sentinelInterval,
		}
	}
	return option
}

// start runs fn in a goroutine that Close waits for, or reports that the store
// is closed.
func (s *Store) start(fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.work.Go(fn)
	return true
}

// Close implements [denylist.Store]. It never fails. Where a server hangs it
// takes a second or two. Goroutines of the client that only wait for their time
// may outlive it by five seconds; they hold no connection.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.mu.Lock()
		s.end()
		s.mu.Unlock()
		s.watchers.Close()
		s.client.Close()
		s.conns.end(2 * time.Second)
		s.work.Wait()
	})
	return nil
}
