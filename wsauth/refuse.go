package wsauth

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// overHTTP lists the refusals that are always answered over HTTP, because they are not about a
// token.
var overHTTP = []paseto.Code{
	errUpgrade, errHandshake, ErrOrigin, ErrThrottled, live.ErrShutdown, live.ErrOverload, paseto.ErrUnavailable, paseto.ErrKeysUnavailable,
}

// refuse answers a handshake that is refused.
func (t *gate) refuse(w *answer, r *http.Request, err error) {
	g := t.guard
	told, status := httpauth.Refusal(err), httpauth.Status(err)
	always := slices.Contains(overHTTP, told.Code)
	closes := !always && g.cfg.Reject == RejectClose && told.Code != httpauth.ErrServer
	if closes {
		if broken := w.takeOver(); broken != nil { // there can be no close frame; refuse it over HTTP for this reason
			t.refuse(w, r, broken)
			return
		}
	}
	g.logRefusal(r.Context(), g.from(r), told.Code, status, err)
	g.keeper.Report(live.Event{Kind: live.EventRefused, Err: err})

	switch {
	case closes && t.refuseByClose(w, r, err):
	case !always && status != http.StatusTooManyRequests:
		httpauth.Refuse(w, err, httpauth.Challenge{Scheme: t.in.Scheme, Realm: g.web.Realm, Scopes: t.req.Scopes})
	default:
		if status == http.StatusUpgradeRequired && r.ProtoMajor == 1 {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
		}
		httpauth.WriteProblem(w, status, told)
	}
}

// client is what the log says of the sender of a handshake. It keeps nothing of the request in
// memory.
type client struct {
	addresses            netip.Prefix // these share the lines of one client
	path, remote, origin string
}

func (g *Guard) from(r *http.Request) client {
	return client{g.client(r), clientlog.Cut(r.URL.Path), clientlog.Cut(r.RemoteAddr), clientlog.Cut(r.Header.Get("Origin"))}
}

// logRefusal logs a refusal at level Error if it is the server's fault, and otherwise at level
// Info. A client that has gone away is not the server's fault.
func (g *Guard) logRefusal(ctx context.Context, from client, code paseto.Code, status int, err error) {
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError && ctx.Err() == nil {
		level = slog.LevelError
	}
	g.clientLog.Write(ctx, from.addresses, level, "handshake refused", "code", string(code), "err", err,
		"path", from.path, "remote", from.remote, "origin", from.origin)
}

// refuseHandshake answers a handshake that is malformed, or that gorilla/websocket could not
// complete.
func (g *Guard) refuseHandshake(w http.ResponseWriter, r *http.Request, status int, reason error) {
	told := refusal.New(errHandshake)
	if status >= http.StatusInternalServerError {
		told = refusal.New(httpauth.ErrServer)
	}
	g.logRefusal(r.Context(), g.from(r), told.Code, status, reason)
	w.Header().Set("Sec-WebSocket-Version", "13")
	w.Header().Set("Connection", "close") // otherwise net/http would wait for a body that may never come
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	httpauth.WriteProblem(w, status, told)
}
