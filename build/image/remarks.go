package image

import (
	"slices"
	"strings"
)

// Remarks are the notes of several images that are told of together, each note once and in the order of the images. Where not all
// have it, the names of those that do stand before it.
func Remarks(names []string, notes [][]string) []string {
	var texts []string
	have := make(map[string][]string)
	for i, list := range notes {
		for _, text := range list {
			if have[text] == nil {
				texts = append(texts, text)
			}
			if !slices.Contains(have[text], names[i]) {
				have[text] = append(have[text], names[i])
			}
		}
	}
	for i, text := range texts {
		if len(have[text]) < len(names) {
			texts[i] = strings.Join(have[text], ", ") + ": " + text
		}
	}
	return texts
}
