package paseto_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/knadh/koanf/parsers/yaml"

	"github.com/pasetokit/pasetokit/internal/secrettest"
	"github.com/pasetokit/pasetokit/paseto"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	s := paseto.NewSecret("correct horse")
	if s.Reveal() != "correct horse" || s.IsZero() || fmt.Sprintf("%v %#v", s, s) != "(redacted) (redacted)" {
		t.Errorf("a secret: %q, zero %t, printed %v", s.Reveal(), s.IsZero(), s)
	}
	for name, empty := range map[string]paseto.Secret{"zero": {}, "of no text": paseto.NewSecret("")} {
		if empty.Reveal() != "" || !empty.IsZero() || fmt.Sprintf("%v%#v", empty, empty) != "" || !empty.Equal(paseto.Secret{}) {
			t.Errorf("%s: %q, zero %t, printed %v", name, empty.Reveal(), empty.IsZero(), empty)
		}
	}
	for _, other := range []string{"", "correct hors", "correct horsf"} {
		if s.Equal(paseto.NewSecret(other)) || paseto.NewSecret(other).Equal(s) {
			t.Errorf("it equals %q", other)
		}
	}
	if !s.Equal(paseto.NewSecret("correct horse")) {
		t.Error("it does not equal a secret of the same text")
	}
	if same := paseto.NewSecret("correct horse"); reflect.DeepEqual(s, same) || !reflect.DeepEqual(paseto.Secret{}, paseto.NewSecret("")) || !panics(func() bool { return any(s) == any(same) }) {
		t.Error("DeepEqual or == does not do what the documentation says")
	}
	if reachable(reflect.ValueOf(struct{ s *paseto.Secret }{&s}), "correct horse") {
		t.Error("reflection reaches the text")
	}
}

// panics reports whether a comparison does.
func panics(compare func() bool) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	compare()
	return false
}

// reachable reports whether reflection finds a text in a value, through pointers
// and unexported fields.
func reachable(v reflect.Value, text string) bool {
	switch v.Kind() {
	case reflect.String:
		return v.String() == text
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && reachable(v.Elem(), text)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if reachable(field, text) {
				return true
			}
		}
	}
	return false
}

// TestSecretIsDecoded reads secrets from texts, where encoders leave placeholders
// that are not taken for secrets.
func TestSecretIsDecoded(t *testing.T) {
	t.Parallel()
	type body struct {
		A paseto.Secret `json:"a"           xml:"a" yaml:"a"`
		B paseto.Secret `json:"b,omitempty" xml:"b" yaml:"b,omitempty"`
		C paseto.Secret `json:"c,omitzero"  xml:"c" yaml:"c,omitempty"`
	}
	for name, format := range map[string]struct {
		text      string
		unmarshal func([]byte, any) error
		marshal   func(any) ([]byte, error)
	}{
		"JSON": {`{"a": "one\u0021", "b": ""}`, json.Unmarshal, json.Marshal},
		"XML":  {`<body><a>one!</a><b></b></body>`, xml.Unmarshal, xml.Marshal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got, again body
			if err := format.unmarshal([]byte(format.text), &got); err != nil || got.A.Reveal() != "one!" || !got.B.IsZero() || !got.C.IsZero() {
				t.Errorf("decoded are %q, %q and %q, %v", got.A.Reveal(), got.B.Reveal(), got.C.Reveal(), err)
			}
			encoded, err := format.marshal(got)
			if err != nil || strings.Contains(string(encoded), "one") || strings.Count(string(encoded), "(redacted)") != 1 {
				t.Errorf("encoded as %s, %v", encoded, err)
			}
			if err := format.unmarshal(encoded, &again); err == nil || !strings.Contains(err.Error(), "encode what Reveal returns") {
				t.Errorf("a placeholder is decoded: %v", err)
			}
		})
	}
	encoded, err := yaml.Parser().Marshal(map[string]any{"x": body{A: paseto.NewSecret("one!"), C: paseto.NewSecret("two")}})
	if want := "x:\n    a: (redacted)\n    c: (redacted)\n"; err != nil || string(encoded) != want {
		t.Errorf("encoded as YAML it is %s, %v", encoded, err)
	}
}

// TestTokensDoNotShow prints what new tokens come in.
func TestTokensDoNotShow(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	pair := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	ticket, err := auth.IssueTicket(pair.Access.Claims, paseto.TicketGrant{})
	if err != nil {
		t.Fatal(err)
	}
	secrettest.Hides(t, paseto.NewSecret("correct horse"), "correct horse")
	secrettest.Hides(t, pair, pair.Access.Token.Reveal(), pair.Refresh.Token.Reveal())
	secrettest.Hides(t, pair.Access, pair.Access.Token.Reveal())
	secrettest.Hides(t, ticket, ticket.Token.Reveal())
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "pair", pair, "ticket", ticket)
	for printed, want := range map[string]string{
		fmt.Sprint(pair.Access): "access token (redacted)",
		fmt.Sprint(pair):        "{access token (redacted) refresh token (redacted)}",
		fmt.Sprint(ticket):      "ticket token (redacted)",
		log.String():            pair.Access.Claims.ID,
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("printed is %s, want %s", printed, want)
		}
	}
}
