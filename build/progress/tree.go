package progress

import "io"

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

// Write prints the node and all below it, with branches drawn as tree(1) draws them.
func (t *Tree) Write(w io.Writer) error { return nil }
