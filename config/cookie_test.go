package config_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestFormerCookies has a logout delete the cookies of scopes that are written as text.
func TestFormerCookies(t *testing.T) {
	t.Parallel()
	cfg := new(config.Config)
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret("k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8")}}
	cfg.HTTP.Locations = []httpauth.Location{"cookie"}
	cfg.HTTP.Cookie.Former = []string{"/api", "example.com/", "app.example.com/v2/x"}
	kit, err := config.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer kit.Close()
	rec := httptest.NewRecorder()
	kit.HTTP.Logout().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/logout", http.NoBody))
	var got []string
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge >= 0 {
			t.Errorf("%v is not deleted", c)
		}
		got = append(got, c.Name+" "+c.Domain+c.Path)
	}
	want := []string{"__Host-access_token /", "__Host-refresh_token /"}
	for _, scope := range cfg.HTTP.Cookie.Former {
		for _, name := range []string{"access_token", "refresh_token"} {
			want = append(want, name+" "+scope, "__Secure-"+name+" "+scope)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("deleted are\n%q, want\n%q", got, want)
	}
}
