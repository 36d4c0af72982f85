package wsauth_test

import (
	"context"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// ownCodeClosings are closed with codes of the program's own, whatever the preset is.
func ownCodeClosings() []closing {
	banned := &paseto.Error{Code: "banned", Message: "You are banned until Monday"}
	bans := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return banned }}
	row := func(name string, cause paseto.Code, code wsauth.CloseCode, want outcome, c closing) closing {
		c.name, c.want = "own code, "+name, &want
		c.config.CloseCodeFor = map[paseto.Code]wsauth.CloseCode{cause: code}
		return c
	}
	serve := func(h wsauth.Handler) func(*scene) wsauth.Handler { return func(*scene) wsauth.Handler { return h } }
	return []closing{
		row("expired before", paseto.ErrExpired, 4100, outcome{4100, paseto.ErrExpired.Message(), true},
			closing{cause: paseto.ErrExpired, bring: func(s *scene) visit { return carried(s.expired()) }}),
		row("revoked", paseto.ErrRevoked, 3000, outcome{3000, paseto.ErrRevoked.Message(), true},
			closing{cause: paseto.ErrRevoked, live: func(s *scene, conn *wsauth.Conn) {
				s.must(s.auth.RevokeSubject(s.t.Context(), conn.Claims().Subject, start))
			}}),
		row("shutdown", live.ErrShutdown, 4101, outcome{4101, shuttingDown, true},
			closing{cause: live.ErrShutdown, config: setup{Config: wsauth.Config{ShutdownCode: wsauth.CloseServiceRestart}}, live: shutsDown}),
		row("refusal of a Check", banned.Code, 4102, outcome{4102, banned.Message, true}, closing{cause: banned, req: bans}),
		row("refusal of a Check that has none", paseto.ErrForbidden, 4103, outcome{4103, banned.Message, true}, closing{cause: banned, req: bans}),
		row("handler returns", live.ErrClosed, 4104, outcome{4104, "", true},
			closing{cause: live.ErrClosed, serve: serve(func(context.Context, *wsauth.Conn) {})}),
		row("application closes with another", live.ErrClosed, 4104, outcome{4000, "Room is closed", true},
			closing{cause: live.ErrClosed, serve: serve(func(_ context.Context, conn *wsauth.Conn) { conn.Close(4000, "Room is closed") })}),
	}
}
