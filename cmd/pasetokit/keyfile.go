package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/paseto"
)

// maxKeyFile bounds what is read of a key file, in bytes.
const maxKeyFile = 64 << 10

// keyFlags say how keys are read.
type keyFlags struct {
	version, purpose string
	wrappingKey      string
	password         passwordFlags
}

var (
	versions = []string{string(paseto.V4), string(paseto.V3), string(paseto.V2)}
	purposes = []string{string(paseto.Local), string(paseto.Public)}
)

func (f *keyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.version, "version", versions[0], "v4, v3 or v2, for a key that does not say it (hex, raw bytes)")
	flags.StringVar(&f.purpose, "purpose", purposes[0], "local or public, for a key that does not say it (hex, raw bytes)")
	flags.StringVar(&f.wrappingKey, "wrapping-key", "", "`file` with the key that the key read is wrapped with")
	addPassword(cmd, &f.password, "", "the key read is wrapped with")
	complete(cmd, "version", versions...)
	complete(cmd, "purpose", purposes...)
}

// addPassword adds the flags that say where a password comes from.
func addPassword(cmd *cobra.Command, f *passwordFlags, prefix, meaning string) {
	f.prefix = prefix
	cmd.Flags().StringVar(&f.file, prefix+"password-file", "", "`file` with the password that "+meaning)
	cmd.Flags().StringVar(&f.env, prefix+"password-env", "", "environment `variable` with that password")
}

func (f *keyFlags) check() error {
	if err := oneOf("version", f.version, versions...); err != nil {
		return err
	}
	return oneOf("purpose", f.purpose, purposes...)
}

// keyPath returns where the argument of a command says that a key is.
func (a *app) keyPath(args []string) (string, error) {
	switch {
	case len(args) > 0:
		return args[0], nil
	case a.stdin.interactive():
		return "", misuse("give the file that holds the key, or - to type it")
	}
	return "-", nil
}

// readKey returns the key in a file, or on standard input for "-".
func (a *app) readKey(path string, f *keyFlags) (paseto.Key, error) {
	if err := f.check(); err != nil {
		return paseto.Key{}, err
	}
	data, mode, err := a.stdin.readFile(path, "key", maxKeyFile)
	if err != nil {
		return paseto.Key{}, err
	}
	text := string(data)
	key, err := a.parseKey(path, text, f)
	if err != nil {
		if _, mistaken := err.(misuseError); mistaken { //nolint:errorlint // only if it is nothing else
			return paseto.Key{}, err
		}
		return paseto.Key{}, fmt.Errorf("%s: %w", pathName(path), err)
	}
	if modeOf(key) == secretMode && !wrappedText.MatchString(text) {
		a.warnOpen(path, "key", mode)
	}
	return key, nil
}

// wrappedText matches keys that are wrapped, with a key or with a password.
var wrappedText = regexp.MustCompile(`^\s*k\d\.[a-z]+-(wrap|pw)\.`)

func (a *app) parseKey(path, text string, f *keyFlags) (paseto.Key, error) {
	wrapped := wrappedText.FindStringSubmatch(text)
	switch {
	case wrapped == nil:
		return paseto.ParseKeyFor(paseto.Version(f.version), paseto.Purpose(f.purpose), text)
	case wrapped[1] == "pw":
		password, err := a.password(&f.password, pathName(path), false)
		if err != nil {
			return paseto.Key{}, err
		}
		return paseto.UnwrapKeyPassword(text, password)
	case f.wrappingKey == "":
		return paseto.Key{}, misuse("%s: the key is wrapped; give the key that it is wrapped with by --wrapping-key", pathName(path))
	}
	wrapping, err := a.readWrappingKey(f.wrappingKey, paseto.Version("v"+strings.TrimSpace(text)[1:2]))
	if err != nil {
		return paseto.Key{}, err
	}
	return paseto.UnwrapKey(text, wrapping)
}

// readWrappingKey returns the key in a file that wraps keys of a version.
func (a *app) readWrappingKey(path string, version paseto.Version) (paseto.Key, error) {
	return a.readKey(path, &keyFlags{version: string(version), purpose: string(paseto.Local)})
}

// warnOpen warns of a file that shows a secret to others.
func (a *app) warnOpen(path, content string, mode fs.FileMode) {
	if mode&0o077 != 0 && runtime.GOOS != "windows" {
		a.tell("pasetokit: warning: the %s in %s can be read by others (mode %04o): chmod 600 it", content, path, mode)
	}
}

// pathName names a file in messages.
func pathName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// The forms in which keys are written.
const (
	paserkForm  = "paserk"
	pemForm     = "pem"
	hexForm     = "hex"
	wrappedForm = "wrapped"
)

// writeForm returns a key as text in a form.
func writeForm(key paseto.Key, form string) (string, error) {
	switch form {
	case pemForm:
		return key.ExportPEM()
	case hexForm:
		return hexText(key), nil
	}
	return key.Export() + "\n", nil
}

// hexText returns the bytes of a key in hexadecimal digits.
func hexText(key paseto.Key) string {
	paserk := key.Export()
	material, err := base64.RawURLEncoding.DecodeString(paserk[strings.LastIndexByte(paserk, '.')+1:])
	must(err)
	return hex.EncodeToString(material) + "\n"
}

// wrapFlags say whether and how a key is wrapped when it is written.
type wrapFlags struct {
	byPassword bool
	key        string
	password   passwordFlags
}

func (f *wrapFlags) add(cmd *cobra.Command, prefix string) {
	cmd.Flags().BoolVar(&f.byPassword, "wrap-password", false, "wrap the new key with a password")
	cmd.Flags().StringVar(&f.key, "wrap-key", "", "wrap the new key with the local key of the same version in `file`")
	addPassword(cmd, &f.password, prefix, "the new key is wrapped with")
}

func (f *wrapFlags) given() bool { return f.byPassword || f.key != "" }

func (f *wrapFlags) check() error {
	switch {
	case f.byPassword && f.key != "":
		return misuse("give one of --wrap-password and --wrap-key")
	case !f.byPassword && (f.password.file != "" || f.password.env != ""):
		return misuse("--%[1]spassword-file and --%[1]spassword-env go with --wrap-password", f.password.prefix)
	}
	return nil
}

// wrap returns a key as text, wrapped.
func (a *app) wrap(key paseto.Key, f *wrapFlags) (string, error) {
	var text string
	if f.byPassword {
		password, err := a.password(&f.password, "the new key", true)
		if err != nil {
			return "", err
		}
		text, err = key.WrapPassword(password, paseto.PasswordCost{})
		return text + "\n", err
	}
	wrapping, err := a.readWrappingKey(f.key, key.Version())
	if err != nil {
		return "", err
	}
	text, err = key.Wrap(wrapping)
	return text + "\n", err
}

// keyResult is a key as --json shows it.
type keyResult struct {
	KeyID   string `json:"kid"`
	Version string `json:"version"`
	Purpose string `json:"purpose"`
	// Key is the key itself, where no file was asked for.
	Key  string `json:"key,omitempty"`
	File string `json:"file,omitempty"`
	// Public is the public half as PASERK.
	Public     string `json:"public,omitempty"`
	PublicFile string `json:"public_file,omitempty"`
}

func newKeyResult(key paseto.Key) keyResult {
	result := keyResult{KeyID: key.KeyID(), Version: string(key.Version()), Purpose: string(key.Purpose())}
	if public, err := key.PublicKey(); err == nil {
		result.Public = public.Export()
	}
	return result
}

// deliver writes the text of a key to a file, or to standard output if none is
// named.
func (a *app) deliver(key paseto.Key, text, file string) error {
	result := newKeyResult(key)
	if file == "" {
		result.Key = strings.TrimSpace(text)
		return a.print(result, text)
	}
	if err := writeNew(newFile{file, text, modeOf(key)}); err != nil {
		return err
	}
	result.File = file
	return a.print(result, "")
}

// modeOf returns the mode of a file that holds a key.
func modeOf(key paseto.Key) fs.FileMode {
	if key.Purpose() == paseto.Public && !key.CanIssue() {
		return publicMode
	}
	return secretMode
}
