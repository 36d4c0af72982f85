package wsauth_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testpage"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// closePresets are the sets of codes that can be configured.
var closePresets = []wsauth.CloseCodes{wsauth.StandardCodes, wsauth.PrivateCodes, wsauth.GraphQLWSCodes}

// closings are all ways for a connection to be closed.
func closings() []closing {
	return slices.Concat(failureClosings(), handshakeClosings(), messageClosings(), silentRefusals(),
		liveClosings(), renewalClosings(), applicationClosings(), protocolClosings(), ownCodeClosings())
}

// failureClosings are the rows of TestFailures.
func failureClosings() []closing {
	var rows []closing
	for _, f := range slices.Concat(tokenFailures(), credentialFailures(), ticketFailures()) {
		c := closing{
			name: "handshake: " + f.name, cause: &paseto.Error{Code: f.code, Message: f.message},
			tokens: f.paseto, req: f.req, in: f.in, opts: f.opts, rough: true,
			bring: func(s *scene) visit {
				h := f.send(s.t, s.auth)
				return visit{Header: h.header, Query: h.query}
			},
		}
		if c.in == nil {
			c.in = []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket}
		}
		rows = append(rows, c)
	}
	return rows
}

// TestClosures has every cause end a connection, and looks at it as a page would.
func TestClosures(t *testing.T) {
	t.Parallel()
	playAll(t, testpage.Go{}, closePresets, closings())
}

// playAll plays all of them with each preset, beside one another.
func playAll(t *testing.T, p testpage.Page, presets []wsauth.CloseCodes, closings []closing) {
	t.Helper()
	for _, codes := range presets {
		t.Run(string(codes), func(t *testing.T) {
			for _, c := range closings {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.play(t, p, codes)
				})
			}
		})
	}
}

// TestEveryClosureIsPlayed: each listed cause ends a connection in TestClosures.
func TestEveryClosureIsPlayed(t *testing.T) {
	t.Parallel()
	played := closings()
	for _, c := range wsauth.Closures() {
		if !slices.ContainsFunc(played, func(p closing) bool { return errors.Is(p.cause, c.Cause) }) {
			t.Errorf("nothing is closed for %s: %s", c.Cause, c.Cause.Message())
		}
	}
}

// TestClosuresInBrowser is TestClosures for what a browser lets a page do. What is
// refused over HTTP is among it.
func TestClosuresInBrowser(t *testing.T) {
	t.Parallel()
	presets := closePresets[:2] // a browser treats the codes of the others alike
	playAll(t, testpage.NewChromium(t), presets, slices.DeleteFunc(closings(), func(c closing) bool { return c.rough }))
}
