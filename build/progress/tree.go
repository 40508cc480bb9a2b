package progress

import (
	"io"
	"strings"
)

// Tree is a node for people to read: a line of text, and what hangs below it.
type Tree struct {
	Text     string
	Children []*Tree
}

// Add hangs a new node below t and returns it.
func (t *Tree) Add(text string) *Tree {
	child := &Tree{Text: text}
	t.Children = append(t.Children, child)
	return child
}

// Write prints the node and all below it, with branches drawn as tree(1) draws them. Control characters are made visible.
func (t *Tree) Write(w io.Writer) error {
	var b strings.Builder
	t.draw(&b, "", "")
	_, err := io.WriteString(w, b.String())
	return err
}

// draw puts first before the node's own line and rest before the lines below it.
func (t *Tree) draw(b *strings.Builder, first, rest string) {
	b.WriteString(first + Clean(t.Text) + "\n")
	for i, child := range t.Children {
		if i == len(t.Children)-1 {
			child.draw(b, rest+"└── ", rest+"    ")
			continue
		}
		child.draw(b, rest+"├── ", rest+"│   ")
	}
}
