package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	const rule = "expected a whole number, 0 for the default, or none"
	for _, test := range []struct {
		name, value string // in YAML
		want        Limit
		problem     string
	}{
		{"number", "7", 7, ""},
		{"default", "0", 0, ""},
		{"none", "none", NoLimit, ""},
		{"the code's own none", "-1", 0, "http.login.concurrent = -1 (FILE): " + rule},
		{"fraction", "1.5", 0, "http.login.concurrent = 1.5 (FILE): " + rule},
		{"text", "many", 0, `http.login.concurrent = "many" (FILE): ` + rule},
		{"too many", "4294967296", 0, "http.login.concurrent = 4294967296 (FILE): " + rule},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "auth.yaml", "http: {login: {concurrent: "+test.value+"}}")
			cfg, _, err := load(nil, []string{path})
			if test.problem != "" {
				wantProblem(t, err, strings.ReplaceAll(test.problem, "FILE", path))
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.HTTP.Login.Concurrent; got != test.want {
				t.Errorf("the limit is %d, want %d", int(got), int(test.want))
			}
		})
	}
	cfg := Default()
	cfg.HTTP.Login.Concurrent = -2
	wantProblem(t, checked(cfg), "http.login.concurrent = -2: "+rule)
}

// TestLoginReachesTheWeb: every key of the section has its variable, and its value is
// that of the Web's field of the same name.
func TestLoginReachesTheWeb(t *testing.T) {
	t.Parallel()
	const variable = "PASETOKIT_HTTP__LOGIN__"
	cfg, _, err := load([]string{
		variable + "FAILURES_PER_ADDRESS=7", variable + "FAILURES_PER_NAME_AND_ADDRESS=8",
		variable + "FAILURES_PER_NAME=none", variable + "CONCURRENT=9",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := cfg.httpauth().Login
	want := httpauth.LoginLimits{FailuresPerAddress: 7, FailuresPerNameAndAddress: 8, FailuresPerName: httpauth.NoLimit, Concurrent: 9}
	if got != want {
		t.Errorf("the limits are %+v, want %+v", got, want)
	}
	if got, want := len(names(reflect.TypeFor[Login]())), reflect.TypeFor[httpauth.LoginLimits]().NumField(); got != want {
		t.Errorf("there are %d keys, and %d fields", got, want)
	}
}

// TestTicketsPerMinute sets the limit, leaves it alone and lifts it.
func TestTicketsPerMinute(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		environment []string
		want        int
	}{
		{nil, 60},
		{[]string{"PASETOKIT_HTTP__TICKETS_PER_MINUTE=7"}, 7},
		{[]string{"PASETOKIT_HTTP__TICKETS_PER_MINUTE=none"}, httpauth.NoLimit},
	} {
		cfg, _, err := load(test.environment, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.httpauth().TicketsPerMinute; got != test.want {
			t.Errorf("with %v the limit is %d, want %d", test.environment, got, test.want)
		}
	}
}
