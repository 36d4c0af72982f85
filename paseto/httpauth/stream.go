package httpauth

import (
	"cmp"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Stream is [Web.Require] for a response that may last longer than its token: server-sent
// events (see [Events]), long downloads, proxied upgrades. The response has a right of the
// [live.Keeper] and ends with it: when the token expires, when the token, its session or its
// subject is revoked, and for every other cause that ends a right. A renewal keeps the right,
// see [Web.Renew]. Beyond the limits of the Keeper a request is refused with status 429 or 503.
//
// The context of the request ends with the right, and [context.Cause] says why. From then on
// writes and reads of the request's body return the cause, and nothing more is sent. The
// handler should return then. A response that is not complete ends as an error for the client:
// over HTTP/1.1 its connection is closed, at the latest after [StreamConfig.Grace], and over
// HTTP/2 its stream is reset. With these versions it never looks complete. Danger: over
// HTTP/1.0, which some proxies use, it can look complete if it has no Content-Length and the
// client is slow to read it. A connection that the handler takes over with [http.Hijacker] is
// closed when the right ends, or when the handler returns.
//
// The right ends when the handler returns. If the handler panics, the right ends with
// [live.ErrPanic], and net/http gets the panic.
//
// The token comes in the header or a cookie. Stream ignores other locations in
// [Config.Locations]. If an option names another one, the route refuses every request with
// status 500, as [Web.Require] says.
//
// Put middleware that wraps the [http.ResponseWriter] around Stream. Its ResponseWriter needs a
// method Unwrap: without it, a response cannot be cut before its handler returns.
func (w *Web) Stream(req paseto.Requirement, next http.Handler, opts ...RouteOption) http.Handler {
	in := locate.For(w.streamRoute(), req, opts)
	broken := check(in, req)
	if isNil(next) {
		broken = errNoHandler
	}
	if broken != nil {
		w.log.Error("route refuses every request", "err", broken)
	}
	return &streams{web: w, req: req, in: in, next: next, broken: broken}
}

// streamRoute returns the route of streams without options.
func (w *Web) streamRoute() locate.Route {
	in := w.route
	in.IsStream = true
	in.Locations = slices.DeleteFunc(slices.Clone(in.Locations), func(l string) bool { return locate.StreamLocation(l) != "" })
	if len(in.Locations) == 0 {
		in.Locations = []string{locate.InHeader}
	}
	return in
}

// streams serves the streams of one route.
type streams struct {
	web    *Web
	req    paseto.Requirement
	in     locate.Route
	next   http.Handler
	broken error
	last   atomic.Pointer[live.Route] // by the pattern of the last request
}

// ServeHTTP implements [http.Handler].
func (t *streams) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if t.broken != nil {
		t.web.refuse(rw, r, t.broken)
		return
	}
	s := &stream{web: t.web, inner: rw, header: rw.Header(), request: r, client: t.web.client(r), path: r.URL.Path}
	right, err := t.open(s) //nolint:contextcheck // It is the request's, which s has.
	if err != nil {
		t.web.keeper.Report(live.Event{Kind: live.EventRefused, Err: err})
		t.web.refuseWith(rw, r, err, Challenge{Scheme: t.in.Scheme, Realm: t.web.cfg.Realm, Scopes: t.req.Scopes})
		return
	}
	defer s.finish()
	t.next.ServeHTTP(s, s.guarded(r.WithContext(right.Context()))) //nolint:contextcheck // It derives from the request's.
}

// open opens the right of a stream. It takes a place before it looks at the token. Revocations
// can find the right before it is checked for the last time.
func (t *streams) open(s *stream) (*live.Right, error) {
	ctx := s.context()
	right, err := t.web.keeper.Reserve(ctx, t.by(s.request), s)
	if err != nil {
		s.forget()
		return nil, err
	}
	opened := false
	defer func() {
		if !opened { // also if a Check panics
			s.forget()
			right.Release()
		}
	}()
	claims, err := t.web.authenticate(nil, s.request, t.req, t.in)
	if err != nil {
		return nil, err
	}
	if err := right.Admit(ctx, claims); err != nil {
		return nil, err
	}
	if err := s.start(right); err != nil {
		return nil, err
	}
	opened = true
	return right, nil
}

// by returns the route of a request. Its name is the pattern of the router, or the path if
// there is no pattern.
func (t *streams) by(r *http.Request) *live.Route {
	name := cmp.Or(r.Pattern, clientlog.Cut(r.URL.Path))
	if last := t.last.Load(); last != nil && last.Name == name {
		return last
	}
	route := &live.Route{Name: name, Requirement: t.req}
	t.last.Store(route)
	return route
}
