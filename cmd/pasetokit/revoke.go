package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/rfc3339"
	"github.com/pasetokit/pasetokit/paseto"
)

type revokeFlags struct {
	config       []string
	implicit     implicitFlag
	subject      string
	issuedBefore string
	session      string
	token        string
	tokenID      string

	cutoff time.Time // issuedBefore, zero for now
}

func (a *app) revoke() *cobra.Command {
	var f revokeFlags
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "Revoke the tokens of a subject or session, or one token",
		Long: `Revoke the tokens of a subject or of a login session, or one token, in the denylist of
the configuration in --config, or that of the environment where none is given. It must
be one that servers share (redis), or a file (bolt) that no server has open at the
moment; what is in the memory of a server, that server alone can revoke.

--subject ends all logins of a subject until now, or until the time in --issued-before,
and tokens outside of any login that were issued by then; who logs in later is let in.
--session revokes all tokens of one login (sid). --token revokes one token of any type;
it is verified as the configuration says, and needs no record if it has expired or is
revoked. --token-id revokes the token with a jti, as logs show it. The other tokens of a
session stay valid then: to log somebody out, revoke the session.

Servers that share the denylist end what is open with a revoked token within moments.

Danger: a revocation cannot be taken back, and but for --token nobody checks that there
is what it names. With a time to come, --issued-before refuses new logins too, until
then.

Use the configuration of the servers: token.max_ttl and the two leeways say how long a
record is kept, and denylist.check which types of tokens are looked up. Keys are needed
for --token alone.`,
		Example: `  pasetokit revoke --config auth.yaml --subject alice
  pasetokit revoke --config auth.yaml --subject alice --issued-before 2030-01-31T12:00:00Z
  pasetokit revoke --config auth.yaml --session 7RNFYQYXISPP56EVBHBUSQAKB4
  pasetokit revoke --config auth.yaml --token - < token
  pasetokit revoke --json --config auth.yaml --token-id KTBSUWQ3FWIBXOJPLZ6ISRAJQG`,
		Args: atMost(0),
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd.Flags()); err != nil {
				return err
			}
			return a.runRevoke(cmd.Context(), &f)
		}),
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.config, "config", nil, "configuration `file`; several are laid over each other")
	must(cmd.MarkFlagFilename("config", "yaml", "yml", "toml", "json"))
	flags.StringVar(&f.subject, "subject", "", "whose tokens are revoked (sub)")
	flags.StringVar(&f.issuedBefore, "issued-before", "", "with --subject: the `time` until which they were issued (default now)")
	flags.StringVar(&f.session, "session", "", "login session that is revoked (sid)")
	flags.StringVar(&f.token, "token", "", "token that is revoked, - for standard input")
	flags.StringVar(&f.tokenID, "token-id", "", "`id` of the token that is revoked (jti)")
	f.implicit.add(cmd)
	return cmd
}

// writtenToken matches a token, or a key, where a name belongs. Digits alone may
// well be a name.
var writtenToken = regexp.MustCompile(`^\s*[kv]\d\.[a-z-]+\.\S{16}`)

// check checks that the flags name one thing to revoke.
func (f *revokeFlags) check(flags *pflag.FlagSet) error {
	named := 0
	for _, flag := range []struct{ name, value string }{
		{"subject", f.subject}, {"session", f.session}, {"token", f.token}, {"token-id", f.tokenID},
	} {
		if !flags.Changed(flag.name) {
			continue
		}
		named++
		switch {
		case flag.value == "":
			return misuse("--%s is empty", flag.name)
		case flag.name != "token" && writtenToken.MatchString(flag.value):
			return misuse("--%s takes a name; a token goes with --token", flag.name)
		}
	}
	switch {
	case named != 1:
		return misuse("give exactly one of --subject, --session, --token and --token-id")
	case flags.Changed("issued-before") && f.subject == "":
		return misuse("--issued-before goes with --subject alone")
	case f.implicit.file != "" && f.token == "":
		return misuse("--implicit-file goes with --token alone")
	case !flags.Changed("issued-before"):
		return nil
	}
	var ok bool
	if f.cutoff, ok = rfc3339.Parse(f.issuedBefore); !ok || f.cutoff.IsZero() {
		return misuse("--issued-before must be a time with its zone, such as 2030-01-31T12:00:00Z")
	}
	return nil
}

// revokeResult is what was revoked: a subject, a session or a token.
type revokeResult struct {
	// Recorded is false for a token that is refused already; Reason is the
	// code of that refusal.
	Recorded bool   `json:"recorded"`
	Reason   string `json:"reason,omitempty"`
	Subject  string `json:"subject,omitempty"`
	// IssuedBefore is the last second in which the subject's revoked tokens
	// were issued.
	IssuedBefore string `json:"issued_before,omitempty"`
	Session      string `json:"session,omitempty"`
	TokenID      string `json:"token_id,omitempty"`
	Type         string `json:"type,omitempty"`
	// Until is when the record may be forgotten, empty for never.
	Until string `json:"until,omitempty"`
}

func (a *app) runRevoke(ctx context.Context, f *revokeFlags) error {
	cfg, err := config.Load(f.config...)
	if err != nil {
		return err
	}
	if err := outOfReach(cfg); err != nil {
		return err
	}
	var token string
	var implicit []byte
	if f.token != "" {
		if token, err = a.tokenArgument([]string{f.token}); err != nil {
			return err
		}
		if implicit, err = a.implicit(f.implicit); err != nil {
			return err
		}
	}
	var r revoker
	kit, err := a.openToRevoke(ctx, cfg, f, r.observe)
	if err != nil {
		return err
	}
	defer kit.Close() //nolint:errcheck // what was revoked is recorded
	r.auth = kit.Authorizer
	var result revokeResult
	switch {
	case f.subject != "":
		err = r.auth.RevokeSubject(ctx, f.subject, f.cutoff)
	case f.session != "":
		err = r.auth.RevokeSession(ctx, f.session)
	case f.tokenID != "":
		err = r.tokenID(ctx, f.tokenID)
	default:
		result, err = r.token(ctx, token, implicit)
	}
	if err != nil {
		return err
	}
	r.report(&result)
	if f.cutoff.After(r.auth.Now()) && !a.json {
		a.tell("pasetokit: note: new logins of the subject are refused too, until that time")
	}
	return a.print(result, printable(result.text()))
}

func (a *app) openToRevoke(ctx context.Context, cfg *config.Config, f *revokeFlags, observe func(paseto.Event)) (*config.Kit, error) {
	cfg.Token.VerifyOnly = true
	opts := []config.Option{config.WithObserver(observe)}
	if f.token == "" && len(cfg.Token.Keys) == 0 {
		opts = append(opts, config.WithKeySource(noKeys{}))
	}
	return a.openShared(ctx, cfg, "stop the server that has it open for as long, or let servers share redis", opts...)
}

// noKeys is where keys come from that nobody needs.
type noKeys struct{}

func (noKeys) Keys(context.Context, paseto.Version, paseto.Purpose, string) ([]paseto.Key, error) {
	return nil, nil
}

// revoker revokes, and keeps what it has seen on the way.
type revoker struct {
	auth *paseto.Authorizer
	seen *paseto.Claims      // of a token that was opened and refused
	made denylist.Revocation // what was recorded
}

func (r *revoker) observe(e paseto.Event) {
	switch e.Kind {
	case paseto.EventRefused:
		r.seen = e.Claims
	case paseto.EventRevoked:
		r.made = e.Revocation
	}
}

// tokenID revokes a token of which nothing but its jti is known: for as long as
// any token may live, which is what is known of its expiry.
func (r *revoker) tokenID(ctx context.Context, id string) error {
	claims := &paseto.Claims{ID: id}
	if cfg := r.auth.Config(); cfg.MaxTTL != paseto.NoExpiry && !cfg.AllowNoExpiry {
		claims.ExpiresAt = r.auth.Now().Add(cfg.MaxTTL + max(0, cfg.StartLeeway) + cfg.Leeway) // of an issuer whose clock is ahead
	}
	return r.auth.Revoke(ctx, claims)
}

// token revokes an authentic token, unless it is refused anyway and for good.
func (r *revoker) token(ctx context.Context, token string, implicit []byte) (revokeResult, error) {
	claims, err := r.auth.Verify(ctx, token, paseto.Requirement{Implicit: implicit})
	if claims == nil {
		claims = r.seen
	}
	if claims == nil {
		return revokeResult{}, err
	}
	if errors.Is(err, paseto.ErrType) { // which is looked at before the denylist
		err = r.auth.Revoked(ctx, claims)
	}
	types := r.auth.Config().Denylist.Check
	result := revokeResult{TokenID: claims.ID, Type: claims.Type}
	switch {
	case errors.Is(err, paseto.ErrExpired):
		result.Reason = string(paseto.ErrExpired)
		return result, nil
	case errors.Is(err, paseto.ErrRevoked):
		result.Reason = string(paseto.ErrRevoked)
		return result, nil
	case claims.Type == paseto.TypeTicket:
		return result, errors.New("a ticket works once, for some seconds, and cannot be revoked; revoke its session")
	case err != nil && !errors.Is(err, paseto.ErrNotYetValid): // which passes
		return result, err
	case !slices.Contains(types, claims.Type):
		return result, &config.Error{Problems: []config.Problem{{
			Key: "denylist.check", Value: "[" + strings.Join(types, ", ") + "]",
			Rule: fmt.Sprintf("tokens of the type %q are not looked up, and to revoke one has no effect", claims.Type),
		}}}
	}
	return result, r.auth.Revoke(ctx, claims)
}

// report adds the record that was made.
func (r *revoker) report(result *revokeResult) {
	if result.Reason != "" {
		return
	}
	result.Recorded = true
	result.Subject, result.Session, result.TokenID = r.made.Subject, r.made.Session, r.made.TokenID
	if !r.made.IssuedBefore.IsZero() {
		result.IssuedBefore = r.made.IssuedBefore.UTC().Format(time.RFC3339)
	}
	if !r.made.Until.IsZero() {
		result.Until = r.made.Until.UTC().Format(time.RFC3339)
	}
}

// text returns the result in one line.
func (r *revokeResult) text() string {
	what := strings.TrimSpace(r.Type+" token ") + " " + r.TokenID
	switch {
	case r.Reason == string(paseto.ErrExpired):
		return "nothing to revoke: " + what + " has expired\n"
	case r.Reason != "":
		return "nothing to revoke: " + what + " is revoked already\n"
	case r.Subject != "":
		what = "tokens of subject " + r.Subject + " issued until " + r.IssuedBefore
	case r.Session != "":
		what = "tokens of session " + r.Session
	}
	kept := "for ever"
	if r.Until != "" {
		kept = "until " + r.Until
	}
	return "revoked: " + what + " (kept " + kept + ")\n"
}
