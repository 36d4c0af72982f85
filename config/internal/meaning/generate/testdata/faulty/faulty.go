// Package faulty has settings whose doc comments are all wrong.
package faulty

// Config has no meaning.
type Config struct {
	None int `koanf:"none"`
	// The setting without its name.
	Name int `koanf:"name"`
	// Default is 5 by its tag. Default 10.
	Default int `koanf:"default" default:"5"`
	// Unnamed has a default. Default: what others say.
	Unnamed int `koanf:"unnamed" default:"5"`
	// Absent has no default.
	//
	// Default 3.
	Absent int `koanf:"absent"`
	// Short has the beginning of a default. Default a.
	Short []string `koanf:"short" default:"a,b"`
	// Plain names MaxCount.
	Plain int `koanf:"plain"`
	// MaxCount links to [Config.Missing].
	MaxCount int `koanf:"max_count"`
	// Constant links to [Strange].
	Constant int `koanf:"constant"`
	// Empty
	Empty int `koanf:"empty"`
}

// Strange is a constant that no setting has.
const Strange = len("strange")
