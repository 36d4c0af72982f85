package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

const pairID = "k4.pid.-lbghnXGkVc5a-41wFrJQPU6n6G4knLYRJNeltH1VaK-"

func TestKeyID(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("pem", must2(key(t, pairKey).ExportPEM()))
	d.write("hex", strings.Repeat("00", 32)+"\n")
	d.write("raw", strings.Repeat("\x00", 32))
	d.write("pair.hex", hexText(key(t, pairKey)))
	d.write("wrapped", must2(key(t, pairKey).Wrap(key(t, zeroKey))))
	for _, test := range []struct{ args, want string }{
		{"DIR/zero", zeroID},
		{"DIR/hex", zeroID},
		{"DIR/raw", zeroID},
		{"--version v2 DIR/raw", "k2.lid.…"},
		{"DIR/pair", pairID},
		{"DIR/public", pairID},
		{"DIR/pem", pairID},
		{"--purpose public DIR/pair.hex", pairID},
		{"--version v2 DIR/pem", "k2.pid.…"},
		{"--wrapping-key DIR/zero DIR/wrapped", pairID},
	} {
		d.run("key id "+test.args).want(0, test.want+"\n", "")
	}
	d.runWith(zeroKey+"\n", "key id").want(0, zeroID+"\n", "")
	d.runWith(zeroKey, "key id --wrapping-key - DIR/wrapped").want(0, pairID+"\n", "")
	d.run("key id --json DIR/pair").want(0, `{"kid":"`+pairID+`","version":"v4","purpose":"public","public":"`+pairPublic+
		`","paserk_id":"k4.sid.…","can_issue":true}`+"\n", "")
	d.run("key id --json DIR/zero").want(0, `{"kid":"`+zeroID+`","version":"v4","purpose":"local","paserk_id":"`+zeroID+`","can_issue":true}`+"\n", "")
}

func TestKeyPublic(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.run("key public DIR/pair").want(0, pairPublic+"\n", "")
	d.run("key public DIR/public").want(0, pairPublic+"\n", "")
	d.run("key public --to hex DIR/pair").want(0, "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\n", "")
	d.run("key public --to pem DIR/pair").want(0, "-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n", "")
	d.run("key public --json DIR/pair").want(0, `{"kid":"`+pairID+`","version":"v4","purpose":"public","key":"`+pairPublic+`","public":"`+pairPublic+`"}`+"\n", "")
	d.run("key public --out DIR/new DIR/pair").want(0, "", "")
	d.wantMode("new", 0o644)
	d.run("key public --out DIR/zero DIR/pair").want(1, "", "pasetokit: DIR/zero exists and is never overwritten: file already exists\n")
	d.run("key public DIR/zero").want(1, "", "pasetokit: invalid key: only a key of purpose public has a public half\n")
	d.run("key public --to wrapped DIR/pair").want(2, "", "pasetokit: --to must be one of paserk, pem, hex\n")
}

func TestKeyConvert(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	for i, original := range []string{"zero", "pair"} {
		purpose := string(key(t, d.read(original)).Purpose())
		for j, form := range []string{
			"paserk", "pem", "hex", "wrapped --wrap-key DIR/zero",
			"wrapped --wrap-password --new-password-file DIR/password",
		} {
			if form == "pem" && original == "zero" {
				continue
			}
			file := fmt.Sprintf("new%d%d", i, j)
			d.run("key convert --out DIR/"+file+" DIR/"+original+" --to "+form).want(0, "", "")
			d.wantMode(file, 0o600)
			back := d.run("key convert --to paserk --purpose " + purpose + " --wrapping-key DIR/zero --password-file DIR/password DIR/" + file)
			back.want(0, d.read(original)+"\n", "")
		}
	}
	d.run("key convert --json --to hex DIR/zero").want(0,
		`{"kid":"`+zeroID+`","version":"v4","purpose":"local","key":"`+strings.Repeat("00", 32)+`"}`+"\n", "")
	d.run("key convert --json --to paserk --out DIR/x DIR/zero").want(0,
		`{"kid":"`+zeroID+`","version":"v4","purpose":"local","file":"DIR/x"}`+"\n", "")
}

func TestKeyFailures(t *testing.T) {
	t.Parallel()
	const cannotShow = "the key must not stand on the command line, where others can see it: give the name of its file, or - and the key on standard input"
	d := newDir(t)
	d.write("empty", "")
	d.write("big", strings.Repeat("x", 1<<17))
	d.write("secret", "k4.local.not-a-key-but-secret")
	d.write("pw", must2(key(t, zeroKey).WrapPassword([]byte("another"), paseto.PasswordCost{Memory: 8 << 10, Passes: 1})))
	d.write("costly", "k3.local-pw."+strings.Repeat("_", 176))
	d.write("wrapped", must2(key(t, zeroKey).Wrap(key(t, zeroKey))))
	for _, test := range []struct {
		name, args, stdin string
		status            int
		want              string
	}{
		{"key as argument", "id " + zeroKey, "", 2, cannotShow},
		{"PEM as argument", "id -----BEGIN", "", 2, "bad flag syntax: -----BEGIN"},
		{"PEM after dashes", "id -- -----BEGIN", "", 2, cannotShow},
		{"hex as argument", "id " + strings.Repeat("0f", 32), "", 2, cannotShow},
		{"token as argument", "id v4.local.0123456789abcdef", "", 2, cannotShow},
		{"two arguments", "id DIR/zero DIR/pair", "", 2, "pasetokit key id takes at most 1 arguments, not 2; see its --help"},
		{"no such file", "id DIR/none", "", 1, "open DIR/none: no such file or directory"},
		{"directory", "id DIR/", "", 1, "read DIR/: is a directory"},
		{"empty file", "id DIR/empty", "", 1, "DIR/empty: invalid key: it is empty"},
		{"empty input", "id", "", 1, "standard input: invalid key: it is empty"},
		{"too big", "id DIR/big", "", 1, "DIR/big has more than 65536 bytes"},
		{"damaged", "id DIR/secret", "", 1, "DIR/secret: invalid key: a v4 local key has 32 bytes, this one 15"},
		{"unknown version", "id --version v1 DIR/zero", "", 2, "--version must be one of v4, v3, v2"},
		{"unknown purpose", "id --purpose x DIR/zero", "", 2, "--purpose must be one of local, public"},
		{"wrong password", "id --password-file DIR/password DIR/pw", "", 1, "DIR/pw: invalid key: …"},
		{"costly password", "id --password-file DIR/password DIR/costly", "", 1,
			"DIR/costly: invalid key: its password costs more than is allowed, or nothing: 4294967295 iterations of PBKDF2; at most 1000000 are allowed"},
		{"no password", "id DIR/pw", "", 1, "DIR/pw: the password is empty; give it with --password-file or --password-env, at a terminal or on standard input"},
		{"key and password on standard input", "id - --password-file -", "k4.local-pw.AAAA", 2,
			"standard input gives the key already, and cannot give the password as well: use a file for one of them"},
		{"no wrapping key", "id DIR/wrapped", "", 2, "DIR/wrapped: the key is wrapped; give the key that it is wrapped with by --wrapping-key"},
		{"wrong wrapping key", "id --wrapping-key DIR/pair DIR/wrapped", "", 1, "DIR/wrapped: invalid key: the wrapping key must be a local key of the same version, v4"},
		{"no form", "convert DIR/zero", "", 2, "--to must be one of paserk, pem, hex, wrapped"},
		{"wrapped with nothing", "convert --to wrapped DIR/zero", "", 2, "--to wrapped and one of --wrap-password and --wrap-key go together"},
		{"wrapped and not", "convert --to hex --wrap-password DIR/zero", "", 2, "--to wrapped and one of --wrap-password and --wrap-key go together"},
		{"wrapped twice", "convert --to wrapped --wrap-password --wrap-key DIR/zero DIR/zero", "", 2, "give one of --wrap-password and --wrap-key"},
		{"local PEM", "convert --to pem DIR/zero", "", 1, "invalid key: only keys of purpose public have a PEM form"},
		{"wrapped public half", "convert --to wrapped --wrap-key DIR/zero DIR/public", "", 1, "invalid key: a public half is no secret and has no wrapped form"},
		{"unknown command", "ids", "", 2, `unknown command "ids"; did you mean id?`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := &dir{t: t, path: d.path}
			r := d.runWith(test.stdin, "key "+test.args)
			r.want(test.status, "", "pasetokit: "+test.want+"\n")
			for _, secret := range []string{zeroKey, "not-a-key", "another", password, "0f0f", "0123456789abcdef"} {
				if strings.Contains(r.stderr, secret) {
					t.Errorf("the error shows a secret: %s", r.stderr)
				}
			}
			line := strings.Replace("key "+test.args, "key ", "key --json ", 1)
			if e, _ := d.runWith(test.stdin, line).decode()["error"].(map[string]any); e["message"] == "" || e["code"] == "" {
				t.Errorf("JSON error %v", e)
			}
		})
	}
}

func TestOpenFilesAreWarnedOf(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("wrapped", must2(key(t, zeroKey).Wrap(key(t, zeroKey))))
	d.write("pw", must2(key(t, zeroKey).WrapPassword([]byte(password), paseto.PasswordCost{Memory: 8 << 10, Passes: 1})))
	for _, name := range []string{"zero", "pair", "public", "wrapped", "password"} {
		d.chmod(name, 0o644)
	}
	const warning = "pasetokit: warning: the %s in DIR/%s can be read by others (mode 0644): chmod 600 it\n"
	warn := func(content, name string) string {
		return strings.NewReplacer("%s in", content+" in", "DIR/%s", "DIR/"+name).Replace(warning)
	}
	d.run("key id DIR/zero").want(0, "…\n", warn("key", "zero"))
	d.run("key id DIR/pair").want(0, "…\n", warn("key", "pair"))
	d.run("key id DIR/public").want(0, "…\n", "")
	d.run("key id --wrapping-key DIR/zero DIR/wrapped").want(0, "…\n", warn("key", "zero"))
	d.run("key id --password-file DIR/password DIR/pw").want(0, "…\n", warn("password", "password"))
}
