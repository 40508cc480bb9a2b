package targets

import (
	"errors"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// program1 is a program whose targets are what their usages say.
type program1 []target

func (p program1) describe(word string) (*target, error) {
	for _, t := range p {
		if strings.EqualFold(t.name, word) {
			return &t, nil
		}
	}
	return nil, nil
}

func (p program1) list() ([]string, error) {
	var names []string
	for _, t := range p {
		names = append(names, t.name)
	}
	return names, nil
}

// ours has this project's targets, or at least one of each kind.
var ours = program1{
	{name: "build"}, {name: "push", aliases: []string{"publish"}}, {name: "plan"}, {name: "help"}, {name: "version"},
	{name: "verify", usage: "verify [-ref=<string>]", options: []targetOption{{"ref", "string"}}},
	{name: "inspect", usage: "inspect <ref> [<flags>]", required: []string{"ref"}, options: []targetOption{{"json", "bool"}, {"depth", "int"}, {"wait", "time.Duration"}}},
	{name: "manifest:create", usage: "manifest:create <target> <sources> [<flags>]", required: []string{"target", "sources"}, options: []targetOption{{"annotations", "string"}}},
	{name: "setarch", usage: "setarch <ref> <arch>", required: []string{"ref", "arch"}, options: []targetOption{{"dry-run", "bool"}}},
}

// theirs has ours behind an alias, and targets of an importer.
var theirs = program1{
	{name: "image:build"}, {name: "image:push"}, {name: "image:version"}, {name: "deploy"}, {name: "image:manifest:create"},
	{name: "image:verify", usage: "image:verify [-ref=<string>]", options: []targetOption{{"ref", "string"}}},
}

// Which targets of this package a line names, an importer's of the same name are not among.
func TestTheDoorKnowsItsOwn(t *testing.T) {
	imported := program1{{name: "image:build"}, {name: "image:push", aliases: []string{"ship"}}, {name: "image:setarch"}, {name: "image:why"},
		{name: "docs:build"}, {name: "docs:push"}, {name: "push"}, {name: "deploy", required: []string{"where"}}}
	own := append(slices.Clone(ours), target{name: "why", usage: "why <ref>", required: []string{"ref"}}, target{name: "docs:push"})
	for _, c := range []struct {
		binary     program1
		args, want string
	}{
		{own, "BUILD push", "build push"},
		{own, "build docs:push", "build"},
		{own, "build inspect me/app:push", "build inspect"},
		{own, "build publish", "build push"},
		{imported, "image:build image:push", "build push"},
		{imported, "image:build ship", "build push"},
		{imported, "docs:build image:build docs:push push", "build"},
		{imported, "image:build deploy image:push", "build"},
	} {
		got, err := readLine(words(c.args), c.binary, noEnv)
		if err != nil || strings.Join(got.runs, " ") != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.args, got.runs, err, c.want)
		}
	}
}

func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, " ")
}

func noEnv(string) string { return "" }

func TestTheDoorLetsIn(t *testing.T) {
	for _, c := range []struct{ args, knobs, mage string }{
		{"", "", ""},
		{"build push", "", "build push"},
		{"IMG=a/b build ARCHES=amd64,arm64 push V=1", "IMG=a/b ARCHES=amd64,arm64 V=1", "build push"},
		{"IMG=a=b build", "IMG=a=b", "build"},
		{"IMG= build", "IMG=", "build"},
		{"BUILD Push", "", "BUILD Push"},
		{"publish", "", "publish"},
		{"--insecure build", "INSECURE=true", "build"},
		{"build -insecure", "INSECURE=true", "build"},
		{"build --insecure=no", "INSECURE=no", "build"},
		{"build --verbose", "V=true", "build"},
		{"build --verbose=no", "V=no", "build"},
		{"-v build", "", "-v build"},
		{"-v=true build", "", "-v build"},
		{"-v=false build", "", "build"},
		{"build -v", "", "-v build"},
		{"-t 5m build", "", "-t 5m5s build"},
		{"-t=90s build", "", "-t 1m35s build"},
		{"--t 1s build", "", "-t 6s build"},
		{"-t 0s build", "", "build"},
		{"-l", "", "-l"},
		{"--l", "", "-l"},
		{"-l psh", "", "-l"},
		{"build -l", "", "-l"},
		{"-- build", "", "build"},

		{"inspect a:1", "", "inspect a:1"},
		{"inspect push", "", "inspect push"},
		{"inspect a:1 push", "", "inspect a:1 push"},
		{"inspect -", "", "inspect -"},
		{"inspect a:1 -json", "", "inspect a:1 -json=true"},
		{"inspect -json a:1", "", "inspect a:1 -json=true"},
		{"inspect --JSON=false a:1 -depth 3 -wait 5s", "", "inspect a:1 -json=false -depth=3 -wait=5s"},
		{"inspect a:1 -json push", "", "inspect a:1 -json=true push"},
		{"verify -ref=a:1 plan", "", "verify -ref=a:1 plan"},
		{"verify --ref a:1 plan", "", "verify -ref=a:1 plan"},
		{"verify -ref= plan", "", "verify -ref= plan"},
		{"setarch a:1 arm64", "", "setarch a:1 arm64"},
		{"setarch a:1 ONE=1 arm64", "ONE=1", "setarch a:1 arm64"},
		{"setarch a:1 arm64 -dry-run", "", "setarch a:1 arm64 -dryrun=true"},

		{"help", "", "help"},
		{"-h", "", "help"},
		{"--help", "", "help"},
		{"help build", "", "-h build"},
		{"-h Build", "", "-h build"},
		{"help inspect", "", "-h inspect"},
		{"--help publish", "", "-h push"},
		{"build -h", "", "-h build"},
		{"inspect --help", "", "-h inspect"},
		{"version", "", "version"},
		{"--version", "", "version"},
		{"-version", "", "version"},
		{"IMG=a/b --help", "IMG=a/b", "help"},
	} {
		l, err := readLine(words(c.args), ours, noEnv)
		if err != nil || !slices.Equal(l.mage, words(c.mage)) || !slices.Equal(l.words, words(c.knobs)) {
			t.Errorf("%q:\ngot  %q %q %v\nwant %q %q", c.args, l.words, l.mage, err, c.knobs, c.mage)
		}
		if timed := slices.Contains(l.mage, "-t"); l.deadline.IsZero() == timed {
			t.Errorf("%q: it is to end at %v", c.args, l.deadline)
		}
	}
}

func TestTheDoorRefuses(t *testing.T) {
	for _, c := range []struct {
		program    program1
		args, says string
	}{
		{ours, "build psh", "unknown target psh, did you mean push?"},
		{ours, "biuld", "unknown target biuld, did you mean build?"},
		{ours, "pubish", "unknown target pubish, did you mean publish?"},
		{ours, "BIULD", "unknown target BIULD, did you mean build?"},
		{ours, "build frobnicate", " -l lists them all"},
		{ours, "inspect a:1 b:1", " -l lists them all"},         // which takes one
		{ours, "setarch a:1 arm64 s390x", " -l lists them all"}, // whose option takes none
		{ours, "-- -x", "unknown option -x"},
		{ours, "insecure build", "unknown target insecure"},
		{ours, "insecure=yes build", "write INSECURE=yes"},
		{ours, "build ''", "unknown target '': "},
		{ours, "verify 127.0.0.1:5000/a:1", "if it is meant for verify, write verify -ref=127.0.0.1:5000/a:1"},
		{ours, "manifest:create a:1 a:amd64 a:arm64", "if it is one of the sources of manifest:create, these are one argument, separated by commas: FIRST,a:arm64"},
		{ours, "img=a/b build", "write IMG=a/b"},
		{ours, "plan =x", "unknown target =x: "},
		{ours, "plan 1=x", "unknown target 1=x: "},
		{ours, "GOARCH=arm64 build", "ARCHES=arm64"},
		{ours, "GOARM=7 build", "ARCHES=arm/v7"},
		{ours, "GOARCH= build", `such as ARCHES="amd64 arm64"`},
		{ours, "GOOS=linux build", `such as ARCHES="amd64 arm64"`},
		{ours, "-x build", "unknown option -x: "},
		{ours, "--arches=amd64 build", "unknown option --arches=amd64: "},
		{ours, "build -x", "build has no option -x: it has none"},
		{ours, "build --platform linux/arm64", `build has no option --platform: write it as a knob, such as ARCHES="amd64 arm64 arm/v7"`},
		{ours, "--platform=linux/arm64 build", `unknown option --platform=linux/arm64: write it as a knob, such as ARCHES="amd64 arm64 arm/v7"`},
		{ours, "build -f Dockerfile.prod", "write it as a knob, such as DOCKERFILE="},
		{ours, "build --build-arg A=b", "write it as a knob, such as BUILD_ARGS="},
		{ours, "build --no-cache", "write it as a knob, such as NO_CACHE=1"},
		{ours, "build --build-context src=../src", "write it as a knob, such as CONTEXTS="},
		{ours, "build --label=a=b", "write it as a knob, such as LABELS="},
		{ours, "build --registry-user=me", "it is the knob REGISTRY_USER"},
		{ours, "build --push", "build has no option --push: the target push does that"},
		{ours, "build --load", "the target build leaves the images in the engine"},
		{ours, "push --dry-run", "push has no option --dry-run: the target plan shows what would be done"},
		{ours, "-n build", "unknown option -n: the target plan shows what would be done"},
		{ours, "build -t me/app:1", `-t: "me/app:1" is no time, which it is for here: write IMG=me/app:1`},
		{ours, "build .", "unknown target .: the folder here is the context anyway"},
		{ours, "build ../svc", "unknown target ../svc: CONTEXT=../svc makes that folder the context"},
		{ours, "build /svc", "unknown target /svc: CONTEXT=/svc makes that folder the context"},
		{ours, "build svc/", "unknown target svc/: CONTEXT=svc/ makes that folder the context"},
		{ours, "push --insecur", "push has no option --insecur, did you mean -insecure?"},
		{ours, "inspect a:1 -jsn", "inspect has no option -jsn, did you mean -json?"},
		{ours, "inspect a:1 -zzzzzzz", "it has -json, -depth, -wait"},
		{ours, "setarch a:1 arm64 -dryrum", "setarch has no option -dryrum, did you mean -dry-run?"},
		{ours, "setarch a:1 arm64 -dryrun=maybe", `option -dry-run of setarch: "maybe" is no bool: write -dry-run=true`},
		{ours, "inspect", "inspect needs <ref>: write "},
		{ours, "inspect -json", "inspect needs <ref>: write "},
		{ours, "build setarch a:1", "setarch needs <arch>: write "},
		{ours, "setarch", "setarch needs <ref> and <arch>: write "},
		{ours, "build inspect a:1 -depth=deep", `option -depth of inspect: "deep" is no int: write -depth=3`},
		{ours, "inspect a:1 -json=maybe", `"maybe" is no bool`},
		{ours, "inspect a:1 -wait=5", `"5" is no time.Duration`},
		{ours, "verify -ref", "option -ref of verify needs a value"},
		{ours, "-t", "-t needs a time"},
		{ours, "-t soon build", `"soon" is no time: write -t 5m30s`},
		{ours, "-t -5s build", `"-5s" is no time`},
		{ours, "help build -t -5s", `"-5s" is no time`},
		{ours, "-h build psh", "did you mean push?"},
		{ours, "-v=maybe build", "neither true nor false"},
		{ours, "help psh", "did you mean push?"},
		{ours, "-h psh", "did you mean push?"},
		{theirs, "build", "unknown target build, did you mean image:build?"},
		{theirs, "manifest:create", "unknown target manifest:create, did you mean image:manifest:create?"},
		{theirs, "image:psh", "did you mean image:push?"},
		{theirs, "psh", "did you mean image:push?"},
		{theirs, "deplyo", "did you mean deploy?"},
	} {
		_, err := readLine(words(c.args), c.program, noEnv)
		var said *answer
		if !errors.As(err, &said) || said.code != 2 || !strings.Contains(said.text, c.says) {
			t.Errorf("%q: %v, want %q", c.args, err, c.says)
		}
	}
}

func TestHelpAndVersionBehindAnAlias(t *testing.T) {
	for args, want := range map[string]string{"help": "-h", "--help": "-h", "-h deploy": "-h deploy", "help image:push": "-h image:push"} {
		if l, err := readLine(words(args), theirs, noEnv); err != nil || !slices.Equal(l.mage, words(want)) {
			t.Errorf("%q: %q %v, want %q", args, l.mage, err, want)
		}
	}
	_, err := readLine([]string{"--version"}, theirs, noEnv)
	var said *answer
	if !errors.As(err, &said) || said.code != 0 || !strings.HasPrefix(said.text, "manymage ") {
		t.Errorf("--version: %v", err)
	}
}

func TestMagesOwnVariables(t *testing.T) {
	env := map[string]string{"MAGEFILE_TIMEOUT": "1m0s"}
	getenv := func(name string) string { return env[name] }
	before := time.Now()
	l, err := readLine(words("build"), ours, getenv)
	if err != nil || !slices.Equal(l.mage, words("-t 1m5s build")) || l.deadline.Before(before.Add(time.Minute)) {
		t.Errorf("%+v %v", l, err)
	}
	env = map[string]string{"MAGEFILE_LIST": "1"}
	if l, err := readLine(words("psh"), ours, getenv); err != nil || !slices.Equal(l.mage, words("-l")) {
		t.Errorf("%+v %v", l, err)
	}
	env = map[string]string{"MAGEFILE_HELP": "1"}
	if l, err := readLine(words("push"), ours, getenv); err != nil || !slices.Equal(l.mage, words("-h push")) {
		t.Errorf("%+v %v", l, err)
	}
}

// A value may hold anything; nothing is split or joined.
func TestValuesAreKept(t *testing.T) {
	args := []string{"IMG=a b", "verify", "-ref= a\nb ", "inspect", "a  b", "ARCHES=amd64 arm64"}
	l, err := readLine(args, ours, noEnv)
	if err != nil || !slices.Equal(l.mage, []string{"verify", "-ref= a\nb ", "inspect", "a  b"}) || !slices.Equal(l.words, []string{"IMG=a b", "ARCHES=amd64 arm64"}) {
		t.Errorf("%q %q %v", l.words, l.mage, err)
	}
}

type mute struct{}

func (mute) describe(string) (*target, error) { return nil, errCannotAsk }
func (mute) list() ([]string, error)          { return nil, errCannotAsk }

// Where the program cannot be asked, Mage itself is the judge.
func TestAProgramThatCannotBeAsked(t *testing.T) {
	l, err := readLine(words("IMG=a/b build psh -x"), mute{}, noEnv)
	if err != nil || !slices.Equal(l.mage, words("build psh -x")) || !slices.Equal(l.words, words("IMG=a/b")) {
		t.Errorf("%+v %v", l, err)
	}
}

func TestTheNameThatPeopleType(t *testing.T) {
	home := func(name string) string { return map[string]string{"MANYMAGE_HOME": "/src/manymage"}[name] }
	hash := strings.Repeat("a2", 20)
	for _, c := range []struct {
		path   string
		getenv func(string) string
		want   string
	}{
		{"/usr/local/bin/manymage", noEnv, "manymage"},
		{"/usr/local/bin/manymage", home, "manymage"},
		{"/root/.cache/manymage/targets-" + hash, home, "scripts/mage"},
		{"targets-mine", noEnv, "targets-mine"},
		{"/root/.magefile/" + hash, noEnv, "mage"},
		{"/root/.magefile/" + hash + ".exe", noEnv, "mage"},
		{"/root/.magefile/" + strings.Repeat("a2", 32), noEnv, "mage"},
		{"/usr/local/bin/deadbeef", noEnv, "deadbeef"},
		{strings.Repeat("m2", 20), noEnv, strings.Repeat("m2", 20)},
	} {
		if got := called(c.path, c.getenv); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}

func TestAnswers(t *testing.T) {
	var out, errs strings.Builder
	if code := (&answer{text: "manymage 1"}).give(&out, &errs, noEnv); code != 0 || out.String() != "manymage 1\n" || errs.Len() > 0 {
		t.Error(code, out.String(), errs.String())
	}
	out.Reset()
	if code := (&answer{text: "wrong", code: 2}).give(&out, &errs, noEnv); code != 2 || errs.String() != "Error: wrong\n" || out.Len() > 0 {
		t.Error(code, out.String(), errs.String())
	}
	errs.Reset()
	github := func(name string) string { return map[string]string{"GITHUB_ACTIONS": "true"}[name] }
	if (&answer{text: "50 % wrong", code: 2}).give(&out, &errs, github); errs.String() != "::error::50 %25 wrong\nError: 50 % wrong\n" {
		t.Error(errs.String())
	}
}

func TestParseHelp(t *testing.T) {
	for _, c := range []struct {
		word, out string
		want      target
	}{
		{"build", "Build it.\n\nUsage:\n\n\tmage build\n\n", target{name: "build", usage: "build"}},
		{"push", "Usage:\n\n\tmage push\n\nAliases: p, publish\n\n", target{name: "push", usage: "push", aliases: []string{"p", "publish"}}},
		{"a:b", "Usage:\n\n\tmy tool a:b <ref> [-json=<bool>]\n\nFlags:\n\n\t-json=<bool>  as <JSON> -x=<int>\n\n",
			target{name: "a:b", usage: "a:b <ref> [-json=<bool>]", required: []string{"ref"}, options: []targetOption{{"json", "bool"}}}},
		{"x", "About\nUsage:\n\n\tnot this\n\nUsage:\n\n\tmage x <a> <b> [<flags>]\n\nFlags:\n\n\t-One=<string>\n\t-two=<time.Duration>  why\n\n",
			target{name: "x", usage: "x <a> <b> [<flags>]", required: []string{"a", "b"}, options: []targetOption{{"one", "string"}, {"two", "time.Duration"}}}},
	} {
		got, err := parseHelp(c.word, c.out)
		if err != nil || got.name != c.want.name || got.usage != c.want.usage || !slices.Equal(got.required, c.want.required) ||
			!slices.Equal(got.options, c.want.options) || !slices.Equal(got.aliases, c.want.aliases) {
			t.Errorf("%s:\ngot  %+v %v\nwant %+v", c.word, got, err, c.want)
		}
	}
	if _, err := parseHelp("x", "something else\n"); !errors.Is(err, errCannotAsk) {
		t.Error(err)
	}
}

func TestParseList(t *testing.T) {
	out := "What it is.\n  Not a target\n\nTargets:\n  build*           makes\n  image:push    sends\n  quiet    \n\n* default target\n"
	if got := parseList(out); !slices.Equal(got, []string{"build", "image:push", "quiet"}) {
		t.Errorf("%q", got)
	}
}

// answering is main as a magefile with build and push has it.
func answering(args ...string) (string, error) {
	if args[0] == "-l" {
		return "Targets:\n  build    makes\n  push     brings\n", nil
	}
	return "Usage:\n\n\tmage " + args[1] + "\n\n", nil
}

func TestMainIsAskedOnceAndOnlyForWhatItHas(t *testing.T) {
	var questions []string
	a := newAsker()
	a.call = func(args ...string) (string, error) {
		questions = append(questions, strings.Join(args, " "))
		return answering(args...)
	}
	if l, err := readLine(words("build push BUILD"), a, noEnv); err != nil || len(l.mage) != 3 || l.targets != 3 {
		t.Errorf("%+v %v", l, err)
	}
	if found, err := a.describe("bad"); found != nil || err != nil {
		t.Error(found, err)
	}
	if got := strings.Join(questions, ", "); got != "-l, -h build, -h push" {
		t.Errorf("asked %s", got)
	}
}

func TestAnswersThatMeanNothing(t *testing.T) {
	for name, call := range map[string]func(...string) (string, error){
		"no answer": func(...string) (string, error) { return "", errors.New("no such file") },
		"another output": func(args ...string) (string, error) {
			if args[0] == "-l" {
				return answering(args...)
			}
			return "hello", nil
		},
	} {
		a := newAsker()
		a.call = call
		if l, err := readLine(words("build psh"), a, noEnv); err != nil || !slices.Equal(l.mage, words("build psh")) {
			t.Errorf("%s: %+v %v", name, l, err)
		}
	}
}

// FuzzDoor: whatever the line is, nothing is lost and nothing invented, and Mage sees targets and arguments that were there.
func FuzzDoor(f *testing.F) {
	for _, s := range []string{"build\x00push", "IMG=a\x00inspect\x00-json\x00x", "-t\x005s\x00build", "help\x00x", "--\x00build", "-\x00=", "verify\x00-ref\x00\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		args := strings.Split(s, "\x00")
		l, err := readLine(args, ours, noEnv)
		var said *answer
		if err != nil && (!errors.As(err, &said) || said.code != 2) {
			t.Fatalf("%q: %v", args, err)
		}
		for _, word := range l.words {
			if !knob.MatchString(word) {
				t.Errorf("%q: knob %q", args, word)
			}
		}
		rest := l.mage[min(len(l.mage), len((options{verbose: slices.Contains(l.mage, "-v"), timeout: l.timeout}).forMage())):]
		if slices.Contains(rest, "-h") {
			return // the name as the program writes it
		}
		for _, word := range rest {
			if !strings.HasPrefix(word, "-") && word != helpWord && word != versionWord && !slices.Contains(args, word) {
				t.Errorf("%q: invented %q", args, l.mage)
			}
		}
	})
}

// Main is called inside this process, which has to be the same afterwards.
func TestMainLeavesTheProcessAsItWas(t *testing.T) {
	t.Setenv("MAGEFILE_HELP", "1")
	t.Setenv("MAGEFILE_ENABLE_COLOR", "true")
	type state struct {
		stdout        *os.File
		args          string
		flags         int
		log           io.Writer
		help, verbose string
	}
	look := func() state {
		return state{os.Stdout, strings.Join(os.Args, " "), log.Flags(), log.Writer(), os.Getenv("MAGEFILE_HELP"), os.Getenv("MAGEFILE_VERBOSE")}
	}
	before := look()
	undo := setProcess(nil, []string{"x", "-l"})
	if now := look(); now.stdout != nil || now.args != "x -l" || now.help != "" || os.Getenv("MAGEFILE_ENABLE_COLOR") != "" {
		t.Errorf("main would see %+v", now)
	}
	log.SetFlags(log.Llongfile)
	log.SetOutput(io.Discard)
	t.Setenv("MAGEFILE_VERBOSE", "0")
	undo()
	if now := look(); now != before {
		t.Errorf("got %+v, was %+v", now, before)
	}
}
