// Package fields reads the fields of JSON that anybody may have written: what has another type than it should have is absent. A field is named
// by its path, as gjson has them: config.Entrypoint, os\.features.
package fields

import (
	"maps"
	"slices"

	"github.com/tidwall/gjson"
)

// Texts are those of an array; a single one, as some tools write it, is an array of one.
func Texts(json, field string) (list []string) {
	r := gjson.Get(json, field)
	if r.Type != gjson.String && !r.IsArray() {
		return nil
	}
	for _, item := range r.Array() {
		list = append(list, item.String())
	}
	return list
}

// Keys are those of an object, sorted.
func Keys(json, field string) []string {
	return slices.Sorted(maps.Keys(gjson.Get(json, field).Map()))
}
