package wsauth_test

import (
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestFloodOfRenewals is let through five at once, and one in each interval.
func TestFloodOfRenewals(t *testing.T) {
	t.Parallel()
	const interval = time.Minute
	for _, way := range ways() {
		for name, token := range map[string]func(bubble) string{
			"with good tokens": func(b bubble) string { return access(b, b.auth, lasts(2*time.Hour)) },
			"with bad ones":    func(bubble) string { return "garbage" },
		} {
			t.Run(name+" "+way.name, func(t *testing.T) {
				t.Parallel()
				cfg := way.config
				cfg.live.RenewInterval = interval
				inBubble(t, paseto.Config{}, cfg, renewing, func(b bubble) {
					client := b.call(bearer(access(b, b.auth, anHour)), true)
					renewal := way.with(token(b))
					for _, step := range []struct {
						after  time.Duration
						passed int
					}{{0, 5}, {interval, 1}, {interval / 2, 0}, {interval / 2, 1}, {3 * interval, 3}, {100 * interval / 2, 5}} {
						client.checkLives(step.after)
						for n := range 10 {
							client.say(renewal)
							got := client.hearAnswer()
							if limited := got.Code == live.ErrRenewals; limited != (n >= step.passed) {
								t.Errorf("after %s renewal %d is answered %+v, want %d to pass", step.after, n+1, got, step.passed)
							}
						}
					}
					client.checkEcho()
				})
			})
		}
	}
}

// TestFloodOfRenewalsCloses where a refusal does.
func TestFloodOfRenewalsCloses(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{RenewMessages: true}, live: live.Config{RenewFailure: live.RenewFailureEnds}}).Require(paseto.Requirement{}, renewing))
	token := issued(t, auth, anHour)
	ws := connect(t, srv, bearer(token.Token.Reveal()))
	for range 5 {
		say(t, ws, authMessage(token.Token.Reveal()))
		checkAccepted(t, ws, token.Claims.ExpiresAt)
	}
	say(t, ws, authMessage(token.Token.Reveal()))
	checkClosed(t, ws, wsauth.ClosePolicyViolation, live.ErrRenewals.Message())
}

// TestEndlessFloodOfRenewals closes a connection whose client does not listen, whatever
// else a refusal does.
func TestEndlessFloodOfRenewals(t *testing.T) {
	t.Parallel()
	const excess = 100
	for _, way := range ways() {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, paseto.Config{}, way.config, renewing, func(b bubble) {
				client := b.call(bearer(access(b, b.auth, anHour)), true)
				for range 3 { // one that is not too many begins the count anew
					for range 5 + excess - 1 {
						client.say(way.with("garbage"))
						client.hearAnswer()
					}
					client.checkLives(5 * 10 * time.Second)
				}
				for range 5 + excess - 1 {
					client.say(way.with("garbage"))
					client.hearAnswer()
				}
				client.say(way.with("garbage"))
				client.checkEnd(wsauth.ClosePolicyViolation, live.ErrRenewals.Message())
			})
		})
	}
}
