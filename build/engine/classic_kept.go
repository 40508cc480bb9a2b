package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// keptName is what a base image of one platform is called in the engine, since
// its own name can only stand for another's: no registry has it. Two tags and
// digests of one repository are two names; "" for what is none.
func keptName(name string, p ocispec.Platform) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return ""
	}
	whole := sha256.Sum256([]byte(reference.TagNameOnly(named).String()))
	return fmt.Sprintf("localhost/%s/base/%s:%s-%x", product, reference.Path(named), strings.ReplaceAll(platforms.Format(p), "/", "-"), whole[:6])
}

// keep remembers a base image that has come from its registry, for when that is
// away, unless it is what has the name here. It is nothing that a build stands
// on: what cannot be named is not kept.
func (b *bases) keep(ctx context.Context, name string, p ocispec.Platform, here, found Image) {
	kept := keptName(name, p)
	if kept != "" && found.ID != here.ID && platforms.Equal(found.Platform, p) && !slices.Contains(found.Tags, kept) {
		_ = b.engine.Tag(ctx, found.ID, kept)
	}
}

// instead is what a build takes that cannot have a base image from its registry:
// what has the name, if it suits, or what an earlier run had from there, if
// nobody answers now. Without an ID: nothing.
func (b *bases) instead(ctx context.Context, name string, p ocispec.Platform, here Image, why error) Image {
	exact := here.ID != "" && platforms.Equal(here.Platform, p)
	if !exact && errors.Is(why, ErrRegistryUnreachable) {
		if kept, err := b.engine.Inspect(ctx, keptName(name, p)); err == nil {
			kept.Platform = p // Podman hides the variant
			return kept
		}
	}
	if here.ID != "" && suits(here.Platform, p) {
		return here
	}
	return Image{}
}
