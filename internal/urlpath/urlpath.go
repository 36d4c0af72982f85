// Package urlpath compares the paths of URLs.
//
// Two paths are the same if they have the same segments between their slashes, each
// decoded. An escaped slash is part of its segment. It makes no other difference whether
// and how a character is escaped. Dots and empty segments have no special meaning.
package urlpath

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Normal returns the normal form of a path, escaped: paths that are the same have the
// same one. In path, only those characters must be escaped that would mean something
// else as they are: the percent sign, ? and #.
func Normal(path string) (string, error) {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
		return "", errors.New("expected a path that begins with a slash, without a query or fragment")
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

// Same reports whether a and b are the same path. An invalid path equals no path, not
// even itself.
func Same(a, b string) bool {
	normalA, errA := Normal(a)
	normalB, errB := Normal(b)
	return errA == nil && errB == nil && normalA == normalB
}

// IsAmbiguous reports whether routers read a path in two ways. It has an escaped slash,
// and beside it a character that should be escaped and is not. It is valid. [url.URL.EscapedPath]
// then escapes the decoded path anew, but not the slash, and [net/http.ServeMux]
// sees two segments where a router that reads RawPath sees one.
func IsAmbiguous(path string) bool {
	decoded, err := url.PathUnescape(path)
	u := url.URL{Path: decoded, RawPath: path}
	return err == nil && Same(path, path) && !Same(path, u.EscapedPath())
}

// Prefix returns longer without the path at its end, or nothing if it does not end with
// that.
func Prefix(longer, path string) string {
	whole, errWhole := Normal(longer)
	end, errEnd := Normal(path)
	prefix, found := strings.CutSuffix(whole, end)
	if errWhole != nil || errEnd != nil || !found {
		return ""
	}
	return prefix
}

// ValidatePrefix reports why s cannot be a prefix that a proxy takes away from paths.
// Empty is valid and stands for no prefix.
func ValidatePrefix(s string) error {
	if s == "" {
		return nil
	}
	if _, err := Normal(s); err != nil {
		return err
	}
	if strings.HasSuffix(s, "/") {
		return errors.New("expected a prefix that does not end with a slash, because the rest of the path begins with one")
	}
	return nil
}
