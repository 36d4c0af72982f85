package position

import "go.yaml.in/yaml/v3"

func (f *finder) yaml(data []byte) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil || len(document.Content) == 0 {
		return
	}
	f.node("", document.Content[0], 0)
}

// node notes what is inside n, whose own path is noted.
func (f *finder) node(path string, n *yaml.Node, depth int) {
	n = target(n)
	if depth > maxDepth {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		f.mapping(path, n, make(map[string]bool), depth)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if at := member(path, i); f.note(at, item.Line) {
				f.node(at, item, depth+1)
			}
		}
	}
}

// mapping notes the keys of n but those in taken, to which it adds them: a mapping's
// own keys hide those that it merges, and of several merged ones the first hides the
// others.
func (f *finder) mapping(path string, n *yaml.Node, taken map[string]bool, depth int) {
	if f.left -= 1 + len(n.Content); f.left < 0 || depth > maxDepth {
		return
	}
	var merged *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merged = target(value)
			continue
		}
		name := target(key).Value
		if taken[name] {
			continue
		}
		taken[name] = true
		if at := join(path, name); f.note(at, key.Line) {
			f.node(at, value, depth+1)
		}
	}
	switch {
	case merged == nil:
	case merged.Kind == yaml.SequenceNode:
		for _, m := range merged.Content {
			f.mapping(path, target(m), taken, depth+1)
		}
	default:
		f.mapping(path, merged, taken, depth+1)
	}
}

// target returns what an alias stands for, and any other node as it is.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}
