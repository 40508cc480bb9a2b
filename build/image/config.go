package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/manymage/manymage/build/index"
)

// MaxConfig is the size in bytes over which a config is refused: engines and registries refuse such ones as well.
const MaxConfig = 8 << 20

// ErrConfig says that bytes are not the config of an image.
var ErrConfig = errors.New("not an image config")

// valid refuses what two readers could understand differently: no JSON object, a key given twice, and a key
// that Go's decoder (every engine's) takes for one of ours although it is spelt otherwise.
// encoding/json bounds the nesting, so that what follows can recurse.
func valid(config []byte) error {
	if len(config) > MaxConfig {
		return fmt.Errorf("%w: it has %d bytes, more than %d: build the image anew", ErrConfig, len(config), MaxConfig)
	}
	if trimmed := bytes.TrimLeft(config, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' || !json.Valid(config) {
		return fmt.Errorf("%w: it is no JSON object: build the image anew", ErrConfig)
	}
	problem, err := index.Ambiguity(config, ours())
	if err != nil { // of one parser alone
		problem = err.Error()
	}
	if problem != "" {
		return fmt.Errorf("%w: %s: build the image anew", ErrConfig, problem)
	}
	return nil
}

// ours is the specification's spelling of what FactsOf and Relabel read.
func ours() index.Keys {
	return index.Keys{
		"architecture": nil, "variant": nil, "os": nil, "os.version": nil, "os.features": nil, "created": nil, "author": nil,
		"history": nil,
		"rootfs":  {"diff_ids": nil},
		"config": {"User": nil, "WorkingDir": nil, "Entrypoint": nil, "Cmd": nil, "Env": nil, "ExposedPorts": nil, "Volumes": nil,
			"Labels": nil, "Healthcheck": {"Test": nil}},
	}
}
