package frameworks

import (
	"encoding/json"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func chiRoutes(kit *config.Kit, check httpauth.LoginFunc) http.Handler {
	r := chi.NewRouter()
	r.Method("POST", "/login", kit.HTTP.Login(check))
	r.Route("/projects/{id}", func(r chi.Router) {
		r.Use(kit.HTTP.Middleware(paseto.Requirement{Scopes: []string{"projects"}}))
		r.Get("/", func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(chi.URLParam(r, "id") + " of " + paseto.FromContext(r.Context()).Subject)
		})
	})
	r.Handle("/ws/{room}", kit.Guard.Require(paseto.Requirement{}, chat))
	return kit.HTTP.CORS(r)
}
