package index

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// fields is a JSON object taken apart. Names keep their case: encoding/json would take
// "Digest" for "digest", and two readers of one list would see two different lists.
type fields map[string]json.RawMessage

// readObject takes one JSON object apart. A name that comes twice is refused, because
// readers differ in which of the two they believe.
func readObject(raw []byte) (fields, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil {
		return nil, err
	} else if open != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	out := fields{}
	for dec.More() {
		if err := readField(dec, out); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("text behind the end of the JSON object")
	}
	return out, nil
}

func readField(dec *json.Decoder, out fields) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	name, _ := token.(string) // inside an object the decoder lets only strings be names
	if _, twice := out[name]; twice {
		return fmt.Errorf("the field %q comes twice", name)
	}
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		return err
	}
	out[name] = value
	return nil
}

// take decodes the field into to and removes it, so that what is left over is what nobody
// knows. A field that is absent or null leaves to alone.
func (f fields) take(name string, to any) error {
	raw, ok := f[name]
	if !ok {
		return nil
	}
	delete(f, name)
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("field %q: %w", name, err)
	}
	return nil
}

// field is a place for the value of a field.
type field struct {
	name string
	to   any
}

// takeAll takes the fields in order, so that the first fault told is always the same one.
func (f fields) takeAll(list ...field) error {
	for _, one := range list {
		if err := f.take(one.name, one.to); err != nil {
			return err
		}
	}
	return nil
}

// rest returns what was not taken, without the white space that it was written with; nil
// when there is nothing.
func (f fields) rest() map[string]json.RawMessage {
	if len(f) == 0 {
		return nil
	}
	for name, raw := range f {
		var out bytes.Buffer
		if json.Compact(&out, raw) == nil {
			f[name] = out.Bytes()
		}
	}
	return f
}

// objectWriter writes a JSON object with its fields in the order they are given.
type objectWriter struct {
	buf bytes.Buffer
	err error
}

// add writes a field; empty values are left out when omit says so.
func (w *objectWriter) add(name string, value any, omit bool) {
	if omit || w.err != nil {
		return
	}
	raw, err := encode(value)
	if err != nil {
		w.err = err
		return
	}
	key, err := encode(name)
	if err != nil {
		w.err = err
		return
	}
	if w.buf.Len() > 0 {
		w.buf.WriteByte(',')
	}
	w.buf.Write(key)
	w.buf.WriteByte(':')
	w.buf.Write(raw)
}

// addAll writes fields that are not ours, by name.
func (w *objectWriter) addAll(extra map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		w.add(name, extra[name], false)
	}
}

// object returns what was written.
func (w *objectWriter) object() (json.RawMessage, error) {
	if w.err != nil {
		return nil, w.err
	}
	return slices.Concat([]byte{'{'}, w.buf.Bytes(), []byte{'}'}), nil
}

// encode is json.Marshal without the escapes for HTML, which no registry needs.
func encode(value any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
