package modules

import (
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// bundlePaths are the folders in which Bundler has its own versions' gems: what the application's configuration says of it, else the
// environment, else the user's configuration. There is none where nothing says so, and gems are RubyGems' then.
func (c *Checker) bundlePaths(f shell.Frame) (list []string, err error) {
	app := f.Dir
	for _, file := range c.Values("BUNDLE_GEMFILE", f) {
		app = path.Dir(shell.Absolute(f.Dir, file))
	}
	configs := []string{shell.Absolute(app, ".bundle")}
	if given := c.FoldersIn("BUNDLE_APP_CONFIG", f); len(given) > 0 {
		configs = given
	}
	own, err := c.bundleConfig(configs)
	if err != nil {
		return nil, err
	}
	var homes []string
	for _, home := range c.Homes(f) {
		homes = append(homes, path.Join(home, ".bundle"))
	}
	users, err := c.bundleConfig(homes)
	if err != nil {
		return nil, err
	}
	setting := func(name string) []string {
		if own[name] != nil {
			return own[name]
		}
		if given := c.Values(name, f); len(given) > 0 {
			return given
		}
		return users[name]
	}
	paths := setting("BUNDLE_PATH")
	if deployed := setting("BUNDLE_DEPLOYMENT"); len(paths) == 0 && (slices.Contains(deployed, "true") || slices.Contains(deployed, "1")) {
		paths = []string{"vendor/bundle"}
	}
	for _, dir := range paths {
		list = append(list, shell.Absolute(app, dir))
	}
	return list, nil
}

// bundleConfig reads Bundler's configuration in these folders, lines such as BUNDLE_PATH: "vendor/bundle".
func (c *Checker) bundleConfig(folders []string) (map[string][]string, error) {
	settings := map[string][]string{}
	for _, dir := range folders {
		if !shell.Known(dir) {
			continue
		}
		text, err := c.Evidence(path.Join(dir, "config"))
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.HasPrefix(name, "BUNDLE_") {
				settings[name] = append(settings[name], strings.Trim(value, "\"' \r\n"))
			}
		}
	}
	return settings, nil
}
