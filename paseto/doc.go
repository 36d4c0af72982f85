// Package paseto issues, verifies, refreshes and revokes PASETO tokens.
//
// An [Authorizer] does the work. It is made once, from a [Config] with at
// least one [Key], and serves any number of goroutines:
//
//	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{key}}, paseto.WithDenylist(store))
//
// Tokens are issued for a [Grant], alone or as the pair of access and refresh
// token that a login returns, and verified against a [Requirement]. What a
// token says comes out as [Claims]. Programs that speak HTTP rarely call the
// Authorizer themselves: package httpauth carries tokens over HTTP and package
// wsauth over WebSockets, with the same requirements. Package live ends what a token
// keeps open, such as a stream, when the token expires or is revoked.
//
// # Tokens
//
// Tokens follow the PASETO specification, versions 2, 3 and 4, of which 4 is the
// default: local tokens are encrypted, public tokens are signed and can be read
// by everyone. Beside the registered claims (iss, sub, aud, exp, nbf, iat, jti) a
// token carries type ("access", "refresh" or a type of your own), fresh (access
// tokens: whether a password was just given), sid (the login session that a pair
// and all its successors share), auth_time (when that session began) and scope
// (space-separated, as in RFC 8693). A caller's own claims stand beside these and
// never in their place.
//
// # Keys
//
// The first key that can issue the configured version and purpose issues; all
// keys open. A token names its key by the kid in its footer, which is the key's
// identifier after PASERK and only chooses among the configured keys. To rotate
// without downtime, [Authorizer.SetKeys] puts a new key before the old one,
// which [Key.Retire] keeps until its last token has expired. Keys that another
// service publishes come from a [KeySource].
//
// A [Key] prints as its kind alone. Keep keys out of the repository and out of
// the command line: read them from a file or the environment, as package config
// does. PASERK, the standard for keys, is how they are written: see [ParseKey],
// and [Key.Wrap] and [Key.WrapPassword] for keys that lie where others may look.
//
// # Sessions
//
// A login begins a session: a pair, and all pairs that follow by
// [Authorizer.Refresh], each of which uses a refresh token up. It ends when
// nobody refreshes it for [Config.RefreshTTL], when the login is
// [Config.SessionTTL] ago, when it is revoked, or when a refresh token of it is
// presented again after [Config.RefreshGrace], because then somebody has a copy.
//
// A ticket ([Authorizer.IssueTicket]) stands for an access token once and for
// seconds, where the token itself should not be seen.
//
// # Errors
//
// Every refusal is an [*Error] with a stable code and a message that is safe to
// show a client; errors.Is finds the [Code] ([ErrExpired], [ErrRevoked] …).
// The cause, if any, is wrapped for the log.
//
// Token types and codes do not change within a major version. The words of messages
// may.
package paseto
