package redis

import (
	"log/slog"
	"sync"
)

// reread returns a function that reads something anew whenever it is called, and may be
// called by several goroutines. While reading fails, it returns what was read last, and the
// log says so, once for each reason. The first reading must succeed.
func reread[T any](log *slog.Logger, key string, read func() (T, error)) (func() T, error) {
	last, err := read()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	failure := ""
	return func() T {
		mu.Lock()
		defer mu.Unlock()
		now, err := read()
		if err != nil {
			if text := err.Error(); text != failure {
				failure = text
				log.Warn("config: a file cannot be read any more; what it held before stays in force", "key", key, "error", text)
			}
			return last
		}
		if failure != "" {
			failure = ""
			log.Info("config: a file can be read again", "key", key)
		}
		last = now
		return last
	}, nil
}
