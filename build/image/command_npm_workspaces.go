package image

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// workspaces are the folders of packages of the workspace that a folder lies in: those that are named, by their names or folders, or by patterns of them.
func (c *checker) workspaces(named []string, from string, f frame) (folders []string, err error) {
	all, root, err := c.members(from, f)
	if err != nil {
		return nil, err
	}
	described := make([]string, len(all))
	err = tree.Each(len(all), func(i int) (err error) {
		described[i], err = c.Evidence(path.Join(all[i], "package.json"))
		return err
	})
	for i, dir := range all {
		name := gjson.Get(described[i], "name").String()
		if described[i] != "" && slices.ContainsFunc(named, func(word string) bool { return isMember(word, name, dir, root) }) {
			folders = append(folders, dir)
		}
	}
	return folders, err
}

// members are the folders that a workspace names as its packages'.
func (c *checker) members(from string, f frame) (folders []string, root string, err error) {
	item := regexp.MustCompile(`(?m)^\s*-\s*['"]?([^'"#\s]+)|[\[,]\s*['"]?([^'"#\s,\]]+)`)
	for root = from; ; root = path.Dir(root) {
		if root, _, err = c.above(root, "package.json", f); err != nil || root == "" {
			return nil, "", err
		}
		described, err := c.Evidence(path.Join(root, "package.json"))
		if err != nil {
			return nil, "", err
		}
		patterns := texts(described, "workspaces")
		patterns = append(patterns, texts(described, "workspaces.packages")...)
		listed, err := c.Evidence(path.Join(root, "pnpm-workspace.yaml"))
		if err != nil {
			return nil, "", err
		}
		for _, m := range item.FindAllStringSubmatch(listed, -1) {
			patterns = append(patterns, m[1]+m[2])
		}
		if len(patterns) > 0 {
			folders, err = c.matched(root, patterns)
			return folders, root, err
		}
		if root == "/" {
			return nil, "", nil
		}
	}
}

// maxPatterns is how many patterns of a workspace are looked for, and maxMembers how many folders on one level.
const (
	maxPatterns = 256
	maxMembers  = 1000
)

// matched are the folders that a workspace's patterns mean, each once, without those that one behind "!" means.
func (c *checker) matched(root string, patterns []string) (folders []string, err error) {
	if len(patterns) > maxPatterns {
		c.Note(shell.Show(root) + " has so many patterns of packages that not all were looked into")
		patterns = patterns[:maxPatterns]
	}
	means := map[string]bool{}
	for _, pattern := range patterns {
		pattern, not := strings.CutPrefix(pattern, "!")
		some, err := c.spread(root, path.Clean("/"+pattern))
		if err != nil {
			return nil, err
		}
		for _, dir := range some {
			if means[dir] = !not; !not {
				folders = append(folders, dir)
			}
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(folders, func(dir string) bool {
		twice := seen[dir]
		seen[dir] = true
		return twice || !means[dir]
	}), nil
}

// spread are the folders that one pattern means. Its ** stands for a folder and those in it, but for what is installed there or hidden, as deep as
// workspaces are.
func (c *checker) spread(root, pattern string) (folders []string, err error) {
	const deepest = 4
	before, behind, several := strings.Cut(pattern, "/**")
	if !several {
		return c.Tree.Under(root, pattern)
	}
	tops := []string{root}
	if before != "" {
		tops, err = c.Tree.Under(root, before)
	}
	for range deepest {
		if len(tops) > maxMembers {
			c.Note(shell.Show(root) + " has so many folders that not all were looked into")
		}
		for _, top := range tops[:min(len(tops), maxMembers)] {
			some := []string{top}
			if behind != "" && err == nil {
				some, err = c.Tree.Under(top, strings.ReplaceAll(behind, "**", "*"))
			}
			folders = append(folders, some...)
		}
		if err != nil {
			return nil, err
		}
		tops, err = c.Tree.Inside(tops[:min(len(tops), maxMembers)], func(e fs.DirEntry) bool {
			return e.IsDir() && e.Name() != "node_modules" && !strings.HasPrefix(e.Name(), ".")
		})
	}
	deeper, failed := c.Tree.Inside(tops[:min(len(tops), maxMembers)], func(e fs.DirEntry) bool { return e.Name() == "package.json" })
	if len(deeper) > 0 {
		c.Note(shell.Show(root) + " has packages so deep that not all were looked into")
	}
	return folders, errors.Join(err, failed)
}

// isMember tells whether a word means a package of a workspace: its name, the last part of it, its folder or one above, or a pattern. Of a word
// pnpm and turbo take dots as what depends on it, or it on.
func isMember(word, name, dir, root string) bool {
	word = strings.Trim(strings.ReplaceAll(strings.ReplaceAll(word, "...", ""), "^", ""), "{}")
	is, _ := path.Match(word, name)
	folder := path.Join(root, word)
	return word == "*" || is || path.Base(name) == word || strings.HasPrefix(dir+"/", folder+"/") && folder != root
}
