package bolt

import (
	"errors"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// Config says where a [Store] keeps its records. Only Path must be set.
type Config struct {
	// Path is the file that keeps the records. It is made if it does not exist; its
	// directory must exist. A relative path counts from the working directory.
	Path string `koanf:"path"`
	// AllowEmptyFile makes a new store of a file that exists and has no byte in it, such
	// as one that an administrator has prepared to set its owner and mode. Default false:
	// it is refused with [ErrDamaged]. Danger: a file that was in use and was emptied, by a
	// disk that was full or by mistake, opens as new too, and every token that was revoked
	// is valid again. Set it back once the store is made.
	AllowEmptyFile bool `koanf:"allow_empty_file"`
}

var errConfig = errors.New("denylist/bolt: invalid configuration")

// Validate reports everything that is wrong with the configuration, as one error. It does
// not look at the file. [Open] calls it.
func (c Config) Validate() error {
	problems := settings.Check(c)
	if c.Path == "" {
		problems.Add("Path", nil, "it is empty; name the file that keeps the records")
	}
	return problems.Err(errConfig)
}
