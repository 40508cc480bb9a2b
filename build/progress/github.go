package progress

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// annotate makes an annotation, once per text and place, and of an error one alone: it is told of each platform that shares the
// step, and of the whole run. Outside GitHub it does nothing.
func (g *log) annotate(kind, platform, file string, line int, text string) {
	place := file
	if file != "" && !filepath.IsAbs(file) {
		place = path.Join(g.folder, filepath.ToSlash(file))
	}
	command := workflowCommand(kind, platform, place, line, text)
	keys := []string{command}
	if kind == "error" {
		keys = append(keys, strings.TrimPrefix(platform+": "+text, ": "))
	}
	if kind == "error" && line > 0 {
		keys = append(keys, fmt.Sprintf("%s:%d", file, line))
	}
	if !g.github || slices.ContainsFunc(keys, func(k string) bool { return g.told[k] }) {
		return
	}
	for _, k := range keys {
		g.told[k] = true
	}
	fmt.Fprintln(g.out, command)
}

// ErrorCommand is the line that annotates a run in GitHub Actions with an error, for those who have no display yet.
func ErrorCommand(text string) string { return workflowCommand("error", "", "", 0, text) }

// FolderIn is Options.Folder of a run in dir, when a workflow's checkout ($GITHUB_WORKSPACE) is in workspace. Empty where they are the
// same, or dir is outside of it. Symbolic links are followed: a runner's workspace may be one, and dir where that leads.
func FolderIn(workspace, dir string) string {
	for _, path := range []*string{&workspace, &dir} {
		if found, err := filepath.EvalSymlinks(*path); err == nil {
			*path = found
		}
	}
	folder, err := filepath.Rel(workspace, dir)
	if err != nil || workspace == "" || !filepath.IsLocal(folder) || folder == "." {
		return ""
	}
	return filepath.ToSlash(folder)
}

// workflowCommand is a command to GitHub's runner, as documented in "Workflow commands for GitHub Actions", with escapes as in
// actions/toolkit packages/core/src/command.ts.
func workflowCommand(kind, platform, file string, line int, text string) string {
	var properties []string
	add := func(name, value string) {
		properties = append(properties, name+"="+property.Replace(value))
	}
	if file != "" {
		add("file", file)
		if line > 0 {
			add("line", strconv.Itoa(line))
		}
	}
	if platform != "" {
		add("title", platform)
	}
	head := strings.TrimRight(kind+" "+strings.Join(properties, ","), " ")
	return "::" + head + "::" + data.Replace(text)
}

// The escapes of a command's message and of its properties. A Replacer is never changed after it is made.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// gather keeps output for the group of its platform: groups cannot interleave, so each is written when its platform has ended.
func (g *log) gather(e Output) {
	if g.gathered[e.Platform] == nil {
		g.gathered[e.Platform] = &tail{}
	}
	g.gathered[e.Platform].write(e.Data)
}

// group writes what the steps of a platform printed, folded.
func (g *log) group(platform string) {
	kept := g.gathered[platform]
	delete(g.gathered, platform)
	if kept == nil || g.verbose {
		return
	}
	title := strings.TrimSpace(platform + " output of the steps")
	fmt.Fprintf(g.out, "::group::%s\n", data.Replace(title))
	for _, line := range kept.lines() {
		fmt.Fprintf(g.out, "%s%s\n", mark, line)
	}
	fmt.Fprintln(g.out, "::endgroup::")
}

// AppendSummary adds a run's table to the file that $GITHUB_STEP_SUMMARY names. With an empty path it does nothing.
func AppendSummary(path string, s Summary) error {
	if path == "" {
		return nil
	}
	return appendTo("GITHUB_STEP_SUMMARY", path, s.Markdown()+"\n")
}

// Value is one output of a GitHub Actions step.
type Value struct{ Name, Text string }

// AppendOutput adds values ("digest", "image") to the file that $GITHUB_OUTPUT names, so that later steps can use them. With an
// empty path it does nothing. A text with line feeds is written in the delimiter form, with a delimiter that nobody can guess.
func AppendOutput(path string, values ...Value) error {
	if path == "" {
		return nil
	}
	var b strings.Builder
	for _, v := range values {
		if v.Name == "" || strings.ContainsAny(v.Name, "=<\r\n") {
			return fmt.Errorf("output name %q cannot be written to %s: use letters, digits, - and _", v.Name, path)
		}
		if !strings.ContainsAny(v.Text, "\r\n") {
			fmt.Fprintf(&b, "%s=%s\n", v.Name, v.Text)
			continue
		}
		end := "end-" + rand.Text()
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", v.Name, end, v.Text, end)
	}
	return appendTo("GITHUB_OUTPUT", path, b.String())
}

// appendTo adds text to a file that the runner shares with other steps, which a variable names: appended in one write, never truncated.
// All that was to be done has been by then.
func appendTo(variable, path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("all is done but to tell GitHub: %s: %w; set it to a file that can be written, or unset it", variable, err)
	}
	return nil
}
