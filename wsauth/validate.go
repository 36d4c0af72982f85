package wsauth

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/internal/urlpath"
	"github.com/pasetokit/pasetokit/paseto"
)

// validate reports everything that is wrong with a configuration whose
// defaults are filled in, origins excepted.
func (c Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s", paseto.ErrConfig, fmt.Sprintf(format, args...)))
	}
	if err := locate.ValidateLocations(c.Locations, locate.HandshakeLocation); err != nil {
		bad("Locations: %s", err.Message)
	}
	for _, n := range []struct{ field, name string }{{"HeaderName", c.HeaderName}, {"CookieName", c.CookieName}, {"RefreshCookieName", c.RefreshCookieName}} {
		if !locate.IsToken(n.name) {
			bad("%s %.64q is not the name of a header or cookie", n.field, n.name)
		}
	}
	for _, s := range []struct{ field, scheme string }{{"HeaderScheme", c.HeaderScheme}, {"QueryPrefix", c.QueryPrefix}} {
		if !locate.IsScheme(s.scheme) {
			bad("%s %.64q has a space or other separator in it", s.field, s.scheme)
		}
	}
	if c.TicketKey == c.QueryKey && slices.Contains(c.Locations, Query) && slices.Contains(c.Locations, Ticket) {
		bad("TicketKey and QueryKey are the same")
	}
	if err := urlpath.ValidatePrefix(c.PathPrefix); err != nil {
		bad("PathPrefix %.64q: %s", c.PathPrefix, err)
	}
	if err := origin.ValidateScheme(c.PublicScheme); err != nil {
		bad("PublicScheme %s", err)
	}
	for _, protocol := range c.Subprotocols {
		if !validProtocol(protocol) {
			bad("Subprotocols: %.64q is not a subprotocol of an application", protocol)
		}
	}
	if !locate.IsRealm(c.Realm) {
		bad("Realm is not printable ASCII without quotes and backslashes")
	}
	for _, choice := range []struct {
		field, value string
		of           []string
	}{
		{"Reject", string(c.Reject), []string{string(RejectClose), string(RejectHTTP)}},
		{"RenewFailure", string(c.RenewFailure), []string{string(RenewFailureKeeps), string(RenewFailureCloses)}},
		{"CloseCodes", string(c.CloseCodes), []string{string(StandardCodes), string(PrivateCodes)}},
		{"Limits.OnExcess", string(c.Limits.OnExcess), []string{string(RejectNewest), string(ReplaceOldest)}},
	} {
		if !slices.Contains(choice.of, choice.value) {
			bad("%s is %.16q; expected %q or %q", choice.field, choice.value, choice.of[0], choice.of[1])
		}
	}
	if c.ShutdownCode != CloseGoingAway && c.ShutdownCode != CloseServiceRestart {
		bad("ShutdownCode is %d; expected %d or %d", c.ShutdownCode, CloseGoingAway, CloseServiceRestart)
	}
	c.validateNumbers(bad)
	return errors.Join(errs...)
}

// validateNumbers reports what is out of its range.
func (c Config) validateNumbers(bad func(format string, args ...any)) {
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"ReadLimit", c.ReadLimit}, {"SendQueue", int64(c.SendQueue)}, {"ShutdownRate", int64(c.ShutdownRate)},
		{"Limits.Connections", int64(c.Limits.Connections)}, {"Limits.PerSubject", int64(c.Limits.PerSubject)},
		{"Limits.Pending", int64(c.Limits.Pending)},
		{"Limits.PendingPerAddress", int64(c.Limits.PendingPerAddress)}, {"Limits.HandshakesPerMinute", int64(c.Limits.HandshakesPerMinute)},
		{"Limits.FailuresPerMinute", int64(c.Limits.FailuresPerMinute)}, {"MaxLifetime", int64(c.MaxLifetime)},
		{"WriteTimeout", int64(c.WriteTimeout)}, {"CloseTimeout", int64(c.CloseTimeout)},
		{"MessageTimeout", int64(c.MessageTimeout)}, {"RenewInterval", int64(c.RenewInterval)},
	} {
		if n.value < 0 {
			bad("%s is negative; expected 0 (for the default) or more", n.name)
		}
	}
	for _, d := range []struct {
		name        string
		value, none time.Duration // none: the value that lifts it, 0 if there is none
		least       time.Duration
	}{
		{"PingInterval", c.PingInterval, NoPing, time.Millisecond},
		{"MaxUnchecked", c.MaxUnchecked, NoLimit, time.Millisecond},
		{"RecheckInterval", c.RecheckInterval, 0, time.Millisecond},
		{"Limits.LeaseTTL", c.Limits.LeaseTTL, 0, time.Second},
	} {
		if d.value < d.least && (d.none == 0 || d.value != d.none) {
			bad("%s is %s; expected 0 (for the default), or %s or more", d.name, d.value, d.least)
		}
	}
	const year = 365 * 24 * time.Hour // what is longer is a mistake, or does not fit into a time
	for _, d := range []struct {
		name        string
		value, most time.Duration
	}{
		{"MaxLifetime", c.MaxLifetime, 100 * year}, {"MaxUnchecked", c.MaxUnchecked, 100 * year},
		{"MessageTimeout", c.MessageTimeout, year}, {"RenewInterval", c.RenewInterval, year},
		{"PingInterval", c.PingInterval, year}, {"RecheckInterval", c.RecheckInterval, year},
		{"Limits.LeaseTTL", c.Limits.LeaseTTL, year},
	} {
		if d.value > d.most {
			bad("%s is %s; expected at most %s", d.name, d.value, d.most)
		}
	}
}
