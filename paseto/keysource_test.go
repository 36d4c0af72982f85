package paseto_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// question is what a source of keys is asked.
type question struct {
	version paseto.Version
	purpose paseto.Purpose
	kid     string
}

// source answers with the same keys or error each time.
type source struct {
	keys []paseto.Key
	err  error

	mu    sync.Mutex
	asked []question
}

func (s *source) Keys(_ context.Context, version paseto.Version, purpose paseto.Purpose, kid string) ([]paseto.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, question{version, purpose, kid})
	return s.keys, s.err
}

// take returns the questions since the last call.
func (s *source) take() []question {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// remote issues a token with a key that only a source knows.
func remote(t testing.TB, key paseto.Key, g paseto.Grant) string {
	t.Helper()
	auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{key}, Version: key.Version(), Purpose: key.Purpose()})
	return issueAccess(t, auth, g).Token.Reveal()
}

func TestKeySource(t *testing.T) {
	t.Parallel()
	for _, kind := range everyKind {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			version, purpose := kind.version, kind.purpose
			key := newKeys(t, version, purpose, 1)[0]
			opens := key
			if purpose == paseto.Public {
				opens = must(key.PublicKey())
			}
			src := &source{keys: []paseto.Key{opens}}
			for name, keys := range map[string][]paseto.Key{"beside keys": everyKey(t), "alone": {}} {
				auth := newAuthorizer(t, paseto.Config{Keys: keys}, paseto.WithKeySource(src))
				for footer, kid := range map[any]string{nil: key.KeyID(), "": "", `{"kid":"1"}`: "1", "text": ""} {
					claims := verify(t, auth, remote(t, key, paseto.Grant{Subject: "alice", Footer: footer}), paseto.Requirement{})
					if claims.Subject != "alice" || claims.Version != version || claims.Purpose != purpose {
						t.Errorf("%s: verified is %s", name, says(t, claims))
					}
					if got, want := src.take(), []question{{version, purpose, kid}}; !slices.Equal(got, want) {
						t.Errorf("%s: the source is asked %v, want %v", name, got, want)
					}
				}
			}
		})
	}
}

// TestKeySourceIsAskedLast has tokens that keys of the ring open: the source is
// not asked about them, and need not work.
func TestKeySourceIsAskedLast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		footer any
	}{
		{"with a kid", nil}, {"without a kid", ""}, {"with the issuer's own kid", `{"kid":"1"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			src := &source{err: errors.New("down")}
			auth := newAuthorizer(t, paseto.Config{}, paseto.WithKeySource(src))
			for _, purpose := range purposes {
				token := issueAccess(t, auth, paseto.Grant{Purpose: purpose, Footer: test.footer}).Token.Reveal()
				if _, err := auth.Verify(t.Context(), token, paseto.Requirement{}); err != nil {
					t.Errorf("%s: a key of the ring opens it, and it is refused: %v", purpose, err)
				}
			}
			if got := src.take(); len(got) != 0 {
				t.Errorf("the source is asked %v", got)
			}
		})
	}
}

// TestKeySourceIsNotAsked has tokens that no key can be for.
func TestKeySourceIsNotAsked(t *testing.T) {
	t.Parallel()
	src := &source{keys: []paseto.Key{localKey}}
	for _, keys := range [][]paseto.Key{everyKey(t), {}} {
		auth := newAuthorizer(t, paseto.Config{Keys: keys}, paseto.WithKeySource(src))
		for _, test := range []struct {
			token    string
			sentinel error
			message  string
		}{
			{"", paseto.ErrNoToken, ""},
			{"v1.local.AAAA", paseto.ErrVersion, "Invalid PASETO version v1"},
			{"v1.public.AAAA", paseto.ErrVersion, "Invalid PASETO version v1"},
			{"v5.local.AAAA", paseto.ErrVersion, "Invalid PASETO version v5"},
			{"v4.other.AAAA", paseto.ErrPurpose, "Invalid PASETO purpose other"},
			{"v4.local.%%%%", paseto.ErrMalformed, ""},
			{"v4.local.AAAA." + strings.Repeat("A", 2800), paseto.ErrMalformed, ""},
			{strings.Repeat("A", 9000), paseto.ErrMalformed, ""},
		} {
			_, err := auth.Verify(t.Context(), test.token, paseto.Requirement{})
			refusal, _ := errors.AsType[*paseto.Error](err)
			if !errors.Is(err, test.sentinel) || test.message != "" && refusal.Message != test.message {
				t.Errorf("%d keys, %.16q: error is %v, want %v %s", len(keys), test.token, err, test.sentinel, test.message)
			}
		}
	}
	if got := src.take(); len(got) != 0 {
		t.Errorf("the source is asked %v", got)
	}
}

func TestKeySourceDown(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection refused")
	var log bytes.Buffer
	var seen events
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithKeySource(&source{err: cause, keys: []paseto.Key{otherLocal}}),
		paseto.WithLogger(slog.New(slog.NewTextHandler(&log, nil))), paseto.WithObserver(seen.observe))
	token := remote(t, otherLocal, paseto.Grant{})
	for _, optional := range []bool{false, true} {
		claims, err := auth.Verify(t.Context(), token, paseto.Requirement{Optional: optional})
		checkRefused(t, err, paseto.ErrKeysUnavailable, "")
		if claims != nil || !errors.Is(err, cause) {
			t.Errorf("optional %t: claims are %v, error %v", optional, claims, err)
		}
		if all := seen.take(); len(all) != 1 || all[0].Kind != paseto.EventRefused || all[0].Err != err {
			t.Errorf("optional %t: events are %v", optional, all)
		}
	}
	if got := log.String(); !strings.Contains(got, "connection refused") || strings.Contains(got, token[9:40]) {
		t.Errorf("the log is %s", got)
	}
	if claims, err := auth.Verify(t.Context(), "", paseto.Requirement{Optional: true}); err != nil || !claims.Anonymous() {
		t.Errorf("without a token: claims %v, error %v, want an anonymous caller", claims, err)
	}
}

// waiting answers when the context ends.
type waiting struct{}

func (waiting) Keys(ctx context.Context, _ paseto.Version, _ paseto.Purpose, _ string) ([]paseto.Key, error) {
	<-ctx.Done()
	return nil, errors.New("gave up")
}

func TestKeySourceCanceled(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithKeySource(waiting{}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, optional := range []bool{false, true} {
		claims, err := auth.Verify(ctx, remote(t, otherLocal, paseto.Grant{}), paseto.Requirement{Optional: optional})
		if _, refused := errors.AsType[*paseto.Error](err); claims != nil || refused || !errors.Is(err, context.Canceled) {
			t.Errorf("optional %t: claims are %v, error %v, want %v", optional, claims, err, context.Canceled)
		}
	}
}

func TestKeySourceKeysThatAreNotTried(t *testing.T) {
	t.Parallel()
	wrong := newKeys(t, paseto.V4, paseto.Local, 40)
	token := remote(t, otherLocal, paseto.Grant{})
	for _, test := range []struct {
		name string
		ring []paseto.Key
		keys []paseto.Key
		ok   bool
	}{
		{"no key", nil, nil, false},
		{"another key", nil, wrong[:1], false},
		{"behind another key", nil, []paseto.Key{wrong[0], otherLocal}, true},
		{"behind the zero key", nil, []paseto.Key{{}, otherLocal}, true},
		{"behind keys of other kinds", nil, append(everyKey(t), otherLocal), true},
		{"keys of other kinds", nil, everyKey(t), false},
		{"retired", nil, []paseto.Key{otherLocal.Retire(start.Add(1))}, true},
		{"retired for good", nil, []paseto.Key{otherLocal.Retire(start)}, false},
		{"the last that is tried", nil, append(slices.Clone(wrong[:31]), otherLocal), true},
		{"one too many", nil, append(slices.Clone(wrong[:32]), otherLocal), false},
		{"more than are tried of other kinds", nil, append(slices.Repeat(everyKey(t)[:2], 20), otherLocal), true},
		{"first, with a full ring", wrong[:32], []paseto.Key{otherLocal}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{Keys: append([]paseto.Key{}, test.ring...)}, paseto.WithKeySource(&source{keys: test.keys}))
			_, err := auth.Verify(t.Context(), token, paseto.Requirement{})
			if test.ok && err != nil {
				t.Errorf("refused: %v", err)
			} else if !test.ok {
				checkRefused(t, err, paseto.ErrDecrypt, "")
			}
		})
	}
}

// TestKeySourceNeverIssues gives a source keys that could.
func TestKeySourceNeverIssues(t *testing.T) {
	t.Parallel()
	src := &source{keys: []paseto.Key{localKey, secretKey}}
	alone := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{}}, paseto.WithKeySource(src))
	beside := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{publicKey}}, paseto.WithKeySource(src))
	pair := issuePair(t, newAuthorizer(t, paseto.Config{}), paseto.Grant{})
	for _, auth := range []*paseto.Authorizer{alone, beside} {
		for _, purpose := range purposes {
			if _, err := auth.IssueAccess(paseto.Grant{Purpose: purpose}); auth.CanIssue() || !errors.Is(err, paseto.ErrConfig) {
				t.Errorf("v4.%s is issued with a key of a source, error %v", purpose, err)
			}
		}
		verify(t, auth, pair.Access.Token.Reveal(), paseto.Requirement{})
		if _, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); !errors.Is(err, paseto.ErrForbidden) {
			t.Errorf("error of a refresh is %v, want %v", err, paseto.ErrForbidden)
		}
	}
	if err := beside.SetKeys(); err != nil || len(beside.Keys()) != 0 {
		t.Errorf("keys are %v, error %v, want none: the source remains", beside.Keys(), err)
	}
	verify(t, beside, pair.Access.Token.Reveal(), paseto.Requirement{})
	if err := beside.SetKeys(localKey.Retire(start.Add(time.Hour)), otherLocal); err != nil || !beside.CanIssue() {
		t.Errorf("a key of its own does not issue, error %v", err)
	}
	if _, err := paseto.New(paseto.Config{}, paseto.WithKeySource(nil)); !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("error without key and source is %v, want %v", err, paseto.ErrConfig)
	}
}
