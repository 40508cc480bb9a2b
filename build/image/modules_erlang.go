package image

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// A release of Erlang's or Elixir's is a folder, which mix and rebar3 make for the machine and the C library that they run on:
//
//	bin/app                   a script that works out all else: app start, app foreground
//	releases/start_erl.data   "13.1.5 0.1.0": the version of the runtime, and the release's own
//	erts-13.1.5/bin           the runtime, unless it is the system's
//	lib/bcrypt-1.0/priv       what an application has compiled: functions that its modules load (NIFs), as all modules are at the start

// isErlang tells whether a program is what starts Erlang's machine, beam.smp beside it.
func isErlang(real string) bool { return path.Base(real) == "erlexec" }

// startsErlang is false: a health check asks the running release.
func startsErlang([]string) bool { return false }

// release follows a script of a release to the runtime; alone is true where the script's own text does nothing else: mix's, which reads the
// versions.
func (c *checker) release(script tree.Found, f frame) (alone bool, err error) {
	root := path.Dir(path.Dir(script.Real))
	at, ok, err := c.tree.Regular(root + "/releases/start_erl.data")
	if err != nil || !ok {
		return false, err
	}
	data, err := c.tree.Text(at.Real, at.Info.Size(), shell.MaxText)
	versions := strings.Fields(data)
	if err != nil || len(versions) != 2 {
		return false, err
	}
	text, err := c.tree.Text(script.Real, script.Info.Size(), shell.MaxText)
	if err != nil {
		return false, err
	}
	alone = strings.Contains(text, "start_erl.data")
	bin := root + "/erts-" + versions[0] + "/bin/"
	if _, own, err := c.tree.Regular(bin + "beam.smp"); own || err != nil {
		return alone, errors.Join(err, c.run([]string{bin + "erlexec"}, f), c.run([]string{bin + "beam.smp"}, f))
	}
	if alone {
		f.Doubt = true // another place may be written into the text that it starts
		err = c.run([]string{"erl", "-boot_var", "RELEASE_LIB", root + "/lib"}, f)
	}
	return alone, err
}

// erlangApps are the folders of compiled parts of applications: beside the runtime, in a release without one, and where ERL_LIBS says.
func (c *checker) erlangApps(in interpreted) ([]string, error) {
	libs := []string{path.Join(in.at.Real, "../../../lib")}
	if i := slices.Index(in.args, "RELEASE_LIB") + 1; i > 0 && i < len(in.args) {
		libs = append(libs, in.args[i])
	}
	var list []string
	for _, lib := range append(libs, c.foldersIn("ERL_LIBS", in.frame)...) {
		some, err := c.tree.Under(lib, "*/priv")
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// erlangLibraries are what these applications have compiled.
func (c *checker) erlangLibraries(folders []string, _ interpreted) ([]modules, error) {
	return c.inPackages(folders, "native library", "*.so", "*/*.so", "*/*/*.so")
}
