package paseto_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	const month, quarter = 30 * 24 * time.Hour, 90 * 24 * time.Hour
	for _, test := range []struct {
		name               string
		cfg                paseto.Config
		maxTTL, sessionTTL time.Duration
	}{
		{"zero", paseto.Config{}, month, quarter},
		{"long access", paseto.Config{AccessTTL: 9000 * time.Hour}, 9000 * time.Hour, 9000 * time.Hour},
		{"all shorter", paseto.Config{AccessTTL: 1 * time.Second, RefreshTTL: time.Hour, OtherTTL: time.Minute}, time.Hour, quarter},
		{"without expiry", paseto.Config{OtherTTL: paseto.NoExpiry, AllowNoExpiry: true}, paseto.NoExpiry, paseto.NoExpiry},
		{"given", paseto.Config{MaxTTL: 9000 * time.Hour}, 9000 * time.Hour, 9000 * time.Hour},
		{"none given", paseto.Config{MaxTTL: paseto.NoExpiry}, paseto.NoExpiry, paseto.NoExpiry},
		{"session given", paseto.Config{SessionTTL: time.Hour}, month, time.Hour},
		{"session given, tokens without bound", paseto.Config{MaxTTL: paseto.NoExpiry, SessionTTL: time.Hour}, paseto.NoExpiry, time.Hour},
		{"session without end", paseto.Config{SessionTTL: paseto.NoExpiry}, month, paseto.NoExpiry},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := newAuthorizer(t, test.cfg).Config()
			if got.MaxTTL != test.maxTTL {
				t.Errorf("MaxTTL is %s, want %s", got.MaxTTL, test.maxTTL)
			}
			if got.SessionTTL != test.sessionTTL {
				t.Errorf("SessionTTL is %s, want %s", got.SessionTTL, test.sessionTTL)
			}
		})
	}
	cfg := newAuthorizer(t, paseto.Config{}).Config()
	if cfg.Version != paseto.V4 || cfg.Purpose != paseto.Local || cfg.MaxLength != 8192 || cfg.Leeway != 0 ||
		cfg.StartLeeway != 5*time.Second {
		t.Errorf("defaults are %+v", cfg)
	}
	if cfg.AccessTTL != 15*time.Minute || cfg.RefreshTTL != 30*24*time.Hour || cfg.OtherTTL != 30*24*time.Hour {
		t.Errorf("default lifetimes are %s, %s, %s", cfg.AccessTTL, cfg.RefreshTTL, cfg.OtherTTL)
	}
	if cfg.RefreshGrace != 10*time.Second || cfg.TicketTTL != 30*time.Second {
		t.Errorf("default grace and lifetime of tickets are %s and %s", cfg.RefreshGrace, cfg.TicketTTL)
	}
	if got := newAuthorizer(t, paseto.Config{RefreshGrace: paseto.NoGrace}).Config().RefreshGrace; got != paseto.NoGrace {
		t.Errorf("no grace becomes %s", got)
	}
	if !slices.Equal(cfg.Denylist.Check, []string{"access", "refresh"}) {
		t.Errorf("default Denylist.Check is %q", cfg.Denylist.Check)
	}
}

func TestConfigIsTheAuthorizersOwn(t *testing.T) {
	t.Parallel()
	given := paseto.Config{
		Keys: []paseto.Key{localKey}, Audience: []string{"web"}, RequireAudience: []string{"web"}, Denylist: paseto.DenylistConfig{Check: []string{"access"}},
	}
	auth := newAuthorizer(t, given)
	for _, cfg := range []paseto.Config{given, auth.Config()} {
		cfg.Keys[0], cfg.Audience[0], cfg.RequireAudience[0], cfg.Denylist.Check[0] = paseto.Key{}, "x", "x", "x"
	}
	got := auth.Config()
	if !auth.CanIssue() || got.Audience[0] != "web" || got.RequireAudience[0] != "web" || got.Denylist.Check[0] != "access" {
		t.Errorf("configuration changed from outside to %+v", got)
	}
}

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	keys := []paseto.Key{localKey}
	for _, test := range []struct {
		name string
		cfg  paseto.Config
		why  []string
	}{
		{"no key", paseto.Config{}, []string{"Keys is empty"}},
		{"zero key", paseto.Config{Keys: []paseto.Key{localKey, {}}}, []string{"Keys[1]"}},
		{"too many keys", paseto.Config{Keys: slices.Repeat(keys, 33)}, []string{"Keys has 33"}},
		{"version", paseto.Config{Keys: keys, Version: "v5"}, []string{"Version", "v5", "expected one of v2, v3, v4"}},
		{"version 1", paseto.Config{Keys: keys, Version: "v1"}, []string{"v1 rests on RSA", "RSA"}},
		{"version in capitals", paseto.Config{Keys: keys, Version: "V4"}, []string{"Version", "V4"}},
		{"purpose", paseto.Config{Keys: keys, Purpose: "secret"}, []string{"Purpose", "secret"}},
		{"short access", paseto.Config{Keys: keys, AccessTTL: time.Millisecond}, []string{"AccessTTL", "1s to "}},
		{"negative refresh", paseto.Config{Keys: keys, RefreshTTL: -time.Hour}, []string{"RefreshTTL", "1s to "}},
		{"short other", paseto.Config{Keys: keys, OtherTTL: 999 * time.Millisecond}, []string{"OtherTTL", "1s to "}},
		{"negative longest", paseto.Config{Keys: keys, MaxTTL: -time.Hour}, []string{"MaxTTL", "1s to "}},
		{"access without expiry", paseto.Config{Keys: keys, AccessTTL: paseto.NoExpiry}, []string{"AccessTTL", "AllowNoExpiry"}},
		{"refresh without expiry", paseto.Config{Keys: keys, RefreshTTL: paseto.NoExpiry}, []string{"RefreshTTL", "AllowNoExpiry"}},
		{"other without expiry", paseto.Config{Keys: keys, OtherTTL: paseto.NoExpiry}, []string{"OtherTTL", "AllowNoExpiry"}},
		{"refresh longer than the longest", paseto.Config{Keys: keys, MaxTTL: time.Hour, OtherTTL: time.Hour}, []string{"RefreshTTL = 720h", "MaxTTL, 1h"}},
		{
			"without expiry longer than the longest",
			paseto.Config{Keys: keys, AllowNoExpiry: true, OtherTTL: paseto.NoExpiry, MaxTTL: 9000 * time.Hour},
			[]string{"OtherTTL = none", "MaxTTL"},
		},
		{"short session", paseto.Config{Keys: keys, SessionTTL: time.Second - 1}, []string{"SessionTTL = 999.999999ms", "1s to "}},
		{"negative session", paseto.Config{Keys: keys, SessionTTL: -time.Hour}, []string{"SessionTTL", "1s to "}},
		{"long session", paseto.Config{Keys: keys, SessionTTL: 101 * 365 * 24 * time.Hour}, []string{"SessionTTL", "to 100 years"}},
		{"negative grace", paseto.Config{Keys: keys, RefreshGrace: -2}, []string{"RefreshGrace = -2ns", "to 5m", "-1 for none"}},
		{"negative refreshes", paseto.Config{Keys: keys, RefreshesPerMinute: -2}, []string{"RefreshesPerMinute = -2", "to 60", "-1 for none"}},
		{"too many refreshes", paseto.Config{Keys: keys, RefreshesPerMinute: 61}, []string{"RefreshesPerMinute = 61", "to 60"}},
		{"long grace", paseto.Config{Keys: keys, RefreshGrace: 5*time.Minute + 1}, []string{"RefreshGrace = 5m0.000000001s", "to 5m"}},
		{"short tickets", paseto.Config{Keys: keys, TicketTTL: time.Second - 1}, []string{"TicketTTL = 999.999999ms", "1s to "}},
		{"long tickets", paseto.Config{Keys: keys, TicketTTL: 30*time.Second + 1}, []string{"TicketTTL = 30.000000001s", "to 30s"}},
		{"tickets without expiry", paseto.Config{Keys: keys, AllowNoExpiry: true, TicketTTL: paseto.NoExpiry}, []string{"TicketTTL", "to 30s"}},
		{"start leeway", paseto.Config{Keys: keys, StartLeeway: -2}, []string{"StartLeeway", "-1 for none"}},
		{"long start leeway", paseto.Config{Keys: keys, StartLeeway: 25 * time.Hour}, []string{"StartLeeway", "24h"}},
		{"leeway", paseto.Config{Keys: keys, Leeway: -1}, []string{"Leeway"}},
		{"length", paseto.Config{Keys: keys, MaxLength: -1}, []string{"MaxLength"}},
		{
			"everything at once",
			paseto.Config{Version: "v1", Purpose: "x", AccessTTL: 1, SessionTTL: 1, RefreshGrace: -2, TicketTTL: 1, Leeway: -1, MaxLength: -1},
			[]string{"Version", "Purpose", "Keys", "AccessTTL", "SessionTTL", "RefreshGrace", "TicketTTL", "Leeway", "MaxLength"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, err := paseto.New(test.cfg)
			if auth != nil || !errors.Is(err, paseto.ErrConfig) {
				t.Fatalf("error is %v, want %v alone", err, paseto.ErrConfig)
			}
			for _, why := range test.why {
				if !strings.Contains(err.Error(), why) {
					t.Errorf("error %q does not name %s", err, why)
				}
			}
		})
	}
}

func TestConfigAccepted(t *testing.T) {
	t.Parallel()
	keys := []paseto.Key{localKey}
	for name, cfg := range map[string]paseto.Config{
		"as many keys as allowed": {Keys: slices.Repeat(keys, 32)},
		"a second":                {Keys: keys, AccessTTL: time.Second},
		"without expiry":          {Keys: keys, AllowNoExpiry: true, AccessTTL: paseto.NoExpiry, RefreshTTL: paseto.NoExpiry},
		"no bound":                {Keys: keys, MaxTTL: paseto.NoExpiry},
		"session of a second":     {Keys: keys, SessionTTL: time.Second},
		"session without end":     {Keys: keys, SessionTTL: paseto.NoExpiry},
		"no refresh limit":        {Keys: keys, RefreshesPerMinute: paseto.NoRefreshLimit},
		"no grace":                {Keys: keys, RefreshGrace: paseto.NoGrace},
		"longest grace":           {Keys: keys, RefreshGrace: 5 * time.Minute},
		"tickets of a second":     {Keys: keys, TicketTTL: time.Second},
		"longest tickets":         {Keys: keys, TicketTTL: 30 * time.Second},
		"version 2":               {Keys: keys, Version: paseto.V2},
		"version 3":               {Keys: keys, Version: paseto.V3},
	} {
		if _, err := paseto.New(cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNilOptions gives nil for every collaborator, which means its default.
func TestNilOptions(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]paseto.Option{
		"option":   nil,
		"denylist": paseto.WithDenylist(nil),
		"clock":    paseto.WithClock(nil),
		"logger":   paseto.WithLogger(nil),
		"observer": paseto.WithObserver(nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("panic: %v", r)
				}
			}()
			auth, err := paseto.New(
				paseto.Config{Keys: []paseto.Key{localKey}}, paseto.WithDenylist(&failing{err: errors.New("down")}), option)
			if err != nil {
				t.Fatal(err)
			}
			_, err = auth.Verify(t.Context(), issueAccess(t, auth, paseto.Grant{}).Token.Reveal(), paseto.Requirement{})
			if name != "denylist" && !errors.Is(err, paseto.ErrUnavailable) || name == "denylist" && err != nil {
				t.Errorf("error is %v", err)
			}
			if auth.CanRevoke() == (name == "denylist") {
				t.Errorf("CanRevoke is %t", auth.CanRevoke())
			}
		})
	}
}

func TestNow(t *testing.T) {
	t.Parallel()
	if got := newAuthorizer(t, paseto.Config{}).Now(); !got.Equal(start) {
		t.Errorf("Now is %s, want %s", got, start)
	}
}

func TestRequirementValidate(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := issueAccess(t, auth, paseto.Grant{Fresh: true}).Token.Reveal()
	for _, test := range []struct {
		name string
		req  paseto.Requirement
		ok   bool
	}{
		{"zero", paseto.Requirement{}, true},
		{"fresh", paseto.Requirement{Fresh: true}, true},
		{"fresh and access", paseto.Requirement{Fresh: true, Type: paseto.TypeAccess}, true},
		{"fresh and refresh", paseto.Requirement{Fresh: true, Type: paseto.TypeRefresh}, false},
		{"fresh and another type", paseto.Requirement{Fresh: true, Type: "other"}, false},
		{"empty scope", paseto.Requirement{Scopes: []string{""}}, false},
		{"scope with a space", paseto.Requirement{Scopes: []string{"a b"}}, false},
		{"ticket", paseto.Requirement{Type: paseto.TypeTicket}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.req.Validate()
			if test.ok {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, paseto.ErrRequirement) {
				t.Errorf("error is %v, want %v", err, paseto.ErrRequirement)
			}
			test.req.Optional = true // which lets no one in by mistake
			if _, err := auth.Verify(t.Context(), token, test.req); !errors.Is(err, paseto.ErrRequirement) {
				t.Errorf("error of Verify is %v, want %v", err, paseto.ErrRequirement)
			}
		})
	}
}
