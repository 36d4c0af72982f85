package config

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	koanfmaps "github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/providers/env/v2"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// EnvPrefix begins the name of every environment variable that [Load] reads.
const EnvPrefix = "PASETOKIT_"

func (l *loader) environment(environ []string) {
	variables := env.Provider("", env.Opt{Prefix: EnvPrefix, EnvironFunc: func() []string { return environ }})
	found, err := variables.Read()
	if err != nil {
		l.problems.add(Problem{Source: "environment", Rule: err.Error()})
		return
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		l.variable(name, fmt.Sprint(found[name]))
	}
}

// variable overlays what is merged so far with one environment variable.
func (l *loader) variable(name, text string) {
	var known []string
	for _, f := range l.schema {
		known = append(known, variableName(f.Key))
		if variableName(f.Key) == name {
			l.merge(&source{name: name}, koanfmaps.Unflatten(map[string]any{f.Key: variable(f, text)}, delimiter))
			return
		}
	}
	if isService(name, text) {
		return
	}
	// The longest beginning that is a section, and what follows it.
	key, section := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, EnvPrefix), "__", delimiter)), ""
	noSingle := false // it is a section, or a key and more
	for part := range strings.SplitSeq(key, delimiter) {
		inside := settings.Join(section, part)
		if _, isKey := l.schema.field(inside); isKey || inside == key && l.schema.isSection(inside) {
			noSingle = name == strings.ToUpper(name)
			break
		}
		if !l.schema.isSection(inside) {
			break
		}
		section = inside
	}
	if rule := notImported(key); rule != "" {
		l.problems.add(Problem{Source: shownVariable(name), Rule: rule})
		return
	}
	rule := "unknown key" + l.schema.knownIn(section, section)
	if noSingle {
		rule = "it names no single key; two underscores stand between the levels of a key"
	}
	meant := nearest(name, known)
	if other := l.schema.elsewhere(key); meant == "" && other != "" {
		meant = variableName(other)
	}
	if meant != "" {
		rule, _, _ = strings.Cut(rule, "; known")
		rule += didYouMean(meant) + renamedValue[key]
	}
	l.problems.add(Problem{Source: shownVariable(name), Rule: rule})
}

// variableName returns the name of the environment variable for a key.
func variableName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}

// isService reports whether Kubernetes has set the variable, which tells every pod of a namespace
// where its Services are. One that is named pasetokit, or pasetokit-something, has our prefix.
func isService(name, value string) bool {
	part := serviceVariable.FindStringSubmatch(name)
	if part == nil {
		return false
	}
	form, port, protocol := part[1], part[2], strings.ToLower(part[3])
	switch {
	case form == "SERVICE_HOST" || strings.HasSuffix(form, "_ADDR"):
		_, err := netip.ParseAddr(value)
		return err == nil
	case strings.HasSuffix(form, "_PROTO"):
		return value == protocol
	case form == "PORT" || strings.HasSuffix(form, "_"+part[3]) && protocol != "":
		scheme, address, _ := strings.Cut(value, "://")
		at, err := netip.ParseAddrPort(address)
		return err == nil && slices.Contains([]string{"tcp", "udp", "sctp"}, scheme) &&
			(form == "PORT" || scheme == protocol && strconv.Itoa(int(at.Port())) == port)
	}
	_, err := strconv.ParseUint(value, 10, 16)
	return err == nil && (port == "" || value == port)
}

// serviceVariable matches the names that Kubernetes makes of a Service's name: with the host, the
// port, each port that has a name, and as links of Docker did.
var serviceVariable = regexp.MustCompile(`^[A-Z0-9_]+?_(SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT|PORT_(\d+)_(TCP|UDP|SCTP)(?:_PROTO|_PORT|_ADDR)?)$`)
