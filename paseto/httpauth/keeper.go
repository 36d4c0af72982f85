package httpauth

import (
	"fmt"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// WithKeeper has keeper hold what tokens keep open at this Web and at the wsauth.Guard that
// is made with it. The Keeper must be of the Web's Authorizer. Default, and with nil: a Keeper
// of its own with the zero [live.Config].
func WithKeeper(keeper *live.Keeper) Option {
	return func(w *Web) {
		if keeper != nil {
			w.keeper = keeper
		}
	}
}

// Keeper returns what holds all that tokens keep open. A program that serves such things
// ends with [live.Keeper.Shutdown].
func (w *Web) Keeper() *live.Keeper { return w.keeper }

// keep makes the Keeper, unless there is one.
func (w *Web) keep() (err error) {
	switch {
	case w.keeper == nil:
		w.keeper, err = live.New(w.auth, live.Config{}, live.WithLogger(w.log))
	case w.keeper.Authorizer() != w.auth:
		err = fmt.Errorf("%w: the Keeper is of another Authorizer; make the Keeper and the Web with the same one", paseto.ErrConfig)
	}
	return err
}
