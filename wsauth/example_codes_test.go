package wsauth_test

import (
	"fmt"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Single causes have a code of the program's own. All others have that of the preset.
func ExampleConfig_closeCodeFor() {
	cfg := wsauth.Config{CloseCodes: wsauth.PrivateCodes}
	cfg.CloseCodeFor = map[paseto.Code]wsauth.CloseCode{
		paseto.ErrNoToken: 4001,
		"banned":          4002, // of an error that a Check returns
	}
	s := newDemo(cfg, welcome)
	defer s.close()
	for _, token := range []string{"", "v4.local.nonsense"} {
		ws := s.connect(token)
		showNext(ws)
		_ = ws.Close()
	}

	cfg.CloseCodeFor[paseto.ErrExpired] = wsauth.CloseNoCode
	fmt.Println(cfg.Validate())

	// Output:
	// websocket: close 4001: PASETO Authorization Token required
	// websocket: close 4401: Invalid PASETO format
	// paseto: invalid configuration: CloseCodeFor[token_expired] = 1005: no close frame can carry this code; expected 1000 to 1003, 1007 to 1014, or 3000 to 4999
}
