package position

import "github.com/pelletier/go-toml/v2/unstable"

func (f *finder) toml(data []byte) {
	t := &tomlFinder{finder: f, breaks: breaksOf(data), tables: make(map[string]int)}
	t.parser.Reset(data)
	section := ""
	for t.parser.NextExpression() {
		switch e := t.parser.Expression(); e.Kind {
		case unstable.Table:
			section = t.key("", e, false)
		case unstable.ArrayTable:
			section = t.key("", e, true)
		case unstable.KeyValue:
			t.keyValue(section, e, 0)
		}
	}
}

type tomlFinder struct {
	*finder
	parser unstable.Parser
	breaks breaks
	tables map[string]int // how many members an array of tables has so far
}

// keyValue notes the key of n and what is inside its value.
func (t *tomlFinder) keyValue(section string, n *unstable.Node, depth int) {
	t.value(t.key(section, n, false), n.Value(), depth)
}

// key notes every level of the key of n and returns its path. A level that is an
// array of tables stands for its last member, to which appends adds one.
func (t *tomlFinder) key(path string, n *unstable.Node, appends bool) string {
	for key := n.Key(); key.Next(); {
		line := t.breaks.line(int(key.Node().Raw.Offset))
		path = join(path, string(key.Node().Data))
		if !t.note(path, line) {
			break
		}
		if appends && key.IsLast() {
			t.tables[path]++
		}
		if members := t.tables[path]; members > 0 {
			path = member(path, members-1)
			t.note(path, line)
		}
	}
	return path
}

// value notes what is inside n, whose own path is noted.
func (t *tomlFinder) value(path string, n *unstable.Node, depth int) {
	if t.left < 0 || depth > maxDepth {
		return
	}
	switch n.Kind {
	case unstable.InlineTable:
		for inner := n.Children(); inner.Next(); {
			t.keyValue(path, inner.Node(), depth+1)
		}
	case unstable.Array:
		i := 0
		for items := n.Children(); items.Next(); i++ {
			item, at := items.Node(), member(path, i)
			if line, known := t.line(item); known {
				t.note(at, line)
			}
			t.value(at, item, depth+1)
		}
	}
}

// line returns the line of a member of an array, if the parser keeps it: it does
// not for an array.
func (t *tomlFinder) line(n *unstable.Node) (line int, known bool) {
	at := n.Raw
	switch n.Kind {
	case unstable.Array:
		return 0, false
	case unstable.Bool, unstable.LocalDate, unstable.LocalTime, unstable.LocalDateTime, unstable.DateTime:
		at = t.parser.Range(n.Data)
	}
	return t.breaks.line(int(at.Offset)), true
}
