package httpauth

import (
	"errors"
	"net/http"

	"github.com/rs/cors"

	"github.com/pasetokit/pasetokit/internal/origin"
)

// preflightAge is for how many seconds browsers may keep the answer to a preflight.
const preflightAge = 600

// CORS returns a handler that lets the pages of [Config.AllowedOrigins] use next, which
// is most often the program's whole mux:
//
//	http.Server{Handler: web.CORS(mux)}
//
// It answers the preflights of browsers, which are OPTIONS requests without a
// credential and would be refused by guarded routes. It lets these pages send any
// header, read answers with their headers WWW-Authenticate and Retry-After, and, where
// [LocationCookie] is among [Config.Locations], send cookies. Pages of other origins can read
// nothing. Requests that no browser sends from another origin go to next unchanged, and
// so do all without AllowedOrigins.
//
// Handshakes of WebSockets are not subject to CORS: package wsauth has AllowedOrigins
// of its own.
func (w *Web) CORS(next http.Handler) http.Handler {
	if isNil(next) {
		w.log.Error("handler refuses every request", "err", errNoHandler)
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.refuse(rw, r, errNoHandler) })
	}
	if len(w.origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowOriginVaryRequestFunc: func(r *http.Request, _ string) (bool, []string) { return w.allowsOrigin(r), nil },
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		},
		AllowedHeaders:   []string{"*"}, // a route may look for its token in any; see Key
		ExposedHeaders:   []string{"WWW-Authenticate", "Retry-After"},
		AllowCredentials: w.cfg.usesCookies(),
		MaxAge:           preflightAge,
	}).Handler(next)
}

var errNoHandler = errors.New("httpauth: the handler is nil")

// isNil reports whether calling h would panic.
func isNil(h http.Handler) bool {
	f, ok := h.(http.HandlerFunc)
	return h == nil || ok && f == nil
}

// allowsOrigin reports whether a page of [Config.AllowedOrigins] sent r.
func (w *Web) allowsOrigin(r *http.Request) bool {
	o, err := origin.Of(r)
	return err == nil && w.origins.Match(o)
}
