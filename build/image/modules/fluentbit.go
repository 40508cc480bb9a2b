package modules

import (
	"path"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// Fluent Bit's plugins of others are named on its command line, or in what its configuration names, in one of two forms:
//
//	fluent-bit -e /out_loki.so -c fluent-bit.conf
//	[SERVICE]                       service:
//	    Plugins_File plugins.conf       plugins_file: plugins.conf
//	[PLUGINS]                       plugins:
//	    Path /out_loki.so               - /out_loki.so

// fluentBitLoads are the plugins that Fluent Bit is given.
func (c *Checker) fluentBitLoads(in interpreted) (list []modules, err error) {
	var files []string
	for i, word := range in.args {
		name, value, inline := strings.Cut(word, "=")
		if !inline && i+1 < len(in.args) {
			value = in.args[i+1]
		}
		switch name {
		case "-e", "--plugin":
			list = append(list, loaded(onCommandLine, shell.Absolute(in.Frame.Dir, value)))
		case "-c", "--config":
			files = append(files, shell.Absolute(in.Frame.Dir, value))
		}
	}
	err = c.included(files, in.Frame, func(by, text string) (patterns []string) {
		plugins, more := fluentBitNames(text)
		for _, name := range plugins {
			list = append(list, loaded(by, shell.Absolute(in.Frame.Dir, name)))
		}
		return inEach([]string{path.Dir(by)}, more...)
	})
	return list, err
}

// fluentBitNames are the plugins that a file of the configuration names, and the files that it includes.
func fluentBitNames(text string) (plugins, files []string) {
	section := ""
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 1 && strings.Trim(line[:1], " \t") != "":
			section = strings.ToLower(strings.Trim(words[0], "[]:"))
		case len(words) < 2:
		default:
			key, value := strings.ToLower(strings.TrimSuffix(words[0], ":")), strings.Trim(words[1], `"'`)
			switch {
			case section == "plugins" && (key == "path" || key == "-"):
				plugins = append(plugins, value)
			case section == "includes" && key == "-", section == "service" && key == "plugins_file", key == "@include":
				files = append(files, value)
			}
		}
	}
	return plugins, files
}
