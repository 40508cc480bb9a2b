package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

const (
	arm64Rule = "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: PF\noffset 0\nmagic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
	armRule   = "enabled\ninterpreter /usr/libexec/qemu-binfmt/arm-binfmt-P\nflags: PF\noffset 0\nmagic 7f454c4601010100000000000000000002002800\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
)

func TestInterpretedPlatforms(t *testing.T) {
	for name, test := range map[string]struct{ rule, want string }{
		"arm64":                          {arm64Rule, "linux/arm64"},
		"one emulator for all of arm":    {armRule, "linux/arm/v7 linux/arm/v6 linux/arm/v5"},
		"disabled":                       {strings.Replace(arm64Rule, "enabled", "disabled", 1), ""},
		"not reachable in a container":   {strings.Replace(arm64Rule, "PF", "P", 1), ""},
		"no ELF":                         {"enabled\nflags: F\noffset 0\nmagic 504b0304\n", ""},
		"by file name":                   {"enabled\nflags: F\nextension .jar\n", ""},
		"no platform that has images":    {strings.Replace(arm64Rule, "b700", "2690", 1), ""},
		"big-endian, in the same family": {strings.Replace(armRule, "7f454c46010101", "7f454c46010201", 1), ""},
		"damaged":                        {"enabled\nflags: F\noffset 0\nmagic 7f4\n", ""},
	} {
		if got := formatted(interpreted(test.rule)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func formatted(list []ocispec.Platform) string {
	var out []string
	for _, p := range list {
		out = append(out, platforms.Format(p))
	}
	return strings.Join(out, " ")
}

func TestRegisteredPlatforms(t *testing.T) {
	dir := t.TempDir()
	for name, rule := range map[string]string{"qemu-aarch64": arm64Rule, "status": "enabled\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(rule), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := registeredPlatforms(dir)
	if err != nil || formatted(got) != "linux/arm64" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := registeredPlatforms(filepath.Join(dir, "none")); err != nil || got != nil {
		t.Errorf("without the kernel's support: %v, %v", got, err)
	}
}
