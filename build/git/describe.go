package git

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Describe asks git, the CI's variables and SOURCE_DATE_EPOCH about the folder dir. getenv may be nil.
// The only errors are a SOURCE_DATE_EPOCH that is no number (ErrEpoch) and ctx's.
func Describe(ctx context.Context, dir string, getenv func(string) string) (Info, error) {
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	info := ask(ctx, dir)
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	fill(&info, dir, getenv)
	if info.Version != "" {
		info.Note = "" // the CI knows
	}
	info.Name = repositoryName(info.Source)
	epoch, err := Epoch(getenv)
	if epoch != nil {
		info.Created = *epoch
	}
	return info, err
}

// Version is what git calls the state of the repository whose top dir is, as in Info; empty where there is none, whatever is around it.
func Version(ctx context.Context, dir string) string {
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil || dir == "" {
		return ""
	}
	return run(ctx, dir, describeArgs()...).text
}

// describeArgs ask for a version.
func describeArgs() []string { return []string{"describe", "--tags", "--always", "--dirty"} }

// ask runs the four questions beside each other: none needs another's answer, and each is a process of a few milliseconds.
func ask(ctx context.Context, dir string) Info {
	var describe, commit, remotes, prefix answer
	var group errgroup.Group
	for to, args := range map[*answer][]string{
		&describe: describeArgs(),
		&commit:   {"log", "-1", "--no-show-signature", "--format=%H %ct"},
		&remotes:  {"config", "--get-regexp", `^remote\..*\.url$`},
		&prefix:   {"rev-parse", "--show-prefix"},
	} {
		group.Go(func() error {
			*to = run(ctx, dir, args...)
			return nil
		})
	}
	_ = group.Wait() // the answers carry their own failures, which are none of the caller's
	if prefix.err != nil {
		return Info{Note: cmp.Or(prefix.note(dir), prefix.refusal(dir))}
	}
	info := Info{Prefix: strings.Trim(prefix.text, "/"), Source: web(remote(remotes.text)), Note: describe.note(dir)}
	readCommit(&info, commit.text)
	if info.Revision != "" && describe.err != nil { // a submodule in it, say, that is not where it should be
		info.Note = cmp.Or(info.Note, describe.refusal(dir))
	}
	readDescribe(&info, describe.text)
	if tag := info.Tag; tag != "" && tag == strings.TrimSuffix(info.Version, dirtySuffix) { // of the commit itself, which may have more
		tags := run(ctx, dir, "-c", "versionsort.suffix=-", "tag", "--points-at=HEAD", "--sort=-version:refname")
		readDescribe(&info, releaseOf(tag, tags.text)+strings.TrimPrefix(info.Version, tag))
	}
	return info
}

// releaseOf is the newest release of a commit's tags, the newest first, where git describe has taken another one: an older one, a preview
// of it, or a tag that moves along with releases, v1 with v1.4.2 or a word such as latest.
func releaseOf(described, tags string) string {
	word := isWord(described)
	for tag := range strings.FieldsSeq(tags) {
		if tag == described && !word { // those behind it are older
			break
		}
		if strings.HasPrefix(tag, described+".") || isRelease(tag) && (word || isVersion(described)) {
			return tag
		}
	}
	return described
}

// isRelease tells whether a tag is a version of three numbers.
func isRelease(tag string) bool {
	numbers := strings.Split(strings.TrimPrefix(tag, "v"), ".")
	return len(numbers) == 3 && !slices.ContainsFunc(numbers, func(n string) bool { return !isDigits(n) })
}

// isVersion tells whether a tag begins as a version does.
func isVersion(tag string) bool {
	number := strings.TrimPrefix(tag, "v")
	return number != "" && isDigits(number[:1])
}

// isWord tells whether a tag has letters alone: latest, nightly.
func isWord(tag string) bool {
	return strings.Trim(strings.ToLower(tag), "abcdefghijklmnopqrstuvwxyz") == ""
}

// dirtySuffix is what git describe puts behind the name of a commit whose files differ from it.
const dirtySuffix = "-dirty"

// readCommit reads "HASH SECONDS".
func readCommit(info *Info, text string) {
	hash, seconds, _ := strings.Cut(text, " ")
	if n, err := strconv.ParseInt(seconds, 10, 64); err == nil {
		info.Revision, info.Created = hash, time.Unix(n, 0).UTC()
	}
}

// readDescribe takes apart "v1.2.0-3-gabc1234-dirty"; what has no "-N-gHASH" is either a tag itself, such as 20241201, or the
// beginning of the commit's hash.
func readDescribe(info *Info, text string) {
	if text == "" {
		return
	}
	info.Version = text
	clean, dirty := strings.CutSuffix(text, dirtySuffix)
	info.Dirty = dirty
	info.Tag = tagOf(clean, info.Revision)
	info.Origin = "git tag " + info.Tag
	if info.Tag == "" {
		info.Origin = "git commit " + clean
	}
}

func tagOf(described, revision string) string {
	rest, hash, found := cutLast(described, "-g")
	if tag, count, counted := cutLast(rest, "-"); found && counted && isHash(hash) && isDigits(count) {
		return tag
	}
	if isHash(described) && strings.HasPrefix(revision, described) {
		return ""
	}
	return described
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// shortestHash is what git abbreviates to at least, whatever core.abbrev says.
const shortestHash = 4

func isHash(s string) bool {
	return len(s) >= shortestHash && strings.Trim(s, "0123456789abcdef") == ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
