package engine

import (
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Info describes an engine.
type Info struct {
	Address  string             // unix:///var/run/docker.sock
	Name     string             // "Docker" or "Podman"
	Version  string             // 20.10.24
	API      string             // negotiated: 1.41
	Store    string             // StoreGraph or StoreContainerd
	Road     string             // RoadBuildKit or RoadClassic
	Why      string             // why this road: "DOCKER_BUILDKIT=0"; empty for BuildKit
	Platform ocispec.Platform   // its own
	Emulated []ocispec.Platform // foreign platforms whose programs run in a build
	Local    bool               // its loopback is ours
}

// The image stores that change how an image is named, loaded and pushed.
const (
	StoreGraph      = "graph"
	StoreContainerd = "containerd"
)

// The roads.
const (
	RoadBuildKit = "buildkit"
	RoadClassic  = "classic"
)
