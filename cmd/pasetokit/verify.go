package main

import (
	"encoding/json"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
)

type verifyFlags struct {
	source    sourceFlags
	implicit  implicitFlag
	tokenType string
	scopes    []string
	fresh     bool
	audience  []string
	issuer    string
	skip      bool // the denylist
}

func (a *app) verify() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [TOKEN|-]",
		Short: "Verify a token",
		Long: `Verify a token with the keys in --key, or as the configuration in --config says, or
that of the environment where neither is given. The exit status is 0, and the claims
are printed, if the token is accepted; it is 1, and the refusal's code and message
are printed, if it is not.

Revocation is checked if the configured denylist is one that several processes share
(redis) or a file (bolt); what is revoked in the memory of a server is known there
alone. A server that runs has its file to itself: stop it, or verify with
--skip-denylist, which takes a revoked token for a good one.`,
		Example: `  pasetokit verify --key paseto.key v4.local.…
  pasetokit verify --config auth.yaml --scope admin --fresh - < token
  pasetokit verify --key paseto.pub --type refresh --audience api --json - < token`,
		Args: atMost(1),
		RunE: a.do(func(cmd *cobra.Command, args []string) error { return a.runVerify(cmd, args, &f) }),
	}
	flags := cmd.Flags()
	f.source.add(cmd)
	flags.StringVar(&f.tokenType, "type", paseto.TypeAccess, "type that the token must be of")
	flags.StringArrayVar(&f.scopes, "scope", nil, "scope that the token must have, several with spaces between or by repeating the flag")
	flags.BoolVar(&f.fresh, "fresh", false, "ask for an access token that comes from a login, not from a refresh")
	flags.StringArrayVar(&f.audience, "audience", nil, "audience that the token must name, or one of several")
	flags.StringVar(&f.issuer, "issuer", "", "issuer that the token must come from")
	flags.BoolVar(&f.skip, "skip-denylist", false, "do not check revocation")
	f.implicit.add(cmd)
	complete(cmd, "type", paseto.TypeAccess, paseto.TypeRefresh)
	return cmd
}

type verifyResult struct {
	Version           string          `json:"version"`
	Purpose           string          `json:"purpose"`
	Claims            json.RawMessage `json:"claims"`
	Footer            json.RawMessage `json:"footer,omitempty"`
	RevocationChecked bool            `json:"revocation_checked"`
}

func (a *app) runVerify(cmd *cobra.Command, args []string, f *verifyFlags) error {
	req := paseto.Requirement{Type: f.tokenType, Scopes: fields(f.scopes), Fresh: f.fresh}
	if err := req.Validate(); err != nil {
		return err
	}
	cfg, err := a.load(&f.source)
	if err != nil {
		return err
	}
	token, err := a.tokenArgument(args)
	if err != nil {
		return err
	}
	if req.Implicit, err = a.implicit(f.implicit); err != nil {
		return err
	}
	cfg.Token.VerifyOnly = true
	if len(f.audience) > 0 {
		cfg.Token.RequireAudience = f.audience
	}
	if f.issuer != "" {
		cfg.Token.RequireIssuer = f.issuer
	}
	wanted, why := !cfg.Denylist.Disabled, f.unasked(cfg)
	if why != "" {
		withoutDenylist(cfg)
	}
	cfg.Denylist.FailOpen = false // it is asked, or the token is not accepted
	kit, err := a.openShared(cmd.Context(), cfg, "stop the server that has it open, or verify with --skip-denylist")
	if err != nil {
		return err
	}
	defer kit.Close() //nolint:errcheck // it was only asked
	claims, err := kit.Authorizer.Verify(cmd.Context(), token, req)
	if err != nil {
		return err
	}
	if wanted && why != "" && !a.json {
		a.tell("pasetokit: note: revocation is not checked; %s", why)
	}
	result := verifyResult{
		Version: string(claims.Version), Purpose: string(claims.Purpose), Claims: payload(claims),
		Footer: footerJSON(claims.Footer), RevocationChecked: why == "",
	}
	return a.print(result, indent(result.Claims))
}

// unasked says why the denylist is not asked; empty if it is.
func (f *verifyFlags) unasked(cfg *config.Config) string {
	asked := cfg.Denylist.DenylistConfig
	settings.SetDefaults(&asked)
	switch {
	case f.skip:
		return "the token may be revoked"
	case outOfReach(cfg) != nil:
		return "only the running server knows its denylist"
	case !slices.Contains(asked.Check, f.tokenType):
		return "denylist.check does not list tokens of this type"
	}
	return ""
}
