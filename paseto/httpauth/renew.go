package httpauth

import (
	"encoding/json"
	"net/http"
	"time"
)

// Renewal is the body that [Web.Renew] answers with, for clients to decode.
type Renewal struct {
	// Renewed is how many streams and WebSockets of the session now have the newer token.
	Renewed int `json:"renewed"`
	// ExpiresAt is when the first of them will end. ExpiresIn is the same in whole seconds
	// from now, for clients whose clock is wrong. Both are absent if nothing was renewed, or
	// if nothing has an end.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	ExpiresIn *int64     `json:"expires_in,omitempty"`
}

// Renew returns the endpoint that renews everything that the caller's session has open on this
// server, streams and WebSockets. It takes a POST and answers with a [Renewal]. The access token
// comes in the header or a cookie. It replaces the token of each open right of its subject and
// session; [live.Right.Renew] says what it must be. A client calls the endpoint after a refresh,
// so that its streams and WebSockets stay open.
//
// Streams and WebSockets of the session on other servers are not renewed. They end with their
// token, and the client connects again. The same is true for a right that the token is not good
// enough for, such as that of a route that requires a fresh token. The endpoint refuses the
// request only if nothing was renewed and at least one renewal was refused.
func (w *Web) Renew() http.Handler {
	in := w.streamRoute()
	return w.post(func(rw http.ResponseWriter, r *http.Request) {
		found, err := w.findTrusted(rw, r, in, false)
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		renewed, err := w.keeper.RenewSession(r.Context(), found.token, w.requirement(r, found.token))
		if err != nil && len(renewed) == 0 {
			w.refuse(rw, r, err)
			return
		}
		answer := Renewal{Renewed: len(renewed)}
		var first time.Time
		for _, right := range renewed {
			if at := right.Deadline(); !at.IsZero() && (first.IsZero() || at.Before(first)) {
				first = at.UTC()
			}
		}
		if !first.IsZero() {
			in := int64(max(0, first.Sub(w.auth.Now())) / time.Second)
			answer.ExpiresAt, answer.ExpiresIn = &first, &in
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(rw).Encode(answer) // a client that has gone away is no failure
	})
}
