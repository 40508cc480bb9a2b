package image

import (
	"errors"
	"path"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// launched follows a script to what only its running text knows, where the folders around it tell; alone is true where it starts nothing else.
func (c *checker) launched(script tree.Found, words []string, f frame) (alone bool, err error) {
	if is, err := c.rScript(script, words, f); is || err != nil {
		return true, err
	}
	return c.release(script, f)
}

// rScript follows the script of R's name, which works out where R's own program lies: in the home that it is in, or of which it is a copy.
func (c *checker) rScript(script tree.Found, words []string, f frame) (is bool, err error) {
	if path.Base(script.Real) != "R" {
		return false, nil
	}
	prefix := path.Dir(path.Dir(script.Real))
	program, err := c.FirstFile(f.Frame, prefix+"/bin/exec/R", prefix+"/lib/R/bin/exec/R", prefix+"/lib64/R/bin/exec/R")
	if err != nil || program == "" {
		return false, err
	}
	return true, c.run(append([]string{program}, words[1:]...), f)
}

// release follows the script of a release of Erlang's or Elixir's, bin/app, to the runtime, the release's own or the system's; alone is true
// where the script's own text does nothing else: mix's, which reads the versions.
func (c *checker) release(script tree.Found, f frame) (alone bool, err error) {
	root := path.Dir(path.Dir(script.Real))
	at, ok, err := c.Tree.Regular(root + "/releases/start_erl.data")
	if err != nil || !ok {
		return false, err
	}
	data, err := c.Tree.Text(at.Real, at.Info.Size(), shell.MaxText)
	versions := strings.Fields(data)
	if err != nil || len(versions) != 2 {
		return false, err
	}
	text, err := c.Tree.Text(script.Real, script.Info.Size(), shell.MaxText)
	if err != nil {
		return false, err
	}
	alone = strings.Contains(text, "start_erl.data")
	bin := root + "/erts-" + versions[0] + "/bin/"
	if _, own, err := c.Tree.Regular(bin + "beam.smp"); own || err != nil {
		return alone, errors.Join(err, c.run([]string{bin + "erlexec"}, f), c.run([]string{bin + "beam.smp"}, f))
	}
	if alone {
		f.Doubt = true // another place may be written into the text that it starts
		err = c.run([]string{"erl", "-boot_var", "RELEASE_LIB", root + "/lib"}, f)
	}
	return alone, err
}
