package frameworks

import (
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func echoRoutes(kit *config.Kit, check httpauth.LoginFunc) http.Handler {
	e := echo.New()
	e.POST("/login", echo.WrapHandler(kit.HTTP.Login(check)))
	projects := e.Group("/projects/:id", echo.WrapMiddleware(kit.HTTP.Middleware(paseto.Requirement{Scopes: []string{"projects"}})))
	projects.GET("/", func(c *echo.Context) error {
		return c.JSON(http.StatusOK, c.Param("id")+" of "+paseto.FromContext(c.Request().Context()).Subject)
	})
	e.GET("/ws/:room", echo.WrapHandler(kit.Guard.Require(paseto.Requirement{}, chat)))
	return kit.HTTP.CORS(e)
}
