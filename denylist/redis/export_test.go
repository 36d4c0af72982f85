package redis

import (
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// ClockSlack is for how much longer than a record counts Redis keeps its key.
const ClockSlack = clockSlack

// WithClock sets the clock of a store's process.
func WithClock(now func() time.Time) Option {
	return func(s *Store) {
		s.now = now
		if s.recent != nil {
			s.recent = denylist.NewMemory(denylist.WithClock(now))
		}
	}
}

// Review asks the servers of a store what they are.
func Review(s *Store) { s.review() }
