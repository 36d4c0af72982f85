package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

func (a *app) config() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Begin and check a configuration, show what is in force",
		Long: `Begin and check a configuration, show what is in force. Several files are laid over each
other, in order, and the environment over them, as a program does that loads them.`,
		Example: `  pasetokit config init
  pasetokit config check auth.yaml
  pasetokit config print auth.yaml`,
	}
	cmd.AddCommand(a.configInit(), a.configCheck(), a.configPrint())
	return cmd
}

func (a *app) configCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE...]",
		Short: "Say everything that is wrong with a configuration",
		Long: `Say everything that is wrong with a configuration, in one go, and exit with status 1;
or say which keys it issues and opens tokens with, and on standard error what is valid and
probably not meant. The keys and the other files that it names are read, the denylist is
not asked.`,
		Example: `  pasetokit config check auth.yaml
  pasetokit config check auth.yaml production.yaml
  pasetokit config check --json auth.yaml`,
		RunE: a.do(func(cmd *cobra.Command, args []string) error { return a.runConfigCheck(cmd, args) }),
	}
	cmd.ValidArgsFunction = configFiles
	return cmd
}

// configFiles completes the names of configurations.
func configFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"yaml", "yml", "toml", "json"}, cobra.ShellCompDirectiveFilterFileExt
}

type checkResult struct {
	Valid bool        `json:"valid"`
	Keys  []checkedIn `json:"keys,omitempty"`
}

// checkedIn is a key of a configuration.
type checkedIn struct {
	KeyID   string `json:"kid"`
	Version string `json:"version"`
	Purpose string `json:"purpose"`
	// Issues is set for the one key that new tokens are issued with.
	Issues   bool       `json:"issues"`
	NotAfter *time.Time `json:"not_after,omitempty"`
}

func (a *app) runConfigCheck(cmd *cobra.Command, files []string) error {
	a.lines = true
	keys, err := a.check(cmd, files)
	if err != nil {
		return err
	}
	text := "the configuration is valid\n"
	for _, key := range keys {
		text += key.text()
	}
	return a.print(checkResult{Valid: true, Keys: keys}, text)
}

// check returns the keys of a configuration.
func (a *app) check(cmd *cobra.Command, files []string) ([]checkedIn, error) {
	cfg, err := config.Load(files...)
	if err != nil {
		return nil, err
	}
	var opts []config.Option
	if !cfg.Denylist.Disabled { // in the place of one that may be another machine's
		store := denylist.NewMemory()
		defer store.Close() //nolint:errcheck // nothing is in it
		opts = append(opts, config.WithStore(store))
		if name := storeOf(cfg); name != storeMemory && name != storeBolt {
			opts = append(opts, config.WithStore(sharedStore{store}))
		}
	}
	kit, err := a.openNoting(cmd.Context(), cfg, opts...)
	if err != nil {
		return nil, err
	}
	defer kit.Close() //nolint:errcheck // it owns no store
	return checkedKeys(kit.Authorizer.Config()), nil
}

// sharedStore stands for a store that other programs know too.
type sharedStore struct{ denylist.Store }

func (sharedStore) Shared() bool { return true }

func checkedKeys(cfg paseto.Config) []checkedIn {
	var keys []checkedIn
	issuing := false
	for _, key := range cfg.Keys {
		k := checkedIn{KeyID: key.KeyID(), Version: string(key.Version()), Purpose: string(key.Purpose())}
		if !issuing && key.CanIssue() && key.Version() == cfg.Version && key.Purpose() == cfg.Purpose {
			issuing, k.Issues = true, true
		}
		if until := key.NotAfter(); !until.IsZero() {
			k.NotAfter = &until
		}
		keys = append(keys, k)
	}
	return keys
}

func (k checkedIn) text() string {
	does := "opens"
	if k.Issues {
		does = "issues and opens"
	}
	until := ""
	if k.NotAfter != nil {
		until = " until " + k.NotAfter.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s %s %s.%s tokens%s\n", k.KeyID, does, k.Version, k.Purpose, until)
}

func (a *app) configPrint() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "print [FILE...]",
		Short: "Show every setting with its value and its source",
		Long: `Show every setting with the value that is in force and where it comes from: a file,
an environment variable, or the default. Keys and passwords are not shown.`,
		Example: `  pasetokit config print auth.yaml
  PASETOKIT_TOKEN__ACCESS_TTL=5m pasetokit config print
  pasetokit config print --json auth.yaml`,
		RunE: a.do(func(_ *cobra.Command, args []string) error { return a.runConfigPrint(args) }),
	}
	cmd.ValidArgsFunction = configFiles
	return cmd
}

type setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

func (a *app) runConfigPrint(files []string) error {
	a.lines = true
	inForce, err := config.Settings(files...)
	if err != nil {
		return err
	}
	settings := make([]setting, len(inForce))
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i, s := range inForce {
		settings[i] = setting{s.Key, s.Value, s.Source}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", s.Key, printable(s.Value), s.Source)
	}
	_ = table.Flush()
	return a.print(map[string][]setting{"settings": settings}, b.String())
}
