package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
)

// checkKeys adds why the keys, read already, cannot do the work. With a source
// there are others, which never issue.
func (c *Config) checkKeys(ps *problems, sources map[string]*source, keys []paseto.Key, source bool) {
	add := func(rule string) {
		ps.add(sources["token.keys"].problem("token.keys", nil, rule))
	}
	switch {
	case len(c.Token.Keys) == 0 && !source:
		add("is empty; without a key no token can be issued or opened")
	case len(keys) == len(c.Token.Keys) && !c.Token.VerifyOnly && !c.Token.canIssue(keys):
		add(fmt.Sprintf("none of them can issue %s tokens; %s", c.Token.kind(), c.Token.toIssue(keys)))
	}
}

// canIssue reports whether a key issues tokens of the configured version and purpose.
func (t Token) canIssue(keys []paseto.Key) bool {
	return slices.ContainsFunc(keys, func(k paseto.Key) bool { return k.CanIssue() && t.suits(k) })
}

func (t Token) suits(k paseto.Key) bool {
	return fmt.Sprintf("%s.%s", k.Version(), k.Purpose()) == t.kind()
}

// withDefaults returns the settings of tokens with the defaults that stand at their fields.
func (t Token) withDefaults() paseto.Config {
	cfg := t.Config
	settings.SetDefaults(&cfg)
	return cfg
}

// kind is version and purpose of new tokens, as these have them at their beginning.
func (t Token) kind() string {
	cfg := t.withDefaults()
	return fmt.Sprintf("%s.%s", cfg.Version, cfg.Purpose)
}

// toIssue says what to do where no key can issue. The likeliest mistake is that version and
// purpose do not go with a key that issues others; then, that the key is retired.
func (t Token) toIssue(keys []paseto.Key) string {
	own := t.withDefaults()
	for i, k := range keys {
		if !k.CanIssue() {
			continue
		}
		var set []string
		if k.Purpose() != own.Purpose {
			set = append(set, "token.purpose to "+string(k.Purpose()))
		}
		if k.Version() != own.Version {
			set = append(set, "token.version to "+string(k.Version()))
		}
		return fmt.Sprintf("token.keys[%d] issues %s.%s tokens: set %s, or add a key that fits",
			i, k.Version(), k.Purpose(), strings.Join(set, " and "))
	}
	const verify = ", or set token.verify_only to true for a service that only verifies"
	for i, k := range keys {
		if t.suits(k) && !k.NotAfter().IsZero() && !isHalf(k) {
			return fmt.Sprintf("token.keys[%d] is retired by its not_after: add the key that follows it%s", i, verify)
		}
	}
	if slices.ContainsFunc(keys, isHalf) {
		return "a public half only verifies: add the secret one" + verify
	}
	return "add one that can" + verify
}

// isHalf reports whether a key is the public half of a pair.
func isHalf(k paseto.Key) bool { return k.Purpose() == paseto.Public && k.ID() == k.KeyID() }
