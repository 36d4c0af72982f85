package config

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// WithoutNotes keeps [Open] from logging what is valid and probably not meant: for a tool that
// borrows the configuration of a server. What it logs of files that others can read stays.
func WithoutNotes() Option { return func(o *opener) { o.quiet = true } }

// note logs values that are valid and together probably not meant. Store is the one that the
// program gave.
func (c *Config) note(ctx context.Context, log *slog.Logger, store denylist.Store) {
	note := func(key, text string) {
		log.WarnContext(ctx, "configuration may not do what was meant", "key", key, "note", text)
	}
	cookies := slices.Contains(c.HTTP.Locations, httpauth.LocationCookie)
	switch {
	case cookies && c.WebSocket.Locations == nil:
		note("websocket.locations", "http.locations has cookie, and this setting, which has its default, does not: a handshake with nothing but a cookie "+
			"is refused with \"Token required\"; set it to the locations of your handshakes, such as [cookie] or [ticket]")
	case !cookies && !c.Token.VerifyOnly && slices.Contains(c.WebSocket.Locations, httpauth.LocationCookie):
		note("http.locations", "websocket.locations has cookie, and this setting does not: a login sets no cookie, so that no handshake can send one; add cookie here")
	}
	if c.Denylist.Disabled {
		return
	}
	for _, name := range c.Denylist.Check {
		if meant := nearest(name, []string{paseto.TypeAccess, paseto.TypeRefresh}); meant != "" && name != meant {
			note("denylist.check", shown(name)+" is a token type of your own"+didYouMean(meant))
		}
	}
	if name, of := c.Denylist.store(); of != nil {
		of.Notes(func(path, text string) { note(schemaOf(c).key(inDenylist(name)+"."+path), text) })
	}
	if own, known := c.ownStore(store); c.Token.VerifyOnly && own {
		text := "it is this program's own, while token.verify_only is true: a logout at the service that issues is never heard of; " +
			"share redis with that service, or set denylist.disabled to true"
		if !known {
			text = fmt.Sprintf("it is a %T, which does not say whether the service that issues shares it: no token can be revoked here; "+
				"have it implement denylist.Shared, or denylist.Wrapper if it wraps a store", store)
		}
		note("denylist.store", text)
	}
}

// ownStore reports whether other programs do not share the denylist, and whether that is known.
// A store that does not tell counts as one that they do not share.
func (c *Config) ownStore(given denylist.Store) (own, known bool) {
	if given == nil {
		name, _ := c.Denylist.store()
		return name == storeMemory || name == storeBolt, true
	}
	told, known := denylist.As[denylist.Shared](given)
	return !known || !told.Shared(), known
}
