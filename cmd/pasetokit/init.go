package main

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

const initFile = "auth.yaml"

// initHead is the beginning of the configuration that config init writes: what it sets.
// The purpose and the name of the key in it are replaced.
//
//go:embed auth.yaml
var initHead string

func (a *app) configInit() *cobra.Command {
	var purpose string
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a configuration to start from, and its key",
		Long: `Write a configuration to start from, ` + initFile + ` or the file that is named, and beside it
a new key in a file that its owner alone can read: auth.key beside auth.yaml. The
configuration has every setting, with its default and what it means. No file is
overwritten.

The configuration names the key as FILE is named: relative to the directory in which
the program will be started, or absolute if FILE is.`,
		Example: `  pasetokit config init
  pasetokit config init --purpose public login.yaml
  pasetokit config init /etc/app/auth.yaml`,
		Args: atMost(1),
		RunE: a.do(func(_ *cobra.Command, args []string) error {
			path := initFile
			if len(args) > 0 {
				path = args[0]
			}
			return a.runConfigInit(path, purpose)
		}),
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	cmd.Flags().StringVar(&purpose, "purpose", purposes[0], "of tokens and key: local (encrypts) or public (signs)")
	complete(cmd, "purpose", purposes...)
	return cmd
}

type initResult struct {
	File string    `json:"file"`
	Key  keyResult `json:"key"`
}

func (a *app) runConfigInit(path, purpose string) error {
	extension := filepath.Ext(path)
	keyPath := strings.TrimSuffix(path, extension) + ".key"
	switch {
	case looksSecret(path):
		return misuse("expected the name of the new configuration, and not a key")
	case extension != ".yaml" && extension != ".yml" || filepath.Base(path) == extension:
		return misuse("the configuration is written in YAML: its name must end in .yaml or .yml")
	case strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }):
		return misuse("the name of the configuration has characters that cannot be printed")
	}
	if err := oneOf("purpose", purpose, purposes...); err != nil {
		return err
	}
	key, err := paseto.NewKey(paseto.V4, paseto.Purpose(purpose))
	if err != nil {
		return err
	}
	keyText, err := writeForm(key, paserkForm)
	if err != nil {
		return err
	}
	text := strings.NewReplacer("purpose: local", "purpose: "+purpose, "file: auth.key", "file: "+yamlText(keyPath)).Replace(initHead) +
		initRest(config.Reference())
	if err := writeNew(newFile{keyPath, keyText, secretMode}, newFile{path, text, publicMode}); err != nil {
		return err
	}
	result := initResult{File: path, Key: newKeyResult(key)}
	result.Key.File = keyPath
	if err := a.print(result, fmt.Sprintf("wrote %s\nwrote %s, which you alone can read\n", path, keyPath)); err != nil || a.json {
		return err
	}
	a.tell(`next:
  keep the key out of the repository: echo %s >> .gitignore
  check the configuration after every change: pasetokit config check %s
  open it in your program: config.Load(%q), then config.Open`, shellText(filepath.Base(keyPath)), shellText(path), path)
	return nil
}

// yamlText returns a text as YAML, in quotes if it has more than plain characters.
func yamlText(text string) string { return quoted(text, "''") }

// shellText returns a text as an argument for the shell.
func shellText(text string) string { return quoted(text, `'\''`) }

// quoted returns text as it is, or in single quotes, with what stands for a quote inside.
func quoted(text, quote string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-"
	if strings.Trim(text, plain) == "" && !strings.HasPrefix(text, "-") {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", quote) + "'"
}
