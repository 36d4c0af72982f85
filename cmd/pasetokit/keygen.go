package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/paseto"
)

type keygenFlags struct {
	version, purpose, format string
	out, outPublic           string
	wrap                     wrapFlags
}

func (a *app) keygen() *cobra.Command {
	var f keygenFlags
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key",
		Long: `Make a key, and write it to standard output or, with --out, to a new file that its
owner alone can read. A file that exists is never overwritten. The key's id, the
kid of its tokens, goes to standard error.

A key of purpose local encrypts tokens, and all who read them hold it. A key of
purpose public is a pair: the secret half signs, and --out-public writes the half
that verifies, which anyone may have.

A key that is wrapped, with a password or with another key, is of no use to who
finds it alone. The password comes from --password-file or --password-env, else it
is asked for at the terminal, or read from standard input.`,
		Example: `  pasetokit keygen --out paseto.key
  pasetokit keygen --purpose public --out paseto.key --out-public paseto.pub
  pasetokit keygen --purpose public --format pem --out paseto.pem
  pasetokit keygen --wrap-password --out paseto.key
  pasetokit keygen --wrap-key master.key --out paseto.key`,
		Args: atMost(0),
		RunE: a.do(func(*cobra.Command, []string) error { return a.runKeygen(&f) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.version, "version", versions[0], "PASETO version: v4, v3 or v2")
	flags.StringVar(&f.purpose, "purpose", purposes[0], "local (encrypts) or public (signs)")
	flags.StringVar(&f.format, "format", paserkForm, "paserk, pem (purpose public) or hex")
	flags.StringVar(&f.out, "out", "", "new `file` for the key")
	flags.StringVar(&f.outPublic, "out-public", "", "new `file` for the public half")
	f.wrap.add(cmd, "")
	complete(cmd, "version", versions...)
	complete(cmd, "purpose", purposes...)
	complete(cmd, "format", paserkForm, pemForm, hexForm)
	return cmd
}

func (f *keygenFlags) check() error {
	err := errors.Join(
		oneOf("version", f.version, versions...),
		oneOf("purpose", f.purpose, purposes...),
		oneOf("format", f.format, paserkForm, pemForm, hexForm),
		f.wrap.check(),
	)
	local := f.purpose == string(paseto.Local)
	switch {
	case err != nil:
		return err
	case f.format == pemForm && local:
		return misuse("a local key has no PEM form: --format pem goes with --purpose public")
	case f.outPublic != "" && local:
		return misuse("a local key has no public half: --out-public goes with --purpose public")
	case f.wrap.given() && f.format != paserkForm:
		return misuse("a wrapped key is a PASERK: --format %s does not go with it", f.format)
	}
	return nil
}

func (a *app) runKeygen(f *keygenFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	key, err := paseto.NewKey(paseto.Version(f.version), paseto.Purpose(f.purpose))
	if err != nil {
		return err
	}
	text, err := a.keygenText(key, f)
	if err != nil {
		return err
	}
	result := newKeyResult(key)
	var files []newFile
	if f.outPublic != "" {
		half, err := key.PublicKey()
		must(err)
		public, err := writeForm(half, f.format)
		must(err)
		files = append(files, newFile{f.outPublic, public, publicMode})
		result.PublicFile = f.outPublic
	}
	if f.out == "" {
		result.Key = strings.TrimSpace(text)
	} else {
		files = append(files, newFile{f.out, text, secretMode})
		result.File, text = f.out, ""
	}
	if err := writeNew(files...); err != nil {
		return err
	}
	if !a.json {
		a.tell("kid: %s", result.KeyID)
	}
	err = a.print(result, text)
	if err != nil && f.out == "" && f.outPublic != "" {
		err = errors.Join(err, os.Remove(f.outPublic)) // the other half is lost
	}
	return err
}

func (a *app) keygenText(key paseto.Key, f *keygenFlags) (string, error) {
	if f.wrap.given() {
		return a.wrap(key, &f.wrap)
	}
	return writeForm(key, f.format)
}
