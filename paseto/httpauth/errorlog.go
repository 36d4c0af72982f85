package httpauth

import (
	"context"
	"log"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
)

// ErrorLog returns what an [http.Server] should have as its ErrorLog, where it tells
// of clients that break off a TLS handshake and of handlers that panic. Any client can
// cause both, as often as it likes. They are logged at level Warn, cut and escaped, and
// at most 20 of each in a minute. The first line after that minute comes with one that
// says how many were left out. A nil logger logs nothing.
func ErrorLog(logger *slog.Logger) *log.Logger {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return log.New(errorWriter{clientlog.New(logger, time.Now)}, "", 0)
}

// errorWriter logs what is written to it, each time one message.
type errorWriter struct{ to *clientlog.Log }

// Write implements [io.Writer].
func (w errorWriter) Write(message []byte) (int, error) {
	ctx, nobody := context.Background(), netip.Prefix{} // the server tells neither
	text, stack, panicked := strings.Cut(strings.TrimSpace(string(message)), "\ngoroutine ")
	if panicked {
		w.to.Write(ctx, nobody, slog.LevelWarn, "HTTP handler panicked", "err", text, "stack", clientlog.Stack("goroutine "+stack))
	} else {
		w.to.Write(ctx, nobody, slog.LevelWarn, "HTTP server", "err", text)
	}
	return len(message), nil
}
