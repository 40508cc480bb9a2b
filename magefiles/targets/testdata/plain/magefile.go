//go:build mage

// A project that imports the targets without a name, and has no default target.
package main

import (
	"fmt"
	"os"

	//mage:import
	_ "github.com/manymage/manymage/magefiles/targets"
)

// Touch leaves a file.
func Touch(path string) error { return os.WriteFile(path, []byte(fmt.Sprintln("touched")), 0o600) }
