package image

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/manymage/manymage/build/image/modules"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/platforms"
)

// judge compares one file that is to be executed with the declared platform.
func (c *checker) judge(at tree.Found, f tree.File, fr frame) error {
	fault := Fault{Path: at.Real, Cure: "copy the right program to that path"}
	switch f.Format {
	case tree.FormatELF:
		return c.judgeELF(at, f, fr)
	case tree.FormatBad:
		fault.Kind, fault.What = Damaged, "an ELF file that cannot be read ("+f.Title+")"
	case tree.FormatOther:
		return c.judgeOther(at, f, fr)
	case tree.FormatEmpty:
		fault.Kind, fault.What = Empty, "an empty file"
	case tree.FormatBOM:
		fault.Kind, fault.What, fault.Cure = ByteOrderMark, "a script behind a UTF-8 byte order mark, which hides its #! line from the kernel", "save it without byte order mark"
	case tree.FormatText:
		fault.Kind, fault.What, fault.Cure = NoShebang, "a text without #! line", "begin it with #!/bin/sh, or start it with its interpreter"
	default:
		fault.Kind, fault.What = NotProgram, "data of a format that no kernel starts"
	}
	if fr.shell && f.Format == tree.FormatEmpty { // a script of nothing
		return nil
	}
	return c.add(fr, fault, at.Name)
}

// judgeOther is for files of other systems.
func (c *checker) judgeOther(at tree.Found, f tree.File, fr frame) error {
	fault := Fault{Kind: NotProgram, Path: at.Real, What: f.Title + " and no Linux program", Cure: "copy the right program to that path"}
	if strings.HasPrefix(f.Title, tree.WindowsProgram) || strings.HasPrefix(f.Title, tree.MacProgram) {
		fault.Kind = ForeignSystem
		fault.What, fault.Cure = f.Title+c.DeclaredAs(), "build it for "+c.Platform()
	}
	return c.add(fr, fault, at.Name)
}

// judgeELF compares header, loader and ARM version.
func (c *checker) judgeELF(at tree.Found, f tree.File, fr frame) error {
	c.program(at, f, fr)
	fit := f.ELF.Fit(c.Declared)
	fault := Fault{Kind: Foreign, Path: at.Real, What: f.ELF.Describe() + c.DeclaredAs(), Cure: "build it for " + c.Platform()}
	switch {
	case !f.ELF.Executable():
		fault.Kind, fault.What, fault.Cure = NotProgram, f.ELF.Kind()+" and no program", "copy the linked program to that path"
		return c.add(fr, fault, at.Name)
	case fit == platforms.Foreign && f.ELF.OS() != "":
		fault.Kind = ForeignSystem
		return c.add(fr, fault, at.Name)
	case fit == platforms.Foreign:
		return c.add(fr, fault, at.Name)
	case fit == platforms.Compatible:
		c.note(fr, "%s is %s, which a kernel for %s runs", shell.Show(at.Real), f.ELF.Describe(), c.Platform())
	}
	bad, err := c.judgeLoader(at, f, fr)
	if err != nil || bad {
		return err
	}
	if bad, err = c.judgeARM(at, f, fr); err != nil || bad {
		return err
	}
	if fr.role != Health {
		c.proven()
	}
	if fr.role == Entry || fr.role == Interpreter {
		c.loads.Link(c.loading(at, f, fr))
	}
	return c.judgeLevel(at, f, fr)
}

// judgeLevel compares the CPUs that a Go program was built for with those that the declared variant promises. Where none is
// declared nothing is promised by most people's understanding, and that it needs later ones is told and no fault.
func (c *checker) judgeLevel(at tree.Found, f tree.File, fr frame) error {
	told := c.Declared.Variant != "" || f.MaybeGo() && fr.role != Helper && fr.role != Health
	if !told || f.ELF.Arch() == "arm" {
		return nil
	}
	build, err := c.Tree.GoBuild(f)
	if err != nil {
		return err
	}
	c.built(f.Path, build)
	if !build.Beyond(c.Declared) {
		return nil
	}
	setting := "GO" + strings.TrimSuffix(strings.ToUpper(build.GOARCH), "LE") + "=" + build.Level
	if c.Declared.Variant == "" {
		c.note(fr, "%s is a Go program built with %s, and starts on no older CPUs: declare linux/%s/%s, or build it for all", shell.Show(at.Real), setting, build.GOARCH, build.Level)
		return nil
	}
	return c.add(fr, Fault{Kind: TooNew, Path: at.Real, What: "a Go program built with " + setting + c.DeclaredAs(),
		Cure: "build it for " + c.Platform()}, at.Name)
}

// judgeLoader looks the PT_INTERP up, as the kernel does before it starts the program.
func (c *checker) judgeLoader(at tree.Found, f tree.File, fr frame) (bad bool, err error) {
	if f.ELF.Interp == "" {
		return false, nil
	}
	name, cure := modules.LibC(f.ELF.Interp)
	fault := Fault{Kind: MissingLoader, Path: at.Real, Cure: cure,
		What: fmt.Sprintf("linked against %s, whose loader %s is not in the image", name, shell.Show(f.ELF.Interp))}
	loader, ok, err := c.Tree.Regular(shell.Absolute("/", f.ELF.Interp))
	if err != nil {
		return false, err
	}
	if !ok {
		return true, c.add(fr, fault, at.Name, f.ELF.Interp)
	}
	lf, err := c.Tree.Read(loader.Real, loader.Info)
	if err != nil {
		return false, err
	}
	what := lf.ELF.Describe()
	if lf.Format != tree.FormatELF {
		what = "no ELF file"
	} else if lf.ELF.Arch() == f.ELF.Arch() {
		fr.role = Loader
		c.program(loader, lf, fr)
		return false, nil
	}
	fault.Kind, fault.Cure = ForeignLoader, "install "+name+" for "+c.Platform()
	fault.What = fmt.Sprintf("started by the loader %s, which is %s%s", shell.Show(f.ELF.Interp), what, c.DeclaredAs())
	return true, c.add(fr, fault, at.Name, f.ELF.Interp, loader.Real)
}

// judgeARM compares ARM versions. For ARMv7, where hardly anything is for a later one, it asks what is started alone.
func (c *checker) judgeARM(at tree.Found, f tree.File, fr frame) (bad bool, err error) {
	limit, err := strconv.Atoi(strings.TrimPrefix(c.Declared.Variant, "v"))
	started := fr.role == Entry || fr.role == Interpreter
	if err != nil || limit > 7 || limit == 7 && !started || f.ELF.Arch() != "arm" || c.Declared.Architecture != "arm" {
		return false, nil
	}
	build, err := c.Tree.GoBuild(f)
	if err != nil {
		return false, err
	}
	c.built(f.Path, build)
	fault := Fault{Kind: TooNew, Path: at.Real, Cure: "build it for " + c.Platform()}
	goarm, _, _ := strings.Cut(build.GOARM, ",")
	if n, err := strconv.Atoi(goarm); err == nil {
		if n <= limit {
			return false, nil
		}
		fault.What, fault.Cure = fmt.Sprintf("a Go program built with GOARM=%s%s", build.GOARM, c.DeclaredAs()), fmt.Sprintf("build it with GOARM=%d", limit)
		return true, c.add(fr, fault, at.Name)
	}
	version, err := c.Tree.ARMVersion(f)
	if err != nil || version <= limit {
		return false, err
	}
	if bad, err = c.loaderToo(f, limit); err != nil {
		return false, err
	}
	if !bad {
		c.note(fr, "%s has parts for ARMv%d in an image for %s: it runs there only if it tests for them at run time", shell.Show(at.Real), version, c.Platform())
		return false, nil
	}
	fault.What = fmt.Sprintf("built for ARMv%d, like its C library,%s", version, c.DeclaredAs())
	return true, c.add(fr, fault, at.Name)
}

// loaderToo tells whether the program's loader, which is there, needs a later ARM version, too: then the whole distribution does, and
// it is not one routine that is guarded at run time (OpenSSL, ring).
func (c *checker) loaderToo(f tree.File, limit int) (bool, error) {
	if f.ELF.Interp == "" {
		return false, nil
	}
	at, err := c.Tree.At(shell.Absolute("/", f.ELF.Interp))
	if err != nil {
		return false, err
	}
	loader, err := c.Tree.Read(at.Real, at.Info)
	if err != nil {
		return false, err
	}
	version, err := c.Tree.ARMVersion(loader)
	return version > limit, err
}

// rank orders roles from the strongest.
func (r Role) rank() int { return slices.Index([]Role{Entry, Interpreter, Loader, Helper, Health}, r) }

func byRole(a, b Program) int {
	return cmp.Or(cmp.Compare(a.Role.rank(), b.Role.rank()), cmp.Compare(a.Path, b.Path))
}
