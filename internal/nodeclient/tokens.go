package nodeclient

import (
	"encoding/json"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// Tokens is a running tokens.mjs. It is safe for concurrent use.
type Tokens struct {
	mu      sync.Mutex
	process *os.Process
	request *json.Encoder
	answer  *json.Decoder
}

// TokenRequest is what [Tokens.Ask] asks; tokens.mjs documents which Op looks at which field.
type TokenRequest struct {
	Op      string `json:"op"`
	Library string `json:"library"`
	Version string `json:"version"`
	Purpose string `json:"purpose"`

	Key      string `json:"key,omitempty"`
	Claims   any    `json:"claims,omitempty"`
	Footer   any    `json:"footer,omitempty"`
	Implicit string `json:"implicit,omitempty"`
	Token    string `json:"token,omitempty"`
}

// TokenAnswer is what the package says.
type TokenAnswer struct {
	Token  string
	Claims map[string]any
	Footer any // a string or a map[string]any

	Key, ID             string
	PublicKey, PublicID string

	Error string
}

// StartTokens starts tokens.mjs, which ends with the test. Where Node.js or one of the packages is missing the test is
// skipped, or fails if NO_SKIP is set.
func StartTokens(t testing.TB) *Tokens {
	t.Helper()

	cmd := command(t, []string{"paseto", "paseto-ts"}, "tokens.mjs")
	cmd.Env = append(os.Environ(), "NODE_NO_WARNINGS=1") // Ed25519 is an experiment in some versions
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait() // it is killed as soon as the test is over
	})
	return &Tokens{process: cmd.Process, request: json.NewEncoder(stdin), answer: json.NewDecoder(stdout)}
}

// Ask returns the answer to a request, which may be an Error. The test fails if there is none within [testtool.Patience].
func (p *Tokens) Ask(t testing.TB, request TokenRequest) TokenAnswer {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := time.AfterFunc(testtool.Patience, func() { _ = p.process.Kill() }) // so that no answer is an error
	defer limit.Stop()

	if err := p.request.Encode(request); err != nil {
		t.Fatalf("tokens.mjs takes no request: %v", err)
	}
	var answer TokenAnswer
	if err := p.answer.Decode(&answer); err != nil {
		t.Fatalf("tokens.mjs gives no answer: %v", err)
	}
	return answer
}
