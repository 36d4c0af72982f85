package httpauth

import (
	"net/http"
	"net/netip"
)

// Client returns the addresses that limits count together with that of the client.
func (w *Web) Client(r *http.Request) netip.Prefix { return w.client(r) }
