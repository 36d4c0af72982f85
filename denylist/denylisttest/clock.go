package denylisttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// testClockJumps: no record is lost while a clock is ahead, however much is
// recorded in the meantime.
func testClockJumps(t *testing.T, h Harness, s denylist.Store) {
	const n, jump = 100, time.Hour
	until, cutoff := h.Now().Add(time.Minute), h.Now()
	record := func(name string, until time.Time) {
		together(n, func(i int) {
			id := fmt.Sprint(name, i)
			for _, r := range []denylist.Revocation{{TokenID: id}, {Session: id}, {Subject: id, IssuedBefore: cutoff}} {
				r.Until = until
				if err := s.Revoke(t.Context(), r); err != nil {
					t.Errorf("Revoke: %v", err)
				}
			}
			if _, _, err := s.Consume(t.Context(), "consumed"+id, "one", until); err != nil {
				t.Errorf("Consume: %v", err)
			}
			if _, _, err := s.Advance(t.Context(), "advanced"+id, "", "one", until); err != nil {
				t.Errorf("Advance: %v", err)
			}
		})
	}
	record("before", until)
	h.Advance(jump)
	for i := range 10 { // stores remove what has expired bit by bit
		record(fmt.Sprint("ahead", i), until.Add(jump))
	}
	h.Advance(-jump)
	record("after", until)
	for i := range n {
		id := fmt.Sprint("before", i)
		for _, token := range []denylist.Token{{ID: id}, {Session: id}, {Subject: id, IssuedAt: cutoff}} {
			wantRevoked(t, s, token, true)
		}
		consume(t, s, "consumed"+id, "two", until, "one", false)
		advance(t, s, "advanced"+id, "", "two", until, "one", false)
	}
}
