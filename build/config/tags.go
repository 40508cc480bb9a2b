package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/platforms"
)

const (
	defaultChild = "{arch}-{version}"
	latest       = "latest"
	// longestTag is the specification's bound; longestVersion leaves room for a platform's name before it.
	longestTag     = 128
	longestVersion = 100
)

// tag leaves the length to who asks: bounded in the expression, it would be a copy of the characters' class for each of them.
var tag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// versionOf reads VERSION beside the tag that IMG carries: they are one knob, and the stronger origin wins.
func (l *loader) versionOf(img setting, imgTag string) {
	s := l.get("VERSION")
	switch {
	case imgTag != "" && s.said() && s.text != imgTag && s.level == img.level:
		l.fail(s.wrong(fmt.Sprintf("is another version than that of IMG=%s: leave one of them out", img.text)))
		return
	case imgTag != "" && (!s.said() || img.level >= s.level):
		s = setting{knob: s.knob, text: imgTag, origin: img.origin + ", the tag of IMG"}
	case !s.said():
		s.text, s.origin = gitVersion(l.in.Repository)
	}
	l.record("VERSION", s.text, s.origin)
	if problem := badTag(s.text); problem != "" {
		l.fail(s.wrong(problem))
		return // the tags made of it would all be wrong too, and that is no news
	}
	l.config.Version = s.text
}

var (
	notInTag = regexp.MustCompile(`[^A-Za-z0-9_.-]`)
	aVersion = regexp.MustCompile(`^v[0-9]`)
)

// gitVersion makes a tag of what git describes: the v of a version goes, and what cannot be in a tag (+, /) becomes -.
func gitVersion(r Repository) (text, origin string) {
	text = r.Version
	if aVersion.MatchString(text) {
		text = text[1:]
	}
	text = strings.TrimLeft(notInTag.ReplaceAllString(text, "-"), ".-")
	if text == "" {
		return "dev", byDefault
	}
	return text[:min(len(text), longestVersion)], r.Origin
}

// badTag says what is wrong with a tag.
func badTag(text string) string {
	switch {
	case len(text) > longestTag:
		return fmt.Sprintf("has %d characters: a tag has at most %d", len(text), longestTag)
	case tag.MatchString(text):
		return ""
	}
	if name, own := cutTag(text); strings.Contains(name, "/") && tag.MatchString(own) { // as docker/metadata-action writes tags
		return "is a whole reference and no tag: write " + own
	}
	cure := strings.TrimLeft(notInTag.ReplaceAllString(text, "-"), ".-")
	if cure == "" {
		return "is no valid tag: use letters, digits, and _ . - behind the first"
	}
	return "is no valid tag, which has letters, digits, and _ . - behind the first: write " + cure
}

// tags reads TAGS and CHILD.
func (l *loader) tags() {
	s := l.get("TAGS")
	if !s.said() {
		s.text, s.origin, s.items = "{version}", byDefault, []item{{"{version}", byDefault}}
	}
	l.record("TAGS", strings.Join(s.texts(), " "), s.origin)
	for _, i := range s.items {
		if problem := l.config.listTag(i.text); problem != "" {
			l.fail(&UsageError{Knob: "TAGS", Text: i.text, Origin: i.origin, Problem: problem})
		}
	}
	l.config.endWithSeries()
	if len(l.config.Tags) == 0 && len(l.config.Unreleased) > 0 {
		l.fail(s.wrong("leaves no tag for VERSION=" + l.config.Version + ", which is no release such as 1.4.2: add {version}"))
	}
	l.child()
}

// TagsOf is a Config of a version's tags alone, by templates as TAGS has them: Version, Tags, Series and Unreleased. Errors are
// *UsageError of the option that has the templates.
func TagsOf(version string, templates []string, option string) (Config, error) {
	c := Config{Version: version}
	for _, template := range templates {
		if problem := c.listTag(template); problem != "" {
			return Config{}, &UsageError{Knob: option, Text: template, Problem: problem}
		}
	}
	c.endWithSeries()
	return c, nil
}

// listTag takes in one of TAGS, or says what is wrong with it.
func (c *Config) listTag(template string) string {
	if problem := badName(template, append([]string{"{version}"}, ofSeries...)...); problem != "" || c.Version == "" {
		return problem
	}
	text, released := fill(template, c.Version)
	same := func(s Series) bool { return s.Tag == text }
	switch series := isSeries(template); {
	case series && !released:
		c.Unreleased = append(c.Unreleased, template)
		return ""
	case slices.Contains(c.Tags, text) || series && slices.ContainsFunc(c.Series, same):
	case series:
		c.Series = append(c.Series, Series{text, template})
	default: // what is asked for by name goes back, too
		c.Tags = append(c.Tags, text)
		c.Series = slices.DeleteFunc(c.Series, same)
	}
	return badTag(text)
}

// endWithSeries puts the tags of series behind those of one version.
func (c *Config) endWithSeries() {
	for _, series := range c.Series {
		c.Tags = append(c.Tags, series.Tag)
	}
}

// otherChild is the way out where a platform's tag is the list's, too: it is not the template that is there.
func otherChild(template string) string {
	if template == defaultChild {
		return "choose other TAGS, or for example CHILD={version}-{arch}"
	}
	return "use for example CHILD=" + defaultChild + ", or choose other TAGS"
}

// child reads CHILD: every platform needs a tag of its own, which is none of the list's.
func (l *loader) child() {
	s := l.scalar("CHILD", defaultChild)
	l.config.Child = s.text
	if problem := badName(s.text, "{arch}", "{version}"); problem != "" {
		l.fail(s.wrong(problem))
		return
	}
	if !strings.Contains(s.text, "{arch}") && len(l.config.Platforms) > 1 {
		l.fail(s.wrong("gives all platforms one tag: put {arch} into it"))
		return
	}
	for _, p := range l.config.Platforms {
		child := l.config.ChildTag(p)
		switch problem := badTag(child); {
		case l.config.Version == "":
		case problem != "":
			l.fail(s.wrong("makes " + child + " for " + platforms.Format(p) + ", which " + problem))
			return // so it does for the others
		case slices.Contains(l.config.Tags, child):
			l.fail(s.wrong("gives " + platforms.Format(p) + " the tag " + child + ", which TAGS gives the list: " + otherChild(s.text)))
		}
	}
}
