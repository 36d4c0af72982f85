package schedule_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/internal/schedule"
)

// TestClockIsSet: an item is rung when the schedule's own clock says so, within a second
// of a jump.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		by          time.Duration
		least, most time.Duration // from the jump, which is a minute after the item is set for an hour
	}{
		{"ahead", time.Hour, 0, time.Second},
		{"ahead, not far enough", 30 * time.Minute, 29 * time.Minute, 29*time.Minute + time.Second},
		{"back", -time.Hour, 119 * time.Minute, 119*time.Minute + time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var ahead atomic.Int64
				now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())).Round(0) }
				s := schedule.New(now, (*item).ring)
				ctx, stop := context.WithCancel(t.Context())
				rung := make(chan time.Time, 1)
				go s.Run(ctx, func(i *item) {
					if i.name != "item" {
						t.Errorf("%s is rung", i.name)
					}
					rung <- time.Now()
				})
				defer stop()
				s.Set(newItem("item"), now().Add(time.Hour))
				s.Set(newItem("never"), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
				time.Sleep(time.Minute)
				jumped := time.Now()
				ahead.Store(int64(test.by))
				if took := (<-rung).Sub(jumped); took < test.least || took > test.most {
					t.Errorf("it is rung %s after the jump, want %s to %s", took, test.least, test.most)
				}
			})
		})
	}
}

// TestClockIsSetBackByYears rings nothing that is too far away to be counted in
// nanoseconds.
func TestClockIsSetBackByYears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().Round(0)
		s := schedule.New(func() time.Time { return now }, (*item).ring)
		now = now.AddDate(-30, 0, 0)
		s.Set(newItem("never"), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		s.Run(ctx, func(*item) {
			t.Error("it is rung")
			stop()
		})
	})
}
