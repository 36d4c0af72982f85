package config_test

import (
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestWatchRefusesWhatLoadRefuses: a mistake beside the keys is not passed over
// because another value runs.
func TestWatchRefusesWhatLoadRefuses(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := watchDir(t, "auth.yaml", keyFileConfig, "key", first.Export())
	w.write(t, "auth.yaml", "token: {version: v9, keys: ["+second.Export()+"]}")
	w.wantLog(t, 1, "not taken", "expected one of v2, v3, v4")
	w.want(t, first)
}

// TestParserErrorsShowNoKey: parsers quote what they do not understand.
func TestParserErrorsShowNoKey(t *testing.T) {
	t.Parallel()
	const body = "cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8"
	for name, content := range map[string]string{
		"duplicate": "token:\n  keys:\n    - k4.local." + body + ": x\n      k4.local." + body + ": y\n",
		"hex alone": localKey,
		"tagged":    "token: !!int k4.local." + body,
	} {
		d := watchedDir(t)
		d.write(t, "auth.yaml", content)
		_, err := config.Load(d.path("auth.yaml"))
		if err == nil {
			t.Errorf("%s: it is accepted", name)
			continue
		}
		if text := err.Error(); strings.Contains(text, body[:12]) || strings.Contains(text, localKey[:7]) {
			t.Errorf("%s: the error shows the key: %s", name, text)
		}
	}
	if _, err := config.Load("k4.local." + body); err == nil || strings.Contains(err.Error(), body[:12]) {
		t.Errorf("a key in the place of a path: %v", err)
	}
}

// watchedDir is a folder that nobody watches.
func watchedDir(t *testing.T) *watched {
	t.Helper()
	return &watched{dir: t.TempDir(), log: &logBuffer{}}
}
