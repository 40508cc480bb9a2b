package image

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image/modules"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/build/image/view"
	"github.com/manymage/manymage/platforms"
)

// checker is one run of Check. What stands below mu is guarded by it, because PATH, libraries and modules are read by several goroutines;
// all else is written while commands are followed, which is over before.
type checker struct {
	*view.View
	loads    *modules.Checker // what is run, to be followed to its libraries and modules
	allow    []string
	texts    map[[32]byte]bool // shell texts that were followed
	active   map[[32]byte]int  // how often a text is being followed, as it starts itself
	commands int               // that were followed
	probes   []probe           // that texts made

	mu       sync.Mutex
	programs map[string]Program
	faults   map[[2]string]Fault
	notes    map[string]bool
	verified bool
}

func newChecker(t *tree.Tree, declared ocispec.Platform, facts Facts) *checker {
	c := &checker{texts: map[[32]byte]bool{}, active: map[[32]byte]int{}, programs: map[string]Program{}, faults: map[[2]string]Fault{}, notes: map[string]bool{}}
	env := environment(facts.Env)
	c.View = &view.View{Tree: t, Texts: shell.New(t, env, declared), Declared: declared, Env: env, User: facts.User, Note: host{check: c}.Note}
	c.loads = modules.New(c.View)
	return c
}

// note keeps one sentence.
func (c *checker) note(f frame, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if f.role == Health {
		text = "healthcheck: " + text
	}
	c.mu.Lock()
	c.notes[text] = true
	c.mu.Unlock()
}

// proven says that a program was read and fits.
func (c *checker) proven() {
	c.mu.Lock()
	c.verified = true
	c.mu.Unlock()
}

// program keeps a program under the strongest of its roles.
func (c *checker) program(at tree.Found, f tree.File, fr frame) {
	p := Program{Path: at.Real, Name: at.Name, Role: fr.role, ELF: f.ELF}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.programs[p.Path]; ok {
		p.Go = old.Go
		if old.Role.rank() < p.Role.rank() || old.Role == p.Role && old.Name < p.Name {
			p.Role, p.Name = old.Role, old.Name
		}
	}
	c.programs[p.Path] = p
}

// built adds what a Go program says about its build.
func (c *checker) built(name string, build platforms.GoBuild) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.programs[name]; ok {
		p.Go = build
		c.programs[name] = p
	}
}

func (c *checker) addIf(fr frame, fault *Fault, also ...string) error {
	if fault == nil {
		return nil
	}
	return c.add(fr, *fault, also...)
}

// add takes a fault in. It becomes a note where the user allowed the path (by any of its names), or in a health check that may
// succeed all the same, and nothing when the command may well not be run and its program is merely absent or unusual. What is absent where that
// need not be fatal is noted.
func (c *checker) add(fr frame, fault Fault, also ...string) error {
	fault.Role = fr.role
	absent := fault.Kind == Missing && fr.role != Health
	_, put := c.Texts.Origin(fr.Put, fault.Path)
	switch {
	case absent && (put || fr.Soft && fr.Told || !fr.Soft && fr.Doubt):
		c.note(fr, "%s starts %s, which is not in the image", fr.Text(), shell.Show(fault.Path))
		return nil
	case fr.Soft && !fault.Kind.certain():
		return nil
	case fr.role == Health && !fault.Kind.certain():
		c.note(fr, "%s", fault)
		return nil
	case c.allowed(append(also, fault.Path)):
		c.note(fr, "%s is %s: allowed by ALLOW_FOREIGN", shell.Show(fault.Path), fault.What)
		return nil
	}
	if fr.Chosen && slices.Contains([]Kind{Foreign, ForeignLibrary, ForeignModule}, fault.Kind) {
		c.choice(fr, fault.Path, fault.What)
		return nil
	}
	if path.IsAbs(fault.Path) { // a name that is on no PATH is no path that could be allowed
		fault.Cure += ", or allow it with ALLOW_FOREIGN=" + quoted(fault.Path)
	}
	key := [2]string{fault.Path, string(fault.Kind)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.faults[key]; !ok || fault.Role.rank() < old.Role.rank() {
		c.faults[key] = fault
	}
	return nil
}

// choice notes what one of several ways leads to, of which the machine decides.
func (c *checker) choice(fr frame, name, what string) {
	c.note(fr, "%s is %s: what starts it chooses by machine in a way that was not followed", shell.Show(name), what)
}

// quoted is a path as a shell is given it: the shell takes one pair of quotes, the knob the other.
func quoted(name string) string {
	if s := shell.Show(name); s != name {
		return "'" + s + "'"
	}
	return name
}

// certain kinds are faults of a file that is there, however it is reached.
func (k Kind) certain() bool {
	return slices.Contains([]Kind{Foreign, ForeignSystem, TooNew, ForeignLoader, ForeignLibrary, ForeignModule, MissingLoader, Damaged}, k)
}

// allowed tells whether ALLOW_FOREIGN names one of a file's names, or a folder above it.
func (c *checker) allowed(names []string) bool {
	return slices.ContainsFunc(c.allow, func(a string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return name == a || strings.HasSuffix(a, "/") && strings.HasPrefix(name, a) })
	})
}

// wanted adds to the paths of ALLOW_FOREIGN what they lead to. A path that cannot be followed is taken as it stands.
func (c *checker) wanted(list []string) {
	for _, a := range list {
		slash := ""
		if strings.HasSuffix(a, "/") && a != "/" {
			slash = "/"
		}
		c.allow = append(c.allow, a, path.Clean(a)+slash)
		if at, err := c.Tree.At(shell.Absolute("/", a)); err == nil {
			c.allow = append(c.allow, at.Real+slash)
		}
	}
}

// maxNotes is how many notes a report has: nobody reads more, and each file of a hostile image may bring one.
const maxNotes = 200

// told are the notes in their order.
func (c *checker) told() []string {
	notes := slices.Sorted(maps.Keys(c.notes))
	if more := len(notes) - maxNotes; more > 0 {
		notes = append(notes[:maxNotes], fmt.Sprintf("and %d notes more", more))
	}
	return notes
}

// report puts together what was collected, in an order that does not depend on the goroutines.
func (c *checker) report() (Report, error) {
	r := Report{Verdict: Unverified, Programs: slices.SortedFunc(maps.Values(c.programs), byRole), Notes: c.told()}
	if len(c.faults) > 0 {
		return r, &Refusal{Declared: c.Declared, Faults: slices.SortedFunc(maps.Values(c.faults), func(a, b Fault) int {
			return cmp.Or(cmp.Compare(a.Role.rank(), b.Role.rank()), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
		})}
	}
	if c.verified {
		r.Verdict = Verified
	}
	return r, nil
}
