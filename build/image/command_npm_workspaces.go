package image

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// workspaces are the folders of packages of the workspace that a folder lies in: those that are named, by their names or folders, or by patterns of them.
func (c *checker) workspaces(named []string, from string) (folders []string, err error) {
	all, root, err := c.members(from)
	if err != nil {
		return nil, err
	}
	described := make([]string, len(all))
	err = each(len(all), func(i int) (err error) {
		described[i], err = c.evidence(path.Join(all[i], "package.json"))
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
func (c *checker) members(from string) (folders []string, root string, err error) {
	item := regexp.MustCompile(`(?m)^\s*-\s*['"]?([^'"#\s]+)`)
	for root = from; ; root = path.Dir(root) {
		if root, _, err = c.above(root, "package.json"); err != nil || root == "" {
			return nil, "", err
		}
		described, err := c.evidence(path.Join(root, "package.json"))
		if err != nil {
			return nil, "", err
		}
		patterns := texts(gjson.Get(described, "workspaces"))
		patterns = append(patterns, texts(gjson.Get(described, "workspaces.packages"))...)
		listed, err := c.evidence(path.Join(root, "pnpm-workspace.yaml"))
		if err != nil {
			return nil, "", err
		}
		for _, m := range item.FindAllStringSubmatch(listed, -1) {
			patterns = append(patterns, m[1])
		}
		for i := range patterns {
			patterns[i] = path.Clean("/" + patterns[i])
		}
		if len(patterns) > 0 {
			folders, err = c.under(root, patterns...)
			return folders, root, err
		}
		if root == "/" {
			return nil, "", nil
		}
	}
}

// isMember tells whether a word means a package of a workspace: its name, the last part of it, its folder or one above, or a pattern. Of a word
// pnpm and turbo take dots as what depends on it, or it on.
func isMember(word, name, dir, root string) bool {
	word = strings.Trim(strings.ReplaceAll(strings.ReplaceAll(word, "...", ""), "^", ""), "{}")
	is, _ := path.Match(word, name)
	folder := path.Join(root, word)
	return word == "*" || is || path.Base(name) == word || strings.HasPrefix(dir+"/", folder+"/") && folder != root
}
