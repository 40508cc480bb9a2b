package image

import (
	"maps"
	"slices"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tidwall/gjson"
)

// Facts are what people ask of a config. Fields of another type than the specification's are read as absent.
type Facts struct {
	Platform    ocispec.Platform
	Created     time.Time // zero when it is absent or malformed
	Author      string
	User        string
	WorkingDir  string
	Entrypoint  []string
	Cmd         []string
	Healthcheck []string // "CMD", words...; "CMD-SHELL", text; "NONE"
	Env         []string
	Ports       []string // "8080/tcp", sorted
	Volumes     []string // sorted
	Labels      map[string]string
	DiffIDs     []string
	History     []History
}

// History is one step that made the image.
type History struct {
	Created   time.Time
	CreatedBy string
	Comment   string
	Empty     bool // it made no layer
}

// FactsOf reads config. The error wraps ErrConfig.
func FactsOf(config []byte) (Facts, error) {
	if err := valid(config); err != nil {
		return Facts{}, err
	}
	c := gjson.GetBytes(config, "config")
	return Facts{
		Platform:    platformOf(config),
		Created:     moment(gjson.GetBytes(config, "created")),
		Author:      gjson.GetBytes(config, "author").String(),
		User:        c.Get("User").String(),
		WorkingDir:  c.Get("WorkingDir").String(),
		Entrypoint:  texts(c.Raw, "Entrypoint"),
		Cmd:         texts(c.Raw, "Cmd"),
		Healthcheck: texts(c.Raw, "Healthcheck.Test"),
		Env:         texts(c.Raw, "Env"),
		Ports:       keys(c.Raw, "ExposedPorts"),
		Volumes:     keys(c.Raw, "Volumes"),
		Labels:      labels(config),
		DiffIDs:     texts(string(config), "rootfs.diff_ids"),
		History:     history(gjson.GetBytes(config, "history")),
	}, nil
}

// Labels returns the image's labels, never nil; what is no config has none.
func Labels(config []byte) map[string]string {
	if valid(config) != nil {
		return map[string]string{}
	}
	return labels(config)
}

func labels(config []byte) map[string]string {
	all := map[string]string{}
	list := gjson.GetBytes(config, "config.Labels")
	if !list.IsObject() {
		return all
	}
	list.ForEach(func(key, value gjson.Result) bool {
		all[key.String()] = value.String()
		return true
	})
	return all
}

func history(r gjson.Result) []History {
	if !r.IsArray() {
		return nil
	}
	var steps []History
	for _, h := range r.Array() {
		steps = append(steps, History{
			Created:   moment(h.Get("created")),
			CreatedBy: h.Get("created_by").String(),
			Comment:   h.Get("comment").String(),
			Empty:     h.Get("empty_layer").Bool(),
		})
	}
	return steps
}

func moment(r gjson.Result) time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.String())
	if err != nil {
		return time.Time{}
	}
	return t
}

// texts are those of an array in a JSON text, by its path as gjson has them; a single one, as some tools write it, is an array of one.
// What has another type is absent: anybody may have written it.
func texts(json, field string) (list []string) {
	r := gjson.Get(json, field)
	if r.Type != gjson.String && !r.IsArray() {
		return nil
	}
	for _, item := range r.Array() {
		list = append(list, item.String())
	}
	return list
}

// keys are those of an object, likewise.
func keys(json, field string) []string {
	return slices.Sorted(maps.Keys(gjson.Get(json, field).Map()))
}
