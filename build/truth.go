package build

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
)

// truth is what a look into an image has found.
type truth struct {
	report image.Report
	was    string // the label as it stands in the config
	config []byte // with the label put right; nil when there is an error
}

// truth checks an image that is to be labelled for a platform, wherever it is: in a build, an engine or a registry.
func (p *Pipeline) truth(raw []byte, root fs.FS, platform ocispec.Platform) (found truth, err error) {
	was, err := image.PlatformOf(raw)
	if err != nil {
		return found, err
	}
	found.was = asWritten(was)
	if found.report, err = image.Check(raw, root, platform, image.Options{AllowForeign: p.cfg.AllowForeign}); err != nil {
		return found, err
	}
	found.config, err = image.Relabel(raw, platform)
	return found, err
}

// asWritten is a label as it stands in a config: linux/arm, where platforms.Format says linux/arm/v7.
func asWritten(p ocispec.Platform) string {
	parts := slices.DeleteFunc([]string{p.OS, p.Architecture, p.Variant}, func(part string) bool { return part == "" })
	return cmp.Or(strings.Join(parts, "/"), "unknown")
}
