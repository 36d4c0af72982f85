package settings

import (
	"errors"
	"slices"
	"strings"
)

// Basic has the formats of packages paseto and denylist/redis. [Check] knows them always.
var Basic = Formats{
	"address":     address,
	"server_name": serverName,
	"paseto_version": func(s string) error {
		switch {
		case slices.Contains([]string{"v2", "v3", "v4"}, s):
			return nil
		case s == "v1":
			return errors.New("expected one of v2, v3, v4; v1 rests on RSA, and is out of use")
		}
		return errors.New("expected one of v2, v3, v4")
	},
	"denylist_type": func(s string) error {
		if IsScope(s) && s != "ticket" { // tickets are used up, and never looked up
			return nil
		}
		return errors.New("no token that is looked up can have this type; expected access, refresh, or a type of your own of printable ASCII without spaces, quotes and backslashes")
	},
}

// IsScope reports whether s is a scope-token of RFC 6749, section 3.3.
func IsScope(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '"' || r == '\\'
	})
}
