package modules

import (
	"path"
	"slices"
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

// erlangApps are the folders of compiled parts of applications: beside the runtime, in a release without one, and where ERL_LIBS says.
func (c *Checker) erlangApps(in interpreted) ([]string, error) {
	libs := []string{path.Join(in.At.Real, "../../../lib")}
	if i := slices.Index(in.args, "RELEASE_LIB") + 1; i > 0 && i < len(in.args) {
		libs = append(libs, in.args[i])
	}
	var list []string
	for _, lib := range append(libs, c.FoldersIn("ERL_LIBS", in.Frame)...) {
		some, err := c.Tree.Under(lib, "*/priv")
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// erlangLibraries are what these applications have compiled.
func (c *Checker) erlangLibraries(folders []string, in interpreted) ([]modules, error) {
	return c.inPackages(folders, in, "native library", "*.so", "*/*.so", "*/*/*.so")
}
