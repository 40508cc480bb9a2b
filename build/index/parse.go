package index

import (
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Bounds on what is read from a registry.
const (
	MaxBytes   = 4 << 20 // what registries accept as a manifest (distribution-spec: at least 4 MiB)
	MaxEntries = 5000    // far above any published list, low enough to stay cheap
)

// Parse reads an index or Docker manifest list. mediaType is what the registry (or the
// descriptor that led here) called it; it may be empty, and must agree with the document's
// own when both are there.
//
// Errors: ErrNotIndex when this is another kind of document, ErrInvalid when it breaks the
// specification in a way that matters, ErrTooLarge above the bounds.
func Parse(raw []byte, mediaType string) (Index, error) {
	if len(raw) > MaxBytes {
		return Index{}, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, len(raw), MaxBytes)
	}
	doc, err := readObject(raw)
	if err != nil {
		return Index{}, invalid("%w", err)
	}
	ix := Index{}
	if ix.MediaType, err = kindOf(doc, mediaType); err != nil {
		return Index{}, err
	}
	if err := readIndex(&ix, doc); err != nil {
		return Index{}, err
	}
	return ix, nil
}

// kindOf decides what the document is, from what it says of itself, what it was called on
// the way here, and what it holds; they must not contradict each other.
func kindOf(doc fields, called string) (string, error) {
	own := ""
	if err := doc.take("mediaType", &own); err != nil {
		return "", invalid("%w", err)
	}
	if own != "" && called != "" && own != called {
		return "", invalid("it calls itself %.200s and was served as %s", own, called)
	}
	kind := own
	if kind == "" {
		kind = called
	}
	_, list := doc["manifests"]
	if kind == "" && list {
		kind = OCIIndex
	}
	if !IsIndex(kind) {
		return "", notIndex(kind)
	}
	for _, name := range []string{"config", "layers", "fsLayers"} {
		if _, both := doc[name]; both {
			return "", invalid("it has %q and is therefore an image to some readers", name)
		}
	}
	if !list {
		return "", invalid("it has no manifests")
	}
	return kind, nil
}

func notIndex(kind string) error {
	switch {
	case IsSchema1(kind):
		return fmt.Errorf("%w but a Docker schema 1 image, which names no platform; push the image again with a current engine", ErrNotIndex)
	case kind == "":
		return fmt.Errorf("%w, and it does not say what it is", ErrNotIndex)
	}
	return fmt.Errorf("%w but %.200s", ErrNotIndex, kind)
}

func readIndex(ix *Index, doc fields) error {
	version, entries := 0, []json.RawMessage(nil)
	if err := doc.takeAll(field{"schemaVersion", &version}, field{"manifests", &entries},
		field{"annotations", &ix.Annotations}, field{"artifactType", &ix.ArtifactType}); err != nil {
		return invalid("%w", err)
	}
	if version != 2 {
		return invalid("schemaVersion is %d, not 2", version)
	}
	if len(entries) > MaxEntries {
		return fmt.Errorf("%w: %d entries, at most %d are read", ErrTooLarge, len(entries), MaxEntries)
	}
	if err := readSubject(ix, doc); err != nil {
		return err
	}
	flat, err := readEntries(entries)
	if err != nil {
		return err
	}
	ix.Entries = group(flat)
	ix.extra = doc.rest()
	return nil
}

func readSubject(ix *Index, doc fields) error {
	var raw json.RawMessage
	if err := doc.take("subject", &raw); err != nil || raw == nil || string(raw) == "null" {
		return err
	}
	subject, err := readEntry(raw)
	if err != nil {
		return invalid("subject: %w", err)
	}
	ix.Subject = &subject
	return nil
}

func readEntries(raws []json.RawMessage) ([]Entry, error) {
	var out []Entry
	for i, raw := range raws {
		entry, err := readEntry(raw)
		if err != nil {
			return nil, invalid("entry %d of %d: %w", i+1, len(raws), err)
		}
		out = append(out, entry)
	}
	return out, nil
}

func readEntry(raw []byte) (Entry, error) {
	doc, err := readObject(raw)
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	if err := doc.takeAll(field{"mediaType", &e.MediaType}, field{"digest", &e.Digest}, field{"size", &e.Size},
		field{"urls", &e.URLs}, field{"annotations", &e.Annotations}, field{"data", &e.Data},
		field{"artifactType", &e.ArtifactType}); err != nil {
		return Entry{}, err
	}
	if err := readPlatform(&e, doc); err != nil {
		return Entry{}, err
	}
	e.extra = doc.rest()
	return e, checkDescriptor(e.Descriptor)
}

func readPlatform(e *Entry, doc fields) error {
	raw, ok := doc["platform"]
	delete(doc, "platform")
	if !ok || string(raw) == "null" {
		return nil
	}
	in, err := readObject(raw)
	if err != nil {
		return fmt.Errorf("platform: %w", err)
	}
	p := ocispec.Platform{}
	if err := in.takeAll(field{"os", &p.OS}, field{"architecture", &p.Architecture}, field{"variant", &p.Variant},
		field{"os.version", &p.OSVersion}, field{"os.features", &p.OSFeatures}); err != nil {
		return fmt.Errorf("platform: %w", err)
	}
	e.Platform, e.platformExtra = &p, in.rest()
	return nil
}

// checkDescriptor says whether anything can be fetched and verified by the descriptor.
func checkDescriptor(d ocispec.Descriptor) error {
	switch {
	case d.MediaType == "":
		return fmt.Errorf("no media type")
	case d.Digest.Validate() != nil:
		return fmt.Errorf("digest %q: %w", d.Digest, d.Digest.Validate())
	case d.Size <= 0:
		return fmt.Errorf("size %d of %s: no manifest is that small", d.Size, d.Digest)
	}
	return CheckData(d)
}

// CheckData refuses a descriptor with a copy of its content that is another one: some readers take it, others fetch by the digest.
func CheckData(d ocispec.Descriptor) error {
	if d.Data != nil && (d.Digest.Validate() != nil || int64(len(d.Data)) != d.Size || digestOf(d.Digest, d.Data) != d.Digest) {
		return fmt.Errorf("the embedded data is not %s", d.Digest)
	}
	return nil
}

func digestOf(like digest.Digest, data []byte) digest.Digest {
	return like.Algorithm().FromBytes(data)
}

// group hangs each attestation below its image, in order. One whose image is not in the
// list stays an entry of its own, so that it is not lost.
func group(flat []Entry) []Entry {
	var out []Entry
	at := map[digest.Digest]int{}
	for _, e := range flat {
		if e.IsAttestation() {
			continue
		}
		if _, seen := at[e.Digest]; !seen {
			at[e.Digest] = len(out)
		}
		out = append(out, e)
	}
	for _, e := range flat {
		if !e.IsAttestation() {
			continue
		}
		if i, ok := at[e.Attests()]; ok {
			out[i].Attestations = append(out[i].Attestations, e)
		} else {
			out = append(out, e)
		}
	}
	return out
}
