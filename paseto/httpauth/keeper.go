package httpauth

import (
	"fmt"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// WithKeeper sets the Keeper that holds the rights of this Web, and of every wsauth.Guard that
// is made with it. The Keeper must have the same Authorizer. Default, and with nil: a new Keeper
// with the zero [live.Config].
func WithKeeper(keeper *live.Keeper) Option {
	return func(w *Web) {
		if keeper != nil {
			w.keeper = keeper
		}
	}
}

// Keeper returns the Keeper that holds the rights of this Web. A program that has streams or
// other rights calls its method Shutdown when it ends.
func (w *Web) Keeper() *live.Keeper { return w.keeper }

// keep makes a Keeper, unless an option has set one.
func (w *Web) keep() (err error) {
	switch {
	case w.keeper == nil:
		w.keeper, err = live.New(w.auth, live.Config{}, live.WithLogger(w.log))
	case w.keeper.Authorizer() != w.auth:
		err = fmt.Errorf("%w: the Keeper is of another Authorizer; make the Keeper and the Web with the same one", paseto.ErrConfig)
	}
	return err
}
