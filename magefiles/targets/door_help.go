package targets

import "context"

// The targets by which this package answers --help and --version, where they are not hidden behind an importer's name for it.
const (
	helpWord    = "help"
	versionWord = "version"
)

// help turns every way to ask for help into the one that Mage understands: -h [TARGET].
func (r *reader) help(about []string) ([]string, error) {
	own, err := r.binary.describe(helpWord)
	if err != nil {
		return nil, err
	}
	switch {
	case len(about) == 0 && own != nil:
		return []string{helpWord}, nil
	case len(about) == 0:
		return []string{"-h"}, nil
	}
	t, err := r.find(about[0], nil)
	if err != nil {
		return nil, err
	}
	r.options.help = true // no argument has to be there
	if _, err := r.targets(about); err != nil {
		return nil, err
	}
	return []string{"-h", t.name}, nil
}

// version runs the target of that name, or answers itself.
func (r *reader) version() ([]string, error) {
	own, err := r.binary.describe(versionWord)
	if err != nil {
		return nil, err
	}
	if own != nil {
		return []string{versionWord}, nil
	}
	return nil, &answer{text: "manymage " + tool(context.Background())}
}
