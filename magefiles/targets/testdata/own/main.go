// A main function of somebody's own, in a program that links the targets.
package main

import (
	"fmt"
	"os"

	"github.com/manymage/manymage/magefiles/targets"
)

func main() {
	targets.Defaults(targets.Settings{})
	fmt.Printf("mine %q %q\n", os.Args[1:], targets.Words())
}
