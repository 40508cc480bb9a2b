// Package record keeps what a run made in dist/manymage.json: for people, for CI, and for clean. Nothing is ever pushed
// because a record says so: it may be stale.
//
// The file is JSON with a schema version; one of another version, with an unknown field, or damaged is refused.
package record

import "time"

// Schema is the version of the file's form. It rises when a reader of the old form would misunderstand the new one.
const Schema = 1

// Path is where the record is, from the folder of the run.
const Path = "dist/manymage.json"

// Record is one run.
type Record struct {
	Schema int `json:"schema"`
	// Tool is manymage's version.
	Tool string `json:"tool,omitempty"`
	// Image is the repository without tag; Version what it was built as.
	Image   string `json:"image"`
	Version string `json:"version"`
	// Revision and Source are git's.
	Revision string `json:"revision,omitempty"`
	Source   string `json:"source,omitempty"`
	// Step is how far the run came.
	Step     Step      `json:"step"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// Platforms are in the order of ARCHES.
	Platforms []Platform `json:"platforms"`
	// Index is there once it was published.
	Index *Index `json:"index,omitempty"`
	// Tags are the list tags and what happened to each.
	Tags []Tag `json:"tags,omitempty"`
	// Registry is where the embedded registry served, host:port, and its data; nil with any other.
	Registry *Registry `json:"registry,omitempty"`
}

// Step is how far a run came.
type Step string

// The steps.
const (
	Built     Step = "built"
	Pushed    Step = "pushed" // every image; the list's tags are where they were
	Published Step = "published"
)

// Platform is one platform's image.
type Platform struct {
	// Platform is os/arch[/variant].
	Platform string `json:"platform"`
	// Ref is the image's own reference by tag; Local are the names that it has in the engine.
	Ref   string   `json:"ref"`
	Local []string `json:"local,omitempty"`
	// ID is the engine's name for the image, Config the digest of its config, Digest that of its manifest once pushed.
	ID     string `json:"id,omitempty"`
	Config string `json:"config,omitempty"`
	Digest string `json:"digest,omitempty"`
	// Size is the config's and layers' together, in bytes, as the registry has them.
	Size int64 `json:"size,omitempty"`
	// Verdict is the truth check's: verified or unverified; Notes what it says beside.
	Verdict  string   `json:"verdict,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Strategy string   `json:"strategy,omitempty"`
	Engine   string   `json:"engine,omitempty"`
	// Relabelled is what the label said before, empty when it was right.
	Relabelled string `json:"relabelled,omitempty"`
	// Scanned tells that the scanner of SCAN has passed it, Refused how one ended that has not, such as "exit status 1".
	Scanned bool   `json:"scanned,omitempty"`
	Refused string `json:"refused,omitempty"`
	// Pushed tells that this run uploaded; false when the registry had it.
	Pushed bool `json:"pushed"`
	// Seconds is how long build, check and push of this platform took.
	Seconds float64 `json:"seconds,omitempty"`
	// CheckSeconds is how much of it the truth check and the label's repair took.
	CheckSeconds float64 `json:"checkSeconds,omitempty"`
}

// Index is the published manifest list.
type Index struct {
	Digest    string `json:"digest"`
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`
}

// Tag is one tag of the list.
type Tag struct {
	Ref string `json:"ref"`
	// Previous is the digest that the tag had before, empty when it was new; Moved tells whether it points elsewhere now.
	Previous string `json:"previous,omitempty"`
	Moved    bool   `json:"moved"`
	// Kept is the newer release of the tag's series that it goes on naming; empty when it names the index.
	Kept string `json:"kept,omitempty"`
}

// Registry is the embedded registry of a run.
type Registry struct {
	Address string `json:"address"`
	Data    string `json:"data"`
}
