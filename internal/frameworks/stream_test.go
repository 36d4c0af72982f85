package frameworks

import (
	"io"
	"log"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/labstack/echo/v5"
	recovery "github.com/labstack/echo/v5/middleware"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestStreams cuts the stream of a handler that does not look, behind the ResponseWriter and
// the recovery of each router.
func TestStreams(t *testing.T) {
	t.Parallel()
	for name, route := range map[string]func(http.Handler) http.Handler{
		"chi": func(h http.Handler) http.Handler {
			r := chi.NewRouter()
			logger := &middleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0)}
			r.Use(middleware.RequestLogger(logger), middleware.Recoverer)
			r.Method(http.MethodGet, "/stream", h)
			return r
		},
		"gin": func(h http.Handler) http.Handler {
			r := gin.New()
			r.Use(gin.RecoveryWithWriter(io.Discard))
			r.GET("/stream", gin.WrapH(h))
			return r
		},
		"echo": func(h http.Handler) http.Handler {
			e := echo.New()
			e.Use(recovery.Recover())
			e.GET("/stream", echo.WrapHandler(h))
			return e
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			busy := make(chan struct{})
			var kit *config.Kit
			s := start(t, func(opened *config.Kit, check httpauth.LoginFunc) http.Handler {
				kit = opened
				mux := http.NewServeMux()
				mux.Handle("POST /login", kit.HTTP.Login(check))
				mux.Handle("/", route(kit.HTTP.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, "hello")
					if err := http.NewResponseController(w).Flush(); err != nil {
						t.Error(err)
					}
					<-busy
				}))))
				return mux
			})
			defer close(busy)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/stream", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+s.login("alice"))
			res, err := s.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if err := kit.Authorizer.RevokeSubject(t.Context(), "alice", time.Now()); err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(res.Body); err == nil {
				t.Errorf("the response %q looks complete", text)
			}
		})
	}
}
