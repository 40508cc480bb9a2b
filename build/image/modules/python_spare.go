package modules

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Many packages go on without what they have compiled: they try to import it, and have the same in Python. That is told in their sources:
//
//	try:
//	    from ._speedups import escape
//	except ImportError:
//	    from ._native import escape

// Bounds on what is read of a package to learn that, and on how much of it is looked through. Large ones have 100 sources with 2 MB.
const (
	maxSources   = 256
	maxSource    = 4 << 20
	maxImports   = 64 // of one module in a source
	maxImporters = 3  // how long a chain of sources may be of which only the last one tries
)

// sources are those of a package in Python, by their names.
type sources struct {
	texts map[string]string
	left  int // bytes to look through
}

// spare tells whether a package goes on without any of its modules, and says so in its sources.
func (c *Checker) spare(p modules) (bool, error) {
	if p.wheel == "" {
		return false, nil
	}
	s := sources{texts: map[string]string{}, left: maxSource}
	info := path.Dir(p.wheel)
	record, err := c.Evidence(path.Join(info, "RECORD"))
	for line := range strings.Lines(record) {
		name, _, _ := strings.Cut(line, ",")
		if path.Ext(name) != ".py" || !fs.ValidPath(name) || slices.ContainsFunc(strings.Split(name, "/"), isTests) {
			continue
		}
		at, ok, failed := c.Tree.Regular(path.Join(path.Dir(info), name))
		if err = failed; err != nil {
			break
		}
		if !ok {
			continue
		}
		if s.left -= int(at.Info.Size()); s.left < 0 || len(s.texts) == maxSources {
			return false, nil
		}
		if s.texts[name], err = c.Evidence(at.Real); err != nil {
			break
		}
	}
	s.left = maxSource
	return err == nil && !slices.ContainsFunc(p.files, func(file string) bool { return !isModule(file) || !s.dispensable(stem(file), maxImporters) }), err
}

// dispensable tells whether sources import a module, and all of them go on where it cannot be: those that do not are only tried themselves.
func (s *sources) dispensable(name string, chain int) bool {
	some := false
	for file, text := range s.texts {
		if !strings.Contains(text, name) {
			continue
		}
		if s.left -= len(text); s.left < 0 {
			return false
		}
		found, surely := imports(text, name)
		some = some || found
		if surely && (chain == 0 || stem(file) == "__init__" || !s.dispensable(stem(file), chain-1)) {
			return false
		}
	}
	return some
}

// What is the same for all sources; most images have none of them.
var (
	importList   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\bimport\s*\([^)]*\)`) })
	failedImport = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*except(\s*:|\s.*\b(ImportError|ModuleNotFoundError|Exception)\b)`)
	})
)

// imports tells whether a source imports a module, and whether it does not go on without.
func imports(source, name string) (some, surely bool) {
	name = regexp.QuoteMeta(name)
	statement := regexp.MustCompile(`^\s*(from\s+[\w.]*\b` + name + `\s+import\b|(from\s+[\w.]+\s+)?import\s[^#]*\b` + name + `\b)`)
	lines := strings.Split(importList().ReplaceAllStringFunc(source, func(list string) string { return strings.ReplaceAll(list, "\n", " ") }), "\n")
	found := 0
	for i, line := range lines {
		if !surely && statement.MatchString(line) {
			found++
			surely = found > maxImports || !goesOn(lines, i)
		}
	}
	return found > 0, surely
}

// goesOn tells whether a line is one of a try: with an except for failed imports that raises nothing, or is there for type checkers.
func goesOn(lines []string, i int) bool {
	level := indent(lines[i])
	for j := i - 1; j >= 0 && level > 0; j-- {
		word := strings.TrimSpace(lines[j])
		if word == "" || word[0] == '#' || indent(lines[j]) >= level {
			continue
		}
		level = indent(lines[j])
		switch {
		case strings.HasPrefix(word, "try:"):
			if handled(lines[i+1:], level) {
				return true
			}
		case strings.HasSuffix(strings.TrimSuffix(word, ":"), "TYPE_CHECKING") && strings.HasPrefix(word, "if ") && !strings.Contains(word, " not "):
			return true
		case strings.HasPrefix(word, "def "), strings.HasPrefix(word, "async "), strings.HasPrefix(word, "class "):
			return false
		}
	}
	return false
}

// handled tells whether behind the try: of a level, of which these lines are the rest, comes an except for failed imports that raises nothing
// and does not end the program.
func handled(lines []string, level int) bool {
	ends := regexp.MustCompile(`^(raise\b|(sys\.exit|os\._exit|os\.abort|exit|quit)\()`)
	inside := false
	for _, line := range lines {
		switch word := strings.TrimSpace(line); {
		case word == "" || word[0] == '#' || !inside && indent(line) > level:
		case inside && indent(line) <= level:
			return true
		case indent(line) < level || inside && ends.MatchString(word) || !inside && !strings.HasPrefix(word, "except"):
			return false
		default:
			inside = inside || failedImport().MatchString(line) && !strings.Contains(word, "raise")
		}
	}
	return inside
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
