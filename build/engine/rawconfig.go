package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Docker's API does not hand out a config's bytes. Three ways lead to them:
//
//	BuildKit, asked for a base image     -> the bytes of a tag on a graph driver, in milliseconds
//	inspect + history + parents' inspect -> rebuilt; proven if its digest is the image's ID
//	save stream                          -> the bytes themselves, at the cost of reading all layers
//
// A graph driver's own builds can be rebuilt. What was pulled or loaded cannot,
// because the history's times are told in whole seconds only.

// stored is what an engine holds of an image, its layers aside.
type stored struct {
	id     string
	config []byte
	proven bool // config is the engine's own, byte for byte
	thin   thin // set when proven
}

// facts are an image's /json, as tellingAPI has it. Nested
// objects keep their bytes: the engine writes them as it writes the config.
type facts struct {
	ID              string `json:"Id"`
	Parent          string
	Comment         string
	Created         string
	Container       string
	ContainerConfig json.RawMessage
	DockerVersion   string
	Author          string
	Config          json.RawMessage
	Architecture    string
	Variant         string
	OS              string `json:"Os"`
	OSVersion       string `json:"OsVersion"`
	RootFS          struct {
		Type   string
		Layers []digest.Digest
	}
}

// pastStep is an entry of a config's history, fields in the order in which
// Docker 20.10 writes them.
type pastStep struct {
	Created    string `json:"created"`
	Author     string `json:"author,omitempty"`
	CreatedBy  string `json:"created_by,omitempty"`
	Comment    string `json:"comment,omitempty"`
	EmptyLayer bool   `json:"empty_layer,omitempty"`
}

// laterStep is the same in the order of the image specification, which later
// Dockers keep.
type laterStep struct {
	Created    string `json:"created"`
	CreatedBy  string `json:"created_by,omitempty"`
	Author     string `json:"author,omitempty"`
	Comment    string `json:"comment,omitempty"`
	EmptyLayer bool   `json:"empty_layer,omitempty"`
}

// rebuild gives the config of an image from what the API tells, and whether it
// is proven to be the engine's own bytes. Without proof it still says the same
// as the engine's inspect does.
func (e *Engine) rebuild(ctx context.Context, id string) (stored, error) {
	self, past, err := e.told(ctx, id)
	if err != nil {
		return stored{}, err
	}
	tries, err := configsOf(self, past)
	if err != nil {
		return stored{}, fmt.Errorf("image %s: %w", id, err)
	}
	for _, config := range tries {
		if digest.FromBytes(config).String() == self.ID {
			t, err := thinOf(config)
			return stored{self.ID, config, true, t}, err
		}
	}
	return stored{id: self.ID, config: tries[0]}, nil
}

// relabelled is a config that says what an image's does, but for the platform.
func (e *Engine) relabelled(ctx context.Context, id string, p ocispec.Platform) ([]byte, error) {
	self, past, err := e.told(ctx, id)
	if err != nil {
		return nil, err
	}
	self.OS, self.Architecture, self.Variant = p.OS, p.Architecture, p.Variant
	forms, err := configsOf(self, past)
	if err != nil {
		return nil, err
	}
	return forms[0], nil
}

// told is what the API tells of an image and of its steps.
func (e *Engine) told(ctx context.Context, id string) (facts, []pastStep, error) {
	chain, err := e.chain(ctx, id)
	if err != nil {
		return facts{}, nil, err
	}
	history, err := e.api.ImageHistory(ctx, id)
	if err != nil {
		return facts{}, nil, fmt.Errorf("read the history of image %s: %w", short(id), err)
	}
	return chain[0], pastOf(chain, history), nil
}

// chainLimit is more parents than any engine allows an image to have: graph
// drivers stop at 125 layers, and steps without a layer are some more.
const chainLimit = 1000

// chain inspects an image and its parents, the image itself first.
func (e *Engine) chain(ctx context.Context, id string) ([]facts, error) {
	old, err := e.telling()
	if err != nil {
		return nil, err
	}
	var chain []facts
	for next := id; next != "" && len(chain) < chainLimit; {
		f, err := inspectFacts(ctx, old, next)
		if err != nil && len(chain) > 0 {
			break // a parent may be gone; the history's seconds must do
		}
		if err != nil {
			return nil, err
		}
		chain = append(chain, f)
		next = f.Parent
	}
	return chain, nil
}

// tellingAPI is the last version whose inspect tells of the container that an
// image was committed from, and the first that Docker 29.0 speaks.
const tellingAPI = "1.44"

// telling speaks tellingAPI, or what the engine speaks where that is older.
func (e *Engine) telling() (*client.Client, error) {
	version := e.api.ClientVersion()
	if versions.GreaterThan(version, tellingAPI) {
		version = tellingAPI
	}
	return e.through(e.api.HTTPClient(), version)
}

func inspectFacts(ctx context.Context, api *client.Client, id string) (facts, error) {
	var raw bytes.Buffer
	if _, err := api.ImageInspect(ctx, id, client.ImageInspectWithRawResponse(&raw)); err != nil {
		return facts{}, imageError("read", short(id), err)
	}
	var f facts
	if err := json.Unmarshal(raw.Bytes(), &f); err != nil {
		return facts{}, fmt.Errorf("the engine's description of image %s is no JSON: %w", id, err)
	}
	return f, nil
}

// pastOf joins the engine's history, which knows seconds only, with the exact
// times of the images in the chain. Both are newest first; a config's history
// is oldest first.
func pastOf(chain []facts, history []image.HistoryResponseItem) []pastStep {
	past := make([]pastStep, len(history))
	for i, h := range history {
		past[i] = pastStep{
			Created:    time.Unix(h.Created, 0).UTC().Format(time.RFC3339Nano),
			CreatedBy:  h.CreatedBy,
			Comment:    h.Comment,
			EmptyLayer: h.Size == 0,
		}
		if i < len(chain) {
			past[i].Created, past[i].Author = cmp.Or(chain[i].Created, past[i].Created), chain[i].Author
		}
		if i+1 < len(chain) {
			past[i].EmptyLayer = len(chain[i].RootFS.Layers) == len(chain[i+1].RootFS.Layers)
		}
	}
	slices.Reverse(past)
	return past
}

// configsOf writes the config in each form that a graph driver may have stored,
// fields in alphabetical order, the most likely one first: its own builder's, and
// the same without the build container.
func configsOf(f facts, past []pastStep) ([][]byte, error) {
	fields := fieldsOf(f)
	var forms [][]byte
	for _, history := range historiesOf(past) {
		for _, container := range []json.RawMessage{f.ContainerConfig, nil} {
			put(fields, "history", history, history != nil)
			put(fields, "container_config", container, container != nil)
			form, err := json.Marshal(fields)
			if err != nil {
				return nil, err
			}
			forms = append(forms, form)
		}
	}
	return forms, nil
}

// historiesOf gives the history in both orders of its fields, or none.
func historiesOf(past []pastStep) []any {
	if len(past) == 0 {
		return []any{nil}
	}
	later := make([]laterStep, len(past))
	for i, step := range past {
		later[i] = laterOf(step)
	}
	return []any{past, later}
}

func laterOf(s pastStep) laterStep {
	return laterStep{Created: s.Created, CreatedBy: s.CreatedBy, Author: s.Author, Comment: s.Comment, EmptyLayer: s.EmptyLayer}
}

// fieldsOf are a config's other fields by name.
func fieldsOf(f facts) map[string]any {
	fields := map[string]any{
		"architecture": f.Architecture,
		"config":       f.Config,
		"os":           f.OS,
		"rootfs":       rootfsOf(f),
	}
	put(fields, "author", f.Author, f.Author != "")
	put(fields, "comment", f.Comment, f.Comment != "")
	put(fields, "created", f.Created, f.Created != "")
	put(fields, "container", f.Container, f.Container != "")
	put(fields, "docker_version", f.DockerVersion, f.DockerVersion != "")
	put(fields, "variant", f.Variant, f.Variant != "")
	put(fields, "os.version", f.OSVersion, f.OSVersion != "")
	return fields
}

func put(fields map[string]any, key string, value any, there bool) {
	delete(fields, key)
	if there {
		fields[key] = value
	}
}

func rootfsOf(f facts) any {
	return struct {
		Type    string          `json:"type"`
		DiffIDs []digest.Digest `json:"diff_ids,omitempty"`
	}{cmp.Or(f.RootFS.Type, "layers"), f.RootFS.Layers}
}

// ErrConfig says that what the engine stores as an image's config is none.
var ErrConfig = errors.New("unusable image config")

// maxConfig is the size over which configs are refused; registries and
// engines refuse such ones as well.
const maxConfig = 8 << 20

// diffIDs reads the layers that a config declares.
func diffIDs(config []byte) ([]digest.Digest, error) {
	var c struct {
		RootFS struct {
			DiffIDs []digest.Digest `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if len(config) > maxConfig {
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d are read; build the image again", ErrConfig, len(config), maxConfig)
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, fmt.Errorf("%w: it is no JSON (%w); build the image again", ErrConfig, err)
	}
	for _, id := range c.RootFS.DiffIDs {
		if err := id.Validate(); err != nil {
			return nil, fmt.Errorf("%w: diff_id %q: %w; build the image again", ErrConfig, id, err)
		}
	}
	return c.RootFS.DiffIDs, nil
}
