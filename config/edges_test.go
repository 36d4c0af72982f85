package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// TestEdges sets every setting to the values at the edges of its rule, in a file and in
// code. Both are held to the same verdict, the file by validator and the code by the
// package that acts on the setting.
func TestEdges(t *testing.T) {
	t.Parallel()
	for _, f := range schemaOf(newConfig()) {
		if f.Type == keysType || f.Type == secretType {
			continue
		}
		t.Run(f.Key, func(t *testing.T) {
			t.Parallel()
			for _, e := range edges(f) {
				cfg := newConfig()
				field, _ := schemaOf(cfg).field(f.Key)
				field.Value.Set(reflect.ValueOf(e.value).Convert(f.Type))
				code := cfg.brokenInCode()
				file := brokenInFile(t, nested(f.Key, e.text))
				if inCode, inFile := slices.Contains(code, f.Key), slices.Contains(file, f.Key); inCode != inFile {
					t.Errorf("%s: code refuses it: %v, a file: %v", e.text, inCode, inFile)
				}
			}
		})
	}
}

// TestVerdicts are values that code and files were judged differently on, and how both
// are judged now.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		key, value string
		valid      bool
	}{
		{"live.renew_interval", "48h", false},
		{"live.renew_interval", "24h", true},
		{"live.recheck_interval", "48h", false},
		{"websocket.message_timeout", "48h", false},
		{"websocket.ping_interval", "48h", false},
		{"websocket.ping_interval", "24h", true},
		{"live.lease_ttl", "48h", false},
		{"websocket.close_timeout", "5m", true},
		{"websocket.close_timeout", "5m1ns", false},
		{"websocket.write_timeout", "1us", false},
		{"websocket.subprotocols", "[chat, chat]", false},
		{"token.max_length", "64", false},
		{"token.max_length", "256", true},
		{"token.refresh_grace", "0s", true},
		{"denylist.redis.cache_ttl", "0s", true},
		{"websocket.ping_interval", "0s", true},
		{"websocket.send_queue", "0", true},
	} {
		if got := !slices.Contains(brokenInFile(t, nested(test.key, test.value)), test.key); got != test.valid {
			t.Errorf("%s = %s in a file: valid is %v, want %v", test.key, test.value, got, test.valid)
		}
		cfg := newConfig()
		f, _ := schemaOf(cfg).field(test.key)
		for _, e := range edges(f, test.value) {
			f.Value.Set(reflect.ValueOf(e.value).Convert(f.Type))
			if got := !slices.Contains(cfg.brokenInCode(), test.key); got != test.valid {
				t.Errorf("%s = %s in code: valid is %v, want %v", test.key, test.value, got, test.valid)
			}
		}
	}
}

// edge is a value in a file and in code.
type edge struct {
	text  string
	value any
}

var bound = regexp.MustCompile(`(min|max)=([0-9a-z]+)`)

// edges returns the values at the edges of a setting's rule, or the ones that are given.
func edges(f settings.Field, given ...string) (all []edge) {
	rule := f.Tag.Get("validate")
	texts := given
	switch {
	case f.Type.Kind() == reflect.Bool:
		return []edge{{"true", true}, {"false", false}}
	case f.Type.Kind() == reflect.Slice:
		valid := validItems(rule)
		lists := [][]string{valid, {valid[0], valid[0]}, {"a b"}, {"\u00fc;"}, {"paseto.bearer"}, {"ticket"}, {"access"}, slices.Repeat(valid, 40)}
		if len(given) > 0 {
			lists = [][]string{{"chat", "chat"}}
		}
		for _, list := range lists {
			all = append(all, edge{"[" + strings.Join(quoteAll(list), ", ") + "]", convertTo(f.Type, list)})
		}
		return all
	case f.Type.Kind() == reflect.String:
		for _, text := range append(strings.Fields(strings.TrimPrefix(rule, "omitempty,oneof=")), "x", "a b", "\u00fc", "/x", "/x/", "x;", "__Host-x", "v1", "v4", "a.b") {
			all = append(all, edge{strconv.Quote(text), text})
		}
		return all
	}
	if len(texts) == 0 {
		texts = []string{"0", "-2"}
		for _, b := range bound.FindAllStringSubmatch(rule, -1) {
			if f.Type == durationType {
				d, _ := time.ParseDuration(b[2])
				texts = append(texts, d.String(), (d - 1).String(), (d + 1).String())
				continue
			}
			n, _ := strconv.ParseInt(b[2], 10, 64)
			texts = append(texts, fmt.Sprint(n), fmt.Sprint(n-1), fmt.Sprint(n+1))
		}
		if _, choices, found := strings.Cut(rule, "oneof="); found {
			texts = append(texts, append(strings.Fields(choices), "7")...)
		}
	}
	for _, text := range texts {
		var n int64
		if d, err := time.ParseDuration(text); f.Type == durationType && err == nil {
			n = int64(d)
		} else {
			n, _ = strconv.ParseInt(text, 10, 64)
		}
		if f.Type == durationType && text == "-2" {
			text = "-2ns"
		}
		all = append(all, edge{text, n})
	}
	if f.PermitsNone() && len(given) == 0 {
		all = append(all, edge{"none", int64(-1)})
	}
	return all
}

// validItems returns two values that a list with this rule may have.
func validItems(rule string) []string {
	for name, items := range map[string][]string{
		"origin": {"https://a.example", "https://b.example"}, "proxy": {"10.0.0.1", "unix"}, "_location": {"header", "cookie"},
		"cookie_scope": {"/api", "example.com/"}, "address": {"a:1", "[::1]:2"}, "denylist_type": {"access", "invite"},
	} {
		if strings.Contains(rule, name) {
			return items
		}
	}
	return []string{"chat", "mail"}
}

func quoteAll(list []string) []string {
	quoted := make([]string, len(list))
	for i, text := range list {
		quoted[i] = strconv.Quote(text)
	}
	return quoted
}

func convertTo(t reflect.Type, list []string) any {
	v := reflect.MakeSlice(t, len(list), len(list))
	for i, text := range list {
		v.Index(i).SetString(text)
	}
	return v.Interface()
}

// brokenInCode returns the keys of the settings that the packages refuse which act on
// them.
func (c *Config) brokenInCode() (keys []string) {
	all := schemaOf(c)
	add := func(section string, problems settings.Problems) {
		for _, p := range problems {
			path := strings.TrimPrefix(p.Path, "Denylist.")
			if path != p.Path {
				section = "Denylist"
			}
			key, _, _ := strings.Cut(all.key(section+"."+path), "[")
			keys = append(keys, key)
		}
	}
	add("Token", settings.In(c.paseto(nil).Validate()))
	add("HTTP", settings.In(c.HTTP.Validate()))
	add("Live", settings.In(c.Live.Validate()))
	add("WebSocket", settings.In(c.WebSocket.Validate()))
	add("Denylist", settings.Check(c.Denylist)) // config's own, and the stores'
	return keys
}

// brokenInFile returns the keys that a file is refused for.
func brokenInFile(t *testing.T, yaml string) (keys []string) {
	t.Helper()
	cfg, l := read(nil, []string{write(t, "auth.yaml", yaml)})
	cfg.check(&l.problems, l.sources)
	for _, p := range l.problems {
		key, _, _ := strings.Cut(p.Key, "[")
		keys = append(keys, key)
	}
	return keys
}
