package wsauth_test

import (
	"errors"
	"runtime"
	"testing"
	"weak"

	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestRenewalAfterEnd fails with what ended the connection, and does not keep that in
// memory.
func TestRenewalAfterEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		late bool // whether there is a renewal
	}{{"without a renewal", false}, {"with a renewal", true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conns := make(chan *wsauth.Conn, 1)
			s := newStage(t, setup{Config: wsauth.Config{CloseTimeout: soon}}, toldOf(conns))
			token := access(t, s.auth, anHour)
			ws := connect(t, s.srv, bearer(token))
			conn := wait(t, conns, "the connection")
			conn.Close(4000, "enough")
			checkClosed(t, ws, 4000, "enough")
			checkCut(t, ws)
			until(t, "the connection is forgotten", func() bool { return s.guard.Stats().Connections == 0 })
			if test.late {
				if err := conn.Renew(t.Context(), token); !errors.Is(err, live.ErrClosed) {
					t.Errorf("Renew returns %v, want ErrClosed", err)
				}
			}
			forgotten := weak.Make(conn)
			conn = nil
			until(t, "the memory of the connection is free", func() bool {
				runtime.GC()
				return forgotten.Value() == nil
			})
		})
	}
}
