package index

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
func Parse(raw []byte, mediaType string) (Index, error) { panic("not yet") }
