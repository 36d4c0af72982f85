// Package chat_test plays what people do on the page of examples/chat, in a real browser.
package chat_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/testsite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// suite is the tests, and the end of what they share.
type suite struct{ *testing.M }

func (s suite) Run() int {
	defer testsite.RemoveChat()
	defer browser.Close()
	return s.M.Run()
}
