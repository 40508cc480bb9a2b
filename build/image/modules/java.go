package modules

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// Java loads agents that its options name, which stand on its command line, in files and in variables; the scripts of Tomcat, Jetty, Kafka and others
// have more such variables:
//
//	-agentpath:/opt/agent.so=options
//	-agentlib:agent=options          libagent.so, in Java's own folder or where loaders look

// javaAgent is what an option of Java loads: the paths that it may have, none where it loads nothing.
func (c *Checker) javaAgent(option string, in interpreted) []string {
	kind, name, _ := strings.Cut(strings.Trim(option, `"'`), ":")
	name, _, _ = strings.Cut(name, "=")
	switch kind {
	case "-agentpath":
		return []string{name}
	case "-agentlib":
		home := path.Dir(path.Dir(in.At.Real))
		folders := []string{home + "/lib"}
		for _, machine := range shell.Machines(c.Declared) { // of Java 8
			folders = append(folders, home+"/lib/"+machine, home+"/jre/lib/"+machine)
		}
		return inEach(slices.Concat(folders, c.FoldersIn("LD_LIBRARY_PATH", in.Frame), c.systemFolders()), "lib"+name+".so")
	}
	return nil
}

// javaLoads are the agents among Java's options, which end before the class that it starts. Some of them have their value in the next word.
func (c *Checker) javaLoads(in interpreted) (list []modules, err error) {
	read := func(by string, words []string) {
		for _, word := range words {
			if agent := c.javaAgent(word, in); len(agent) > 0 {
				list = append(list, loaded(by, agent...))
			}
		}
	}
	for _, name := range []string{"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"} {
		if given := c.Values(name, in.Frame); len(given) == 1 {
			read(name, strings.Fields(given[0]))
		}
	}
	if err := c.javaScript(in, read); err != nil {
		return nil, err
	}
	valued := false
	for _, word := range in.args {
		file, more := strings.CutPrefix(word, "@")
		switch {
		case more && !valued:
			name := shell.Absolute(in.Frame.Dir, file)
			if err := c.included([]string{name}, in.Frame, func(by, text string) []string { read(by, strings.Fields(text)); return nil }); err != nil {
				return nil, err
			}
		case !shell.Known(word): // more options, maybe
		case strings.HasPrefix(word, "-") && word != "-jar":
			read(onCommandLine, []string{word})
		case !valued:
			return list, nil
		}
		valued = slices.Contains([]string{"-cp", "-classpath", "-p"}, word) || strings.HasPrefix(word, "--") && !strings.Contains(word, "=")
	}
	return list, nil
}

// javaScript reads the variables of the image's environment that name an agent and are used by the script that starts Java.
func (c *Checker) javaScript(in interpreted, read func(by string, words []string)) error {
	if in.Frame.Reading == "" {
		return nil
	}
	script := ""
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		var agents []string
		for _, word := range strings.Fields(c.Env[name]) {
			stays := !slices.ContainsFunc(c.Values(name, in.Frame), func(value string) bool { return !strings.Contains(value, word) })
			if stays && len(c.javaAgent(word, in)) > 0 {
				agents = append(agents, word)
			}
		}
		if len(agents) == 0 {
			continue
		}
		if script == "" {
			texts, err := c.settings([]string{in.Frame.Reading}, in.Frame)
			if err != nil {
				return err
			}
			script = texts[0]
		}
		if used, _ := regexp.MatchString(`\$\{?`+regexp.QuoteMeta(name)+`\b`, script); used {
			read(name, agents)
		}
	}
	return nil
}
