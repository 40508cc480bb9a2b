package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
)

// unlabelled is behind the tag under which an image travels whose label can only be put right in the registry: the platform's own
// tag never names an image with a wrong label.
const unlabelled = "-unlabelled"

// pushUnlabelled pushes an image whose label the engine could not be given, and publishes it with the right one. What is added to the
// registry is a config and a manifest, whatever the size of the image.
func (p *Pipeline) pushUnlabelled(ctx context.Context, client *registry.Client, r *result, ref reference.NamedTagged) (child, error) {
	p.opts.Show(progress.Notice{Platform: r.name, Text: "this engine takes no new label for an image that it has: the label is put right in the registry"})
	e, travel := p.engines[r.node], ref.String()+unlabelled
	if err := e.Tag(ctx, r.built.ID, travel); err != nil {
		return child{}, err
	}
	defer func() { // the image has its own names
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyLimit)
		defer cancel()
		_ = e.Remove(ctx, travel)
		dropTag(ctx, client, travel)
	}()
	pushed, err := p.send(ctx, r, travel)
	if err != nil {
		return child{}, err
	}
	byDigest, err := reference.WithDigest(reference.TrimNamed(ref), pushed.Digest)
	if err != nil {
		return child{}, err
	}
	m, err := client.Manifest(ctx, byDigest)
	if err != nil {
		return child{}, err
	}
	if err := sameLayers(ctx, client, ref, m, r.built.Repair); err != nil {
		return child{}, err
	}
	desc, err := putConfig(ctx, client, ref, m, r.built.Repair)
	if err != nil {
		return child{}, err
	}
	return confirm(ctx, client, ref, desc.Digest, r.built.Config)
}

// revealed puts the label right of an image that an engine which hides variants has built on a base of another one: its config is seen
// in the registry first. Any other is as it was.
func (p *Pipeline) revealed(ctx context.Context, client *registry.Client, ref reference.Named, r *result, found child) (child, error) {
	info := p.engines[r.node].Info()
	if !info.HidesVariants() {
		return found, nil
	}
	config, err := client.Config(ctx, reference.TrimNamed(ref), found.config)
	if err != nil {
		return child{}, err
	}
	repaired, err := image.Relabel(config, r.platform)
	if err != nil || bytes.Equal(repaired, config) {
		return found, err
	}
	byDigest, err := reference.WithDigest(reference.TrimNamed(ref), found.desc.Digest)
	if err != nil {
		return child{}, err
	}
	m, err := client.Manifest(ctx, byDigest)
	if err != nil {
		return child{}, err
	}
	p.opts.Show(progress.Notice{Platform: r.name, Text: info.Name + " has built on a base of another variant, which it does not tell: the label is put right in the registry"})
	desc, err := putConfig(ctx, client, ref, m, repaired)
	if err != nil {
		return child{}, err
	}
	r.built.Config = digest.FromBytes(repaired)
	return confirm(ctx, client, ref, desc.Digest, r.built.Config)
}

// hidden finds under a tag what revealed has put there: the image that was built, but for its variant.
func (p *Pipeline) hidden(ctx context.Context, client *registry.Client, ref reference.Named, r *result) (*child, error) {
	if !p.engines[r.node].Info().HidesVariants() {
		return nil, nil
	}
	m, err := client.Manifest(ctx, ref)
	if err != nil || index.IsIndex(m.Descriptor.MediaType) {
		return nil, err
	}
	doc, err := imageIn(m, ref)
	if err != nil {
		return nil, err
	}
	config, err := client.Config(ctx, reference.TrimNamed(ref), doc.Config)
	if err != nil || !hadVariant(config, r.built.Config) {
		return nil, err
	}
	r.built.Config = doc.Config.Digest
	return match(m, doc.Config.Digest)
}

// hadVariant tells whether a config without a variant is what became of the one with that digest. Podman writes a variant before the os;
// those that architectures have are v2 to v9.9, and the digest is the proof.
func hadVariant(config []byte, was digest.Digest) bool {
	head, tail, _ := bytes.Cut(config, []byte(`,"os":`))
	had := func(variant string) bool {
		return digest.FromBytes(fmt.Appendf(nil, `%s,"variant":%q,"os":%s`, head, variant, tail)) == was
	}
	for n := 20; n < 100; n++ {
		if n%10 == 0 && had(fmt.Sprintf("v%d", n/10)) || had(fmt.Sprintf("v%d.%d", n/10, n%10)) {
			return true
		}
	}
	return false
}

// tidyLimit is how long the traces of a repair are removed.
const tidyLimit = 10 * time.Second

// dropTag removes a tag where the registry can: most cannot, and then it stays, a name for layers that are there anyway.
func dropTag(ctx context.Context, client *registry.Client, name string) {
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return
	}
	if tagged, ok := ref.(reference.NamedTagged); ok {
		_ = client.DeleteTag(ctx, tagged)
	}
}

// sameLayers requires that what was pushed has the layers of the config that it is to get: its tag is moved by whoever builds the same
// at the same time, and a config over other layers is an image that no engine can pull.
func sameLayers(ctx context.Context, client *registry.Client, ref reference.Named, m registry.Manifest, config []byte) error {
	var pushed ocispec.Manifest
	if err := json.Unmarshal(m.Bytes, &pushed); err != nil {
		return fmt.Errorf("%s: the manifest that the engine pushed is no JSON: %w", reference.FamiliarString(ref), err)
	}
	has, err := client.Config(ctx, reference.TrimNamed(ref), pushed.Config)
	if err != nil {
		return err
	}
	var old, repaired ocispec.Image
	if err := errors.Join(json.Unmarshal(has, &old), json.Unmarshal(config, &repaired)); err != nil {
		return fmt.Errorf("%s: the config that the engine pushed is no image's: %w", reference.FamiliarString(ref), err)
	}
	if !slices.Equal(old.RootFS.DiffIDs, repaired.RootFS.DiffIDs) {
		return fmt.Errorf("%w: what was pushed for %s has other layers than the image that was built: somebody changed the tag in the engine; run again",
			lists.ErrPublish, reference.FamiliarString(ref))
	}
	return nil
}

// putConfig publishes an image's manifest under ref with another config, and nothing else changed.
func putConfig(ctx context.Context, client *registry.Client, ref reference.Named, m registry.Manifest, config []byte) (ocispec.Descriptor, error) {
	body, err := storeConfig(ctx, client, ref, m, config)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return client.PutManifest(ctx, ref, m.Descriptor.MediaType, body)
}

// storeConfig brings another config of an image to its repository, and gives the manifest that names it.
func storeConfig(ctx context.Context, client *registry.Client, ref reference.Named, m registry.Manifest, config []byte) ([]byte, error) {
	body, desc, err := withConfig(m.Bytes, config)
	if err != nil {
		return nil, err
	}
	return body, client.PutBlob(ctx, reference.TrimNamed(ref), desc, registry.Bytes(config))
}

// withConfig is a manifest with another config: digest and size change, and the content where the descriptor holds it; its media
// type and every other field stay, here and there.
func withConfig(manifest, config []byte) ([]byte, ocispec.Descriptor, error) {
	var doc, fields map[string]json.RawMessage
	var desc ocispec.Descriptor
	if err := json.Unmarshal(manifest, &doc); err != nil {
		return nil, desc, fmt.Errorf("the manifest is no JSON: %w", err)
	}
	if err := errors.Join(json.Unmarshal(doc["config"], &fields), json.Unmarshal(doc["config"], &desc)); err != nil {
		return nil, desc, fmt.Errorf("the manifest has no config: %w", err)
	}
	desc.Digest, desc.Size = digest.FromBytes(config), int64(len(config))
	changed := map[string]any{"digest": desc.Digest, "size": desc.Size}
	if desc.Data != nil {
		desc.Data = config
		changed["data"] = config
	}
	for name, value := range changed {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, desc, err
		}
		fields[name] = raw
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, desc, err
	}
	doc["config"] = raw
	body, err := json.Marshal(doc)
	return body, desc, err
}
