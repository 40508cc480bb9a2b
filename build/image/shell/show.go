package shell

import (
	"strconv"
	"strings"
)

// Show is a file's name for a sentence: quoted where its characters could confuse whoever reads it.
func Show(name string) string {
	if q := strconv.Quote(name); len(q) != len(name)+2 || strings.Contains(name, " ") || name == "" {
		return q
	}
	return name
}

// ShowWord is a word of a command for a sentence: quoted, with what is unknown of it as dots.
func ShowWord(word string) string {
	return strconv.Quote(Brief(strings.NewReplacer(guessed, "...", given, "...", Unknown, "...").Replace(word)))
}

// Brief cuts a text that an image could make endless to what fits into a line.
func Brief(text string) string {
	const line = 200
	if len(text) <= line {
		return text
	}
	return strings.ToValidUTF8(text[:line], "") + "..."
}
