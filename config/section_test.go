package config

import (
	"strings"
	"testing"
)

// TestSection reads a section of an application's own file.
func TestSection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, file, section, content, want string }{
		{"a section", "app.yaml", "#auth", "port: 80\nauth:\n  token:\n    issuer: me\n", ""},
		{"a section of a section", "app.yaml", "#services.auth", "services: {auth: {token: {issuer: me}}}", ""},
		{"TOML", "app.toml", "#services.auth", "port = 80\n[services.auth.token]\nissuer = 'me'", ""},
		{"JSON", "app.json", "#auth", `{"port": 80, "auth": {"token": {"issuer": "me"}}}`, ""},
		{"# in the name of a file", "a#b.yaml", "", "token: {issuer: me}", ""},
		{"# in the name of a file with a section", "a#b.yaml", "#auth", "auth: {token: {issuer: me}}", ""},

		{"line in YAML", "app.yaml", "#auth", "port: 80\nauth:\n  token:\n    leeway: soon\n", `auth.token.leeway = "soon" (FILE:4): expected `},
		{"line in TOML", "app.toml", "#services.auth", "[services.auth.token]\n\nleeway = 'soon'", `services.auth.token.leeway = "soon" (FILE:3): expected `},
		{"line in JSON", "app.json", "#auth", "{\"auth\": {\n\"token\": {\n\n\"leeway\": \"soon\"}}}", `auth.token.leeway = "soon" (FILE:4): expected `},
		{"member of a list", "app.yaml", "#auth", "auth:\n  token:\n    audience:\n      - a\n      - 1\n", "auth.token.audience[1] = 1 (FILE:5): expected a string"},
		{"rule between settings", "app.yaml", "#auth", "auth:\n  token:\n    max_ttl: 800h\n    access_ttl: 900h\n",
			"auth.token.access_ttl = 900h (FILE:4): longer than auth.token.max_ttl, 800h"},
		{"unknown key", "app.yaml", "#auth", "auth: {port: 80}", "auth.port (FILE:1): unknown key; known in auth: token, http, websocket, live, denylist"},
		{"unknown key in a section", "app.yaml", "#auth", "auth: {denylist: {endpoint: 80}}", "auth.denylist.endpoint (FILE:1): unknown key; known in auth.denylist: disabled, "},
		{"misspelt key", "app.yaml", "#auth", "auth: {token: {isuer: x}}", "auth.token.isuer (FILE:1): unknown key; did you mean auth.token.issuer?"},

		{"unknown section", "app.yaml", "#auht", "auth: {token: {issuer: me}}", "FILE: it has no section auht"},
		{"unknown section of a section", "app.yaml", "#auth.token.x", "auth: {token: {issuer: me}}", "FILE: it has no section auth.token.x"},
		{"empty section", "app.yaml", "#auth", "auth:", "FILE: it has no section auth"},
		{"text for a section", "app.yaml", "#auth", "auth: hunter2", "FILE: it has no section auth"},
		{"a list for a section", "app.yaml", "#auth", "auth: [token]", "FILE: it has no section auth"},
		{"a secret for a section", "app.yaml", "#hunter2", "auth: {}", "FILE: it has no section (redacted)"},
		{"no name of a section", "app.yaml", "#", "token: {issuer: me}", "FILE: a name of a section must follow #"},
		{"no name of a section of a section", "app.yaml", "#auth.", "auth: {token: {issuer: me}}", "FILE: it has no section (redacted)"},
		{"another kind of file", "app.ini", "#auth", "", "FILE: unknown kind of file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, test.file, test.content)
			cfg, sources, err := load(nil, []string{path + test.section})
			if test.want != "" {
				wantProblem(t, err, "config: "+strings.ReplaceAll(test.want, "FILE", path))
				return
			}
			if err != nil || cfg.Token.Issuer != "me" || sources["token.issuer"].name != path {
				t.Errorf("it is read as %+v: %v", cfg, err)
			}
		})
	}
}

// TestSections lays two sections of one file over each other, and the environment over both.
func TestSections(t *testing.T) {
	t.Parallel()
	path := write(t, "app.yaml", "first:\n  token: {issuer: one, leeway: 1s, access_ttl: 1m}\nsecond:\n  token: {issuer: two, leeway: 2s}\n")
	files := []string{path + "#first", path + "#second"}
	cfg, _, err := load([]string{"PASETOKIT_TOKEN__ISSUER=three"}, files)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Token; got.Issuer != "three" || got.Leeway.String() != "2s" || got.AccessTTL.String() != "1m0s" {
		t.Errorf("it is read as %+v", got)
	}
	_, _, err = load([]string{"PASETOKIT_TOKEN__MAX_TTL=30s", "PASETOKIT_TOKEN__REFRESH_TTL=30s", "PASETOKIT_TOKEN__OTHER_TTL=30s"}, files)
	wantProblem(t, err, "config: first.token.access_ttl = 1m ("+path+":2): longer than token.max_ttl, 30s")
}
