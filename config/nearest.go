package config

import "strings"

// nearest returns the one known name that another was probably meant to be: it differs in case
// and separators alone, or else in two letters at most. It returns nothing if there is none, or
// several, and never the opposite: insecure for secure.
func nearest(name string, known []string) string {
	plain := func(name string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(name))
	}
	best, found := 3, ""
	for _, candidate := range known {
		distance := editDistance(plain(name), plain(candidate))
		if strings.Replace(plain(candidate), "insecure", "secure", 1) == plain(name) && distance > 0 {
			continue
		}
		if distance < best {
			best, found = distance, candidate
		} else if distance == best && candidate != found {
			found = ""
		}
	}
	return found
}

// editDistance returns how many letters have to be put in, taken out or exchanged to make b of a.
// Names whose lengths differ by more than that are as far apart as any.
func editDistance(a, b string) int {
	const far = 3
	if max(len(a), len(b))-min(len(a), len(b)) >= far {
		return far
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

func didYouMean(name string) string { return "; did you mean " + name + "?" }

// renamedValue says how the value of a key that was moved is written now.
var renamedValue = map[string]string{
	"websocket.renew_failure": " Its value close is now end",
}

// moved says where a key is now if its new name cannot be found by the old one.
var moved = map[string]string{
	"websocket.limits.connections": "live.max_rights", // which counts more than these
	"websocket.limits.on_excess":   "live.on_excess",
}

// elsewhere returns the key that another one was probably moved to: the only one with the same
// name in another section.
func (s schema) elsewhere(key string) (found string) {
	if to, ok := moved[key]; ok {
		return to
	}
	name := key[strings.LastIndexByte(key, '.')+1:]
	for _, other := range s.keys() {
		switch {
		case !strings.HasSuffix(other, "."+name):
		case found != "":
			return ""
		default:
			found = other
		}
	}
	return found
}
