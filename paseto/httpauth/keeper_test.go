package httpauth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

func TestKeeper(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	if keeper := s.web.Keeper(); keeper == nil || keeper.Authorizer() != s.auth {
		t.Error("the Web has no Keeper of its Authorizer")
	}
	keeper := must(live.New(s.auth, live.Config{}))
	if web := must(httpauth.New(s.auth, httpauth.Config{}, httpauth.WithKeeper(keeper))); web.Keeper() != keeper {
		t.Error("the Keeper is not the one that the option gave")
	}
	other := newSite(t, setup{})
	_, err := httpauth.New(other.auth, httpauth.Config{}, httpauth.WithKeeper(keeper))
	if !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), "Keeper is of another Authorizer") {
		t.Errorf("a Keeper of another Authorizer: error is %v", err)
	}
}
