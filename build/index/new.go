package index

import (
	"fmt"
)

// Options says how New builds an index. The zero value follows the entries.
type Options struct {
	// MediaType forces OCIIndex or DockerList. Empty follows the entries: Docker's type when
	// all are Docker's and nothing needs OCI, because that is what engines wrote before and
	// old registries still expect; the OCI type otherwise.
	MediaType string
	// Annotations of the index itself.
	Annotations map[string]string
	// ArtifactType and Subject are OCI fields that images seldom have.
	ArtifactType string
	Subject      *Entry
}

// New builds an index over the entries in the order given; attestations among them go below
// their image. The notes are sentences about what was chosen that the user may not expect
// (a mixture of Docker and OCI images).
//
// Errors: *DuplicateError when two entries have the same platform, ErrAnnotations when a
// Docker list was asked for and something has annotations, ErrInvalid for an entry that
// no list can hold (no digest, no size, no platform, Docker schema 1, an index).
func New(entries []Entry, opts Options) (ix Index, notes []string, err error) {
	ix = Index{
		MediaType:    opts.MediaType,
		ArtifactType: opts.ArtifactType,
		Subject:      opts.Subject,
		Entries:      group(flatten(entries)),
		Annotations:  opts.Annotations,
	}.clone()
	if err := ix.Validate(); err != nil {
		return Index{}, nil, err
	}
	if opts.MediaType == "" {
		ix.MediaType = DockerList
		ix, notes = Fit(ix)
		return ix, notes, nil
	}
	if err := ix.writable(); err != nil {
		return Index{}, nil, err
	}
	if opts.MediaType == DockerList && ix.counts().oci > 0 {
		notes = append(notes, "a Docker manifest list over OCI images, as asked for; older engines may not take it")
	}
	return ix, notes, nil
}

// Validate checks what every list that is published here must fulfil: each image has a
// platform that no other has, and is one that an engine can run. Lists that others
// published need not pass.
func (ix Index) Validate() error {
	seen := map[string]Entry{}
	for _, e := range ix.Entries {
		if err := checkEntry(e); err != nil {
			return invalid("%s: %w", e.name(), err)
		}
		if !e.HasPlatform() {
			continue
		}
		if first, twice := seen[e.key()]; twice {
			return duplicate(first, e)
		}
		seen[e.key()] = e
	}
	return nil
}

func checkEntry(e Entry) error {
	if err := checkDescriptor(e.Descriptor); err != nil {
		return err
	}
	switch {
	case IsIndex(e.MediaType):
		return fmt.Errorf("an index inside an index; give its images instead")
	case IsSchema1(e.MediaType):
		return fmt.Errorf("a Docker schema 1 image has no platform; push it again with a current engine")
	case IsImage(e.MediaType) && e.Platform == nil:
		return fmt.Errorf("it has no platform; declare one")
	case IsImage(e.MediaType) && !e.IsAttestation() && (e.Platform.OS == "" || e.Platform.Architecture == ""): // both are required by the image specification
		return fmt.Errorf("its platform has no operating system or no architecture; declare both, as in linux/amd64")
	}
	return nil
}

// Fit gives the index the media type that can hold what is in it: a Docker list with
// annotations or with OCI images becomes an OCI index, and the note says why. Nothing else
// changes; an OCI index is returned as it is.
func Fit(ix Index) (Index, []string) {
	if ix.mediaType() == OCIIndex {
		ix.MediaType = OCIIndex
		return ix, nil
	}
	why, n := ix.needsOCI(), ix.counts()
	switch {
	case n.docker == 0 && n.oci > 0:
		ix.MediaType = OCIIndex
		return ix, nil // OCI images get an OCI index: nothing to tell
	case n.oci > 0:
		ix.MediaType = OCIIndex
		return ix, []string{fmt.Sprintf("%d Docker and %d OCI images: an OCI index is written over both", n.docker, n.oci)}
	case why != "":
		ix.MediaType = OCIIndex
		return ix, []string{"an OCI index is written over Docker images, because " + why}
	}
	return ix, nil
}

type imageCounts struct{ docker, oci int }

func (ix Index) counts() (n imageCounts) {
	for _, e := range ix.Entries {
		switch {
		case IsDocker(e.MediaType):
			n.docker++
		default:
			n.oci++
		}
	}
	return n
}

// flatten lists entries as they are written: images first, then attestations.
func flatten(entries []Entry) []Entry {
	var images, attestations []Entry
	for _, e := range entries {
		attestations = append(attestations, e.Attestations...)
		e.Attestations = nil
		images = append(images, e)
	}
	return append(images, attestations...)
}
