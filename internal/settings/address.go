package settings

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"unicode"
)

func address(s string) error {
	host, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || serverName(host) != nil || bad != nil || n == 0 {
		return errors.New("expected host:port, without a scheme or a password")
	}
	return nil
}

func serverName(s string) error {
	if net.ParseIP(s) == nil && !IsHost(s) {
		return errors.New("expected a host name or an IP address, without a port")
	}
	return nil
}

// IsHost reports whether s has the form of a host name: labels of letters, digits, hyphens
// and underscores between dots.
func IsHost(s string) bool {
	return s != "" && !strings.Contains("."+s+".", "..") && !strings.ContainsFunc(s, func(r rune) bool {
		return r > '~' || r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}
