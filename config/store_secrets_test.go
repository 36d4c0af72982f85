package config

import (
	"strings"
	"testing"
)

// TestPasswordsAreNotShown writes a password where it belongs, in ways that it
// must not be written, and where people write it by mistake: no error has it.
func TestPasswordsAreNotShown(t *testing.T) {
	t.Parallel()
	const yaml, toml = "denylist:\n  redis:\n    ", "[denylist.redis]\n"
	for _, test := range []struct{ name, file, content string }{
		{"number", "a.yaml", yaml + "password: 20406080"},
		{"list", "a.yaml", yaml + "password: [20406080]"},
		{"object", "a.yaml", yaml + "password: {20406080: x}"},
		{"anchor", "a.yaml", yaml + "password: *20406080"},
		{"character that begins nothing", "a.yaml", yaml + "password: @20406080"},
		{"quote that does not end", "a.yaml", yaml + "password: \"20406080"},
		{"number that is none", "a.yaml", yaml + "password: !!int 20406080x"},
		{"unknown tag", "a.yaml", yaml + "password: !20406080"},
		{"unknown tag with text", "a.yaml", yaml + "password: !20406080 x"},
		{"unknown tag of YAML's own form", "a.yaml", yaml + "password: !!20406080"},
		{"unknown tag in full", "a.yaml", yaml + "password: !<20406080> x"},
		{"no space", "a.yaml", "denylist: {redis: {password:20406080}}"},
		{"sentinel's, a number", "a.yaml", yaml + "sentinel_password: 20406080"},
		{"sentinel's, a list", "a.yaml", yaml + "sentinel_password: [20406080]"},
		{"for the section", "a.yaml", "denylist: {redis: 20406080}"},
		{"URL", "a.yaml", yaml + "addresses: ['redis://:20406080@localhost:6379']"},
		{"URL, no list", "a.yaml", yaml + "addresses: redis://:20406080@localhost:6379"},
		{"URL, list in list", "a.yaml", yaml + "addresses: [['redis://:20406080@localhost:6379']]"},
		{"beside the address", "a.yaml", yaml + "addresses: ['20406080@localhost:6379']"},
		{"URL for the store", "a.yaml", "denylist: {store: 'redis://:20406080@localhost:6379'}"},
		{"bare, in TOML", "a.toml", toml + "password = 20406080x"},
		{"number, in TOML", "a.toml", toml + "password = 20406080"},
		{"no equals sign, in TOML", "a.toml", toml + "password \"20406080\""},
		{"twice, in TOML", "a.toml", toml + "password = \"20406080\"\npassword = \"20406080\""},
		{"number, in JSON", "a.json", `{"denylist": {"redis": {"password": 20406080}}}`},
		{"bare, in JSON", "a.json", `{"denylist": {"redis": {"password": x20406080}}}`},
		{"twice, in JSON", "a.json", `{"denylist": {"redis": {"password": "20406080", "password": "20406080"}}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := load(nil, []string{write(t, test.file, test.content)})
			wantUnseen(t, err, "20406080")
		})
	}
	for _, variable := range []string{
		"PASETOKIT_DENYLIST__REDIS=20406080",
		"PASETOKIT_DENYLIST__REDIS__PASWORD=20406080",
		"PASETOKIT_DENYLIST__REDIS__PASSWORD__X=20406080",
		"PASETOKIT_DENYLIST__REDIS__ADDRESSES=redis://:20406080@localhost:6379",
		"PASETOKIT_DENYLIST__STORE=redis://:20406080@localhost:6379",
	} {
		_, _, err := load([]string{variable}, nil)
		wantUnseen(t, err, "20406080")
	}
	_, _, err := load([]string{
		"PASETOKIT_DENYLIST__STORE=redis", "PASETOKIT_DENYLIST__REDIS__PASSWORD=20406080", "PASETOKIT_DENYLIST__REDIS__PASSWORD_FILE=x",
	}, nil)
	wantUnseen(t, err, "20406080")
}

// TestSecretsAsNames writes secrets where names belong: no error has them.
func TestSecretsAsNames(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8", "k4.local-pw.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8",
		"v4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8", hexKey, hexKey[:20], "20406080", "hunter2", "Tr0ub4dor&3", "s3cret",
		"cHFyc3R1dnd4eXp7fH1+f4CBgoOEhYaHiImKi4yNjo8=", "QWERTZUIOPASDFGHJKLYXCVBNMQWERTZ",
	} {
		for _, test := range []struct{ file, content string }{
			{"a.yaml", "'SECRET': x"},
			{"a.yaml", "'SECRET': {x: y}"},
			{"a.yaml", "token: {'SECRET': x}"},
			{"a.yaml", "token: {keys: [{'SECRET': x}]}"},
			{"a.yaml", "token: {keys: [{env: 'SECRET'}]}"},
			{"a.yaml", "token: {keys: [{env: HOME, password_env: 'SECRET'}]}"},
			{"a.yaml", "denylist: {redis: {'SECRET': x}}"},
			{"a.yaml", "denylist: {redis: {'SECRET': x, 'SECRET': y}}"},
			{"a.yaml", "? {'SECRET': x}\n: y"},
			{"a.yaml", "token: !SECRET x"},
			{"a.yaml", "token: &SECRET x\n  y: *SECRET"},
			{"a.yaml", "token: *SECRET"},
			{"a.toml", "'SECRET' = 1"},
			{"a.toml", "['SECRET']"},
			{"a.toml", "[[token]]\n'SECRET' = 1"},
			{"a.toml", "['SECRET']\n['SECRET']"},
			{"a.toml", "[[token.'SECRET']]\n[token.'SECRET']"},
			{"a.toml", "'SECRET' = 1\n'SECRET' = 2"},
			{"a.toml", "'SECRET' = 1\n['SECRET'.x]"},
			{"a.toml", "SECRET"},
			{"a.toml", "x = SECRET"},
			{"a.json", `{"SECRET": 1}`},
			{"a.json", `{"token": {"SECRET": 1, "SECRET": 2}}`},
			{"a.json", `{"denylist": {"redis": {"SECRET": null}}}`},
			{"a.json", `{"token": SECRET}`},
		} {
			_, _, err := load(nil, []string{write(t, test.file, strings.ReplaceAll(test.content, "SECRET", secret))})
			wantUnseen(t, err, secret)
		}
		for _, name := range []string{"SECRET", "TOKEN__SECRET", "TOKEN__ISSUER__SECRET", "DENYLIST__REDIS__SECRET", "SECRET__PASSWORD"} {
			inName := strings.TrimRight(secret, "=")
			_, _, err := load([]string{EnvPrefix + strings.ReplaceAll(name, "SECRET", inName) + "=x"}, nil)
			wantUnseen(t, err, inName)
		}
	}
	_, _, err := load(nil, []string{"k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8", "v4.local.cHFyc3R1dnd4"})
	wantUnseen(t, err, "cHFyc3R1dnd4")
}

// TestKeysAsValues writes keys where other values belong: no error has them.
func TestKeysAsValues(t *testing.T) {
	t.Parallel()
	const secret = "cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8"
	for _, key := range schemaOf(newConfig()).keys() {
		for _, value := range []string{
			"k4.local." + secret, "v4.local." + secret, " k4.local." + secret, "k4.secret." + secret + secret, "-k4.local." + secret + "/x",
			hexKey, "x " + hexKey, "https://user:" + secret[:12] + "@example.com", "file:k4.local." + secret,
		} {
			if _, _, err := load([]string{variableName(key) + "=" + value}, nil); err != nil {
				wantUnseen(t, err, secret[:12], hexKey[:20])
			}
		}
	}
	_, _, err := load(nil, []string{"k4.local." + secret + ".yaml"})
	wantUnseen(t, err, secret[:12])
}

// wantUnseen checks that there is an error, and that it has none of the secrets.
func wantUnseen(t *testing.T, err error, secrets ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("it is accepted")
	}
	for _, secret := range secrets {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestWrongTypeOfPassword: the error says what is wrong all the same.
func TestWrongTypeOfPassword(t *testing.T) {
	t.Parallel()
	path := write(t, "auth.yaml", "denylist: {redis: {password: 12345}}")
	_, _, err := load(nil, []string{path})
	wantProblem(t, err, "config: denylist.redis.password ("+path+":1): expected a string")
	const placeholder = "it is the placeholder for a secret that was not shown, and not the secret"
	path = write(t, "auth.yaml", "denylist: {redis: {password: (redacted)}}")
	_, _, err = load(nil, []string{path})
	wantProblem(t, err, "config: denylist.redis.password ("+path+":1): "+placeholder)
	path = write(t, "auth.yaml", "token: {keys: [(redacted)]}")
	_, _, err = load(nil, []string{path})
	wantProblem(t, err, "config: token.keys[0] ("+path+":1): expected the key itself as a string, file:path, {file: path} or {env: NAME}")
	cfg, _, err := load([]string{"PASETOKIT_DENYLIST__REDIS__PASSWORD=12345"}, nil)
	if err != nil || redisOf(cfg).Password.Reveal() != "12345" {
		t.Errorf("in the environment, where all is text: %v", err)
	}
}

// TestPasswordIsNotPrinted loads passwords that are well written.
func TestPasswordIsNotPrinted(t *testing.T) {
	t.Parallel()
	path := write(t, "auth.yaml", "denylist: {redis: {password: 's3cret 1', sentinel_password: 's3cret 2'}}")
	cfg, sources, err := load(nil, []string{path})
	if err != nil {
		t.Fatal(err)
	}
	if r := redisOf(cfg); r.Password.Reveal() != "s3cret 1" || r.SentinelPassword.Reveal() != "s3cret 2" {
		t.Fatal("the passwords are not those of the file")
	}
	all := cfg.settings(sources)
	shown := map[string]string{}
	for _, s := range all {
		shown[s.Key] = s.Value
	}
	for key, want := range map[string]string{
		"denylist.redis.password": "(redacted)", "denylist.redis.sentinel_password": "(redacted)",
		"denylist.redis.addresses": "none", "denylist.redis.cache_ttl": "30s", "denylist.redis.tls.enabled": "false",
	} {
		if shown[key] != want {
			t.Errorf("the setting %s is shown as %q, want %q", key, shown[key], want)
		}
	}
	for _, s := range newConfig().settings(nil) {
		if strings.HasSuffix(s.Key, "password") && s.Value != "none" {
			t.Errorf("the setting %s is shown as %q where there is none", s.Key, s.Value)
		}
	}
}
