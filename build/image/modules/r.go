package modules

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// isR tells whether a program is R: Rscript, R's own program behind the script of that name, or littler.
func isR(real string) bool {
	return slices.Contains([]string{"R", "Rscript", "r"}, path.Base(real))
}

// startsR tells whether R is given a script.
func startsR(args []string) bool {
	return !slices.Contains(args, "-e") && slices.ContainsFunc(args, func(word string) bool { return strings.EqualFold(path.Ext(word), ".r") })
}

// rLibraries are the folders of packages: those that the environment names, and those of the installation, which may be split as Debian's is.
func (c *Checker) rLibraries(in interpreted) (list []string, err error) {
	for _, name := range []string{"R_LIBS", "R_LIBS_USER", "R_LIBS_SITE"} {
		list = append(list, c.FoldersIn(name, in.Frame)...)
	}
	project, err := c.renv(in)
	if err != nil {
		return nil, err
	}
	list = append(list, project...)
	home, _, inside := strings.Cut(in.At.Real, "/lib/R/bin/")
	if !inside {
		home = path.Dir(path.Dir(in.At.Real))
	}
	homes := []string{home}
	if home == "/usr" {
		homes = []string{"/usr/local", home}
	}
	for _, home := range homes {
		list = append(list, home+"/lib/R/site-library", home+"/lib/R/library", home+"/lib64/R/library")
	}
	return c.There(list)
}

// renv are the libraries of a project in the working folder: renv/library/R-4.3/x86_64-pc-linux-gnu, or a folder deeper. R goes by the name of its
// machine: those of others are only there where it has none.
func (c *Checker) renv(in interpreted) ([]string, error) {
	bases := c.FoldersIn("RENV_PATHS_LIBRARY", in.Frame)
	if len(bases) == 0 && shell.Known(in.Frame.Dir) {
		bases = []string{in.Frame.Dir + "/renv/library"}
	}
	bases, err := c.There(bases)
	off := strings.ToLower(strings.Join(c.Values("RENV_CONFIG_AUTOLOADER_ENABLED", in.Frame), ""))
	if err != nil || len(bases) == 0 || off != "" && off != "true" || slices.Contains(in.args, "--vanilla") || slices.Contains(in.args, "--no-init-file") {
		return nil, err
	}
	profile, err := c.Evidence(shell.Absolute(in.Frame.Dir, ".Rprofile"))
	if err != nil || !regexp.MustCompile(`(?m)^[^#\n]*renv`).MatchString(profile) {
		return nil, err
	}
	var own, others []string
	for _, base := range bases {
		some, err := c.Tree.Under(base, "R-*/*-linux-*", "*/R-*/*-linux-*")
		if err != nil {
			return nil, err
		}
		for _, folder := range some {
			if c.forThis(path.Base(folder)) {
				own = append(own, folder)
			} else {
				others = append(others, folder)
			}
		}
	}
	if len(own) > 0 {
		return own, nil
	}
	return others, nil
}

// rPackages are what was compiled of the packages in these folders. Of one that comes twice R takes what it finds first.
func (c *Checker) rPackages(folders []string, in interpreted) ([]modules, error) {
	var places []string
	seen := map[string]bool{}
	for _, folder := range folders {
		if machine := path.Base(folder); !c.forThis(machine) && strings.Contains(folder, "/R-") {
			return []modules{{name: "renv", what: "library", other: folder, named: machine}}, nil
		}
		some, err := c.Tree.Under(folder, "*/libs")
		if err != nil {
			return nil, err
		}
		for _, place := range some {
			if name := path.Base(path.Dir(place)); !seen[name] {
				seen[name], places = true, append(places, place)
			}
		}
	}
	return c.inPackages(places, in, "library", "*.so")
}
