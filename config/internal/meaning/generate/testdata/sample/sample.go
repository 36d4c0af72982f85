// Package sample has settings whose doc comments have everything that a meaning is made
// of.
package sample

import (
	"net/http"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// NoLimit lifts a bound.
const NoLimit = -1

// Never is another name of it.
const Never = time.Duration(NoLimit)

// Mode is a choice.
type Mode string

// ModeSlow is one of them.
const ModeSlow Mode = "slow"

// Config has a section, twice.
type Config struct {
	// Plain is the plainest setting. Default 15m.
	Plain time.Duration `koanf:"plain" default:"15m"`
	// Verb lists what [Config.Plain] does not, where [Limits] has [NoLimit]; see [Limits.PerName].
	Verb []string `koanf:"verb"`
	// Mode says how: fast, or [ModeSlow]. Default fast: it is what most want.
	Mode Mode `koanf:"mode" default:"fast"`
	// Names are a_b, /x and "https://example.com/*", as in [http.Handler] or
	// [paseto.Config.Validate]; [paseto.TypeAccess] is a constant, and [Mode] a type.
	Names []string `koanf:"names"`
	// Block has a text of its own:
	//
	//	{"type": "auth"}
	//
	// And something after it. Default a,
	// b. And this.
	//
	// The second paragraph is for programmers.
	Block []string `koanf:"block" default:"a,b"`
	// host is not exported, and no setting.
	host string
	// First and Second are sections.
	First  Limits `koanf:"first"`
	Second Limits `koanf:"second"`
}

// Limits is a section.
type Limits struct {
	Inner `koanf:",squash"`
	// Total bounds all, as [Limits.PerName] bounds each; [Never] for no bound. Default
	// none.
	Total int `koanf:"total"`
}

// Inner is part of a section.
type Inner struct {
	// PerName is how many there may be. Default 0: none at all.
	PerName int `koanf:"per_name"`
}

var _ http.Handler
var _ paseto.Config
var _ = Config{host: ""}
