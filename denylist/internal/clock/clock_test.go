package clock

import (
	"testing"
	"time"
)

// TestJumps moves the wall clock against the monotonic one, and asks which time
// may be believed to have passed.
func TestJumps(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	type step struct {
		passes, jumps time.Duration // by both clocks, and by the wall clock alone
		want          time.Duration // that has passed since the clock was made
	}
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"none", []step{{passes: time.Second, want: time.Second}, {passes: 90 * day, want: 90*day + time.Second}}},
		{"ahead and back", []step{{jumps: time.Hour, want: 0}, {passes: time.Minute, want: time.Minute}, {jumps: -time.Hour, want: time.Minute}}},
		{"ahead and back again and again", []step{
			{jumps: time.Hour}, {jumps: -time.Hour}, {jumps: time.Hour}, {jumps: -time.Hour},
			{passes: day - time.Second, want: day - time.Second}, {jumps: time.Hour, want: day - time.Second}, {passes: time.Second, want: day},
		}},
		{"ahead for less than a day", []step{{jumps: time.Hour}, {passes: day - 1, want: day - 1}, {jumps: -time.Hour, want: day - 1}}},
		{"ahead for good", []step{
			{jumps: 30 * 365 * day}, {passes: day, want: day}, {passes: day, want: 30*365*day + 2*day}, {passes: time.Hour, want: 30*365*day + 2*day + time.Hour},
		}},
		{"ahead twice, the second time a moment before the first is believed", []step{
			{jumps: time.Second}, {passes: day, want: day}, {passes: day - time.Second, want: 2*day - time.Second},
			{jumps: time.Hour, want: 2*day - time.Second}, {passes: time.Second, want: 2*day + time.Second},
		}},
		{"nobody looked for long", []step{{passes: 10 * day, jumps: time.Hour, want: 10 * day}}},
		{"back", []step{{jumps: -time.Hour, want: -time.Hour}, {passes: 2 * time.Hour, want: time.Hour}}},
		{"back, and ahead to where it was", []step{{jumps: -time.Hour, want: -time.Hour}, {jumps: time.Hour, want: 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			began := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
			wall, elapsed := began, 7*time.Hour
			clocks := map[bool]*Clock{}
			for _, own := range []bool{false, true} {
				clocks[own] = newClock(func() time.Time { return wall }, func() time.Duration { return elapsed }, own)
			}
			for i, step := range test.steps {
				wall, elapsed = wall.Add(step.passes+step.jumps), elapsed+step.passes
				for own, c := range clocks {
					want := began.Add(step.want).Unix()
					r := c.Read()
					if r.Passed != want {
						t.Errorf("step %d: %s have passed, want %s", i+1, time.Duration(r.Passed-began.Unix())*time.Second, step.want)
					}
					if own {
						want = wall.Unix() // the program's clock decides at once
					}
					if now := c.Now(); r.Now != want || now != want {
						t.Errorf("step %d: the time is %d, and alone %d, want %d", i+1, r.Now, now, want)
					}
				}
			}
		})
	}
}
