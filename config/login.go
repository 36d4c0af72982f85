package config

import (
	"strconv"

	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// Login says how fast passwords can be guessed at the login, and what logins can
// take of the server; see [httpauth.LoginLimits].
type Login struct {
	// FailuresPerAddress is how many logins of one address may fail in an hour.
	// Danger: behind a proxy that [HTTP.TrustedProxies] does not list, all clients
	// have one address.
	FailuresPerAddress Limit `koanf:"failures_per_address" validate:"limit"`
	// FailuresPerNameAndAddress is how many of them with one name may.
	FailuresPerNameAndAddress Limit `koanf:"failures_per_name_and_address" validate:"limit"`
	// FailuresPerName is how many logins with one name may fail in an hour, over
	// all addresses, until the name is slowed.
	FailuresPerName Limit `koanf:"failures_per_name" validate:"limit"`
	// Concurrent is how many passwords are checked at a time.
	Concurrent Limit `koanf:"concurrent" validate:"limit"`
}

func defaultLogin() Login {
	return Login{
		FailuresPerAddress:        100,
		FailuresPerNameAndAddress: 10,
		FailuresPerName:           100,
	}
}

// httpauth returns what the configuration means for logins.
func (l Login) httpauth() httpauth.LoginLimits {
	return httpauth.LoginLimits{
		FailuresPerAddress:        int(l.FailuresPerAddress),
		FailuresPerNameAndAddress: int(l.FailuresPerNameAndAddress),
		FailuresPerName:           int(l.FailuresPerName),
		Concurrent:                int(l.Concurrent),
	}
}

// Limit is the most that there may be of something; 0 for the default. In text it
// is a whole number, or none.
type Limit int

// NoLimit is the limit none: it lifts the bound.
const NoLimit = Limit(httpauth.NoLimit)

// String returns the number, or none.
func (l Limit) String() string {
	if l == NoLimit {
		return "none"
	}
	return strconv.Itoa(int(l))
}
