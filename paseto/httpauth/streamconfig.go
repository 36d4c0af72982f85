package httpauth

import "time"

// StreamConfig is about responses that end with their right; see [Web.Stream]. The zero
// value of every field is its documented default.
type StreamConfig struct {
	// Grace is how long a handler may take to return after its right has ended. Then the
	// response is cut. In that time nothing that the handler writes is sent; only the last
	// event of an [EventStream] is. Default 5s.
	Grace time.Duration `koanf:"grace" default:"5s" validate:"omitempty,min=1ms,max=10m"`
	// Heartbeat is how long an [EventStream] may be silent. Then it sends a comment, so that
	// proxies do not close the connection. Default 15s.
	Heartbeat time.Duration `koanf:"heartbeat" default:"15s" validate:"omitempty,min=1ms,max=24h"`
	// WriteTimeout is how long one event of an [EventStream] may wait for a client that does
	// not read. After that the right ends. Default 10s.
	WriteTimeout time.Duration `koanf:"write_timeout" default:"10s" validate:"omitempty,min=1ms,max=10m"`
	// EndEvent is the type of the last event of an [EventStream]. Pages listen for it.
	// Default end.
	EndEvent string `koanf:"end_event" default:"end" validate:"omitempty,event_type"`
}
