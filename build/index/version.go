package index

import ocispec "github.com/opencontainers/image-spec/specs-go/v1"

// Version is what the list's annotation org.opencontainers.image.version says; empty where there is none.
func (ix Index) Version() string { return ix.Annotations[ocispec.AnnotationVersion] }
