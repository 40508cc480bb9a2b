// Command frontend is a BuildKit frontend that builds nothing: it writes into the image's labels what it was given. A test
// names it in a syntax line.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	if err := grpcclient.RunFromEnvironment(context.Background(), build); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(ctx context.Context, c client.Client) (*client.Result, error) {
	inputs, err := c.Inputs(ctx)
	if err != nil {
		return nil, err
	}
	opts := c.BuildOpts().Opts
	image := ocispec.Image{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, RootFS: ocispec.RootFS{Type: "layers"}}
	image.Config.Labels = map[string]string{
		"inputs":  strings.Join(slices.Sorted(maps.Keys(inputs)), " "),
		"cmdline": opts["cmdline"],
		"arg":     opts["build-arg:WORD"],
	}
	config, err := json.Marshal(image)
	res := client.NewResult()
	res.AddMeta(exptypes.ExporterImageConfigKey, config)
	return res, err
}
