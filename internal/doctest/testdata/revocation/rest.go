package app

import (
	"net/http"

	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

var (
	mux *http.ServeMux
	web *httpauth.Web
)
