package paseto_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestSchemeLeftBefore has a token with the scheme of its header before it: what
// the client is told is what it was, and the cause says what to do.
func TestSchemeLeftBefore(t *testing.T) {
	t.Parallel()
	const hint = "scheme"
	auth, _ := revocable(t, paseto.Config{})
	plain := issueAccess(t, auth, paseto.Grant{}).Token.Reveal()
	wrapped := issueAccess(t, auth, paseto.Grant{Base64: true}).Token.Reveal()
	for name, test := range map[string]struct {
		token string
		req   paseto.Requirement
		want  paseto.Code
		hint  bool
	}{
		"Bearer":            {"Bearer " + plain, paseto.Requirement{}, paseto.ErrVersion, true},
		"tab":               {"bearer\t" + plain, paseto.Requirement{}, paseto.ErrVersion, true},
		"spaces":            {" PASETO   " + plain, paseto.Requirement{}, paseto.ErrVersion, true},
		"header":            {"Authorization: Bearer " + plain, paseto.Requirement{}, paseto.ErrVersion, true},
		"wrapped":           {"Bearer " + wrapped, paseto.Requirement{Base64: true}, paseto.ErrBase64, true},
		"wrapped, unwanted": {"Bearer " + wrapped, paseto.Requirement{}, paseto.ErrMalformed, true},
		"plain for wrapped": {"Bearer " + plain, paseto.Requirement{Base64: true}, paseto.ErrBase64, true},
		"other version":     {"v9" + plain[2:], paseto.Requirement{}, paseto.ErrVersion, false},
		"not a token":       {"Bearer of.bad.news", paseto.Requirement{}, paseto.ErrVersion, false},
	} {
		message := test.want.Message()
		if test.want == paseto.ErrVersion {
			message = "Invalid PASETO version"
			if !test.hint && name == "other version" {
				message += " v9"
			}
		}
		verify := func(token string) error {
			_, err := auth.Verify(t.Context(), token, test.req)
			return err
		}
		redeem := func(token string) error {
			_, err := auth.RedeemTicket(t.Context(), token, test.req, paseto.TicketUse{})
			return err
		}
		for method, err := range map[string]error{"Verify": verify(test.token), "RedeemTicket": redeem(test.token)} {
			if method == "RedeemTicket" && test.req.Base64 { // a ticket is never wrapped
				continue
			}
			checkRefused(t, err, test.want, message)
			refusal, _ := errors.AsType[*paseto.Error](err)
			if got := refusal.Cause != nil && strings.Contains(refusal.Cause.Error(), hint); got != test.hint {
				t.Errorf("%s, %s: the cause is %v", method, name, refusal.Cause)
			}
			for _, part := range []string{plain[9:20], wrapped[9:20]} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%s, %s: the error shows the token: %v", method, name, err)
				}
			}
		}
	}
}
