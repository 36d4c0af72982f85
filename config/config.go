package config

import (
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// Config is everything that can be configured. Make one with [Load] or
// [Default]: its zero value is not the default.
type Config struct {
	Token     Token     `koanf:"token"`
	HTTP      HTTP      `koanf:"http"`
	WebSocket WebSocket `koanf:"websocket"`
	Denylist  Denylist  `koanf:"denylist"`
}

// Token says how tokens are issued and verified; see [paseto.Config].
type Token struct {
	// Version of new tokens: v2, v3 or v4.
	Version string `koanf:"version" validate:"oneof=v2 v3 v4"`
	// Purpose of new tokens: local or public.
	Purpose string `koanf:"purpose" validate:"oneof=local public"`
	// Keys that issue and open tokens; the first one that can, issues.
	Keys []Key `koanf:"keys" validate:"max=32"`
	// VerifyOnly allows a configuration whose keys cannot issue tokens.
	VerifyOnly bool `koanf:"verify_only"`
	// OmitKeyID leaves the kid out of the footers of new tokens.
	OmitKeyID bool `koanf:"omit_key_id"`

	// Issuer is the iss claim of new tokens.
	Issuer string `koanf:"issuer" validate:"ne=none"`
	// Audience is the aud claim of new tokens.
	Audience []string `koanf:"audience" validate:"dive,required,ne=none"`
	// RequireIssuer is the iss claim that every token must carry.
	RequireIssuer string `koanf:"require_issuer" validate:"ne=none"`
	// RequireAudience lists audiences, one of which every token must name.
	RequireAudience []string `koanf:"require_audience" validate:"dive,required,ne=none"`

	// AccessTTL, RefreshTTL and OtherTTL are the lifetimes of new tokens.
	AccessTTL  Lifetime `koanf:"access_ttl" validate:"lifetime"`
	RefreshTTL Lifetime `koanf:"refresh_ttl" validate:"lifetime"`
	OtherTTL   Lifetime `koanf:"other_ttl" validate:"lifetime"`
	// MaxTTL bounds the lifetime that a grant may ask for; 0 for the longest
	// of the three above.
	MaxTTL Lifetime `koanf:"max_ttl" validate:"eq=0|lifetime"`
	// SessionTTL is the absolute lifetime of a login session, however often it
	// is refreshed; 0 for 90 days, or MaxTTL if that is longer.
	SessionTTL Lifetime `koanf:"session_ttl" validate:"eq=0|lifetime"`
	// RefreshGrace is how long a used refresh token still gets the same pair;
	// 0 for not at all.
	RefreshGrace time.Duration `koanf:"refresh_grace" validate:"min=0,max=5m"`
	// RefreshesPerMinute is how many new pairs may come of one login in any
	// minute.
	RefreshesPerMinute Limit `koanf:"refreshes_per_minute" validate:"limit,max=60"`
	// TicketTTL is the lifetime of tickets.
	TicketTTL time.Duration `koanf:"ticket_ttl" validate:"min=1s,max=30s"`
	// RequireExpiry refuses tokens without an exp claim.
	RequireExpiry bool `koanf:"require_expiry"`
	// StartLeeway is how far the clock of an issuer may be ahead: nbf and iat are
	// taken that much earlier. 0 for the default; none for not at all.
	StartLeeway Lifetime `koanf:"start_leeway" validate:"start_leeway"`
	// Leeway is how long a token is accepted after the time in exp.
	Leeway time.Duration `koanf:"leeway" validate:"min=0,max=24h"`
	// MaxLength is the longest token in bytes that is looked at.
	MaxLength int `koanf:"max_length" validate:"min=256,max=1048576"`
}

// HTTP says how requests carry tokens; see [httpauth.Config].
type HTTP struct {
	// Locations lists header, cookie, json.
	Locations []string `koanf:"locations" validate:"min=1,unique,dive,http_location"`
	// HeaderName and HeaderScheme are the header and the scheme before the
	// token; an empty scheme means the bare token. Handshakes use them too.
	HeaderName   string `koanf:"header_name" validate:"http_token"`
	HeaderScheme string `koanf:"header_scheme" validate:"omitempty,http_token,ne=none"`
	// JSONKey and JSONPrefix are the body member and the scheme in it.
	JSONKey    string `koanf:"json_key" validate:"required"`
	JSONPrefix string `koanf:"json_prefix" validate:"omitempty,http_token"`
	// Realm names the protected area in challenges.
	Realm string `koanf:"realm" validate:"required,realm"`
	// MaxBody is the largest body in bytes that is read.
	MaxBody int64 `koanf:"max_body" validate:"min=1024,max=67108864"`
	// AllowedOrigins lists origins, besides the server's own, whose pages may use the
	// endpoints and guarded routes. Danger: where cookies carry tokens, such a page can
	// act for every visitor whose browser sends it the cookies.
	AllowedOrigins []string `koanf:"allowed_origins" validate:"dive,origin"`
	// PublicScheme is http or https: the scheme by which clients reach this server, for
	// requests and for handshakes; empty (none in files) for https where a request came
	// by TLS, and else either. Danger: behind a proxy that ends TLS, pages of http://
	// and the server's own host count as its own unless it is https.
	PublicScheme string `koanf:"public_scheme" validate:"omitempty,oneof=http https"`
	// TrustedProxies lists addresses, and networks in CIDR notation, whose
	// X-Forwarded-For is believed, for requests and for handshakes; the word unix is
	// for a proxy that connects through a Unix socket. Danger:
	// behind a proxy that it does not list, all clients have one address.
	TrustedProxies []string `koanf:"trusted_proxies" validate:"dive,proxy"`
	// Login bounds logins.
	Login Login `koanf:"login"`
	// TicketsPerMinute is how many tickets one session, or one subject where the
	// token has no session, gets in a minute. Danger: each ticket that is used leaves
	// a record in the denylist, so without a limit one login can fill it.
	TicketsPerMinute Limit `koanf:"tickets_per_minute" validate:"limit"`
	// Cookie describes the cookies.
	Cookie Cookie `koanf:"cookie"`
}

// Cookie describes the cookies that carry tokens; see [httpauth.CookieConfig].
type Cookie struct {
	AccessName  string `koanf:"access_name" validate:"http_token"`
	RefreshName string `koanf:"refresh_name" validate:"http_token,nefield=AccessName"`
	Path        string `koanf:"path" validate:"cookie_path"`
	RefreshPath string `koanf:"refresh_path" validate:"cookie_path"`
	Domain      string `koanf:"domain" validate:"omitempty,fqdn"`
	// Former lists the scopes that the cookies were set in before, each a path, or a
	// domain and a path: /api, example.com/. There the cookies are deleted.
	Former []string `koanf:"former" validate:"max=8,unique,dive,cookie_scope"`
	// Secure keeps the cookies off plain HTTP.
	Secure bool `koanf:"secure"`
	// SameSite is lax, strict or none.
	SameSite string `koanf:"same_site" validate:"oneof=lax strict none"`
	// Persistent keeps the cookies until the tokens expire.
	Persistent bool `koanf:"persistent"`
}

// Denylist says how revocation is recorded and checked.
type Denylist struct {
	// Enabled turns revocation on.
	Enabled bool `koanf:"enabled"`
	// Store is memory, bolt or redis, or empty (none in files) for one that the
	// program gives with [WithStore].
	Store string `koanf:"store" validate:"omitempty,oneof=memory bolt redis"`
	// Path is the file of the store bolt.
	Path string `koanf:"path"`
	// AllowEmptyFile makes a new store of a file of the store bolt that exists and
	// is empty; see WithEmptyFile of denylist/bolt. Danger: one that was in use and was
	// emptied opens too, and forgets every revocation.
	AllowEmptyFile bool `koanf:"allow_empty_file"`
	// Redis is the server of the store redis.
	Redis Redis `koanf:"redis"`
	// Check lists the token types that are looked up.
	Check []string `koanf:"check" validate:"unique,dive,required,token_type"`
	// FailOpen accepts tokens while the store cannot be asked.
	FailOpen bool `koanf:"fail_open"`
}

// Redis says how the store redis is reached; see [redis.Config].
type Redis struct {
	// Addresses lists one server, nodes of a cluster, or the Sentinels.
	Addresses []string `koanf:"addresses" validate:"unique,dive,address"`
	// Username and Password authenticate; PasswordFile holds the password
	// instead.
	Username     string        `koanf:"username"`
	Password     paseto.Secret `koanf:"password"`
	PasswordFile string        `koanf:"password_file"`
	// Database is the number of the database; 0 in a cluster.
	Database int `koanf:"database" validate:"min=0"`
	// SentinelMaster is the primary that the Sentinels at Addresses watch.
	SentinelMaster       string        `koanf:"sentinel_master"`
	SentinelUsername     string        `koanf:"sentinel_username"`
	SentinelPassword     paseto.Secret `koanf:"sentinel_password"`
	SentinelPasswordFile string        `koanf:"sentinel_password_file"`
	// Prefix begins every key and channel.
	Prefix string `koanf:"prefix" validate:"required"`
	// CacheTTL bounds how old an answer may be that is cached here; 0 caches
	// none.
	CacheTTL time.Duration `koanf:"cache_ttl" validate:"min=0,max=1h"`
	// MinReplicas is how many replicas must have a record before it counts.
	MinReplicas int `koanf:"min_replicas" validate:"min=0,max=100"`
	// Timeout bounds every call.
	Timeout time.Duration `koanf:"timeout" validate:"min=1ms,max=1m"`
	// AllowEviction opens a server that may drop records for lack of memory.
	AllowEviction bool `koanf:"allow_eviction"`
	// TLS encrypts the connections.
	TLS RedisTLS `koanf:"tls"`
}

// RedisTLS says how connections to Redis are encrypted and authenticated.
type RedisTLS struct {
	// Enabled turns TLS on.
	Enabled bool `koanf:"enabled"`
	// CAFile has the certificates, in PEM, that the server's must descend from.
	// Default those of the system.
	CAFile string `koanf:"ca_file"`
	// CertFile and KeyFile are the client's certificate and its key, in PEM.
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`
	// ServerName is the name in the server's certificate. Default the host of
	// its address.
	ServerName string `koanf:"server_name" validate:"omitempty,server_name"`
}

// Default returns the configuration that holds where nothing is configured. It
// has no key.
func Default() *Config {
	return &Config{
		Token: Token{
			Version: string(paseto.V4), Purpose: string(paseto.Local),
			Keys: []Key{}, Audience: []string{}, RequireAudience: []string{},
			AccessTTL:          Lifetime(15 * time.Minute),
			RefreshTTL:         Lifetime(30 * 24 * time.Hour),
			OtherTTL:           Lifetime(30 * 24 * time.Hour),
			RefreshGrace:       10 * time.Second,
			RefreshesPerMinute: 10,
			TicketTTL:          30 * time.Second,
			StartLeeway:        Lifetime(5 * time.Second),
			RequireExpiry:      true,
			MaxLength:          8192,
		},
		HTTP: HTTP{
			Locations:  []string{string(httpauth.LocationHeader)},
			HeaderName: "Authorization", HeaderScheme: "Bearer",
			JSONKey: "access_token", Realm: "api", MaxBody: 64 << 10,
			AllowedOrigins: []string{}, TrustedProxies: []string{}, Login: defaultLogin(), TicketsPerMinute: 60,
			Cookie: Cookie{
				AccessName: "access_token", RefreshName: "refresh_token",
				Path: "/", RefreshPath: "/", Former: []string{}, Secure: true, SameSite: "lax",
			},
		},
		WebSocket: defaultWebSocket(),
		Denylist: Denylist{
			Enabled: true, Store: storeMemory,
			Redis: Redis{
				Addresses: []string{},
				Prefix:    "pasetokit:",
				CacheTTL:  30 * time.Second,
				Timeout:   time.Second,
			},
			Check: []string{paseto.TypeAccess, paseto.TypeRefresh},
		},
	}
}

// Lifetime is how long a token is valid. In text it is a duration such as 15m
// or 720h, or none; a bare number counts seconds.
type Lifetime time.Duration

// NoExpiry is the lifetime none: the token does not expire.
const NoExpiry = Lifetime(paseto.NoExpiry)

// String returns the duration, or none.
func (l Lifetime) String() string {
	if l == NoExpiry {
		return none
	}
	return time.Duration(l).String()
}
