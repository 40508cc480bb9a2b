package index

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Keys are the keys of a JSON object that have a meaning, each with those of the objects that are its value.
type Keys map[string]Keys

// ManifestKeys are those of image manifests and indexes, as the image specification spells them.
func ManifestKeys() Keys {
	platform := Keys{"architecture": nil, "os": nil, "os.version": nil, "os.features": nil, "variant": nil}
	descriptor := Keys{"mediaType": nil, "digest": nil, "size": nil, "urls": nil, "data": nil, "artifactType": nil, "annotations": nil, "platform": platform}
	return Keys{
		"schemaVersion": nil, "mediaType": nil, "artifactType": nil, "annotations": nil, "fsLayers": nil,
		"manifests": descriptor, "config": descriptor, "layers": descriptor, "subject": descriptor,
	}
}

// Ambiguity says which key of a JSON document two readers would understand differently; "" is none: one that stands twice in one object,
// or one that Go's decoder, which is every engine's, takes for one of ours although it is spelt otherwise. The error is that of a
// document that is no JSON.
func Ambiguity(document []byte, ours Keys) (problem string, err error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var open []*scope
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 {
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
			below := ours
			if top >= 0 {
				below = open[top].below()
			}
			switch delim {
			case '{':
				open = append(open, &scope{ours: below, keys: map[string]bool{}, key: true})
				continue
			case '[':
				open = append(open, &scope{ours: below})
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

// scope is an object or array that is being read; keys is nil in an array.
type scope struct {
	ours Keys // of the object, or of those in the array
	keys map[string]bool
	last string // key
	key  bool   // the next token is a key
}

// below are our keys in an object or array that is about to be opened.
func (s *scope) below() Keys {
	if s.keys == nil {
		return s.ours
	}
	return s.ours[s.last]
}

// take notes a key and says what is wrong with it.
func (s *scope) take(key string) (problem string) {
	s.key, s.last = false, key
	if name := s.ours.spelling(key); name != "" {
		return fmt.Sprintf("the key %.80q is spelt %q in images, and tools take the one for the other or do not", key, name)
	}
	if s.keys[key] {
		return fmt.Sprintf("the key %.80q stands twice in one object", key)
	}
	s.keys[key] = true
	return ""
}

// spelling returns the key that Go's decoder takes another one for, "" when it is spelt so or is none of them.
func (k Keys) spelling(key string) string {
	if _, ok := k[key]; ok {
		return ""
	}
	for name := range k {
		if strings.EqualFold(name, key) {
			return name
		}
	}
	return ""
}
