package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// CheckFiles looks whether the context, the Dockerfile of every platform of this run, the files of named contexts and secrets, and
// the variables that SECRETS, SSH and BUILD_ARGS take are there: what a build needs and other targets do not.
// Its errors are *UsageError.
func (c Config) CheckFiles() error {
	faults := []error{c.CheckVariables()}
	add := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	context := c.folder("CONTEXT", c.Context)
	add(context)
	if context == nil || !c.Value("DOCKERFILE").IsDefault() {
		for _, path := range c.dockerfiles() {
			add(c.file("DOCKERFILE", path))
		}
	}
	for _, named := range c.Contexts {
		if localContext(named.Value) {
			add(c.folder("CONTEXTS", named.Value))
		}
	}
	for _, s := range c.Secrets {
		if s.File != "" {
			add(c.file("SECRETS", s.File))
		}
	}
	return errors.Join(faults...)
}

// CheckVariables looks for those variables alone. Its errors are *UsageError.
func (c Config) CheckVariables() error { return errors.Join(c.unready...) }

// dockerfiles are those of this run, each once.
func (c Config) dockerfiles() []string {
	var all []string
	for _, p := range c.Run() {
		if path := c.DockerfileFor(p); !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	return all
}

func (c Config) folder(knob, path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return c.missing(knob, path, err)
	case !info.IsDir() && isArchive(path):
		return c.wrong(knob, "is no folder but an archive: unpack it (mkdir app && tar -xf "+path+" -C app) and name the folder app")
	case !info.IsDir():
		return c.wrong(knob, path+" is no folder: name the folder that it is in")
	}
	return nil
}

func (c Config) file(knob, path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return c.missing(knob, path, err)
	case !info.Mode().IsRegular():
		return c.wrong(knob, path+" is no file: name the file")
	}
	return nil
}

func (c Config) missing(knob, path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return c.wrong(knob, fmt.Sprintf("cannot be used: %v", err))
	}
	if knob == "DOCKERFILE" && c.Value(knob).IsDefault() {
		return &UsageError{Knob: knob, Problem: "there is no " + path + c.podmans(path)}
	}
	return c.wrong(knob, "names "+path+", which is not there: set it to one that is")
}

// podmans says what to do where there is no Dockerfile; one that has Podman's name for it is not taken unasked, since .containerignore is
// not, either.
func (c Config) podmans(dockerfile string) string {
	name := filepath.Join(filepath.Dir(dockerfile), "Containerfile")
	if _, err := os.Stat(name); err != nil {
		return ": start in its folder, or name it with DOCKERFILE=path or CONTEXT=folder"
	}
	if rel, err := filepath.Rel(c.Dir, name); err == nil {
		name = rel
	}
	return ", but a Containerfile: name it with DOCKERFILE=" + name + ", and what it ignores in .dockerignore"
}

func (c Config) wrong(knob, problem string) error {
	v := c.Value(knob)
	return &UsageError{Knob: knob, Text: v.Text, Origin: v.Origin, Problem: problem}
}
