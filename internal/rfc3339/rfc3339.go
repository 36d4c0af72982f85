// Package rfc3339 reads times after RFC 3339, section 5.6, and no others.
// [time.Parse] and [time.Time.UnmarshalText] also take an hour of one digit
// ("T1:00:00Z"), a comma for the point ("00,5Z") and offsets that do not exist
// ("+24:00"). Another program may read such a time as another, or not at all.
package rfc3339

import (
	"regexp"
	"time"
)

var form = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// Parse reads a time. It refuses one whose year, in UTC, has not four digits,
// because such a time cannot be written again.
func Parse(text string) (t time.Time, ok bool) {
	if !form.MatchString(text) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	year := t.UTC().Year()
	return t, err == nil && year >= 0 && year <= 9999
}
