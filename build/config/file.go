package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FileName is the configuration file that is read from Input.Dir when it is there.
const FileName = "manymage.yaml"

// largestFile bounds what is read of it: it is written by hand.
const largestFile = 1 << 20

// fromFile reads manymage.yaml: a map of knobs in lower case,
//
//	img: ghcr.io/me/app
//	arches: [amd64, arm64, arm/v7]
//	build_args:
//	  TRIPLE: "{rust}"
//
// where a list may be a list, pairs may be a map, and every value may be text as on the command line. Keys that begin with x-
// are nobody's, for anchors.
func (l *loader) fromFile() map[string]setting {
	data, err := readFile(filepath.Join(l.in.Dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		l.fail(&UsageError{Knob: FileName, Problem: fmt.Sprintf("cannot be read: %v", err), Err: err})
		return nil
	}
	return l.parseFile(data)
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	if err == nil && len(data) > largestFile {
		err = errors.New("it is larger than 1 MiB")
	}
	return data, err
}

// parseFile reads the content of manymage.yaml.
func (l *loader) parseFile(data []byte) map[string]setting {
	root, fault := document(data)
	if fault != nil {
		l.fail(fault)
		return nil
	}
	if root == nil {
		return nil
	}
	layer := map[string]setting{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		l.entry(layer, root.Content[i], root.Content[i+1])
	}
	return layer
}

// document is the file's one map; nil when it is empty.
func document(data []byte) (*yaml.Node, *UsageError) {
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, more yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, noYAML(err, data)
	}
	switch err := decoder.Decode(&more); {
	case err == nil:
		return nil, &UsageError{Knob: FileName, Origin: originOf(&more), Problem: "is a second document: leave the first"}
	case !errors.Is(err, io.EOF):
		return nil, noYAML(err, data)
	}
	root := doc.Content[0]
	if isNull(root) {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, &UsageError{Knob: FileName, Origin: originOf(root), Problem: "is no map: write knobs as `img: me/app`"}
	}
	return root, nil
}

// noYAML puts the line that the parser begins with where all others have theirs.
func noYAML(err error, data []byte) *UsageError {
	out := &UsageError{Knob: FileName, Err: err}
	line, problem := lineOf(err)
	if line == 0 { // as for the first one
		lower, _ := lineOf(yaml.Unmarshal(append([]byte("#\n"), data...), new(yaml.Node)))
		if lower > 0 {
			line = max(lower-1, 1)
		}
	}
	if line > 0 {
		out.Origin = fmt.Sprintf("%s:%d", FileName, line)
	}
	out.Problem = "is no YAML: " + problem
	return out
}

// lineOf is the line that the parser names, 0 for none, and what it says is wrong there.
func lineOf(err error) (line int, problem string) {
	if err == nil {
		return 0, ""
	}
	problem = strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: ")
	if said, found := strings.CutPrefix(problem, "line "); found {
		number, rest, _ := strings.Cut(said, ": ")
		if line, err = strconv.Atoi(number); err == nil {
			return line, rest
		}
	}
	return 0, problem
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// entry reads one key with its value.
func (l *loader) entry(layer map[string]setting, key, value *yaml.Node) {
	if strings.HasPrefix(key.Value, "x-") {
		return
	}
	origin := originOf(key)
	knob, known := find(strings.ToUpper(key.Value))
	switch first, twice := layer[knob.Name]; {
	case isMerge(key):
		l.fail(&UsageError{Knob: key.Value, Origin: origin, Problem: merges})
	case !known:
		l.fail(&UsageError{Knob: key.Value, Origin: origin, Problem: strings.ToLower(unknown(key.Value))})
	case twice:
		l.fail(&UsageError{Knob: key.Value, Origin: origin, Problem: "is there twice, first at " + first.origin + ": leave one"})
	case knob.Name == passwordKnob:
		l.fail(&UsageError{Knob: key.Value, Origin: origin, Problem: "does not belong into a file: set it in the environment"})
	default:
		if s, problem := l.yamlSetting(knob, value, origin); problem != "" {
			l.fail(&UsageError{Knob: key.Value, Origin: origin, Problem: problem})
		} else {
			layer[knob.Name] = s
		}
	}
}

// merges is what is wrong with YAML 1.1's merge key, which 1.2 has dropped.
const merges = "takes in another map's lines, which is not done here: write them out, or take one whole value, such as build_args: *name"

func isMerge(key *yaml.Node) bool { return key.Tag == "!!merge" }

// aliased is the node that an alias stands for; any other is itself.
func aliased(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func originOf(n *yaml.Node) string { return fmt.Sprintf("%s:%d", FileName, n.Line) }

// yamlSetting reads a value of any form.
func (l *loader) yamlSetting(knob Knob, value *yaml.Node, origin string) (s setting, problem string) {
	value = aliased(value)
	switch {
	case isNull(value):
		return s, "has no value: give it one, or delete the line"
	case value.Kind == yaml.ScalarNode:
		return l.textual(knob, value.Value, origin), ""
	case knob.form == one || knob.form == truth:
		return s, "is one value: write it behind the colon"
	case value.Kind == yaml.SequenceNode:
		items, problem := sequence(value)
		return itemised(knob, items, origin), problem
	case knob.form == list || knob.form == paths:
		return s, "is a list: write it as [a, b]"
	}
	items, problem := mapping(value)
	return itemised(knob, items, origin), problem
}

func sequence(n *yaml.Node) (items []item, problem string) {
	for _, element := range n.Content {
		element = aliased(element)
		if element.Kind != yaml.ScalarNode || isNull(element) {
			return nil, fmt.Sprintf("holds something else than words (line %d): write each as one word", element.Line)
		}
		items = append(items, item{element.Value, originOf(element)})
	}
	return items, ""
}

// mapping turns NAME: value into NAME=value. A name without a value is the name alone: a build-arg from the environment.
func mapping(n *yaml.Node) (items []item, problem string) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], aliased(n.Content[i+1])
		switch {
		case isMerge(name):
			return nil, fmt.Sprintf("has a << (line %d), which %s", name.Line, merges)
		case value.Kind != yaml.ScalarNode || name.Kind != yaml.ScalarNode:
			return nil, fmt.Sprintf("holds something else than NAME: value (line %d): write each in one line", name.Line)
		case seen[name.Value]:
			return nil, fmt.Sprintf("names %s twice (line %d): leave one", name.Value, name.Line)
		case isNull(value):
			items = append(items, item{name.Value, originOf(name)})
		default:
			items = append(items, item{name.Value + "=" + value.Value, originOf(name)})
		}
		seen[name.Value] = true
	}
	return items, ""
}
