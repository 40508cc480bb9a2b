package image

import (
	"errors"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/manymage/manymage/platforms"
)

// errRelabel says that a config's own spelling stood in the way of an edit.
var errRelabel = errors.New("its platform could not be edited in place: build the image anew")

// Relabel returns config with architecture, variant and os set to p, and no other byte changed. Without
// a difference it returns config itself. A variant is removed when p has none; the default ones that mean the same
// (arm64/v8, amd64/v1) stay as they are. The error wraps ErrConfig when config is not one.
func Relabel(config []byte, p ocispec.Platform) ([]byte, error) {
	if err := valid(config); err != nil {
		return nil, err
	}
	if p.Architecture == "" {
		return nil, errors.New("an image cannot be labelled with a platform that has no architecture: name one, such as arm64")
	}
	p = platforms.Normalize(p)
	old := platformOf(config)
	out, err := setField(config, "architecture", old.Architecture, p.Architecture)
	if err == nil && !sameVariant(old, p) {
		out, err = setField(out, "variant", old.Variant, p.Variant)
	}
	if err == nil {
		out, err = setField(out, "os", old.OS, p.OS)
	}
	if err != nil {
		return nil, fmt.Errorf("relabelling the config: %w", err)
	}
	return out, proveRelabel(out, p)
}

// setField writes one field unless it is right; an empty value removes it.
func setField(config []byte, field, old, value string) ([]byte, error) {
	switch {
	case old == value:
		return config, nil
	case value == "":
		return sjson.DeleteBytes(config, field)
	}
	return sjson.SetBytes(config, field, value)
}

// sameVariant tells whether the variant may stay as it is written.
func sameVariant(old, p ocispec.Platform) bool {
	if old.Variant == "" {
		return p.Variant == ""
	}
	old.Architecture = p.Architecture
	return platforms.Normalize(old).Variant == p.Variant
}

// proveRelabel reads the result as everybody else will.
func proveRelabel(out []byte, p ocispec.Platform) error {
	if err := valid(out); err != nil {
		return errors.Join(errRelabel, err)
	}
	got := platformOf(out)
	if got.Architecture != p.Architecture || got.OS != p.OS || !sameVariant(got, p) {
		return fmt.Errorf("%w: %w", ErrConfig, errRelabel)
	}
	return nil
}

// PlatformOf returns the platform that config declares, as written (not normalised), version and features of the
// operating system included. Fields that are absent are empty. The error wraps ErrConfig.
func PlatformOf(config []byte) (ocispec.Platform, error) {
	if err := valid(config); err != nil {
		return ocispec.Platform{}, err
	}
	return platformOf(config), nil
}

func platformOf(config []byte) ocispec.Platform {
	text := func(field string) string { return gjson.GetBytes(config, field).Str } // empty of what is no text
	return ocispec.Platform{
		OS: text("os"), Architecture: text("architecture"), Variant: text("variant"), OSVersion: text(`os\.version`),
		OSFeatures: texts(string(config), `os\.features`),
	}
}
