package modules

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// maxPerlFolders is how many folders of extensions are looked into, each below auto. Applications have some dozens.
const maxPerlFolders = 256

// isPerl tells whether a program is Perl: perl, perl5.40.0, perl5.36-aarch64-linux-gnu.
func isPerl(real string) bool {
	name, _, _ := strings.Cut(path.Base(real), "-")
	return strings.TrimRight(name, "0123456789.") == "perl"
}

// perlLine cuts Perl's options from its script and the script's words.
func perlLine(args []string) (o options.List, rest []string) {
	return options.Cut(args, "-I", "-M", "-m", "-e", "-E", "-i", "-F")
}

// startsPerl tells whether Perl is given a script.
func startsPerl(args []string) bool {
	o, rest := perlLine(args)
	return len(rest) > 0 && !o.Has("-e", "-E")
}

// perlPath are the folders of @INC in which an application's own modules lie: what -I, PERL5LIB and the script's "use lib" name, and where cpan and
// cpanm install for this Perl, on Debian one above that.
func (c *Checker) perlPath(in interpreted) ([]string, error) {
	var list []string
	o, rest := perlLine(in.args)
	for _, dir := range o.Values("-I") {
		list = append(list, shell.Absolute(in.Frame.Dir, dir))
	}
	list = append(list, c.FoldersIn("PERL5LIB", in.Frame)...)
	if len(rest) > 0 && !o.Has("-e", "-E") {
		used, err := c.perlUses(shell.Absolute(in.Frame.Dir, rest[0]), in.Frame)
		if err != nil {
			return nil, err
		}
		list = append(list, used...)
	}
	if len(rest) > 0 && path.Base(rest[0]) == "carton" {
		list = append(list, shell.Absolute(in.Frame.Dir, "local/lib/perl5"))
	}
	if prefix := path.Dir(path.Dir(in.At.Real)); prefix != "/usr" {
		list = append(list, prefix+"/lib/perl5/site_perl", prefix+"/lib/site_perl") // the latter in perlbrew's: a prefix with perl in it needs no perl5
	} else {
		list = append(list, "/usr/local/lib", "/usr/local/lib/perl5/site_perl")
	}
	return c.There(list)
}

// perlUses are the folders that a script says outright, or from where it lies itself: use lib "$FindBin::Bin/../local/lib/perl5".
func (c *Checker) perlUses(script string, f shell.Frame) (list []string, err error) {
	at, ok, err := c.Tree.Regular(script)
	if err != nil || !ok {
		return nil, err
	}
	text, err := c.Script(at)
	itself := strings.NewReplacer("$FindBin::RealBin", path.Dir(at.Real), "$FindBin::Bin", path.Dir(at.Name), "$RealBin", path.Dir(at.Real), "$Bin", path.Dir(at.Name))
	for _, m := range regexp.MustCompile(`(?m)^\s*use\s+lib\s+(?:qw[(/]\s*)?["']?([^"'()\s;]+)`).FindAllStringSubmatch(text, -1) {
		if dir := itself.Replace(m[1]); !strings.ContainsAny(dir, "$@%") {
			list = append(list, shell.Absolute(f.Dir, dir))
		}
	}
	return list, err
}

// perlExtensions are those in these folders. Perl goes by the name of the machine that a folder within has, where there is any: all that
// lies in another one's is passed over, as are the modules beside.
func (c *Checker) perlExtensions(folders []string, in interpreted) (list []modules, err error) {
	for _, folder := range folders {
		autos, err := c.Tree.Under(folder, "auto", "*-linux*/auto", "[0-9]*/*-linux*/auto", "*-linux*/perl/[0-9]*/auto")
		if err != nil {
			return nil, err
		}
		machine := func(auto string) string { return perlMachine(strings.TrimPrefix(auto, folder)) }
		some := slices.ContainsFunc(autos, func(auto string) bool { return machine(auto) != "" && c.forThis(machine(auto)) })
		for _, auto := range autos {
			if other := !c.forThis(machine(auto)); other && some {
				continue
			} else if found, err := c.perlCode(auto, in); err != nil {
				return nil, err
			} else if other && len(found) > 0 {
				found[0].other, found[0].named = path.Dir(auto), machine(auto)
				list = append(list, found[0])
			} else {
				list = append(list, found...)
			}
		}
	}
	return list, nil
}

// perlMachine is the machine that a folder has in its name, "" for one that is for any: /5.40.0/x86_64-linux-gnu/auto.
func perlMachine(folder string) string {
	words := strings.Split(folder, "/")
	if i := slices.IndexFunc(words, func(word string) bool { return strings.Contains(word, "-linux") }); i >= 0 {
		return words[i]
	}
	return ""
}

// perlCode are the extensions below a folder: auto/List/Util/Util.so.
func (c *Checker) perlCode(auto string, in interpreted) (list []modules, err error) {
	err = c.below(auto, maxPerlFolders, in, func(name string) {
		if path.Ext(name) == ".so" {
			title := strings.ReplaceAll(strings.TrimPrefix(path.Dir(name), auto+"/"), "/", "::")
			list = append(list, modules{name: title, what: "extension", files: []string{name}})
		}
	}, func() bool { return false })
	return list, err
}
