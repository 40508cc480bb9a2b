package engine

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first asked. All of this room's together take longer to compile than
// a request to the engine takes, and most runs ask none of them.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
