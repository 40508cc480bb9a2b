package image

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/platforms"
)

// judge compares one file that is to be executed with the declared platform.
func (c *checker) judge(at found, f file, fr frame) error {
	fault := Fault{Path: at.real, Cure: "copy the right program to that path"}
	switch f.format {
	case formatELF:
		return c.judgeELF(at, f, fr)
	case formatBad:
		fault.Kind, fault.What = Damaged, "an ELF file that cannot be read ("+f.title+")"
	case formatOther:
		return c.judgeOther(at, f, fr)
	case formatEmpty:
		fault.Kind, fault.What = Empty, "an empty file"
	case formatBOM:
		fault.Kind, fault.What, fault.Cure = ByteOrderMark, "a script behind a UTF-8 byte order mark, which hides its #! line from the kernel", "save it without byte order mark"
	case formatText:
		fault.Kind, fault.What, fault.Cure = NoShebang, "a text without #! line", "begin it with #!/bin/sh, or start it with its interpreter"
	default:
		fault.Kind, fault.What = NotProgram, "data of a format that no kernel starts"
	}
	if fr.shell && (f.format == formatText || f.format == formatEmpty) {
		return nil
	}
	return c.add(fr, fault, at.name)
}

// judgeOther is for files of other systems.
func (c *checker) judgeOther(at found, f file, fr frame) error {
	fault := Fault{Kind: NotProgram, Path: at.real, What: f.title + " and no Linux program", Cure: "copy the right program to that path"}
	if strings.HasPrefix(f.title, windowsProgram) || strings.HasPrefix(f.title, macProgram) {
		fault.Kind = ForeignSystem
		fault.What, fault.Cure = f.title+c.declaredAs(), "build it for "+c.name
	}
	return c.add(fr, fault, at.name)
}

func (c *checker) declaredAs() string { return " in an image declared " + c.name }

// judgeELF compares header, loader and ARM version.
func (c *checker) judgeELF(at found, f file, fr frame) error {
	c.program(at, f, fr)
	fit := f.elf.Fit(c.declared)
	fault := Fault{Kind: Foreign, Path: at.real, What: f.elf.Describe() + c.declaredAs(), Cure: "build it for " + c.name}
	switch {
	case !f.elf.Executable():
		fault.Kind, fault.What, fault.Cure = NotProgram, f.elf.Kind()+" and no program", "copy the linked program to that path"
		return c.add(fr, fault, at.name)
	case fit == platforms.Foreign && f.elf.OS() != "" && f.elf.OS() != c.declared.OS:
		fault.Kind = ForeignSystem
		return c.add(fr, fault, at.name)
	case fit == platforms.Foreign:
		return c.add(fr, fault, at.name)
	case fit == platforms.Compatible:
		c.note(fr, "%s is %s, which a kernel for %s runs", shell.Show(at.real), f.elf.Describe(), c.name)
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
	if fr.role != Health && fr.role != Helper {
		c.link(at, f, fr)
	}
	return c.judgeLevel(at, f, fr)
}

// judgeLevel compares the CPUs that a Go program was built for with those that the declared variant promises. Where none is
// declared nothing is promised by most people's understanding, and that it needs later ones is told and no fault.
func (c *checker) judgeLevel(at found, f file, fr frame) error {
	told := c.declared.Variant != "" || f.maybeGo() && fr.role != Helper && fr.role != Health
	if !told || f.elf.Arch() == "arm" {
		return nil
	}
	build, err := c.tree.goBuild(f)
	if err != nil {
		return err
	}
	c.built(f.path, build)
	if !build.Beyond(c.declared) {
		return nil
	}
	setting := "GO" + strings.TrimSuffix(strings.ToUpper(build.GOARCH), "LE") + "=" + build.Level
	if c.declared.Variant == "" {
		c.note(fr, "%s is a Go program built with %s, and starts on no older CPUs: declare linux/%s/%s, or build it for all", shell.Show(at.real), setting, build.GOARCH, build.Level)
		return nil
	}
	return c.add(fr, Fault{Kind: TooNew, Path: at.real, What: "a Go program built with " + setting + c.declaredAs(),
		Cure: "build it for " + c.name}, at.name)
}

// judgeLoader looks the PT_INTERP up, as the kernel does before it starts the program.
func (c *checker) judgeLoader(at found, f file, fr frame) (bad bool, err error) {
	if f.elf.Interp == "" {
		return false, nil
	}
	name, cure := libc(f.elf.Interp)
	fault := Fault{Kind: MissingLoader, Path: at.real, Cure: cure,
		What: fmt.Sprintf("linked against %s, whose loader %s is not in the image", name, shell.Show(f.elf.Interp))}
	loader, ok, err := c.regular(shell.Absolute("/", f.elf.Interp))
	if err != nil {
		return false, err
	}
	if !ok {
		return true, c.add(fr, fault, at.name, f.elf.Interp)
	}
	lf, err := c.tree.read(loader.real, loader.info)
	if err != nil {
		return false, err
	}
	what := lf.elf.Describe()
	if lf.format != formatELF {
		what = "no ELF file"
	} else if lf.elf.Arch() == f.elf.Arch() {
		fr.role = Loader
		c.program(loader, lf, fr)
		return false, nil
	}
	fault.Kind, fault.Cure = ForeignLoader, "install "+name+" for "+c.name
	fault.What = fmt.Sprintf("started by the loader %s, which is %s%s", shell.Show(f.elf.Interp), what, c.declaredAs())
	return true, c.add(fr, fault, at.name, f.elf.Interp, loader.real)
}

// judgeARM compares ARM versions, where a later one than declared is possible at all.
func (c *checker) judgeARM(at found, f file, fr frame) (bad bool, err error) {
	limit, err := strconv.Atoi(platforms.GOARM(c.declared))
	if err != nil || limit >= 7 || f.elf.Arch() != "arm" {
		return false, nil
	}
	build, err := c.tree.goBuild(f)
	if err != nil {
		return false, err
	}
	c.built(f.path, build)
	fault := Fault{Kind: TooNew, Path: at.real, Cure: "build it for " + c.name}
	goarm, _, _ := strings.Cut(build.GOARM, ",")
	if n, err := strconv.Atoi(goarm); err == nil {
		if n <= limit {
			return false, nil
		}
		fault.What, fault.Cure = fmt.Sprintf("a Go program built with GOARM=%s%s", build.GOARM, c.declaredAs()), fmt.Sprintf("build it with GOARM=%d", limit)
		return true, c.add(fr, fault, at.name)
	}
	version, err := c.tree.armOf(f)
	if err != nil || version <= limit {
		return false, err
	}
	if bad, err = c.loaderToo(f, limit); err != nil {
		return false, err
	}
	if !bad {
		c.note(fr, "%s has parts for ARMv%d in an image for %s: it runs there only if it tests for them at run time", shell.Show(at.real), version, c.name)
		return false, nil
	}
	fault.What = fmt.Sprintf("built for ARMv%d, like its C library,%s", version, c.declaredAs())
	return true, c.add(fr, fault, at.name)
}

// loaderToo tells whether the program's loader, which is there, needs a later ARM version, too: then the whole distribution does, and
// it is not one routine that is guarded at run time (OpenSSL, ring).
func (c *checker) loaderToo(f file, limit int) (bool, error) {
	if f.elf.Interp == "" {
		return false, nil
	}
	at, err := c.resolve(shell.Absolute("/", f.elf.Interp))
	if err != nil {
		return false, err
	}
	loader, err := c.tree.read(at.real, at.info)
	if err != nil {
		return false, err
	}
	version, err := c.tree.armOf(loader)
	return version > limit, err
}

// rank orders roles from the strongest.
func (r Role) rank() int { return slices.Index([]Role{Entry, Interpreter, Loader, Helper, Health}, r) }

func byRole(a, b Program) int {
	return cmp.Or(cmp.Compare(a.Role.rank(), b.Role.rank()), cmp.Compare(a.Path, b.Path))
}
