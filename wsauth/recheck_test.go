package wsauth_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// unavailable is what the client of a connection is told that could not be checked.
const unavailable = "Token revocation cannot be checked at the moment"

var errStoreDown = errors.New("connection refused")

// lasting is the grant of a token that outlives the tests.
func lasting(subject string) paseto.Grant {
	return paseto.Grant{Subject: subject, TTL: 20 * 24 * time.Hour}
}

// down is the answer of a denylist that is.
func down(context.Context, denylist.Token) (bool, error) { return false, errStoreDown }

// hangs is the answer of one that has none.
func hangs(ctx context.Context, _ denylist.Token) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// TestUnheardRevocation is found all the same: at once if the denylist knows of a gap,
// when it can be watched again, or at the next look at all connections.
func TestUnheardRevocation(t *testing.T) {
	t.Parallel()
	told := denylist.Event{Kind: denylist.EventMissed}
	tells := func(e denylist.Event) func(context.Context, <-chan struct{}, func(denylist.Event)) error {
		return func(ctx context.Context, unheard <-chan struct{}, fn func(denylist.Event)) error {
			<-unheard
			fn(e)
			<-ctx.Done()
			return ctx.Err()
		}
	}
	for _, test := range []struct {
		name   string
		cfg    setup
		watch  func(ctx context.Context, unheard <-chan struct{}, fn func(denylist.Event)) error // until the revocation is missed
		within time.Duration
	}{
		{"gap", setup{Config: wsauth.Config{}}, tells(told), time.Second},
		{"event of a later version", setup{Config: wsauth.Config{}}, tells(denylist.Event{Kind: "issuer revoked"}), time.Second},
		{"event without a kind", setup{Config: wsauth.Config{}}, tells(denylist.Event{}), time.Second},
		{"watch fails", setup{Config: wsauth.Config{}}, func(_ context.Context, unheard <-chan struct{}, _ func(denylist.Event)) error {
			<-unheard
			return errStoreDown
		}, time.Second},
		{"watch cannot even begin", setup{Config: wsauth.Config{}}, func(context.Context, <-chan struct{}, func(denylist.Event)) error {
			return errStoreDown
		}, time.Second},
		{"watch returns", setup{Config: wsauth.Config{}}, func(_ context.Context, unheard <-chan struct{}, _ func(denylist.Event)) error {
			<-unheard
			return nil
		}, time.Second},
		{"nobody notices", setup{Config: wsauth.Config{}}, func(ctx context.Context, _ <-chan struct{}, _ func(denylist.Event)) error {
			<-ctx.Done()
			return ctx.Err()
		}, time.Minute},
		{"nobody notices, and the operator is impatient", setup{Config: wsauth.Config{}, live: live.Config{RecheckInterval: 3 * time.Second}},
			func(ctx context.Context, _ <-chan struct{}, _ func(denylist.Event)) error {
				<-ctx.Done()
				return ctx.Err()
			}, 3 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, paseto.Config{}, test.cfg, echo, func(b bubble) {
				unheard := make(chan struct{})
				var watches atomic.Int32
				b.store.watch = func(ctx context.Context, fn func(denylist.Event)) error {
					fn(told)
					if watches.Add(1) == 1 {
						return test.watch(ctx, unheard, fn)
					}
					return b.store.Store.Watch(ctx, fn)
				}
				alice, bob := b.join(lasting("alice")), b.join(lasting("bob"))
				synctest.Wait()
				if err := b.auth.Revoke(b.Context(), alice.token.Claims); err != nil {
					b.Fatal(err)
				}
				close(unheard)
				alice.checkEnds(wsauth.ClosePolicyViolation, beenRevoked, 0, test.within)
				bob.checkStays("bob")
				if watches.Load() == 1 {
					return // as it does until the end
				}
				if err := b.auth.Revoke(b.Context(), bob.token.Claims); err != nil {
					b.Fatal(err)
				}
				bob.checkEnds(wsauth.ClosePolicyViolation, beenRevoked, 0, 0)
			})
		})
	}
}

// TestOutage of the denylist is borne for as long as the operator wants it to be.
func TestOutage(t *testing.T) {
	t.Parallel()
	const long = 2 * time.Hour
	for _, test := range []struct {
		name        string
		tokens      paseto.Config
		cfg         setup
		look        func(context.Context, denylist.Token) (bool, error)
		outage      time.Duration
		least, most time.Duration // 0: lives on
	}{
		{"default", paseto.Config{}, setup{Config: wsauth.Config{}}, down, long, 5 * time.Minute, 5*time.Minute + 5*time.Second},
		{"configured", paseto.Config{}, setup{Config: wsauth.Config{}, live: live.Config{MaxUnchecked: 10 * time.Minute, RecheckInterval: time.Second}}, down, long,
			10 * time.Minute, 10*time.Minute + time.Second},
		{"looked at less often than that", paseto.Config{}, setup{Config: wsauth.Config{}, live: live.Config{MaxUnchecked: time.Second}}, down, long,
			time.Second, time.Minute},
		{"no answer at all", paseto.Config{}, setup{Config: wsauth.Config{}}, hangs, long, 5 * time.Minute, 6 * time.Minute},
		{"no limit", paseto.Config{}, setup{Config: wsauth.Config{}, live: live.Config{MaxUnchecked: paseto.NoLimit}}, down, long, 0, 0},
		{"fail open", paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, setup{Config: wsauth.Config{}}, down, long, 0, 0},
		{"fail open, no answer at all", paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, setup{Config: wsauth.Config{}}, hangs, long, 0, 0},
		{"over in time", paseto.Config{}, setup{Config: wsauth.Config{}}, down, 5*time.Minute - time.Second, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, test.tokens, test.cfg, echo, func(b bubble) {
				alice, anonymous := b.join(lasting("alice")), b.connect(none())
				conn := b.conn(alice)
				b.store.onLook(test.look)
				over := time.AfterFunc(test.outage, func() { b.store.onLook(nil) })
				defer over.Stop()
				if test.most > 0 {
					alice.checkEnds(wsauth.CloseTryAgainLater, unavailable, test.least, test.most)
					if cause := context.Cause(conn.Context()); !errors.Is(cause, paseto.ErrUnavailable) {
						b.Errorf("the context ended with %v, want ErrUnavailable", cause)
					}
				} else {
					time.Sleep(long)
					alice.checkStays("alice")
				}
				anonymous.checkStays("nobody")
			})
		})
	}
}

// TestOutageAgain counts from the last look that succeeded.
func TestOutageAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{}}, echo, func(b bubble) {
		alice := b.join(lasting("alice"))
		for range 10 {
			b.store.onLook(down)
			time.Sleep(4 * time.Minute)
			b.store.onLook(nil)
			time.Sleep(10 * time.Second)
		}
		alice.checkStays("alice")
		b.store.onLook(down)
		alice.checkEnds(wsauth.CloseTryAgainLater, unavailable, 4*time.Minute, 5*time.Minute+5*time.Second)
	})
}

// TestWithdrawnKey ends what it opened, at the next look.
func TestWithdrawnKey(t *testing.T) {
	t.Parallel()
	const withdrawn, minute = "Token key is no longer in use", time.Minute
	retiring := time.Hour + minute/2
	for _, test := range []struct {
		name  string
		keys  func() []paseto.Key // in force, later
		least time.Duration
	}{
		{"taken out", func() []paseto.Key { return []paseto.Key{secretKey} }, 0},
		{"its retirement is over", func() []paseto.Key {
			return []paseto.Key{secretKey, localKey.Retire(time.Now().Add(retiring))}
		}, retiring},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{}}, echo, func(b bubble) {
				signed := lasting("bob")
				signed.Purpose = paseto.Public
				alice, bob := b.join(lasting("alice")), b.join(signed)
				byTicket := b.connect(ticket(buy(b, b.auth, alice.token.Token.Reveal(), paseto.TicketGrant{})))
				renewed := b.join(paseto.Grant{Subject: "bob"})
				if err := b.conn(renewed).Renew(b.Context(), access(b, b.auth, signed)); err != nil {
					b.Fatal(err)
				}
				if err := b.auth.SetKeys(test.keys()...); err != nil {
					b.Fatal(err)
				}
				alice.checkEnds(wsauth.ClosePolicyViolation, withdrawn, test.least, test.least+minute)
				byTicket.checkEnds(wsauth.ClosePolicyViolation, withdrawn, 0, 0)
				time.Sleep(2 * minute)
				bob.checkStays("bob")
				renewed.checkStays("bob, renewed")
			})
		})
	}
}

// TestRecheckOfRenewedConnection has its token renewed while the old one is looked up,
// whose revocation is then of no interest.
func TestRecheckOfRenewedConnection(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{}}, echo, func(b bubble) {
		alice := b.join(lasting("alice"))
		conn := b.conn(alice)
		newer := access(b, b.auth, lasting("alice"))
		asked := false
		b.store.onLook(func(ctx context.Context, token denylist.Token) (bool, error) {
			if token.ID != alice.token.Claims.ID {
				return false, nil
			}
			asked = true
			if err := conn.Renew(ctx, newer); err != nil {
				b.Error(err)
			}
			return true, nil
		})
		time.Sleep(2 * time.Minute)
		alice.checkStays("alice")
		if !asked {
			b.Error("the connection is not looked at")
		}
	})
}
