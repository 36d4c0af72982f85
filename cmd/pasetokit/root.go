package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit statuses.
const (
	statusFailed = 1 // it failed, or the token is refused
	statusMisuse = 2 // the command line makes no sense
)

// app is one invocation: its streams, and what all commands share.
type app struct {
	stdin          *input
	stdout, stderr io.Writer
	json           bool
	started        bool // a command runs; errors before that are misuse
	lines          bool // what is wrong with a configuration takes a line each
}

// run does what the arguments say and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: newInput(stdin, stderr), stdout: stdout, stderr: stderr}
	return a.run(args)
}

func (a *app) run(args []string) int {
	root := a.root()
	root.SetArgs(append([]string{}, args...)) // nil would mean os.Args
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	if !a.started {
		err = misuseError{err}
		a.json = a.json || slices.Contains(args, "--json") // which may not have been reached
	}
	return a.fail(err)
}

// misuseError is an error in the command line itself.
type misuseError struct{ error }

func misuse(format string, args ...any) error { return misuseError{fmt.Errorf(format, args...)} }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "pasetokit",
		Short: "Make and keep keys, issue, inspect, verify and revoke PASETO tokens, check configurations",
		Long: `Make and keep keys, issue, inspect, verify and revoke PASETO tokens, check configurations.

Keys and passwords are never given on the command line, where others can see
them: they come from files, from standard input, or from a prompt. Tokens come as
an argument or from standard input.

With --json every command but help and completion prints exactly one JSON value on
standard output, an error too: {"error": {"code": …, "message": …}}. The exit status is 0 for success,
1 for a failure or a refused token, and 2 for a command line that makes no sense.`,
		Example: `  pasetokit keygen --out paseto.key
  pasetokit issue --key paseto.key --subject alice | pasetokit verify --key paseto.key
  pasetokit config check auth.yaml`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print one JSON value, errors included")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.AddCommand(a.keygen(), a.key(), a.inspect(), a.issue(), a.verify(), a.revoke(), a.config(), a.version())
	root.InitDefaultCompletionCmd()
	for _, cmd := range append(root.Commands(), root) {
		if cmd.Runnable() {
			continue
		}
		cmd.Args, cmd.RunE = cobra.ArbitraryArgs, group
		if cmd.Name() == "completion" {
			cmd.Example = "  source <(pasetokit completion bash)"
		}
	}
	return root
}

// group is what a command does that only has others below it.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	if looksSecret(args[0]) {
		return misuse("a key or a token is no command; see %s --help", cmd.CommandPath())
	}
	cmd.SuggestionsMinimumDistance = 2
	if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
		return misuse("unknown command %q; did you mean %s?", args[0], strings.Join(names, " or "))
	}
	return misuse("unknown command %q; see %s --help", args[0], cmd.CommandPath())
}

// do makes a command of a function.
func (a *app) do(f func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.started = true
		return f(cmd, args)
	}
}

// atMost allows n arguments. Unlike cobra's own, it repeats none of them: it may
// be a password.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return fmt.Errorf("%s takes at most %d arguments, not %d; see its --help", cmd.CommandPath(), n, len(args))
		}
		return nil
	}
}

// flagError describes a flag that cannot be read, without its value: it may be a
// secret in the wrong place.
func flagError(err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("unknown shorthand flag: -%.1s", unknown.GetSpecifiedName())
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		flag := invalid.GetFlag()
		if flag.Value.Type() == "bool" {
			return fmt.Errorf("--%s takes no value", flag.Name)
		}
		return fmt.Errorf("the value of --%s cannot be read", flag.Name)
	}
	return err
}

// secretText matches what should not stand on a command line where a file or
// the name of a command belongs.
var secretText = regexp.MustCompile(`^\s*(-{5}BEGIN|[kv]\d\.[a-z-]+\.\S{16}|[0-9a-fA-F]{64})`)

// looksSecret reports whether an argument looks like a key or a token.
func looksSecret(arg string) bool { return secretText.MatchString(arg) }

// oneOf checks the value of a flag that takes one of few.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return misuse("--%s must be one of %s", flag, strings.Join(allowed, ", "))
}

// complete offers the values of a flag that takes one of few.
func complete(cmd *cobra.Command, flag string, values ...string) {
	choices := make([]cobra.Completion, len(values))
	copy(choices, values)
	must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)))
}

// must is for what can only fail if the program is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
