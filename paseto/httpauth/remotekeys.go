package httpauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// RemoteKeys is a [paseto.KeySource] of the keys that another service publishes
// with [Web.Keys]:
//
//	keys, err := httpauth.NewRemoteKeys("https://login.example.com/keys")
//	auth, err := paseto.New(paseto.Config{RequireIssuer: "login.example.com"}, paseto.WithKeySource(keys))
//
// The keys are fetched when the first token asks for them, and kept for as long
// as the answer's Cache-Control says: at least a minute, at most a day, by
// default five minutes. A token that names an unknown key has them fetched
// again, once in the interval of [WithRemoteMinInterval] whatever tokens come. Of
// any number of verifications one fetches, and the others wait for it as long as
// their contexts last.
//
// Danger: the service at the URL decides whose tokens are believed. Only public
// keys are taken, from an answer without any fault; a secret or local key in it
// has all of it refused. And while that service cannot be reached, the keys
// fetched last stay in force, also those that it has withdrawn since, so that
// its failure is not a failure of all that rely on it.
//
// A RemoteKeys is safe for concurrent use. It has no goroutine but for the
// duration of a fetch, ten seconds at most, and needs no Close.
type RemoteKeys struct {
	url         string
	client      *http.Client
	log         *slog.Logger
	now         func() time.Time
	minInterval time.Duration

	mu      sync.Mutex
	keys    []remoteKey
	etag    string
	good    bool          // keys have been fetched once
	fetched time.Time     // when the keys were; this and the next ones by the wall clock
	expires time.Time     // when they are to be fetched again
	tried   time.Time     // when that was last tried
	err     error         // why it failed then
	running chan struct{} // closed at the end of the fetch on its way; nil: none
}

// RemoteOption gives a [RemoteKeys] what differs from its defaults.
type RemoteOption func(*RemoteKeys)

// WithRemoteClient has keys fetched by client. Redirects are followed as without it,
// and its own CheckRedirect is not asked. Default: a client of its own, which
// verifies certificates by the system's roots.
func WithRemoteClient(client *http.Client) RemoteOption {
	return func(k *RemoteKeys) {
		if client != nil {
			own := *client
			k.client = &own
		}
	}
}

// WithRemoteMinInterval is how long after a fetch the keys are not fetched again
// for an unknown key, or because it failed. Default, and with 0: 30 seconds.
// Danger: a short one lets anybody who sends tokens have requests sent.
func WithRemoteMinInterval(d time.Duration) RemoteOption {
	return func(k *RemoteKeys) {
		if d != 0 {
			k.minInterval = d
		}
	}
}

// WithRemoteLogger logs fetches that failed at level Error and new keys at level
// Info, by their ids. Default, and with nil: nothing is logged.
func WithRemoteLogger(logger *slog.Logger) RemoteOption {
	return func(k *RemoteKeys) {
		if logger != nil {
			k.log = logger
		}
	}
}

// WithRemoteClock makes the RemoteKeys tell the time by now instead of [time.Now].
func WithRemoteClock(now func() time.Time) RemoteOption {
	return func(k *RemoteKeys) {
		if now != nil {
			k.now = now
		}
	}
}

// NewRemoteKeys returns the keys that are published at a URL. It fetches nothing
// yet; a program that wants to know at its start calls [RemoteKeys.Keys]. The
// URL is https, or http for a loopback host (127.0.0.1, ::1, localhost), since
// whoever can change the answer on its way chooses whose tokens are believed.
// The error wraps [paseto.ErrConfig].
func NewRemoteKeys(rawURL string, opts ...RemoteOption) (*RemoteKeys, error) {
	k := &RemoteKeys{
		url:         rawURL,
		client:      &http.Client{Transport: newTransport()},
		log:         slog.New(slog.DiscardHandler),
		now:         time.Now,
		minInterval: 30 * time.Second,
	}
	for _, opt := range opts {
		if opt != nil {
			opt(k)
		}
	}
	if err := checkKeysURL(rawURL); err != nil {
		return nil, fmt.Errorf("%w: URL of remote keys: %w", paseto.ErrConfig, err)
	}
	if k.minInterval < 0 {
		return nil, fmt.Errorf("%w: WithRemoteMinInterval is %s; expected 0 (for the default) or more", paseto.ErrConfig, k.minInterval)
	}
	k.client.CheckRedirect = checkRedirect
	return k, nil
}

// newTransport returns a transport for a request every few minutes: it keeps no
// connection, and so no goroutine.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: fetchTimeout / 2}).DialContext,
		TLSHandshakeTimeout:    fetchTimeout / 2,
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// checkKeysURL says why keys cannot be fetched from a URL. The error does not
// show it, since it may hold a password.
func checkKeysURL(rawURL string) error {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case u.User != nil:
		return errors.New("it holds a user name or password, which would be logged with it; give a client that adds them")
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("expected https://host/path")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fmt.Errorf("http is for loopback hosts alone, not for %.100q: keys that anybody on the way could replace are worth nothing; use https", u.Hostname())
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// checkRedirect lets a service move its keys about and no further: another host
// is not the one that is trusted.
func checkRedirect(r *http.Request, via []*http.Request) error {
	const most = 3
	switch first := via[0].URL; {
	case r.URL.Scheme != first.Scheme:
		return fmt.Errorf("refused a redirect from %s to %.16q", first.Scheme, r.URL.Scheme)
	case !strings.EqualFold(r.URL.Host, first.Host):
		return fmt.Errorf("refused a redirect to another host, %.100q", r.URL.Host)
	case len(via) > most:
		return fmt.Errorf("refused more than %d redirects", most)
	}
	return nil
}

// Keys returns the published keys that may open a token, for a kid after PASERK
// the one that it names. It fetches them if there are none, if they are to be
// renewed, or for an unknown kid; see [RemoteKeys]. There are never any local
// ones. The error is that of the fetch if none has succeeded yet, or wraps that
// of the context.
func (k *RemoteKeys) Keys(ctx context.Context, version paseto.Version, purpose paseto.Purpose, kid string) ([]paseto.Key, error) {
	if purpose != paseto.Public {
		return nil, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	found, known := k.choose(version, kid)
	if k.good && known && !k.expired() {
		return found, nil
	}
	if k.running == nil && k.due() {
		k.tried = k.wall()
		k.running = make(chan struct{})
		// What a fetch finds is for all who wait, and who began it may go away.
		go k.fetch(context.WithoutCancel(ctx), k.etag)
	}
	// Once the service is known to be away, the keys that it had are used at
	// once while it is asked again.
	if running := k.running; running != nil && (!known || k.err == nil || !k.good) {
		// A set that has expired serves when the service does not answer soon:
		// only a key that is not in it is worth a longer wait.
		var enough <-chan time.Time
		if known && k.good {
			timer := time.NewTimer(stalePatience)
			defer timer.Stop()
			enough = timer.C
		}
		k.mu.Unlock()
		select {
		case <-running:
		case <-enough:
		case <-ctx.Done():
		}
		k.mu.Lock()
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("httpauth: waiting for remote keys: %w", err)
		}
		found, _ = k.choose(version, kid)
	}
	if !k.good {
		return nil, k.err
	}
	return found, nil
}

// due reports whether the keys may be fetched now: at once when they have
// expired, and else not too soon after the last time.
func (k *RemoteKeys) due() bool {
	sinceTried := k.wall().Sub(k.tried)
	return k.err == nil && k.expired() || sinceTried >= k.minInterval || sinceTried < 0
}

// expired reports whether the keys are to be fetched again: they are too old, or the
// clock was set back, and their age is not known any more.
func (k *RemoteKeys) expired() bool {
	now := k.wall()
	return !now.Before(k.expires) || now.Before(k.fetched)
}

// wall returns the time without that of the monotonic clock, which stands still while
// the machine sleeps: the keys grow old meanwhile.
func (k *RemoteKeys) wall() time.Time { return k.now().Round(0) }

// stalePatience is how long the renewal of keys that are at hand is waited for.
const stalePatience = time.Second

// keyID matches the identifiers that PASERK gives to keys.
var keyID = regexp.MustCompile(`^k\d\.(lid|sid|pid)\.[A-Za-z0-9_-]{44}$`)

// choose returns the keys that may open a token, and whether fetching the keys
// again could not find others: a kid that is not in the form of PASERK is the
// issuer's own way of naming keys, and one of another version or purpose is
// nobody's.
func (k *RemoteKeys) choose(version paseto.Version, kid string) (keys []paseto.Key, known bool) {
	for _, key := range k.keys {
		if key.Version() != version {
			continue
		}
		if kid != "" && key.kid == kid {
			return []paseto.Key{key.Key}, true
		}
		keys = append(keys, key.Key)
	}
	if !keyID.MatchString(kid) {
		return keys, true
	}
	return nil, !strings.HasPrefix(kid, "k"+strings.TrimPrefix(string(version), "v")+".pid.")
}
