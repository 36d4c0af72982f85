package paseto_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/paseto"
)

// hostile is what somebody might put into a claim to spoil a log.
var hostile = strings.Repeat("\x1b[2J\u202e\n", 10_000)

// checkTame checks that a text is short, and has no character that a terminal obeys.
func checkTame(t *testing.T, text string, most int) {
	t.Helper()
	if len(text) > most || strings.ContainsAny(text, "\x1b\u202e\n") {
		t.Errorf("the text has %d bytes, want at most %d: %.2000q", len(text), most, text)
	}
}

// TestClaimsInLog are cut, each by itself.
func TestClaimsInLog(t *testing.T) {
	t.Parallel()
	claims := &paseto.Claims{Subject: hostile, Type: hostile, ID: hostile, Session: hostile}
	for name, value := range map[string]slog.LogValuer{
		"claims": claims,
		"issued": paseto.Issued{Claims: claims},
	} {
		attrs := value.LogValue().Resolve().Group()
		if len(attrs) != 4 {
			t.Fatalf("%s: there are %d attributes, want 4", name, len(attrs))
		}
		for _, a := range attrs {
			checkTame(t, a.Value.String(), 200)
		}
	}
}

// TestClaimsInErrors are cut as well.
func TestClaimsInErrors(t *testing.T) {
	t.Parallel()
	text := func(s string) string { return strings.Trim(fmt.Sprintf("%+q", s), `"`) } // also an escape of JSON, but for \x
	odd := strings.ReplaceAll(text(hostile), `\x1b`, `\u001b`)
	auth := newAuthorizer(t, paseto.Config{RequireIssuer: "here", RequireAudience: []string{"here"}, MaxLength: 1 << 20})
	for _, test := range []struct {
		name, payload string
		req           paseto.Requirement
	}{
		{"iss", `{"exp":"2031-01-01T00:00:00Z","iss":"` + odd + `"}`, paseto.Requirement{}},
		{"aud", `{"exp":"2031-01-01T00:00:00Z","iss":"here","aud":["a","` + odd + `"]}`, paseto.Requirement{}},
		{"many aud", `{"exp":"2031-01-01T00:00:00Z","iss":"here","aud":["a"` + strings.Repeat(`,"b"`, 10_000) + `]}`, paseto.Requirement{}},
		{"time", `{"exp":"` + odd + `"}`, paseto.Requirement{}},
		{"number", `{"exp":` + strings.Repeat("9", 100_000) + `}`, paseto.Requirement{}},
		{"sub is a number", `{"exp":"2031-01-01T00:00:00Z","sub":` + strings.Repeat("9", 100_000) + `}`, paseto.Requirement{}},
		{"member twice", `{"` + odd + `":1,"` + odd + `":2}`, paseto.Requirement{}},
		{"type", `{"exp":"2031-01-01T00:00:00Z","iss":"here","aud":"here","type":"` + odd + `"}`, paseto.Requirement{}},
		{"scope", `{"exp":"2031-01-01T00:00:00Z","iss":"here","aud":"here","type":"access","scope":"` + strings.Repeat("a ", 100_000) + `b"}`,
			paseto.Requirement{Scopes: []string{"admin"}}},
		{"check", `{"exp":"2031-01-01T00:00:00Z","iss":"here","aud":"here","type":"access","sub":"alice"}`,
			paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return errors.New(hostile) }}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := auth.Verify(t.Context(), sign(test.payload, "", ""), test.req)
			if err == nil {
				t.Fatal("the token is accepted")
			}
			checkTame(t, err.Error(), 1000)
		})
	}
}

// TestLogOfFailures says of each kind of failure what it is, 20 times a minute, and how
// often there was one besides.
func TestLogOfFailures(t *testing.T) {
	t.Parallel()
	const most, times = 20, 500
	down := paseto.WithDenylist(&failing{err: errDown})
	for _, test := range []struct {
		msg  string
		cfg  paseto.Config
		opt  paseto.Option
		does func(*testing.T, *paseto.Authorizer)
	}{
		{"denylist cannot be asked; token refused", paseto.Config{}, down, func(t *testing.T, auth *paseto.Authorizer) {
			t.Helper()
			_, _ = auth.Verify(t.Context(), issueAccess(t, auth, paseto.Grant{Subject: hostile[:100]}).Token.Reveal(), paseto.Requirement{})
		}},
		{"denylist cannot be asked; token accepted unchecked", paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, down, func(t *testing.T, auth *paseto.Authorizer) {
			t.Helper()
			_, _ = auth.Verify(t.Context(), issueAccess(t, auth, paseto.Grant{}).Token.Reveal(), paseto.Requirement{})
		}},
		{"revocation could not be recorded", paseto.Config{}, down, func(t *testing.T, auth *paseto.Authorizer) {
			t.Helper()
			_ = auth.RevokeSession(t.Context(), "s1")
		}},
		{"keys cannot be had", paseto.Config{}, paseto.WithKeySource(&source{err: errDown}), func(t *testing.T, auth *paseto.Authorizer) {
			t.Helper()
			_, _ = auth.Verify(t.Context(), remote(t, otherLocal, paseto.Grant{}), paseto.Requirement{})
		}},
	} {
		t.Run(test.msg, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			log := new(testlog.Buffer)
			auth := newAuthorizer(t, test.cfg, test.opt, paseto.WithClock(c.Now), paseto.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
			for range times {
				test.does(t, auth)
			}
			if lines := strings.Count(log.String(), "\n"); lines != most {
				t.Errorf("%d lines are logged, want %d", lines, most)
			}
			c.Advance(time.Minute)
			test.does(t, auth)
			for line := range strings.Lines(log.String()) {
				checkTame(t, strings.TrimSuffix(line, "\n"), 2000)
			}
			if want := fmt.Sprintf("level=ERROR msg=\"lines left out\" of=%q lines=%d\n", test.msg, times-most); !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s", want)
			}
		})
	}
}

// TestLogOfReuses has a share for each subject: nobody can keep the theft of another's
// token out of the log by reusing tokens of their own.
func TestLogOfReuses(t *testing.T) {
	t.Parallel()
	log := new(testlog.Buffer)
	c := newClock()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now), paseto.WithDenylist(denylist.NewMemory(denylist.WithClock(c.Now))),
		paseto.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	reuse := func(subject string, times int) {
		t.Helper()
		var tokens []string
		for range times {
			token := issuePair(t, auth, paseto.Grant{Subject: subject}).Refresh.Token.Reveal()
			refresh(t, auth, token, paseto.Requirement{})
			tokens = append(tokens, token)
		}
		c.Advance(10 * time.Second)
		for _, token := range tokens {
			_, err := auth.Refresh(t.Context(), token, paseto.Requirement{})
			checkRefused(t, err, paseto.ErrReused, "")
		}
	}
	reuse("mallory", 25)
	reuse("alice", 1)
	c.Advance(time.Minute)
	reuse("bob", 1)
	const msg = `msg="refresh token reused; session revoked"`
	for text, want := range map[string]int{msg: 22, "sub=alice": 1, `of="refresh token reused; session revoked" lines=5 about=mallory`: 1} {
		if got := strings.Count(log.String(), text); got != want {
			t.Errorf("%q is in the log %d times, want %d", text, got, want)
		}
	}
}
