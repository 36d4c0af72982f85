// Package config loads the configuration of a program that issues and checks
// tokens, and opens it into ready parts.
//
//	cfg, err := config.Load("auth.yaml")
//	kit, err := config.Open(ctx, cfg)
//	defer kit.Close()
//
// [Load] merges, each over the one before: the defaults, the given files (yaml,
// toml or json by their extension), and environment variables. Of a file that has
// more in it, app.yaml#auth is the section auth. A variable is named PASETOKIT_ and
// the key in upper case, with two underscores between its levels, and a list is
// comma-separated:
//
//	PASETOKIT_TOKEN__ACCESS_TTL=5m
//	PASETOKIT_HTTP__LOCATIONS=header,cookie
//	PASETOKIT_TOKEN__KEYS=file:/run/secrets/paseto-key
//
// Variables that Kubernetes makes of a Service's name, such as
// PASETOKIT_SERVICE_HOST, are ignored.
//
// A key or a variable without a value is refused, so that it turns no check off; the
// word none clears text and lists that may be empty. 0 is the default of every number
// and duration. Where a bound can be lifted, none lifts it in a file, and a constant
// such as [paseto.NoExpiry] in code.
//
// Nothing is guessed: an unknown key, a value of another type and a broken rule
// are refused, all of them in one [*Error] that names for each the key, the file and
// line or the variable, the value unless it is secret, and the rule.
// docs/configuration.md lists every key.
//
// A program links only the stores that it imports. Where a configuration names the
// store bolt or redis, import package config/bolt or config/redis:
//
//	import _ "github.com/pasetokit/pasetokit/config/redis"
//
// [Watch] takes changed keys from the files while the program runs, and
// [Settings] tells what is in force and where it was set.
//
// A configuration can also be made in code: the zero [Config] has every default, and
// needs a key. [Open] holds it to the same rules.
package config
