package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/paseto"
)

// maxToken bounds what is read of a token, in bytes: the longest that can be
// configured.
const maxToken = 1 << 20

// tokenArgument returns the token that is the argument of a command, or comes
// on standard input.
func (a *app) tokenArgument(args []string) (string, error) {
	switch {
	case len(args) > 0 && args[0] != "-":
		return args[0], nil
	case len(args) == 0 && a.stdin.interactive():
		return "", misuse("give the token, or - to type it")
	}
	token, err := a.stdin.read("token", maxToken)
	return string(bytes.TrimSpace(token)), err
}

// sourceFlags say by which keys and rules tokens are issued and verified.
type sourceFlags struct {
	config []string
	keys   []string
	read   keyFlags
}

func (f *sourceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.config, "config", nil, "configuration `file`; several are laid over each other")
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "`file` with a key, - for standard input; may be given several times")
	must(cmd.MarkFlagFilename("config", "yaml", "yml", "toml", "json"))
	f.read.add(cmd)
}

// given reports whether keys or a configuration are named.
func (f *sourceFlags) given() bool { return len(f.config)+len(f.keys) > 0 }

// load returns the configuration that is named, or that of the environment, or
// the defaults with the keys that are named.
func (a *app) load(f *sourceFlags) (*config.Config, error) {
	if len(f.keys) == 0 {
		return config.Load(f.config...)
	}
	if len(f.config) > 0 {
		return nil, misuse("give --config or --key, not both")
	}
	cfg := new(config.Config)
	cfg.Token.VerifyOnly = true
	cfg.Denylist.Disabled = true
	for i, path := range f.keys {
		key, err := a.readKey(path, &f.read)
		if err != nil {
			return nil, err
		}
		cfg.Token.Keys = append(cfg.Token.Keys, config.Key{Value: paseto.NewSecret(key.Export())})
		if i == 0 { // which issues
			cfg.Token.Version, cfg.Token.Purpose = key.Version(), key.Purpose()
		}
	}
	return cfg, nil
}

// open opens a configuration. Which of its files others can read is said on standard error.
func (a *app) open(ctx context.Context, cfg *config.Config, opts ...config.Option) (*config.Kit, error) {
	return a.openNoting(ctx, cfg, append(opts, config.WithoutNotes())...)
}

// openNoting opens a configuration as a server does. What is probably not meant is said on
// standard error.
func (a *app) openNoting(ctx context.Context, cfg *config.Config, opts ...config.Option) (*config.Kit, error) {
	logger := slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	return config.Open(ctx, cfg, append(opts, config.WithLogger(logger))...)
}

func withoutTime(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 && attr.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attr
}

// implicitFlag names the file with the implicit assertion.
type implicitFlag struct{ file string }

func (f *implicitFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "implicit-file", "", "`file` with the implicit assertion, every byte of which counts")
}

func (a *app) implicit(f implicitFlag) ([]byte, error) {
	if f.file == "" {
		return nil, nil
	}
	data, _, err := a.stdin.readFile(f.file, "implicit assertion", maxToken)
	return data, err
}

// parseTTL reads a lifetime as configurations have it: a duration, a number of
// seconds, or none.
func parseTTL(text string) (time.Duration, error) {
	if text == settings.None {
		return paseto.NoExpiry, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		text = strconv.FormatInt(seconds, 10) + "s"
	}
	ttl, err := time.ParseDuration(text)
	if err != nil || ttl < time.Second {
		return 0, misuse("--ttl must be a duration of at least 1s such as 15m, a number of seconds, or none")
	}
	return ttl, nil
}

// payload returns the claims of a token as they were sealed.
func payload(c *paseto.Claims) json.RawMessage {
	var raw json.RawMessage
	must(c.Decode(&raw))
	return raw
}

// footerJSON returns a footer as JSON: itself if it is an object, else as a
// string; nil for none.
func footerJSON(footer []byte) json.RawMessage {
	switch {
	case len(footer) == 0:
		return nil
	case isObject(footer):
		return footer
	}
	text, err := json.Marshal(string(footer))
	must(err)
	return text
}

// isObject reports whether data is a JSON object without duplicate members.
func isObject(data []byte) bool { return strictjson.Object(data, nil) == nil }

// footerKeyID returns the kid in a footer, empty if there is none.
func footerKeyID(footer []byte) string {
	var kid string
	_ = strictjson.Object(footer, func(name string, value json.RawMessage) error {
		if name == "kid" {
			return json.Unmarshal(value, &kid)
		}
		return nil
	})
	return kid
}

// fields returns the words of a list flag whose elements have no spaces.
func fields(values []string) []string { return strings.Fields(strings.Join(values, " ")) }
