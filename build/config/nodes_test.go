package config

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The engines of amd64, arm64 and arm/v7, by what was said where.
func TestNodes(t *testing.T) {
	for name, test := range map[string]struct {
		say  say
		want string
	}{
		"nobody":              {line(), "- - -"},
		"an address":          {line("NODES=arm64=ssh://pi@pi4"), "- ssh://pi@pi4 -"},
		"a context":           {line("NODES=arm64=pi"), "- pi -"},
		"two platforms":       {line("NODES=arm64,arm/v7=ssh://pi@pi4 linux/amd64=server"), "server ssh://pi@pi4 ssh://pi@pi4"},
		"between commas":      {line("NODES=arm64,arm/v7=ssh://pi@pi4,amd64=server"), "server ssh://pi@pi4 ssh://pi@pi4"},
		"other spellings":     {line("NODES=aarch64=a armhf=b x86_64=c"), "c a b"},
		"the last counts":     {line("NODES=arm64,arm/v7=a arm64=b"), "- b a"},
		"a file's map":        {say{yaml: "nodes:\n  arm64,arm/v7: ssh://pi\n"}, "- ssh://pi ssh://pi"},
		"line before file":    {say{yaml: "nodes:\n  arm64,arm/v7: a\n", words: []string{"NODES=arm64=b"}}, "- b a"},
		"none of the file's":  {say{yaml: "nodes:\n  arm64: a\n", words: []string{"NODES="}}, "- - -"},
		"magefile":            {say{defaults: Defaults{Nodes: map[string]string{"arm64": "pi"}}}, "- pi -"},
		"not of the image":    {line("NODES=s390x=mainframe"), "- - -"},
		"a lesser variant":    {line("NODES=arm/v6=a"), "- - -"},
		"the engine's own is": {line("NODES=amd64=default"), "default - -"},
	} {
		c := test.say.mustLoad(t)
		var got []string
		for _, platform := range []string{"amd64", "arm64", "arm/v7"} {
			p, err := platforms.Parse(platform)
			if err != nil {
				t.Fatal(err)
			}
			node := c.NodeFor(p)
			if node == "" {
				node = "-"
			}
			got = append(got, node)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
	}
	if got := line("NODES=arm64=pi").mustLoad(t).NodeFor(ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}); got != "pi" {
		t.Errorf("arm64/v8: %q", got)
	}
}

func TestBadNodes(t *testing.T) {
	for word, want := range map[string]string{
		"NODES=arm46=pi":                 "did you mean arm64",
		"NODES=arm64":                    "arm64=ssh://user@host",
		"NODES=arm64,arm64=pi":           "twice",
		"NODES=ssh://pi":                 "write arm64=ssh://pi",
		"NODES=arm64=pi@10.0.0.4":        "arm64=ssh://pi@10.0.0.4",
		"NODES=arm64=ssh://pi:geheim@pi": "password",
		"NODES=arm64=/run/docker.sock":   "arm64=unix:///run/docker.sock",
		"NODES=arm64=pi,arm/v7":          "arm/v7=ssh://user@host",
	} {
		_, err := line(word).load(t)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v, want %s", word, err, want)
		}
	}
}
