package lists

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.yaml.in/yaml/v3"

	"github.com/manymage/manymage/platforms"
)

// Spec is a list as a YAML file describes it, in manifest-tool's format:
//
//	image: me/app:1.0
//	tags: ["1", latest]
//	annotations: {org.opencontainers.image.version: "1.0"}
//	manifests:
//	  - image: me/app:armv7-1.0
//	    platform: {os: linux, architecture: arm, variant: v7}
//
// os.version and os.features are read in both spellings, with and without the dot.
type Spec struct {
	Target      string
	Tags        []string
	Annotations map[string]string
	Sources     []Source
}

// maxSpec bounds a spec file; the largest list in use needs a few kilobytes.
const maxSpec = 1 << 20

// FromSpec makes the list of a spec file. Tags and annotations of the options are added to its
// own.
func FromSpec(ctx context.Context, c Creator, spec Spec, opts CreateOptions) (Created, error) {
	opts.Tags = append(slices.Clone(spec.Tags), opts.Tags...)
	opts.Annotations = over(spec.Annotations, opts.Annotations)
	return Create(ctx, c, []string{spec.Target}, spec.Sources, opts)
}

// ReadSpec reads a spec file as ParseSpec does. A file that cannot be read is ErrUsage, too.
func ReadSpec(file string) (Spec, error) {
	raw, err := readBounded(file)
	if err != nil {
		return Spec{}, usage("the spec file cannot be read: %w; give the path of a YAML file", err)
	}
	return ParseSpec(file, raw)
}

// readBounded reads no more of a file than ParseSpec needs to refuse it.
func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSpec+1))
}

// ParseSpec reads a spec file, strictly: an unknown key is an error with its line, because it
// is a misspelt one. name is the file's, for messages. Errors are ErrUsage.
func ParseSpec(name string, data []byte) (Spec, error) {
	if len(data) > maxSpec {
		return Spec{}, usage("%s: a spec file has at most %d bytes", name, maxSpec)
	}
	doc, err := oneDocument(name, data)
	if err != nil {
		return Spec{}, err
	}
	r := &specReader{name: name}
	if len(doc.Content) != 1 {
		return Spec{}, usage("%s is empty; it needs an image and its manifests", name)
	}
	spec := r.spec(doc.Content[0])
	if r.err == nil {
		r.check(spec, doc.Content[0])
	}
	if r.err != nil {
		return Spec{}, r.err
	}
	return spec, nil
}

// oneDocument reads YAML; a second document is not left out in silence.
func oneDocument(name string, data []byte) (doc yaml.Node, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err = decoder.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return doc, usage("%s%s", name, withLine(err))
	}
	var second yaml.Node
	if err = decoder.Decode(&second); errors.Is(err, io.EOF) {
		return doc, nil
	}
	if err != nil {
		return doc, usage("%s%s", name, withLine(err))
	}
	return doc, usage("%s:%d: a second document; a spec file describes one list, so make two files of it", name, second.Line)
}

// withLine turns the parser's "yaml: line 3: ..." into ":3: ...".
func withLine(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if after, ok := strings.CutPrefix(text, "line "); ok {
		return ":" + after
	}
	return ": " + text
}

// specReader walks the YAML and keeps the first error.
type specReader struct {
	name string
	err  error
}

func (r *specReader) fail(n *yaml.Node, format string, args ...any) {
	if r.err == nil {
		r.err = usage("%s:%d: %w", r.name, n.Line, fmt.Errorf(format, args...))
	}
}

func (r *specReader) check(s Spec, n *yaml.Node) {
	switch {
	case s.Target == "":
		r.fail(n, "no image: say what the list is to be called")
	case len(s.Sources) == 0:
		r.fail(n, "no manifests: the list would be empty")
	}
	dest, err := parseTargets([]string{s.Target})
	if err == nil {
		_, err = (&CreateOptions{Tags: s.Tags}).tag(&dest[0])
	}
	if err != nil && s.Target != "" {
		r.fail(n, "%w", err)
	}
}

// fieldReaders say what to do with the value of each key.
type fieldReaders map[string]func(*yaml.Node)

// mapping hands each key's value to its handler. Aliases are not followed: none of the
// fields is long enough to be worth one, and they can be made to explode.
func (r *specReader) mapping(n *yaml.Node, what string, h fieldReaders) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s must be a mapping of names to values", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && r.err == nil; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		handle, known := h[key.Value]
		switch {
		case seen[key.Value]:
			r.fail(key, "%q comes twice", key.Value)
		case !known:
			r.fail(key, "unknown key %q in %s; known are %s", key.Value, what, strings.Join(h.names(), ", "))
		default:
			handle(value)
		}
		seen[key.Value] = true
	}
}

func (h fieldReaders) names() []string {
	var out []string
	for name := range h {
		if name != "osversion" && name != "osfeatures" { // the other spelling of what is listed
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (r *specReader) spec(n *yaml.Node) Spec {
	var s Spec
	r.mapping(n, "the spec", fieldReaders{
		"image":       func(v *yaml.Node) { s.Target = r.text(v) },
		"tags":        func(v *yaml.Node) { s.Tags = r.texts(v) },
		"annotations": func(v *yaml.Node) { s.Annotations = r.textMap(v) },
		"manifests":   func(v *yaml.Node) { s.Sources = r.manifests(v) },
	})
	return s
}

func (r *specReader) manifests(n *yaml.Node) []Source {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "manifests must be a list")
		return nil
	}
	var out []Source
	for _, item := range n.Content {
		var s Source
		r.mapping(item, "a manifest", fieldReaders{
			"image":       func(v *yaml.Node) { s.Ref = r.text(v) },
			"platform":    func(v *yaml.Node) { s.Platform = r.platform(v) },
			"annotations": func(v *yaml.Node) { s.Annotations = r.textMap(v) },
		})
		if s.Ref == "" {
			r.fail(item, "a manifest without image")
		} else if _, err := ParseReference(s.Ref); err != nil {
			r.fail(item, "%w", err)
		}
		out = append(out, s)
	}
	return out
}

// platform reads what is declared; a mapping that declares nothing is nil.
func (r *specReader) platform(n *yaml.Node) *ocispec.Platform {
	var p ocispec.Platform
	version := func(v *yaml.Node) { p.OSVersion = r.text(v) }
	features := func(v *yaml.Node) { p.OSFeatures = r.texts(v) }
	r.mapping(n, "a platform", fieldReaders{
		"os":           func(v *yaml.Node) { p.OS = r.text(v) },
		"architecture": func(v *yaml.Node) { p.Architecture = r.text(v) },
		"variant":      func(v *yaml.Node) { p.Variant = r.text(v) },
		"os.version":   version, "osversion": version,
		"os.features": features, "osfeatures": features,
		"features": func(v *yaml.Node) { // of processors; Docker's old field, which nobody reads
			if len(r.texts(v)) > 0 {
				r.fail(v, "features of processors cannot be declared; use variant")
			}
		},
	})
	if p.OS == "" && p.Architecture == "" && p.Variant == "" && p.OSVersion == "" && p.OSFeatures == nil || r.err != nil {
		return nil
	}
	if p.Architecture == "" {
		r.fail(n, "a platform without architecture")
		return nil
	}
	if p.OS == "" {
		p.OS = "linux"
	}
	if _, err := platforms.ParseAny(strings.Trim(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")); err != nil {
		r.fail(n, "%w", err)
	}
	return &p
}

func (r *specReader) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		if n.Tag != "!!null" {
			r.fail(n, "a text was expected here")
		}
		return ""
	}
	return strings.TrimSpace(n.Value)
}

func (r *specReader) texts(n *yaml.Node) []string {
	if n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "a list was expected here")
		return nil
	}
	var out []string
	for _, item := range n.Content {
		out = append(out, r.text(item))
	}
	return out
}

func (r *specReader) textMap(n *yaml.Node) map[string]string {
	if n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "a mapping of names to texts was expected here")
		return nil
	}
	out := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		if _, twice := out[name.Value]; twice {
			r.fail(name, "%q comes twice", name.Value)
		}
		out[name.Value] = r.text(n.Content[i+1])
	}
	return out
}
