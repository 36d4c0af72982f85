package paseto_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// longest is the length of the longest name that a token may have.
const longest = 4000

// TestLongNames: what verifies can be revoked, used up and counted, and a name that
// is too long for that does not verify, while the denylist is away or not.
func TestLongNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jti", "sub", "sid"} {
		for _, unit := range []string{"a", "ä", "\x00", "😀"} {
			t.Run(fmt.Sprintf("%s of %q", name, unit), func(t *testing.T) {
				t.Parallel()
				fits := strings.Repeat(unit, longest/len(unit))
				token := func(tokenType, value string) string {
					members := map[string]string{"jti": "t1", "sub": "alice", "sid": "s1"}
					members[name] = value
					return sign(fmt.Sprintf(`{"type":%q,"exp":"2099-01-01T00:00:00Z","jti":%s,"sub":%s,"sid":%s}`,
						tokenType, encode(members["jti"]), encode(members["sub"]), encode(members["sid"])), "", "")
				}
				for _, way := range []string{"token", "session", "subject"} {
					auth, _ := revocable(t, paseto.Config{MaxLength: 1 << 16, Denylist: paseto.DenylistConfig{FailOpen: true}})
					access := verify(t, auth, token("access", fits), paseto.Requirement{})
					checkNil(t, ways[way](t.Context(), auth, access))
					_, err := auth.Verify(t.Context(), token("access", fits), paseto.Requirement{})
					checkRefused(t, err, paseto.ErrRevoked, "")
				}
				auth, clock := revocable(t, paseto.Config{MaxLength: 1 << 16, Denylist: paseto.DenylistConfig{FailOpen: true}, Purpose: paseto.Public})
				refresh(t, auth, token("refresh", fits), paseto.Requirement{})
				clock.Advance(time.Minute)
				_, err := auth.Refresh(t.Context(), token("refresh", fits), paseto.Requirement{})
				checkRefused(t, err, paseto.ErrReused, "")

				tooLong := fits + unit
				_, err = auth.Verify(t.Context(), token("access", tooLong), paseto.Requirement{})
				checkRefused(t, err, paseto.ErrClaims, "")
				_, err = auth.Refresh(t.Context(), token("refresh", tooLong), paseto.Requirement{})
				checkRefused(t, err, paseto.ErrClaims, "")
				_, err = auth.RedeemTicket(t.Context(), token("ticket", tooLong), paseto.Requirement{}, paseto.TicketUse{})
				checkRefused(t, err, paseto.ErrClaims, "")
			})
		}
	}
}

// encode writes a string as JSON has it, with escapes only where they must be.
func encode(s string) string {
	return `"` + strings.ReplaceAll(s, "\x00", `\u0000`) + `"`
}

// TestLongTicketName is that of the ticket itself, which is used up by it.
func TestLongTicketName(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}})
	ticket := func(id string) string {
		return sign(fmt.Sprintf(`{"type":"ticket","jti":%q,"iat":"2030-01-02T03:04:05Z","exp":"2030-01-02T03:04:35Z","access":{%s}}`, id, valid), "", "")
	}
	token := ticket(strings.Repeat("a", longest))
	redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{})
	checkNotRedeemed(t, auth, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrTicketUsed)
	checkNotRedeemed(t, auth, ticket(strings.Repeat("a", longest+1)), paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrClaims)
	inner := fmt.Sprintf(`{"type":"ticket","jti":"t","iat":"2030-01-02T03:04:05Z","exp":"2030-01-02T03:04:35Z","access":{%s,"sub":%q}}`,
		valid, strings.Repeat("a", longest+1))
	checkNotRedeemed(t, auth, sign(inner, "", ""), paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrClaims)
}

// choosy holds no name at all, as a store of shorter names than ours would.
type choosy struct{ denylist.Store }

var errChoosy = fmt.Errorf("choosy: the name is too long: %w", denylist.ErrInvalid)

func (choosy) Revoke(context.Context, denylist.Revocation) error { return errChoosy }

func (choosy) Consume(context.Context, string, string, time.Time) (winner string, first bool, err error) {
	return "", false, errChoosy
}

func (choosy) Advance(context.Context, string, string, string, time.Time) (current string, advanced bool, err error) {
	return "", false, errChoosy
}

// choosier does not even look for one.
type choosier struct{ choosy }

func (choosier) Revoked(context.Context, denylist.Token) (bool, error) { return false, errChoosy }

// TestNameThatTheStoreRefuses is the token's fault, and no outage: it is refused for
// good, although the denylist fails open.
func TestNameThatTheStoreRefuses(t *testing.T) {
	t.Parallel()
	for _, failOpen := range []bool{false, true} {
		var seen events
		cfg := paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: failOpen}}
		issuer, _ := revocable(t, cfg)
		pair := issuePair(t, issuer, paseto.Grant{Subject: "alice"})
		ticket := issueTicket(t, issuer, pair.Access.Claims, paseto.TicketGrant{})
		memory := denylist.NewMemory()
		t.Cleanup(func() { _ = memory.Close() })
		picky := newAuthorizer(t, cfg, paseto.WithDenylist(choosier{choosy{memory}}), paseto.WithObserver(seen.observe))
		auth := newAuthorizer(t, cfg, paseto.WithDenylist(choosy{memory}), paseto.WithObserver(seen.observe))
		for name, act := range map[string]func() error{
			"verify": func() error {
				_, err := picky.Verify(t.Context(), pair.Access.Token.Reveal(), paseto.Requirement{})
				return err
			},
			"recheck": func() error { return picky.Recheck(t.Context(), pair.Access.Claims) },
			"refresh": func() error {
				_, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
				return err
			},
			"redeem": func() error {
				_, err := auth.RedeemTicket(t.Context(), ticket, paseto.Requirement{}, paseto.TicketUse{})
				return err
			},
			"revoke": func() error { return auth.Revoke(t.Context(), pair.Access.Claims) },
		} {
			err := act()
			if !errors.Is(err, paseto.ErrClaims) || !errors.Is(err, denylist.ErrInvalid) || errors.Is(err, paseto.ErrUnavailable) {
				t.Errorf("%s: error is %v, want %v", name, err, paseto.ErrClaims)
			}
		}
		for _, kind := range seen.kinds() {
			if kind == paseto.EventDenylistFailed || kind == paseto.EventDenylistBypassed {
				t.Errorf("event %s, although the denylist works", kind)
			}
		}
	}
}
