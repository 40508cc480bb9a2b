package shell_test

import (
	"fmt"

	"github.com/manymage/manymage/build/image/shell"
)

// An entrypoint chooses by the machine, and starts what it is given by a chain of programs.
func ExampleTexts_Follow() {
	const entrypoint = `
case $(uname -m) in
aarch64) PATH=/opt/arm64/bin:$PATH ;;
*) PATH=/opt/amd64/bin:$PATH ;;
esac
cd /srv
exec nice "$@"`
	texts, h := shell.New(files{}, nil, arm64), &host{}
	err := texts.Follow(entrypoint, []string{"/entrypoint.sh", "server", "--all"}, shell.Frame{Dir: "/", Path: []string{"/bin"}}, h)
	last := h.frames[len(h.frames)-1]
	fmt.Println(h.only(), last.Dir, last.Path, err)
	// Output: nice server --all /srv [/opt/arm64/bin /bin] <nil>
}
