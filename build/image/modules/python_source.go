package modules

import (
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/tree"
)

// Compilers leave a module's source where it was, beside what they made of it: mypyc's and Cython's wheels hold both, and so does the folder of
// who builds in place. Python imports the compiled one, unless it passes that over by its name: then it takes the source, and all runs, only
// slower.

// needed leaves out the modules that have such a source. What mypyc's modules share is one more, called x__mypyc, that nothing else
// imports: where none of the others is left that one goes, too.
func (c *Checker) needed(list []modules) ([]modules, error) {
	kept := make([][]string, len(list))
	if err := tree.Each(len(list), func(i int) (err error) {
		kept[i], err = c.unsourced(list[i].files[:min(len(list[i].files), maxModules)])
		return err
	}); err != nil {
		return nil, err
	}
	some, left := map[string]bool{}, map[string]bool{} // by the wheel; what has none is one
	for i, p := range list {
		some[p.wheel] = some[p.wheel] || len(kept[i]) < len(p.files)
		left[p.wheel] = left[p.wheel] || slices.ContainsFunc(kept[i], func(file string) bool { return !strings.HasSuffix(stem(file), "__mypyc") })
		list[i].files = kept[i]
	}
	return slices.DeleteFunc(list, func(p modules) bool { return some[p.wheel] && !left[p.wheel] }), nil
}

// unsourced are the modules of these that Python takes, or for which there is nothing else that it could take.
func (c *Checker) unsourced(files []string) (kept []string, err error) {
	for _, file := range files {
		sourced := false
		if c.unloaded(file) {
			_, sourced, err = c.Tree.Regular(path.Join(path.Dir(file), stem(file)+".py"))
		}
		if err != nil {
			return nil, err
		}
		if !sourced {
			kept = append(kept, file)
		}
	}
	return kept, nil
}
