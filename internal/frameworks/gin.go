package frameworks

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func require(web *httpauth.Web, req paseto.Requirement) gin.HandlerFunc {
	guard := web.Middleware(req)
	return func(c *gin.Context) {
		admitted := false
		guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			admitted, c.Request = true, r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !admitted {
			c.Abort()
		}
	}
}

func ginRoutes(kit *config.Kit, check httpauth.LoginFunc) http.Handler {
	r := gin.New()
	r.POST("/login", gin.WrapH(kit.HTTP.Login(check)))
	projects := r.Group("/projects/:id", require(kit.HTTP, paseto.Requirement{Scopes: []string{"projects"}}))
	projects.GET("/", func(c *gin.Context) {
		c.JSON(http.StatusOK, c.Param("id")+" of "+paseto.FromContext(c.Request.Context()).Subject)
	})
	chat := kit.Guard.Require(paseto.Requirement{}, chat)
	r.GET("/ws/:room", func(c *gin.Context) {
		c.Request.SetPathValue("room", c.Param("room"))
		chat.ServeHTTP(c.Writer, c.Request)
	})
	return kit.HTTP.CORS(r)
}
