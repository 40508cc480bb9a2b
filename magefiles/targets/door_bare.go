package targets

import (
	"slices"
	"strings"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/progress"
)

// overview answers a line that names no target: what -l lists, the knobs, and examples. Where the magefile has a default target
// there is no answer, and Mage runs that.
func (r *reader) overview() error {
	b, ok := r.binary.(interface {
		listing() (string, error)
		columns() int // of the terminal; 0: there is none
	})
	if !ok {
		return nil
	}
	listing, err := b.listing()
	if err != nil || strings.Contains(listing, "* default target") {
		return err
	}
	knobs, err := knobTable(b.columns())
	if err != nil {
		return err
	}
	parts := []string{strings.TrimSpace(listing), "Knobs, as NAME=value words, from the environment or in manymage.yaml:\n" + knobs}
	if examples := examples(parseList(listing)); examples != "" {
		parts = append(parts, "Examples:\n"+examples)
	}
	return &answer{text: strings.Join(parts, "\n\n")}
}

// indent stands before each line of a list, as in Mage's.
const indent = "  "

// knobTable lists the knobs as Mage lists targets, within the columns of a terminal.
func knobTable(columns int) (string, error) {
	var t progress.Table
	for _, k := range config.Knobs() {
		t.Add(k.Name, k.Help, k.Example)
	}
	var b strings.Builder
	if err := t.Within(columns - len(indent)).Write(&b); err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	return indent + strings.Join(lines, "\n"+indent), nil
}

// examples are command lines of this program, under whatever name it imports the targets; "" where it does not.
func examples(names []string) string {
	i := slices.IndexFunc(names, func(name string) bool { return name == "push" || strings.HasSuffix(name, ":push") })
	if i < 0 {
		return ""
	}
	prefix := program() + " " + strings.TrimSuffix(names[i], "push")
	plain := strings.TrimSuffix(names[i], "push")
	const image = ` IMG=ghcr.io/me/app VERSION=1.2.0 ARCHES="amd64 arm64 arm/v7"`
	return strings.Join([]string{
		"  " + prefix + "plan" + image,
		"  " + prefix + "build " + plain + "push" + image,
		"  " + prefix + "verify -ref=ghcr.io/me/app:1.2.0",
	}, "\n")
}
