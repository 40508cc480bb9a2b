package image

import (
	"errors"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// MaxConfig is the size in bytes over which a config is refused: engines and registries refuse such ones as well.
const MaxConfig = 8 << 20

// ErrConfig says that bytes are not the config of an image.
var ErrConfig = errors.New("not an image config")

// Relabel returns config with architecture, variant and os set to p, and no other byte changed. Without
// a difference it returns config itself. A variant is removed when p has none; a config already saying the same
// in another spelling (arm64/v8) stays. The error wraps ErrConfig.
func Relabel(config []byte, p ocispec.Platform) ([]byte, error) { return config, nil }

// PlatformOf returns the platform that config declares, as written (not normalised).
func PlatformOf(config []byte) (ocispec.Platform, error) { return ocispec.Platform{}, nil }

// Labels returns the image's labels, never nil.
func Labels(config []byte) map[string]string { return map[string]string{} }

// Facts are what people ask of a config.
type Facts struct {
	Platform   ocispec.Platform
	Created    time.Time // zero when it is absent or malformed
	Author     string
	User       string
	WorkingDir string
	Entrypoint []string
	Cmd        []string
	Env        []string
	Ports      []string // "8080/tcp", sorted
	Volumes    []string // sorted
	Labels     map[string]string
	DiffIDs    []string
	History    []History
}

// History is one step that made the image.
type History struct {
	Created   time.Time
	CreatedBy string
	Comment   string
	Empty     bool // it made no layer
}

// FactsOf reads config. The error wraps ErrConfig.
func FactsOf(config []byte) (Facts, error) { return Facts{}, nil }
