package options_test

import (
	"fmt"

	"github.com/manymage/manymage/build/image/options"
)

func ExampleCut() {
	list, rest := options.Cut([]string{"-iu", "HOME", "--chdir=/app", "A=b", "app", "-x"}, "-u", "-C", "--chdir")
	fmt.Println(list.Has("-i"), list.Values("-u"), list.Values("-C", "--chdir"), rest)
	// Output: true [HOME] [/app] [A=b app -x]
}
