package main

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestKeygen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, args, stdout, stderr string }{
		{"default", "", "k4.local.…\n", "kid: k4.lid.…\n"},
		{"pair", "--purpose public", "k4.secret.…\n", "kid: k4.pid.…\n"},
		{"version 2", "--version v2", "k2.local.…\n", "kid: k2.lid.…\n"},
		{"version 3", "--version v3 --purpose public", "k3.secret.…\n", "kid: k3.pid.…\n"},
		{"hex", "--format hex", "…\n", "kid: k4.lid.…\n"},
		{"PEM", "--purpose public --format pem", "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n", "kid: k4.pid.…\n"},
		{"wrapped with a key", "--wrap-key DIR/zero", "k4.local-wrap.pie.…\n", "kid: k4.lid.…\n"},
		{"wrapped with a password", "--purpose public --wrap-password --password-file DIR/password", "k4.secret-pw.…\n", "kid: k4.pid.…\n"},
		{"JSON", "--json", `{"kid":"k4.lid.…","version":"v4","purpose":"local","key":"k4.local.…"}` + "\n", ""},
		{"JSON of a pair", "--json --purpose public",
			`{"kid":"k4.pid.…","version":"v4","purpose":"public","key":"k4.secret.…","public":"k4.public.…"}` + "\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			newDir(t).run("keygen "+test.args).want(0, test.stdout, test.stderr)
		})
	}
}

func TestKeygenFiles(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.run("keygen --purpose public --out DIR/new --out-public DIR/new.pub").want(0, "", "kid: k4.pid.…\n")
	d.wantMode("new", 0o600)
	d.wantMode("new.pub", 0o644)
	if got, want := d.run("key public DIR/new").ok()+"\n", d.read("new.pub"); got != want {
		t.Errorf("the public half is %s, want %s", got, want)
	}
	d.run("keygen --json --out DIR/other").want(0,
		`{"kid":"k4.lid.…","version":"v4","purpose":"local","file":"DIR/other"}`+"\n", "")

	pem := d.run("keygen --json --purpose public --format pem --out DIR/pem --out-public DIR/pem.pub").decode()
	if pem["file"] == nil || pem["public_file"] == nil || pem["key"] != nil {
		t.Errorf("JSON names the wrong places: %v", pem)
	}
	if !strings.HasPrefix(d.read("pem.pub"), "-----BEGIN PUBLIC KEY-----") {
		t.Errorf("the public half is not in the form that was asked for: %s", d.read("pem.pub"))
	}
}

func TestKeygenOverwritesNothing(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	const exists = "pasetokit: DIR/zero exists and is never overwritten: file already exists\n"
	d.run("keygen --out DIR/zero").want(1, "", exists)
	d.run("keygen --json --out DIR/zero").want(1,
		`{"error":{"code":"file_exists","message":"DIR/zero exists and is never overwritten: file already exists"}}`+"\n", "")
	d.run("keygen --purpose public --out DIR/zero --out-public DIR/half").want(1, "", exists)
	d.wantMissing("half")
	d.run("keygen --purpose public --out DIR/whole --out-public DIR/zero").want(1, "", exists)
	d.wantMissing("whole")
	if got := d.read("zero"); got != zeroKey {
		t.Errorf("the file now holds %s", got)
	}
	if err := os.Symlink(d.file("elsewhere"), d.file("link")); err != nil {
		t.Fatal(err)
	}
	d.run("keygen --out DIR/link").want(1, "", "pasetokit: DIR/link exists and is never overwritten: file already exists\n")
	d.wantMissing("elsewhere")
	d.run("keygen --out DIR/no/such").want(1, "", "pasetokit: open DIR/no/such: no such file or directory\n")
}

func TestKeygenMisuse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"--version v1", "--version must be one of v4, v3, v2"},
		{"--purpose both", "--purpose must be one of local, public"},
		{"--format jwk", "--format must be one of paserk, pem, hex"},
		{"--format pem", "a local key has no PEM form: --format pem goes with --purpose public"},
		{"--out-public DIR/x", "a local key has no public half: --out-public goes with --purpose public"},
		{"--format hex --wrap-key DIR/zero", "a wrapped key is a PASERK: --format hex does not go with it"},
		{"--wrap-key DIR/zero --wrap-password", "give one of --wrap-password and --wrap-key"},
		{"--password-file DIR/password", "--password-file and --password-env go with --wrap-password"},
		{"--wrap-password --password-file DIR/password --password-env X", "give one of --password-file and --password-env"},
		{"--wrap-key " + zeroKey, "the key must not stand on the command line, where others can see it: give the name of its file, or - and the key on standard input"},
		{"--wrap-password hunter2", "pasetokit keygen takes at most 0 arguments, not 1; see its --help"},
		{"--wrap-password=hunter2", "--wrap-password takes no value"},
		{"--password hunter2", "unknown flag: --password"},
		{"-phunter2", "unknown shorthand flag: -p"},
		{"--out", "flag needs an argument: --out"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			d := newDir(t)
			d.run("keygen "+test.args).want(2, "", "pasetokit: "+test.want+"\n")
			e, _ := d.run("keygen --json " + test.args).decode()["error"].(map[string]any)
			if e["code"] != "usage" {
				t.Errorf("JSON error %v", e)
			}
		})
	}
}

func TestKeygenFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"--wrap-password", "the password is empty; give it with --password-file or --password-env, at a terminal or on standard input"},
		{"--wrap-password --password-env NO_SUCH", "environment variable NO_SUCH is not set"},
		{"--wrap-password --password-file DIR/none", "open DIR/none: no such file or directory"},
		{"--wrap-password --password-file DIR/marked", "the password begins with a byte order mark; save it as UTF-8 without one"},
		{"--wrap-key DIR/none", "open DIR/none: no such file or directory"},
		{"--wrap-key DIR/pair", "invalid key: the wrapping key must be a local key of the same version, v4"},
		{"--version v3 --wrap-key DIR/zero", "invalid key: the wrapping key must be a local key of the same version, v3"},
		{"--wrap-key DIR/password", "DIR/password: invalid key: expected …"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			d := newDir(t)
			d.write("marked", "\ufeff"+password)
			d.run("keygen "+test.args).want(1, "", "pasetokit: "+test.want+"\n")
		})
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(d *dir, line string) result{
		"file":           func(d *dir, line string) result { return d.run(line + " --password-file DIR/password") },
		"environment":    func(d *dir, line string) result { return d.run(line + " --password-env TEST_PASSWORD") },
		"standard input": func(d *dir, line string) result { return d.runWith(password+"\r\n", line) },
		"terminal": func(d *dir, line string) result {
			d.prompt = func(string) ([]byte, error) { return []byte(password), nil }
			return d.run(line)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDir(t)
			wrapped := read(d, "keygen --wrap-password").ok()
			d.write("wrapped", wrapped)
			if id := read(d, "key id "+d.file("wrapped")).ok(); !strings.HasPrefix(id, "k4.lid.") {
				t.Errorf("the id is %s", id)
			}
		})
	}
}

func TestPrompt(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	var labels []string
	d.prompt = func(label string) ([]byte, error) {
		labels = append(labels, label)
		return []byte(strings.Repeat("x", len(labels))), nil
	}
	d.run("keygen --wrap-password --out DIR/new").want(1, "", "pasetokit: the two passwords differ\n")
	d.wantMissing("new")
	if got := strings.Join(labels, ", "); got != "Password for the new key, The same again" {
		t.Errorf("asked for %s", got)
	}
	d.prompt = func(string) ([]byte, error) { return nil, errors.New("end of file") }
	d.run("keygen --wrap-password").want(1, "", "pasetokit: end of file\n")
	d.run("key id").want(2, "", "pasetokit: give the file that holds the key, or - to type it\n")
	d.run("inspect").want(2, "", "pasetokit: give the token, or - to type it\n")
	d.runWith(zeroKey, "key id -").want(0, zeroID+"\n", "")
}
