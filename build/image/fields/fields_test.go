package fields_test

import (
	"reflect"
	"testing"

	"github.com/manymage/manymage/build/image/fields"
)

func TestFields(t *testing.T) {
	for _, test := range []struct {
		json        string
		texts, keys []string
	}{
		{`{"a": {"b": ["x", "y"]}}`, []string{"x", "y"}, nil},
		{`{"a": {"b": "x"}}`, []string{"x"}, nil},
		{`{"a": {"b": {"y": 1, "x": 2}}}`, nil, []string{"x", "y"}},
		{`{"a": {"b": 5}}`, nil, nil},
		{`{"a": {"b": null}}`, nil, nil},
		{`{"a": []}`, nil, nil},
		{`{`, nil, nil},
		{"", nil, nil},
	} {
		if texts, keys := fields.Texts(test.json, "a.b"), fields.Keys(test.json, "a.b"); !reflect.DeepEqual(texts, test.texts) || !reflect.DeepEqual(keys, test.keys) {
			t.Errorf("%s: %q and %q, want %q and %q", test.json, texts, keys, test.texts, test.keys)
		}
	}
}
