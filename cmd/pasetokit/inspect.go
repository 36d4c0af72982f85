package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/scheme"
	"github.com/pasetokit/pasetokit/paseto"
)

type inspectFlags struct {
	source   sourceFlags
	implicit implicitFlag
}

func (a *app) inspect() *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect [TOKEN|-]",
		Short: "Show what a token says",
		Long: `Show what can be seen of a token. Without a key that is its version and purpose, its
footer, and the claims of a public token, which nobody has verified then. With --key,
or the keys of --config, the claims are verified or decrypted, and shown even if the
token would be refused; the status says why.

The exit status is 0 if there is anything to show. To decide on a token, use verify.`,
		Example: `  pasetokit inspect v4.public.…
  pasetokit inspect --key paseto.key - < token
  pasetokit inspect --json - < token`,
		Args: atMost(1),
		RunE: a.do(func(cmd *cobra.Command, args []string) error { return a.runInspect(cmd, args, &f) }),
	}
	f.source.add(cmd)
	f.implicit.add(cmd)
	return cmd
}

// sight is what is seen of a token.
type sight struct {
	Version string          `json:"version"`
	Purpose string          `json:"purpose"`
	Size    size            `json:"size"`
	KeyID   string          `json:"kid,omitempty"`
	Footer  json.RawMessage `json:"footer,omitempty"`
	// Claims of a public token are shown without a key, unverified.
	Claims   json.RawMessage `json:"claims,omitempty"`
	Verified bool            `json:"verified"`
	// Status is accepted, refused, or unchecked: without a key.
	Status  string   `json:"status"`
	Refusal *failure `json:"refusal,omitempty"`
}

// The statuses of a token.
const (
	unchecked = "unchecked"
	accepted  = "accepted"
	refused   = "refused"
)

// size counts bytes: of the token as it is written, of what is in it.
type size struct {
	Token  int `json:"token"`
	Claims int `json:"claims"`
	Footer int `json:"footer"`
}

func (a *app) runInspect(cmd *cobra.Command, args []string, f *inspectFlags) error {
	var auth *paseto.Authorizer
	if f.source.given() {
		cfg, err := a.load(&f.source)
		if err != nil {
			return err
		}
		cfg.Token.VerifyOnly = true
		withoutDenylist(cfg)
		kit, err := a.open(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		defer kit.Close() //nolint:errcheck // there is no store to close
		auth = kit.Authorizer
	}
	token, err := a.tokenArgument(args)
	if err != nil {
		return err
	}
	implicit, err := a.implicit(f.implicit)
	if err != nil {
		return err
	}
	s, err := look(token)
	if err != nil {
		return err
	}
	if auth != nil {
		if err := s.open(cmd.Context(), auth, token, implicit); err != nil {
			return err
		}
	}
	return a.print(s, s.text())
}

// overhead says how many bytes of a payload are not claims: before and after.
var overhead = map[string][2]int{
	"v2.local": {24, 16}, "v3.local": {32, 48}, "v4.local": {32, 32},
	"v2.public": {0, 64}, "v3.public": {0, 96}, "v4.public": {0, 64},
}

// look returns what can be seen of a token without a key.
func look(token string) (*sight, error) {
	malformed := func(cause string) error {
		if scheme.IsLeft(token) {
			cause = scheme.ErrLeft.Error()
		}
		return refusal.Newf(paseto.ErrMalformed, "%s", cause)
	}
	parts := strings.SplitN(token, ".", 5)
	if len(parts) < 3 || len(parts) > 4 {
		return nil, malformed("expected version.purpose.payload or version.purpose.payload.footer")
	}
	s := &sight{Version: parts[0], Purpose: parts[1], Size: size{Token: len(token)}, Status: unchecked}
	around, known := overhead[s.Version+"."+s.Purpose]
	if !known {
		return nil, malformed("expected a token of version v2, v3 or v4 and purpose local or public")
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(sealed) < around[0]+around[1] {
		return nil, malformed("the payload is damaged")
	}
	claims := sealed[around[0] : len(sealed)-around[1]]
	s.Size.Claims = len(claims)
	if s.Purpose == string(paseto.Public) && isObject(claims) {
		s.Claims = claims
	}
	if len(parts) == 4 {
		footer, err := base64.RawURLEncoding.Strict().DecodeString(parts[3])
		if err != nil {
			return nil, malformed("the footer is damaged")
		}
		s.Footer, s.KeyID, s.Size.Footer = footerJSON(footer), footerKeyID(footer), len(footer)
	}
	return s, nil
}

// open adds what the keys of auth show: the claims, and whether auth accepts
// the token as one of its own type.
func (s *sight) open(ctx context.Context, auth *paseto.Authorizer, token string, implicit []byte) error {
	claims, err := claimsAtAnyTime(ctx, auth.Config(), token, implicit)
	if err != nil {
		return err
	}
	req := paseto.Requirement{Implicit: implicit}
	if claims != nil {
		s.Claims, s.Verified = payload(claims), true
		if asItIs := (paseto.Requirement{Type: claims.Type}); asItIs.Validate() == nil {
			req.Type = claims.Type
		}
	}
	_, err = auth.Verify(ctx, token, req)
	if err == nil {
		s.Status = accepted
		return nil
	}
	if _, isRefusal := errors.AsType[*paseto.Error](err); !isRefusal {
		return err
	}
	refusal := describe(err)
	s.Status, s.Refusal = refused, &refusal
	return nil
}

// claimsAtAnyTime returns what an authentic token says, nil if no key opens it.
// An Authorizer shows no claims of a token that is not valid, so one that asks
// for nothing else is given the times at which this one might be.
func claimsAtAnyTime(ctx context.Context, cfg paseto.Config, token string, implicit []byte) (*paseto.Claims, error) {
	cfg.AllowNoExpiry, cfg.MaxTTL, cfg.MaxLength = true, paseto.NoExpiry, maxToken
	cfg.RequireIssuer, cfg.RequireAudience = "", nil
	cfg.Leeway, cfg.StartLeeway = time.Second, time.Second // a token may be valid for less, between two seconds
	for i, key := range cfg.Keys {
		key, err := paseto.ParseKey(key.Export()) // which is not retired
		if err != nil {
			return nil, err
		}
		cfg.Keys[i] = key
	}
	var claims *paseto.Claims
	now := time.Now()
	auth, err := paseto.New(cfg,
		paseto.WithClock(func() time.Time { return now }),
		paseto.WithObserver(func(e paseto.Event) { claims = e.Claims })) // those of another type too
	if err != nil {
		return nil, err
	}
	earliest := time.Time{}.Unix()
	latest := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
	for earliest <= latest {
		_, err := auth.Verify(ctx, token, paseto.Requirement{Implicit: implicit})
		switch {
		case errors.Is(err, paseto.ErrExpired):
			latest = now.Unix() - 1
		case errors.Is(err, paseto.ErrNotYetValid):
			earliest = now.Unix() + 1
		default:
			return claims, nil
		}
		now = time.Unix((earliest+latest)/2, 0)
	}
	return nil, nil // it is valid at no time
}

// text returns what is seen, for people.
func (s *sight) text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s%s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	line("version", "%s", s.Version)
	line("purpose", "%s", map[string]string{
		string(paseto.Local):  "local: encrypted, readable with the key alone",
		string(paseto.Public): "public: signed, readable by everyone",
	}[s.Purpose])
	line("size", "%d bytes (claims %d, footer %d)", s.Size.Token, s.Size.Claims, s.Size.Footer)
	if s.KeyID != "" {
		line("kid", "%s", s.KeyID)
	}
	if s.Footer != nil {
		line("footer", "%s", s.Footer)
	}
	switch s.Status {
	case accepted:
		line("status", accepted)
	case refused:
		line("status", "refused: %s", s.Refusal.text())
	}
	switch {
	case s.Verified:
		line("claims", "verified")
	case s.Claims != nil:
		line("claims", "UNVERIFIED: anyone may have written them")
	case s.Purpose == string(paseto.Public):
		line("claims", "not a JSON object")
	case s.Status == refused:
		line("claims", "encrypted, and not opened")
	default:
		line("claims", "encrypted; --key shows them")
	}
	if s.Claims != nil {
		b.WriteString(indent(s.Claims))
	}
	return b.String()
}
