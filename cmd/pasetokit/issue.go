package main

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/paseto"
)

type issueFlags struct {
	source    sourceFlags
	implicit  implicitFlag
	tokenType string
	subject   string
	scopes    []string
	audience  []string
	issuer    string
	ttl       string
	claims    []string
	footer    string
	fresh     bool
	chooses   bool // --version or --purpose is given
	hasFooter bool
}

func (a *app) issue() *cobra.Command {
	var f issueFlags
	cmd := &cobra.Command{
		Use:   "issue",
		Short: "Issue a token",
		Long: `Issue a token with the key in --key, or as the configuration in --config says, or
that of the environment where neither is given. The token is printed on standard
output.

With --config, --version and --purpose choose other tokens than the configured ones.`,
		Example: `  pasetokit issue --key paseto.key --subject alice
  pasetokit issue --config auth.yaml --subject alice --scope "read write" --ttl 5m
  pasetokit issue --key paseto.key --subject alice --claim 'name="Alice"' --claim level=3
  pasetokit issue --key paseto.key --type email-verify --subject alice --footer '{"v":1}'
  cat paseto.key | pasetokit issue --key - --subject alice`,
		Args: atMost(0),
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			f.chooses = cmd.Flags().Changed("version") || cmd.Flags().Changed("purpose")
			f.hasFooter = cmd.Flags().Changed("footer")
			return a.runIssue(cmd, &f)
		}),
	}
	flags := cmd.Flags()
	f.source.add(cmd)
	flags.StringVar(&f.tokenType, "type", paseto.TypeAccess, "access, refresh or another type")
	flags.StringVar(&f.subject, "subject", "", "whom the token speaks for (sub)")
	flags.StringArrayVar(&f.scopes, "scope", nil, "scope, several with spaces between or by repeating the flag")
	flags.StringArrayVar(&f.audience, "audience", nil, "whom the token is meant for (aud), may be given several times")
	flags.StringVar(&f.issuer, "issuer", "", "who issues the token (iss)")
	flags.StringVar(&f.ttl, "ttl", "", "lifetime: a duration such as 15m, a number of seconds, or none")
	flags.StringArrayVar(&f.claims, "claim", nil, "claim of your own as `name=json`, may be given several times")
	flags.StringVar(&f.footer, "footer", "", "footer, readable by everyone; a JSON object gets the kid as a member, other text stays as it is")
	flags.BoolVar(&f.fresh, "fresh", false, "say that the access token comes from a login just made")
	f.implicit.add(cmd)
	complete(cmd, "type", paseto.TypeAccess, paseto.TypeRefresh)
	return cmd
}

type issueResult struct {
	Token  string          `json:"token"`
	Claims json.RawMessage `json:"claims"`
	Footer json.RawMessage `json:"footer,omitempty"`
}

func (a *app) runIssue(cmd *cobra.Command, f *issueFlags) error {
	grant, err := f.grant()
	if err != nil {
		return err
	}
	cfg, err := a.load(&f.source)
	if err != nil {
		return err
	}
	if grant.Implicit, err = a.implicit(f.implicit); err != nil {
		return err
	}
	if len(f.source.keys) > 0 { // there are no rules but the flags
		cfg.Token.VerifyOnly = false
		cfg.Token.MaxTTL = paseto.NoExpiry
		cfg.Token.AllowNoExpiry = grant.TTL == paseto.NoExpiry
	} else if f.chooses {
		grant.Version, grant.Purpose = paseto.Version(f.source.read.version), paseto.Purpose(f.source.read.purpose)
	}
	withoutDenylist(cfg)
	kit, err := a.open(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer kit.Close() //nolint:errcheck // there is no store to close
	issued, err := kit.Authorizer.Issue(f.tokenType, grant)
	if err != nil {
		return err
	}
	result := issueResult{issued.Token.Reveal(), payload(issued.Claims), footerJSON(issued.Claims.Footer)}
	return a.print(result, issued.Token.Reveal()+"\n")
}

// grant returns what the flags ask for.
func (f *issueFlags) grant() (paseto.Grant, error) {
	g := paseto.Grant{Subject: f.subject, Fresh: f.fresh, Scopes: fields(f.scopes), Issuer: f.issuer, Audience: f.audience}
	var err error
	if f.ttl != "" {
		if g.TTL, err = parseTTL(f.ttl); err != nil {
			return g, err
		}
	}
	if g.Claims, err = parseClaims(f.claims); err != nil {
		return g, err
	}
	if f.hasFooter {
		g.Footer = f.footer
		if isObject([]byte(f.footer)) {
			g.Footer = json.RawMessage(f.footer)
		}
	}
	return g, nil
}

// setBy maps the claims that are no one's own to the flags that set them.
var setBy = map[string]string{
	"sub": "--subject", "iss": "--issuer", "aud": "--audience", "scope": "--scope",
	"type": "--type", "fresh": "--fresh", "exp": "--ttl",
}

// parseClaims reads name=json pairs.
func parseClaims(pairs []string) (map[string]json.RawMessage, error) {
	claims := make(map[string]json.RawMessage)
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		_, twice := claims[name]
		switch {
		case !found || name == "":
			return nil, misuse("--claim must be name=json, such as level=3 or 'name=\"Alice\"'")
		case setBy[name] != "":
			return nil, misuse("--claim %s: this claim is set by %s", name, setBy[name])
		case twice:
			return nil, misuse("--claim %s is given twice", name)
		case !json.Valid([]byte(value)):
			return nil, misuse("--claim %s: the value is not JSON; text stands in quotes: --claim '%[1]s=\"…\"'", name)
		}
		claims[name] = json.RawMessage(value)
	}
	return claims, nil
}
