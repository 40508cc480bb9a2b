package modules

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// npm leaves in node_modules/.package-lock.json what it has installed: by its folder below the application's each package, with what it needs, and
// whether the application does without it.

// npmList is such a list.
type npmList map[string]gjson.Result

func readNPMList(text string) npmList { return gjson.Get(text, "packages").Map() }

// installed are the packages of an application's list that may have addons: that ran a script or chose others by their machine. What is there for
// development alone, and what may be missing, is none that it needs, but for what is started, which lies in these folders.
func (l npmList) installed(root string, starts []string) (list []nodePackage) {
	needed := l.needed(root, starts)
	for _, at := range slices.Sorted(maps.Keys(l)) {
		p := l[at]
		if at == "" || p.Get("link").Bool() || !needed[at] && (p.Get("dev").Bool() || p.Get("optional").Bool() || p.Get("devOptional").Bool()) {
			continue
		}
		if optional, scripted := keys(p.Get("optionalDependencies")), p.Get("hasInstallScript").Bool(); len(optional) > 0 || scripted {
			list = append(list, nodePackage{dir: path.Join(root, path.Clean("/"+at)), name: packageName(at), scripted: scripted, optional: optional})
		}
	}
	return list
}

// needed are the packages that lie in folders, and what they need in turn.
func (l npmList) needed(root string, folders []string) map[string]bool {
	var queue []string
	for _, dir := range folders {
		if at, below := strings.CutPrefix(dir, strings.TrimSuffix(root, "/")+"/"); below {
			queue = append(queue, at)
		}
	}
	needed := map[string]bool{}
	for i := 0; i < len(queue); i++ {
		at := queue[i]
		if p, there := l[at]; there && !needed[at] {
			needed[at] = true
			for _, name := range keys(p.Get("dependencies")) {
				queue = append(queue, l.required(name, at))
			}
		}
	}
	return needed
}

// required is the folder in which a package finds one that it needs, "" where it is not there.
func (l npmList) required(name, from string) string {
	in := func(at string) string { return path.Join(at, "node_modules", name) }
	if at, ok := nearest(from, "node_modules/", func(at string) bool { return l[in(at)].Exists() }); ok {
		return in(at)
	}
	return ""
}

// packageName is what stands behind the last node_modules.
func packageName(at string) string {
	const folder = "node_modules/"
	if i := strings.LastIndex(at, folder); i >= 0 {
		return at[i+len(folder):]
	}
	return at
}
