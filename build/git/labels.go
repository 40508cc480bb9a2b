package git

import (
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Labels are the OCI labels org.opencontainers.image.{revision,source,version,created} of an image of the given version,
// without those that are unknown. created is the commit's time, so that the same commit gives the same image.
func (i Info) Labels(version string) map[string]string {
	labels := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			labels[name] = value
		}
	}
	set(ocispec.AnnotationRevision, i.Revision)
	set(ocispec.AnnotationSource, i.Source)
	set(ocispec.AnnotationVersion, version)
	if !i.Created.IsZero() {
		set(ocispec.AnnotationCreated, i.Created.UTC().Format(time.RFC3339))
	}
	return labels
}
