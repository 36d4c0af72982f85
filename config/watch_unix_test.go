//go:build unix

package config_test

import (
	"os"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestWatchOutlivesOddFiles: a key path that leads to a device, as one to a pipe
// would, is refused and does not hold up the watch.
func TestWatchOutlivesOddFiles(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := watchDir(t, "auth.yaml", keyFileConfig, "key", first.Export())
	w.write(t, "auth.yaml", "token: {keys: [{file: "+os.DevNull+"}]}")
	w.wantLog(t, 1, "not taken", "is not a regular file")
	w.want(t, first)
	w.write(t, "key", second.Export())
	w.write(t, "auth.yaml", keyFileConfig)
	w.want(t, second)
}
