package targets

import (
	"cmp"
	"fmt"
	"os"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/progress"
)

// Help prints the knobs, with their defaults and examples. A default of the magefile's own stands in the place of ours.
func Help() error {
	if err := exit(process.words()); err != nil {
		return err
	}
	t := progress.Table{Header: []string{"KNOB", "", "DEFAULT", "EXAMPLE"}}
	own := process.settings.Knobs.Texts()
	for _, k := range config.Knobs() {
		if k.Name == "IMG" && process.settings.Embedded == nil {
			k.Default = "" // which names the embedded registry
		}
		t.Add(k.Name, k.Help, cmp.Or(own[k.Name], k.Default), k.Example)
	}
	if err := t.Within(terminal()).Write(os.Stdout); err != nil {
		return err
	}
	_, err := fmt.Println(flagsHelp)
	return err
}

// terminal is how many columns stdout has; 0: it is no terminal.
func terminal() int {
	size := progress.For(os.Stdout, os.Getenv).Size
	if size == nil {
		return 0
	}
	columns, _ := size()
	return columns
}

// flagsHelp is for those who have read -forcePlatform in Mage's own help, or -force-platform elsewhere.
const flagsHelp = "\nFlags of a target: -h TARGET lists them. Words in them may be written with dashes: -force-platform is -forcePlatform."
