package httpauth

// LoginLimits bounds how fast passwords can be guessed at [Web.Login], and what
// logins can take of the server. The zero value of every field is its documented
// default, and [paseto.NoLimit] lifts it.
//
// A login fails if the login function refuses it, with [ErrCredentials] or with a
// refusal of its own. One that it cannot answer does not, nor does a body that
// cannot be read, which costs little and tells nothing about a password. An IPv6
// address counts together with all of its /64 network, and names that differ only in
// case or surrounding space count as one. Beyond a limit logins are answered with
// status 429, before the login function is called, whether the user exists or not.
// Logins under way may all fail: where there are as many as may, the next is answered
// with status 503, and can come back in a few seconds.
//
// Each limit is a bucket: all of its failures may come at once, and it is refilled
// evenly within an hour. A login that succeeds takes none, and gives none back.
// Logins that succeed are not limited, but for [LoginLimits.Concurrent].
//
// Each Web remembers 65,536 addresses, networks, names, and pairs of both, and forgets
// first what was quiet for longest. The limits hold as long as there are not more: who
// has thousands of networks to fail from can make it forget.
type LoginLimits struct {
	// FailuresPerAddress is how many logins of one client address may fail in an hour,
	// whatever the name; beyond that they are answered with status 429. An IPv6 address
	// counts together with its /64 network, and all addresses of an IPv6 /48 network, which
	// one host may have, share ten times as many. Default 100. Danger: behind a proxy that
	// [Config.TrustedProxies] does not list, all clients have one address, and one
	// of them can keep out all who have not logged in lately.
	FailuresPerAddress int `koanf:"failures_per_address" default:"100" validate:"omitempty,none|min=1,max=1000000000"`
	// FailuresPerNameAndAddress is how many logins with one name from one address
	// may fail in an hour; beyond that they are answered with status 429. Default 10.
	FailuresPerNameAndAddress int `koanf:"failures_per_name_and_address" default:"10" validate:"omitempty,none|min=1,max=1000000000"`
	// FailuresPerName is how many logins with one name may fail in an hour, over
	// all addresses, until the name is slowed: then only logins from where the name is
	// known, or rarely fails, are let through, and the others in turn. Default 100.
	//
	// It is never locked, or anybody could lock a user out by failing in the user's
	// name. Beyond the limit a login is still let through
	//
	//   - from an address whose last login with this name, spelled the same, is less
	//     than 30 days ago;
	//   - from a network (an IPv4 address, an IPv6 /48) of which fewer than three
	//     logins with this name have failed in the last day;
	//   - in its turn: as often as the bucket is refilled.
	//
	// An attacker cannot take the first two away from anybody whose network is
	// another, as long as the Web forgets nothing. From N networks there are then at
	// most 3·N guesses a day, and those which the bucket allows.
	FailuresPerName int `koanf:"failures_per_name" default:"100" validate:"omitempty,none|min=1,max=1000000000"`
	// Concurrent is how many login functions may run at a time, and so how many
	// passwords are hashed at once: [CheckPassword] takes 19 MiB of memory for
	// each. One network (an IPv4 address, an IPv6 /48) has at most half of the
	// places, but at least one. For each place up to eight logins wait, for five seconds
	// at most; all others are answered with status 503. Default: the number of CPUs
	// (GOMAXPROCS), and at least 4; set more if the login function waits for other servers.
	//
	// First in the queue are those of addresses whose last login with the name is less than
	// 30 days ago, one of each name and of each network at a time; then those of the
	// networks with the fewest logins in the last hour. Who has more networks than there
	// are logins that wait can still keep out others.
	Concurrent int `koanf:"concurrent" validate:"omitempty,none|min=1,max=1000000000"`
}
