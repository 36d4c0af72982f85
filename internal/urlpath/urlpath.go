// Package urlpath compares the paths of URLs.
//
// Two paths are the same if they have the same segments between their slashes, each
// decoded: so does [net/http.ServeMux] choose a route. An escaped slash is part of a
// segment and ends none. How a character is escaped, and whether it is, makes no other
// difference. Dots and empty segments stay what they are.
package urlpath

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Normal returns the one spelling that all spellings of a path have in common, escaped.
// Characters of the path that need to be escaped may be written as they are, but for
// those that would mean something else: the percent sign, ? and #.
func Normal(path string) (string, error) {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
		return "", errors.New("expected a path that begins with a slash, without a query and a fragment")
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		name, err := url.PathUnescape(segment)
		if err != nil {
			return "", fmt.Errorf("%w; write a percent sign that is part of a name as %%25", err)
		}
		segments[i] = url.PathEscape(name)
	}
	return strings.Join(segments, "/"), nil
}

// Same reports whether a and b are the same path. What is no path is the same as
// nothing.
func Same(a, b string) bool {
	normalA, errA := Normal(a)
	normalB, errB := Normal(b)
	return errA == nil && errB == nil && normalA == normalB
}

// Prefix returns what stands before the path in a longer one, so that the two together
// are that. It is empty if nothing does.
func Prefix(longer, path string) string {
	whole, errWhole := Normal(longer)
	end, errEnd := Normal(path)
	prefix, found := strings.CutSuffix(whole, end)
	if errWhole != nil || errEnd != nil || !found {
		return ""
	}
	return prefix
}

// ValidatePrefix reports why s cannot be what a proxy takes away from paths. Empty is
// nothing, and valid.
func ValidatePrefix(s string) error {
	if s == "" {
		return nil
	}
	if _, err := Normal(s); err != nil {
		return err
	}
	if strings.HasSuffix(s, "/") {
		return errors.New("expected a prefix that does not end with a slash, for the rest of the path begins with one")
	}
	return nil
}
