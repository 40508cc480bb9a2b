package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxConfig is the size in bytes over which a config is refused: engines and registries refuse such ones as well.
const MaxConfig = 8 << 20

// ErrConfig says that bytes are not the config of an image.
var ErrConfig = errors.New("not an image config")

// valid refuses what two readers could understand differently: no JSON object, a key given twice, and a key
// that Go's decoder (every engine's) takes for one of ours although it is spelt otherwise.
// encoding/json bounds the nesting, so that what follows can recurse.
func valid(config []byte) error {
	if len(config) > MaxConfig {
		return fmt.Errorf("%w: it has %d bytes, more than %d: build the image anew", ErrConfig, len(config), MaxConfig)
	}
	if trimmed := bytes.TrimLeft(config, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' || !json.Valid(config) {
		return fmt.Errorf("%w: it is no JSON object: build the image anew", ErrConfig)
	}
	problem, err := ambiguity(config)
	if err != nil {
		problem = err.Error()
	}
	if problem != "" {
		return fmt.Errorf("%w: %s: build the image anew", ErrConfig, problem)
	}
	return nil
}

// names are the keys of an object whose values somebody here reads, each with those of the object below it.
type names map[string]names

// ours is the specification's spelling of what FactsOf and Relabel read.
func ours() names {
	return names{
		"architecture": nil, "variant": nil, "os": nil, "os.version": nil, "os.features": nil, "created": nil, "author": nil,
		"history": nil,
		"rootfs":  {"diff_ids": nil},
		"config": {"User": nil, "WorkingDir": nil, "Entrypoint": nil, "Cmd": nil, "Env": nil, "ExposedPorts": nil, "Volumes": nil,
			"Labels": nil, "Healthcheck": {"Test": nil}},
	}
}

// spelling returns the name that Go's decoder takes a key for, "" when it is spelt so or is none of them.
func (n names) spelling(key string) string {
	if _, ok := n[key]; ok {
		return ""
	}
	for name := range n {
		if strings.EqualFold(name, key) {
			return name
		}
	}
	return ""
}

// scope is an object or array that is being read; keys is nil in an array.
type scope struct {
	ours names
	keys map[string]bool
	last string // key
	key  bool   // the next token is a key
}

// ambiguity says which key of a config stands twice in one object, or in a spelling that tools read differently; "" is none.
func ambiguity(config []byte) (problem string, err error) {
	d := json.NewDecoder(bytes.NewReader(config))
	d.UseNumber()
	var open []*scope
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		top := len(open) - 1
		if key, ok := t.(string); ok && top >= 0 && open[top].key {
			if problem := open[top].take(key); problem != "" {
				return problem, nil
			}
			continue
		}
		if delim, ok := t.(json.Delim); ok {
			switch delim {
			case '{':
				open = append(open, &scope{ours: below(open), keys: map[string]bool{}, key: true})
				continue
			case '[':
				open = append(open, &scope{})
				continue
			}
			open = open[:top]
			top--
		}
		if top >= 0 && open[top].keys != nil {
			open[top].key = true // behind a value
		}
	}
}

// below returns our names in an object that is about to be opened.
func below(open []*scope) names {
	if len(open) == 0 {
		return ours()
	}
	around := open[len(open)-1]
	return around.ours[around.last]
}

// take notes a key and says what is wrong with it.
func (s *scope) take(key string) (problem string) {
	s.key, s.last = false, key
	if name := s.ours.spelling(key); name != "" {
		return fmt.Sprintf("the key %q is spelt %q in images, and tools take the one for the other or do not", key, name)
	}
	if s.keys[key] {
		return fmt.Sprintf("the key %q stands twice in one object", key)
	}
	s.keys[key] = true
	return ""
}
