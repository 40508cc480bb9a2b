package platforms

import (
	"strings"
	"testing"
)

// A text names what its words can mean alone, by any of the names that there are.
func TestMentioned(t *testing.T) {
	for text, want := range map[string]string{
		"app-linux-amd64.tar.gz":                        "linux/amd64",
		"https://x/V1/App_Linux_X86_64.zip":             "linux/amd64",
		"a-x86-64 b-x64":                                "linux/amd64 linux/amd64",
		"amd64-arm64-armv7l":                            "linux/amd64 linux/arm64 linux/arm/v7",
		"arm64v8/alpine, arm32v6/alpine":                "linux/arm64 linux/arm/v6",
		"node-ppc64el i386 s390x riscv64 aarch64 armhf": "linux/ppc64le linux/386 linux/s390x linux/riscv64 linux/arm64 linux/arm/v7",
		"arm x86 x86.zip 386 mips armel charm64 amd642": "",
		"": "",
	} {
		var got []string
		for _, p := range Mentioned(text) {
			got = append(got, Format(p))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for _, n := range names {
		for _, word := range append([]string{n.arch, n.uname, n.debian}, n.aliases...) {
			p, err := Parse(word)
			if got := Mentioned("x-" + word + ".tgz"); word != "" && !vague(word) && (err != nil || len(got) != 1 || !Equal(got[0], p)) {
				t.Errorf("%s: got %v, want %v, %v", word, got, p, err)
			}
		}
	}
}

// Home Assistant says armhf of ARMv6, where Debian says it of ARMv7.
func TestHomeAssistant(t *testing.T) {
	for in, want := range map[string]string{"amd64": "amd64", "arm64": "aarch64", "arm/v7": "armv7", "arm/v6": "armhf", "386": "i386", "riscv64": "riscv64"} {
		if p, err := Parse(in); err != nil || HomeAssistant(p) != want {
			t.Errorf("%s: got %s, want %s, %v", in, HomeAssistant(p), want, err)
		}
	}
}
