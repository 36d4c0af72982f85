package testtool

import (
	"testing"
	"time"
)

// Patience bounds every wait for something that must happen. Only a test that fails reaches it. It is long on purpose: no
// test may fail because the machine is slow.
const Patience = 5 * time.Minute

// Eventually asks again and again until ok holds. The test fails if it does not within [Patience].
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(Patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so after %s: %s", Patience, what)
		}
	}
}

// Await returns what comes over a channel, or the zero value when that is closed. The test fails if neither happens
// within [Patience].
func Await[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	select {
	case v := <-ch:
		return v
	case <-limit.C:
		t.Fatalf("not so after %s: %s", Patience, what)
		panic("unreachable")
	}
}

// Deadline returns the time at which a wait that begins now is given up; see [Patience].
func Deadline() time.Time { return time.Now().Add(Patience) }

// InTime plays a scene with tokens that live for some seconds. A machine may be too
// slow for these: the scene returns false if a token expired before it was used, and
// is then played again with tokens that live for longer.
func InTime(t testing.TB, scene func(ttl time.Duration) bool) {
	t.Helper()
	for ttl := 5 * time.Second; ttl < Patience; ttl *= 4 {
		if scene(ttl) {
			return
		}
	}
	t.Error("a token expires before it is used, however long it lives")
}
