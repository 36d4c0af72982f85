package main

import (
	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/paseto"
)

func (a *app) key() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Look at a key, convert it",
		Long:  "Look at a key, convert it. The key is read from a file or from standard input.",
		Example: `  pasetokit key id paseto.key
  pasetokit key public paseto.key
  pasetokit key convert --to pem paseto.key`,
	}
	cmd.AddCommand(a.keyID(), a.keyPublic(), a.keyConvert())
	return cmd
}

// readingKeys is the part of a help text that says which keys are read.
const readingKeys = `

A key is a PASERK (k4.local.…, k4.secret.…, k4.public.…), PEM, or hexadecimal
digits or raw bytes, which do not say what they are: --version and --purpose do. A
key that is wrapped with a password wants --password-file or --password-env, else
the password is asked for at the terminal, or read from standard input. A key that
is wrapped with a key wants --wrapping-key.`

func (a *app) keyID() *cobra.Command {
	var f keyFlags
	cmd := &cobra.Command{
		Use:   "id [FILE|-]",
		Short: "Print the id of a key, the kid of its tokens",
		Long: `Print the id of a key: the kid in the footer of its tokens, which is the same for
both halves of a pair. It tells nothing of the key and may be published.` + readingKeys,
		Example: `  pasetokit key id paseto.key
  openssl rand -hex 32 | pasetokit key id
  pasetokit key id --password-file password wrapped.key`,
		Args: atMost(1),
		RunE: a.do(func(_ *cobra.Command, args []string) error {
			key, err := a.readKeyArgument(args, &f)
			if err != nil {
				return err
			}
			result := keyIDResult{newKeyResult(key), key.ID(), key.CanIssue()}
			return a.print(result, result.KeyID+"\n")
		}),
	}
	f.add(cmd)
	return cmd
}

type keyIDResult struct {
	keyResult
	// PaserkID is the id of this half alone: lid, sid or pid.
	PaserkID string `json:"paserk_id"`
	CanIssue bool   `json:"can_issue"`
}

func (a *app) keyPublic() *cobra.Command {
	var f keyFlags
	var to, out string
	cmd := &cobra.Command{
		Use:   "public [FILE|-]",
		Short: "Print the public half of a key pair",
		Long:  "Print the half of a key pair that verifies tokens and cannot issue any." + readingKeys,
		Example: `  pasetokit key public paseto.key
  pasetokit key public --to pem --out paseto.pub.pem paseto.key`,
		Args: atMost(1),
		RunE: a.do(func(_ *cobra.Command, args []string) error {
			if err := oneOf("to", to, paserkForm, pemForm, hexForm); err != nil {
				return err
			}
			key, err := a.readKeyArgument(args, &f)
			if err != nil {
				return err
			}
			half, err := key.PublicKey()
			if err != nil {
				return err
			}
			text, err := writeForm(half, to)
			if err != nil {
				return err
			}
			return a.deliver(half, text, out)
		}),
	}
	f.add(cmd)
	cmd.Flags().StringVar(&to, "to", paserkForm, "paserk, pem or hex")
	cmd.Flags().StringVar(&out, "out", "", "new `file` for the public half")
	complete(cmd, "to", paserkForm, pemForm, hexForm)
	return cmd
}

func (a *app) keyConvert() *cobra.Command {
	var f keyFlags
	var wrap wrapFlags
	var to, out string
	cmd := &cobra.Command{
		Use:   "convert [FILE|-]",
		Short: "Write a key in another form",
		Long: `Write a key in another form: paserk, pem (keys of purpose public), hex, or wrapped
with --wrap-password or --wrap-key. A key that is wrapped is unwrapped first. In hex
a public half is for other programs: its digits do not say what they are, and are
not read back here.` + readingKeys,
		Example: `  pasetokit key convert --to pem --out paseto.pem paseto.key
  pasetokit key convert --to wrapped --wrap-password --out wrapped.key paseto.key
  pasetokit key convert --to wrapped --wrap-key master.key paseto.key
  pasetokit key convert --to paserk --password-file password wrapped.key`,
		Args: atMost(1),
		RunE: a.do(func(_ *cobra.Command, args []string) error {
			if err := checkConvert(to, &wrap); err != nil {
				return err
			}
			key, err := a.readKeyArgument(args, &f)
			if err != nil {
				return err
			}
			var text string
			if to == wrappedForm {
				text, err = a.wrap(key, &wrap)
			} else {
				text, err = writeForm(key, to)
			}
			if err != nil {
				return err
			}
			return a.deliver(key, text, out)
		}),
	}
	f.add(cmd)
	wrap.add(cmd, "new-")
	cmd.Flags().StringVar(&to, "to", "", "paserk, pem, hex or wrapped")
	cmd.Flags().StringVar(&out, "out", "", "new `file` for the key")
	complete(cmd, "to", paserkForm, pemForm, hexForm, wrappedForm)
	return cmd
}

func checkConvert(to string, wrap *wrapFlags) error {
	if err := oneOf("to", to, paserkForm, pemForm, hexForm, wrappedForm); err != nil {
		return err
	}
	if err := wrap.check(); err != nil {
		return err
	}
	if wrap.given() != (to == wrappedForm) {
		return misuse("--to wrapped and one of --wrap-password and --wrap-key go together")
	}
	return nil
}

func (a *app) readKeyArgument(args []string, f *keyFlags) (paseto.Key, error) {
	path, err := a.keyPath(args)
	if err != nil {
		return paseto.Key{}, err
	}
	return a.readKey(path, f)
}
