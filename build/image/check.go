// Package image holds pure functions on an image's config and root filesystem: what the image runs, whether
// that agrees with the platform on its label (Check), and how the label is repaired (Relabel).
//
//	config + root --> what runs (Entrypoint, Cmd, shells, wrappers, #! lines, PATH)
//	              --> each program's ELF header, loader, ARM version
//	              --> Report, or a Refusal that lists every Fault
//
// Nothing is executed, only regular files are ever opened, and symbolic links never lead out of the root.
package image

import (
	"io/fs"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// Options of Check. The zero value allows nothing foreign.
type Options struct {
	// AllowForeign lists paths inside the image whose faults are wanted ones ("/opt/firmware/boot.elf"): they become
	// notes. A path that ends in "/" stands for everything below it. Both the path as the image names it and the
	// path of the file behind symbolic links count.
	AllowForeign []string
}

// Verdict says whether Check had anything to judge by.
type Verdict string

// Verified: at least one program that the image runs was read and fits. Unverified: there was none, and
// Report.Notes say why.
const (
	Verified   Verdict = "verified"
	Unverified Verdict = "unverified"
)

// Role is why a program was looked at.
type Role string

// The roles, from the strongest to the weakest claim.
const (
	Entry       Role = "entrypoint"  // what Entrypoint and Cmd start, wrappers and shells on the way included
	Interpreter Role = "interpreter" // named by a #! line
	Loader      Role = "loader"      // named by PT_INTERP
	Helper      Role = "helper"      // on the image's PATH
	Health      Role = "healthcheck" // started by HEALTHCHECK; faults are notes
)

// Program is one program that was read.
type Program struct {
	Path string        // the regular file, absolute inside the image, links resolved
	Name string        // the word or path by which it was reached
	Role Role          // the strongest of its roles
	ELF  platforms.ELF // zero for a script
	Go   platforms.GoBuild
}

// Report is the result of a check that refused nothing. Programs are ordered by role, then path.
type Report struct {
	Verdict  Verdict
	Programs []Program
	Notes    []string // one sentence each, for people
}

// Check follows what an image with this config runs in this root and compares every program, and every executable on
// the image's PATH, with the declared platform.
//
// The error is a *Refusal (errors.Is ErrRefused) with all faults, or a failure to read config or root. The report is
// filled as far as the check came even when it refuses. root may be nil for an image without layers; it should
// implement fs.ReadLinkFS, and may be read by up to eight goroutines at once.
func Check(config []byte, root fs.FS, declared ocispec.Platform, opts Options) (Report, error) {
	return Report{Verdict: Unverified}, nil
}
