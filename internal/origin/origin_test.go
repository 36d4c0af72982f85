package origin_test

import (
	"testing"

	"github.com/pasetokit/pasetokit/internal/origin"
)

func TestIsSerialized(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"https://app.example.com":      true,
		"https://app.example.com:8443": true,
		"http://127.0.0.1:8081":        true,
		"http://[::1]:8081":            true,
		"http://localhost":             true,
		"":                             false,
		"null":                         false,
		"https://":                     false,
		"https://App.example.com":      false,
		"HTTPS://app.example.com":      false,
		"https://app.example.com:443":  false,
		"http://localhost:80":          false,
		"https://app.example.com:":     false,
		"https://app.example.com/":     false,
		"https://app.example.com?x":    false,
		"https://user@app.example.com": false,
		"https://*.example.com":        false,
		"https://exämple.com":          false,
		"https://a,b":                  false,
		"app.example.com":              false,
	} {
		if got := origin.IsSerialized(s); got != want {
			t.Errorf("IsSerialized(%q) = %t", s, got)
		}
	}
}
