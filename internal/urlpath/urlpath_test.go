package urlpath_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/urlpath"
)

func TestSame(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, a, b string
		want       bool
	}{
		{"equal", "/ws/room", "/ws/room", true},
		{"escaped slash", "/ws/a/b", "/ws/a%2Fb", false},
		{"escaped slash, lower case", "/ws/a/b", "/ws/a%2fb", false},
		{"escaped slash twice", "/ws/a%2Fb", "/ws/a%252Fb", false},
		{"case of escapes", "/ws/a%2Fb%c3%bc", "/ws/a%2fb%C3%BC", true},
		{"needlessly escaped letter", "/ws/admin", "/ws/%61dmin", true},
		{"not ASCII", "/ws/jürgen", "/ws/j%C3%BCrgen", true},
		{"not ASCII, another normal form", "/ws/jürgen", "/ws/ju%CC%88rgen", false},
		{"not UTF-8", "/ws/%FF", "/ws/%ff", true},
		{"space", "/ws/a b", "/ws/a%20b", true},
		{"plus is no space", "/ws/a+b", "/ws/a%20b", false},
		{"what Go leaves and JavaScript escapes", "/ws/a@b:c+d", "/ws/a%40b%3Ac%2Bd", true},
		{"what JavaScript leaves and Go escapes", "/ws/a!(b)", "/ws/a%21%28b%29", true},
		{"percent sign", "/ws/100%25", "/ws/100%2525", false},
		{"dots", "/ws", "/x/../ws", false},
		{"dot", "/ws", "/./ws", false},
		{"escaped dots", "/x/../ws", "/x/%2E%2e/ws", true},
		{"empty segment", "/a/b", "/a//b", false},
		{"slash at the end", "/ws", "/ws/", false},
		{"capitals", "/ws", "/WS", false},
		{"escaped question mark", "/ws%3Fa", "/ws", false},
		{"not a path", "ws", "ws", false},
		{"empty", "", "", false},
		{"stray percent sign", "/50%", "/50%", false},
		{"query", "/ws?a", "/ws?a", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if urlpath.Same(test.a, test.b) != test.want || urlpath.Same(test.b, test.a) != test.want {
				t.Errorf("Same(%q, %q) is not %t", test.a, test.b, test.want)
			}
		})
	}
}

func TestIsAmbiguous(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/ws/a%2Fjürgen": true, "/ws/a%2fb|c": true, "/ws/a%2Fb c": true, "/jürgen/a%2F": true, "/ws/%2F%C3%BC\xff": true,
		"/ws/a%2Fj%C3%BCrgen": false, "/ws/a%2Fb%7Cc": false, "/ws/jürgen": false, "/ws/a/b|c": false, "/ws/a%252F|": false,
		"/ws/a%2Fb@c:d+e!(f)[g]": false, "": false, "ws%2F|": false, "/50%": false,
	} {
		if got := urlpath.IsAmbiguous(path); got != want {
			t.Errorf("IsAmbiguous(%q) is %t", path, got)
		}
	}
}

// FuzzSame: paths that are the same and not ambiguous lead to the same handler of a
// ServeMux, with the same names in it, and have the same segments for routers that read
// RawPath. Other paths do not.
func FuzzSame(f *testing.F) {
	for _, path := range []string{"/ws/a", "/ws/%61", "/ws/a/b", "/ws/a%2Fb", "/ws/a%2fb", "/ws/ü", "/ws/%C3%BC", "/ws/a%2Fü", "/ws/a/ü", "/ws/a%2Fb|c", "/ws/b|c", "/x/../ws/a", "/ws//a", "/ws/%2e%2e"} {
		f.Add(path, "/ws/a")
		f.Add(path, "/ws/a%2Fb")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws/{room}", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Room", "one "+r.PathValue("room")) })
	mux.HandleFunc("/ws/{room}/{seat}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Room", "two "+r.PathValue("room")+"\x00"+r.PathValue("seat"))
	})
	served := func(path string) (byMux, byRawPath string, ok bool) {
		u, err := url.ParseRequestURI(path)
		if err != nil || cmp.Or(u.RawPath, u.Path) != path || urlpath.IsAmbiguous(path) {
			return "", "", false
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: u})
		segments := strings.Split(path, "/")
		for i, segment := range segments {
			if segments[i], err = url.PathUnescape(segment); err != nil {
				return "", "", false
			}
		}
		return w.Header().Get("Room"), strings.Join(segments, "\x00/"), w.Code == http.StatusOK
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		normal, err := urlpath.Normal(a)
		if err != nil {
			return
		}
		if again, err := urlpath.Normal(normal); err != nil || again != normal {
			t.Errorf("Normal(%q) is %q, whose own normal form is %q, %v", a, normal, again, err)
		}
		muxA, rawA, okA := served(a)
		muxB, rawB, okB := served(b)
		same := urlpath.Same(a, b)
		if okA && okB && ((muxA == muxB) != same || (rawA == rawB) != same) {
			t.Errorf("%q leads to %q and %q, %q to %q and %q, and Same is %t", a, muxA, rawA, b, muxB, rawB, same)
		}
	})
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ longer, path, want string }{
		{"/api/ws", "/ws", "/api"},
		{"/api/v1/räume/1", "/r%C3%A4ume/1", "/api/v1"},
		{"/ws", "/ws", ""},
		{"/ws", "/api/ws", ""},
		{"/api%2Fws", "/ws", ""},
		{"ws", "/ws", ""},
		{"/ws", "", ""},
	} {
		if got := urlpath.Prefix(test.longer, test.path); got != test.want {
			t.Errorf("Prefix(%q, %q) is %q, want %q", test.longer, test.path, got, test.want)
		}
	}
}

func TestValidatePrefix(t *testing.T) {
	t.Parallel()
	for prefix, valid := range map[string]bool{
		"": true, "/api": true, "/api/v1": true, "/über": true, "/a%20b": true,
		"api": false, "/": false, "/api/": false, "/api?x": false, "/api#x": false, "/50%": false, "https://a/api": false,
	} {
		if err := urlpath.ValidatePrefix(prefix); (err == nil) != valid {
			t.Errorf("ValidatePrefix(%q) returns %v; it should be valid: %t", prefix, err, valid)
		}
	}
}
