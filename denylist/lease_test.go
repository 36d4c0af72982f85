package denylist_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

func TestLeaseValidate(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", denylist.MaxID)
	for _, test := range []struct {
		name  string
		lease denylist.Lease
		want  string // part of the error, none for a lease that is well
	}{
		{"plain", denylist.Lease{Key: "alice", Holder: "1"}, ""},
		{"any bytes", denylist.Lease{Key: " \n", Holder: "\x00\xff"}, ""},
		{"longest", denylist.Lease{Key: longest, Holder: longest}, ""},
		{"nothing", denylist.Lease{}, "needs a key and a holder"},
		{"no key", denylist.Lease{Holder: "1"}, "needs a key and a holder"},
		{"no holder", denylist.Lease{Key: "alice"}, "needs a key and a holder"},
		{"key too long", denylist.Lease{Key: longest + "x", Holder: "1"}, "key of a lease has 4097 bytes"},
		{"holder too long", denylist.Lease{Key: "alice", Holder: longest + "x"}, "holder of a lease has 4097 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.lease.Validate()
			if test.want == "" {
				if err != nil {
					t.Errorf("Validate = %v", err)
				}
				return
			}
			if !errors.Is(err, denylist.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Validate = %v, want an error that wraps ErrInvalid and says %q", err, test.want)
			}
		})
	}
}

// TestLeaseConditions: what no store can do is refused, whether a lease is acquired or
// renewed.
func TestLeaseConditions(t *testing.T) {
	t.Parallel()
	well := denylist.Lease{Key: "alice", Holder: "1"}
	for _, test := range []struct {
		name  string
		lease denylist.Lease
		limit int
		ttl   time.Duration
		want  string // part of the error, none for conditions that can be met
	}{
		{"least", well, 1, time.Millisecond, ""},
		{"most", well, math.MaxInt, math.MaxInt64, ""},
		{"no limit", well, 0, time.Hour, "limit of leases is 0"},
		{"limit below nothing", well, -1, time.Hour, "limit of leases is -1"},
		{"no ttl", well, 1, 0, "ttl of leases is 0s"},
		{"short ttl", well, 1, time.Millisecond - 1, "ttl of leases is 999.999µs"},
		{"no lease", denylist.Lease{}, 1, time.Hour, "needs a key and a holder"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for call, err := range map[string]error{
				"Acquisition": denylist.Acquisition{Lease: test.lease, Limit: test.limit, TTL: test.ttl}.Validate(),
				"Renewal":     denylist.Renewal{Leases: []denylist.Lease{well, test.lease}, Limit: test.limit, TTL: test.ttl}.Validate(),
			} {
				switch {
				case test.want == "" && err != nil:
					t.Errorf("%s: %v", call, err)
				case test.want != "" && (!errors.Is(err, denylist.ErrInvalid) || !strings.Contains(err.Error(), test.want)):
					t.Errorf("%s: %v, want an error that wraps ErrInvalid and says %q", call, err, test.want)
				}
			}
		})
	}
}

// TestCovers: a record says of a token what a store does that has it.
func TestCovers(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	token := denylist.Token{ID: "id", Session: "login", Subject: "alice", IssuedAt: noon}
	issued := func(at time.Time) denylist.Token {
		token := token
		token.IssuedAt = at
		return token
	}
	for _, test := range []struct {
		name   string
		record denylist.Revocation
		token  denylist.Token
		want   bool
	}{
		{"token", denylist.Revocation{TokenID: "id"}, token, true},
		{"another token", denylist.Revocation{TokenID: "other"}, token, false},
		{"token named as the session", denylist.Revocation{TokenID: "login"}, token, false},
		{"token, and the time is of no interest", denylist.Revocation{TokenID: "id"}, issued(noon.AddDate(9, 0, 0)), true},
		{"session", denylist.Revocation{Session: "login"}, token, true},
		{"another session", denylist.Revocation{Session: "other"}, token, false},
		{"session named as the subject", denylist.Revocation{Session: "alice"}, token, false},
		{"subject", denylist.Revocation{Subject: "alice", IssuedBefore: noon.Add(time.Hour)}, token, true},
		{"another subject", denylist.Revocation{Subject: "bob", IssuedBefore: noon.Add(time.Hour)}, token, false},
		{"in the second of the cut-off", denylist.Revocation{Subject: "alice", IssuedBefore: noon}, issued(noon.Add(time.Second - 1)), true},
		{"cut-off later in the second", denylist.Revocation{Subject: "alice", IssuedBefore: noon.Add(time.Second - 1)}, token, true},
		{"after the cut-off", denylist.Revocation{Subject: "alice", IssuedBefore: noon}, issued(noon.Add(time.Second)), false},
		{"issued at no time", denylist.Revocation{Subject: "alice", IssuedBefore: time.Unix(-7, 0)}, issued(time.Time{}), true},
		{"token without an id", denylist.Revocation{TokenID: "id"}, denylist.Token{Session: "login"}, false},
		{"token without a session", denylist.Revocation{Session: "login"}, denylist.Token{ID: "id"}, false},
		{"token without a subject", denylist.Revocation{Subject: "alice", IssuedBefore: noon}, denylist.Token{ID: "id"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.record.Covers(test.token); got != test.want {
				t.Errorf("Covers = %t, want %t", got, test.want)
			}
			store := denylist.NewMemory()
			defer store.Close()
			if err := store.Revoke(t.Context(), test.record); err != nil {
				t.Fatal(err)
			}
			if got, err := store.Revoked(t.Context(), test.token); got != test.want || err != nil {
				t.Errorf("the store that has the record says %t, %v, want %t", got, err, test.want)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		if (denylist.Revocation{}).Covers(denylist.Token{}) {
			t.Error("a record of nothing covers a token of nothing")
		}
	})
	t.Run("past", func(t *testing.T) {
		t.Parallel()
		if !(denylist.Revocation{TokenID: "id", Until: noon.AddDate(-9, 0, 0)}).Covers(token) {
			t.Error("Covers looks at Until")
		}
	})
}
