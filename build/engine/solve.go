package engine

import (
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Context is what a build may read. Git URLs and tarballs are refused: give a
// directory.
type Context struct {
	Dir        string   // the build context
	Dockerfile string   // the Dockerfile's path, absolute or from the working directory; <Dockerfile>.dockerignore beside it goes before Dir's own; empty: Dir's own alone
	Excludes   []string // more patterns, behind those of the ignore file
	Reads      []string // the paths of Dir that the builds read, with slashes, or patterns; nil: any. What a base image has waiting in ONBUILD may read others
	Named      []Named
	Secrets    []Secret
	SSH        []SSH
	Caches     []string // the folders of caches of type local
}

// Named is an additional build context, for FROM and COPY --from.
type Named struct {
	Name     string
	Source   string   // a directory, or docker-image://REFERENCE
	Excludes []string // more patterns, behind those of the directory's .dockerignore
}

// Secret is mounted by RUN --mount=type=secret,id=ID and stays out of the image.
type Secret struct {
	ID   string
	File string // exactly one of File, Env
	Env  string
}

// SSH is an agent socket or key files for RUN --mount=type=ssh,id=ID.
type SSH struct {
	ID    string   // "default" when empty
	Paths []string // SSH_AUTH_SOCK when empty
}

// Solve is one image to build.
type Solve struct {
	Platform       ocispec.Platform // what the image is for
	SetPlatform    bool             // give the platform to the builder; otherwise everything is built on the engine's own
	Dockerfile     []byte           // its text, rewritten or not
	DockerfileName string           // for messages; "Dockerfile" when empty
	Bases          []Base           // what the Dockerfile is known to be built on, where its own frontend reads it
	Target         string           // the stage; the last one when empty
	Reads          []string         // of Context.Reads what this build reads; nil: any
	ReadsBy        []string         // the arguments that Reads goes by: a base that has a variable of one of these names may make others of them
	Unneeded       []int            // the stages, counted from 0, that its engine builds without; others may be needed
	BuildArgs      map[string]string
	Labels         map[string]string
	Tags           []string // references that the image gets in the engine
	Builtin        bool     // ignore a # syntax= line
	NoCache        bool
	CacheFrom      []Cache    // read by BuildKit alone
	CacheTo        []Cache    // what Info.RefusesCache has nothing against
	Pull           bool       // ask the registry for base images again
	Epoch          *time.Time // SOURCE_DATE_EPOCH, where the engine knows it
}

// Base is an image that is built on, or copied from, and what it is wanted for.
type Base struct {
	Image    string // in full form
	Platform ocispec.Platform
}

// Built is an image that the engine now has.
type Built struct {
	ID     string        // the engine's name for it, "sha256:..."; a manifest's digest on containerd stores
	Config digest.Digest // identity: the digest of the image's config
	Size   int64         // bytes in the engine
	Repair []byte        // the config that the image should have, where the engine took the hook's answer in no form; put it into the registry after the push
}
