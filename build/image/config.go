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
	if key, err := duplicate(config); err != nil || key != "" {
		return fmt.Errorf("%w: the key %q stands twice in one object, or in a spelling that tools read differently: build the image anew", ErrConfig, key)
	}
	return nil
}

// scope is an object or array that is being read; keys is nil in an array.
type scope struct {
	keys map[string]bool
	key  bool // the next token is a key
}

// duplicate returns the first key that an object holds twice. In the outermost object keys that differ only in case
// count as the same, and ours must be spelt as the specification has them.
func duplicate(config []byte) (string, error) {
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
			if open[top].taken(key, top == 0) {
				return key, nil
			}
			continue
		}
		if delim, ok := t.(json.Delim); ok {
			switch delim {
			case '{':
				open = append(open, &scope{keys: map[string]bool{}, key: true})
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

// taken notes a key and tells whether it was there.
func (s *scope) taken(key string, outermost bool) bool {
	s.key = false
	if outermost {
		folded := strings.ToLower(key)
		if folded != key && (folded == "architecture" || folded == "os" || folded == "variant") {
			return true
		}
		key = folded
	}
	seen := s.keys[key]
	s.keys[key] = true
	return seen
}
