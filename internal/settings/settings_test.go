package settings_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// every has a setting for each rule.
type every struct {
	Number   int           `koanf:"number" default:"7" validate:"omitempty,min=2,max=9"`
	Lifted   int           `koanf:"lifted" default:"none" validate:"omitempty,none|min=1,max=9"`
	Wait     time.Duration `koanf:"wait" default:"1m" validate:"omitempty,none|min=1s,max=1h"`
	Choice   string        `koanf:"choice" default:"one" validate:"omitempty,oneof=one two"`
	Code     int           `koanf:"code" validate:"omitempty,oneof=1001 1012"`
	Reserved string        `koanf:"reserved" validate:"omitempty,ne=none"`
	Short    string        `koanf:"short" validate:"omitempty,max=2"`
	Needed   string        `koanf:"needed" validate:"required"`
	Address  string        `koanf:"address" validate:"omitempty,address"`
	Own      string        `koanf:"own" validate:"omitempty,own"`
	List     []string      `koanf:"list" default:"a,b" validate:"omitempty,min=1,max=3,unique,dive,required,own"`
	Inner    inner         `koanf:"inner"`
	Any      any           `koanf:"any"`
	embedded `koanf:",squash"`
	Func     func() // no setting
}

type inner struct {
	Number int `koanf:"number" validate:"omitempty,max=3"`
}

type embedded struct {
	Squashed int `koanf:"squashed" validate:"omitempty,max=3"`
}

var own = settings.Formats{"own": func(s string) error {
	if strings.Contains(s, "x") {
		return errors.New("expected text without x")
	}
	return nil
}}

// TestCheck judges values by each rule, at its edges.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*every)
		want   string // path and rule
	}{
		{"zero is the default", func(*every) {}, ""},
		{"least", func(e *every) { e.Number = 2 }, ""},
		{"below the least", func(e *every) { e.Number = 1 }, "Number: expected 2 to 9, 0 for the default"},
		{"most", func(e *every) { e.Number = 9 }, ""},
		{"above the most", func(e *every) { e.Number = 10 }, "Number: expected 2 to 9, 0 for the default"},
		{"-1 where nothing lifts the bound", func(e *every) { e.Number = -1 }, "Number: expected 2 to 9, 0 for the default"},
		{"-1 where it lifts the bound", func(e *every) { e.Lifted = -1 }, ""},
		{"-2", func(e *every) { e.Lifted = -2 }, "Lifted: expected 1 to 9, 0 for the default, or none"},
		{"no duration limit", func(e *every) { e.Wait = -1 }, ""},
		{"short duration", func(e *every) { e.Wait = time.Second - 1 }, "Wait: expected 1s to 1h, 0 for the default, or none"},
		{"negative duration", func(e *every) { e.Wait = -time.Second }, "Wait: expected 1s to 1h, 0 for the default, or none"},
		{"long duration", func(e *every) { e.Wait = 1<<63 - 1 }, "Wait: expected 1s to 1h, 0 for the default, or none"},
		{"choice", func(e *every) { e.Choice = "two" }, ""},
		{"two choices", func(e *every) { e.Choice = "one two" }, "Choice: expected one of one, two"},
		{"number of choice", func(e *every) { e.Code = 1012 }, ""},
		{"no number of choice", func(e *every) { e.Code = 1002 }, "Code: expected one of 1001, 1012"},
		{"reserved word", func(e *every) { e.Reserved = "none" }, "Reserved: none is reserved"},
		{"characters, not bytes", func(e *every) { e.Short = "üü" }, ""},
		{"too many characters", func(e *every) { e.Short = "abc" }, "Short: must have at most 2 characters"},
		{"needed", func(e *every) { e.Needed = "" }, "Needed: must not be empty"},
		{"format that all know", func(e *every) { e.Address = "a" }, "Address: expected host:port, without a scheme or a password"},
		{"format of one's own", func(e *every) { e.Own = "x" }, "Own: expected text without x"},
		{"list", func(e *every) { e.List = []string{"a", "b", "c"} }, ""},
		{"empty list, which is not nil", func(e *every) { e.List = []string{} }, "List: must not be empty"},
		{"long list", func(e *every) { e.List = []string{"a", "b", "c", "d"} }, "List: must list at most 3"},
		{"twice", func(e *every) { e.List = []string{"a", "a"} }, "List: must not list anything twice"},
		{"members", func(e *every) { e.List = []string{"a", "x", ""} }, "List[1]: expected text without x; List[2]: must not be empty"},
		{"section", func(e *every) { e.Inner.Number = 4 }, "Inner.Number: expected at most 3"},
		{"squashed section", func(e *every) { e.Squashed = 4 }, "Squashed: expected at most 3"},
		{"section behind an interface", func(e *every) { e.Any = &inner{4} }, "Any.Number: expected at most 3"},
		{"nothing behind an interface", func(e *every) { e.Any = (*inner)(nil) }, ""},
		{"no section behind an interface", func(e *every) { e.Any = 4 }, ""},
		{"several", func(e *every) { e.Number, e.Own = 1, "x" }, "Number: expected 2 to 9, 0 for the default; Own: expected text without x"},
	} {
		e := every{Needed: "a"}
		test.change(&e)
		var got []string
		for _, p := range settings.Check(e, own) {
			got = append(got, p.Path+": "+p.Rule)
			if !p.Tag {
				t.Errorf("%s: it is no rule of the field's own", test.name)
			}
		}
		if got := strings.Join(got, "; "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestCheckRefuses: a rule that Check does not know, or cannot apply, holds for no value.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]any{
		"unknown": struct {
			A string `koanf:"a" validate:"hostname"`
		}{"a"},
		"unknown after omitempty": struct {
			A string `koanf:"a" validate:"omitempty,uuid"`
		}{"a"},
		"unknown alternatives": struct {
			A int `koanf:"a" validate:"omitempty,none|gt=0|lt=9"`
		}{5},
		"unknown for members": struct {
			A []string `koanf:"a" validate:"omitempty,dive,email"`
		}{[]string{"a"}},
		"omitempty for members": struct {
			A []string `koanf:"a" validate:"omitempty,dive,omitempty"`
		}{[]string{"a"}},
		"misspelt": struct {
			A int `koanf:"a" validate:"omitempty,minn=1"`
		}{5},
		"format of text for a number": struct {
			A int `koanf:"a" validate:"omitempty,address"`
		}{5},
		"bounds of a type without a size": struct {
			A uint `koanf:"a" validate:"omitempty,min=1"`
		}{5},
		"ne for a number": struct {
			A int `koanf:"a" validate:"omitempty,ne=6"`
		}{5},
	} {
		if got := settings.Check(of); len(got) != 1 {
			t.Errorf("%s: the problems are %v", name, got)
		}
	}
}

func TestSetDefaults(t *testing.T) {
	t.Parallel()
	var e every
	settings.SetDefaults(&e)
	if e.Number != 7 || e.Lifted != -1 || e.Wait != time.Minute || e.Choice != "one" || e.Code != 0 || !slices.Equal(e.List, []string{"a", "b"}) {
		t.Errorf("the defaults are %+v", e)
	}
	e = every{Number: 3, Lifted: 4, Wait: -1, Choice: "two", List: []string{}}
	settings.SetDefaults(&e)
	if e.Number != 3 || e.Lifted != 4 || e.Wait != -1 || e.Choice != "two" || e.List == nil || len(e.List) > 0 {
		t.Errorf("defaults replace what is set: %+v", e)
	}
}

// TestErr: errors of code name the fields of Go, and leave braces alone that name no field.
func TestErr(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	problems := settings.Check(every{Needed: "a", Wait: -2, Own: "x{Number}", Lifted: -2}, own)
	problems.Add("Inner.Number", 3, "longer than {Number} of %s", "{file}")
	problems.Add("Wait", time.Duration(-1), "needs {Any.Number}")
	err := problems.Err(broken)
	const want = `broken: Lifted = -2: expected 1 to 9, 0 for the default, or -1 for none
broken: Wait = -2ns: expected 1s to 1h, 0 for the default, or -1 for none
broken: Own = "x{Number}": expected text without x
broken: Inner.Number = 3: longer than Number of {file}
broken: Wait = none: needs Any.Number`
	if !errors.Is(err, broken) || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if got := settings.In(err); len(got) != 5 {
		t.Errorf("the error has %v", got)
	}
	named := settings.Problem{Rule: "{Number} {Other}"}.Named(func(path string) string {
		if path == "Number" {
			return "a.number"
		}
		return ""
	})
	if named != "a.number {Other}" {
		t.Errorf("the name of no setting becomes %q", named)
	}
	if err := (settings.Problems{}).Err(broken); err != nil || settings.In(broken) != nil {
		t.Errorf("no problems are %v", err)
	}
}
