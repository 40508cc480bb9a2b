package engine

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// binfmtDir is where the kernel lists the interpreters of foreign programs. A
// local engine's containers run on the same kernel.
const binfmtDir = "/proc/sys/fs/binfmt_misc"

// registeredPlatforms lists the platforms whose programs the kernel hands to
// an interpreter that containers can reach (flag F: it was opened at
// registration). A kernel without the feature has none.
func registeredPlatforms(dir string) ([]ocispec.Platform, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the emulators: %w", err)
	}
	var out []ocispec.Platform
	for _, entry := range entries {
		rule, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err == nil {
			out = append(out, interpreted(string(rule))...)
		}
	}
	return out, nil
}

// interpreted reads one rule: "enabled", then lines such as "flags: PF" and
// "magic 7f454c46...", which begins as the programs do.
func interpreted(rule string) []ocispec.Platform {
	fields := map[string]string{}
	for line := range strings.Lines(rule) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		fields[key] = value
	}
	magic, err := hex.DecodeString(fields["magic"])
	_, enabled := fields["enabled"]
	if err != nil || !enabled || !strings.Contains(fields["flags:"], "F") || fields["offset"] != "0" {
		return nil
	}
	const header = 64 // of a 64-bit ELF file, the longest
	// The zeros behind the magic make a damaged program, whose header says all.
	e, _ := platforms.ReadELF(bytes.NewReader(append(magic, make([]byte, header)...)[:header]))
	known, err := platforms.Parse(e.Arch())
	if err != nil {
		return nil // no platform that images are made for
	}
	if e.Arch() != "arm" {
		return []ocispec.Platform{known}
	}
	var arm []ocispec.Platform
	for _, variant := range []string{"v7", "v6", "v5"} { // one emulator runs all
		arm = append(arm, ocispec.Platform{OS: "linux", Architecture: "arm", Variant: variant})
	}
	return arm
}
