package engine

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strconv"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	controlapi "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/client/ociindex"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	sessioncontent "github.com/moby/buildkit/session/content"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Cache is a place that build cache is read from or written to, as BuildKit knows it: type registry, inline, local or gha.
//
// What an engine cannot write is told by [Info.RefusesCache]. A cache that cannot be read is a Notice: without it the build takes
// longer, and nothing else.
type Cache struct {
	Type  string
	Attrs map[string]string
}

// The types that are not like all others.
const (
	cacheInline  = "inline"
	cacheLocal   = "local"
	cacheActions = "gha"
)

// actionsV2 is the first Docker whose BuildKit speaks the protocol that GitHub has left.
const actionsV2 = 28

// RefusesCache says why this engine cannot write a cache, and what to do; empty: it can, or the cache is left out anyway.
func (i Info) RefusesCache(c Cache) string {
	switch {
	case c.Idle():
		return ""
	case i.Road == RoadClassic:
		return "the classic builder writes no build cache (" + i.Why + "): leave CACHE_TO out, or use BuildKit"
	case c.Type == cacheInline:
		return ""
	case i.Store == StoreGraph:
		return "Docker " + i.Version + " with the image store " + i.Store + " writes its build cache into the image only, not as type=" + c.Type +
			": set CACHE_TO=type=inline, or turn on the containerd image store, the default of new installations from Docker 29 on"
	case c.Attrs["url_v2"] != "" && i.olderThan(actionsV2):
		return fmt.Sprintf("Docker %s is too old for the cache that GitHub has now: use Docker %d, or a registry", i.Version, actionsV2)
	}
	return ""
}

// withCaches leaves the caches out that cannot be used here, and says so.
func (k *buildkit) withCaches(s Solve, emit func(Event)) Solve {
	s.CacheFrom, s.CacheTo = k.usable(s.CacheFrom, emit), k.usable(s.CacheTo, emit)
	return s
}

func (k *buildkit) usable(caches []Cache, emit func(Event)) []Cache {
	var out []Cache
	for _, c := range caches {
		why := ""
		switch {
		case c.Idle():
			why = "the build cache type=gha is left out: ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL are not set; in GitHub Actions the step crazy-max/ghaction-github-runtime sets them"
		case c.Type == cacheLocal && c.Attrs["src"] != "":
			c, why = c.withDigest()
		}
		if why != "" {
			emit(Notice{why})
			continue
		}
		out = append(out, c)
	}
	return out
}

// withDigest says what of a folder is to be read, which is what its index calls by the cache's tag.
func (c Cache) withDigest() (Cache, string) {
	if c.Attrs["digest"] != "" {
		return c, ""
	}
	attrs := maps.Clone(c.Attrs)
	found, err := ociindex.NewStoreIndex(attrs["src"]).Get(c.tag())
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return c, "the build cache " + attrs["src"] + " is not read: " + err.Error()
	case err != nil || found == nil:
		return c, "the build cache " + attrs["src"] + " is not there (yet)"
	}
	attrs["digest"] = found.Digest.String()
	return Cache{c.Type, attrs}, ""
}

func (c Cache) tag() string { return cmp.Or(c.Attrs["tag"], "latest") }

// index notes in folders what was written into them.
func (s Solve) index(written string) error {
	for _, c := range s.CacheTo {
		if c.Type != cacheLocal {
			continue
		}
		var manifest ocispec.Descriptor
		if err := json.Unmarshal([]byte(written), &manifest); err != nil {
			return fmt.Errorf("the engine does not say what it wrote as cache into %s: %w; update the engine", c.Attrs["dest"], err)
		}
		if err := ociindex.NewStoreIndex(c.Attrs["dest"]).Put(manifest, ociindex.Tag(c.tag())); err != nil {
			return fmt.Errorf("the build cache in %s: %w; make the folder writable", c.Attrs["dest"], err)
		}
	}
	return nil
}

// cacheStores gives the engine the folders of local caches, each made when something is written to it.
func cacheStores(folders []string) (session.Attachable, error) {
	stores := map[string]content.Store{}
	for _, folder := range folders {
		store, err := local.NewStore(folder)
		if err != nil {
			return nil, fmt.Errorf("the build cache in %s: %w; name another folder", folder, err)
		}
		stores["local:"+folder] = store
	}
	return sessioncontent.NewAttachable(stores), nil
}

// InActions adds to a cache of type gha what a job of GitHub Actions has in its environment, as buildx does.
func (c Cache) InActions(getenv func(string) string) Cache {
	if c.Type != cacheActions {
		return c
	}
	results := getenv("ACTIONS_RESULTS_URL")
	attrs := map[string]string{"token": getenv("ACTIONS_RUNTIME_TOKEN"), "url": cmp.Or(getenv("ACTIONS_CACHE_URL"), results)}
	if second, _ := strconv.ParseBool(getenv("ACTIONS_CACHE_SERVICE_V2")); second {
		attrs["url_v2"] = results
	}
	maps.Copy(attrs, c.Attrs)
	return Cache{c.Type, attrs}
}

// Idle tells of a cache of type gha that it is no job of GitHub Actions that it is to be used in.
func (c Cache) Idle() bool {
	return c.Type == cacheActions && (c.Attrs["token"] == "" || c.Attrs["url"] == "")
}

// cacheImports are the caches that the steps are looked up in.
func (s Solve) cacheImports() []gateway.CacheOptionsEntry {
	var out []gateway.CacheOptionsEntry
	for _, c := range s.CacheFrom {
		out = append(out, gateway.CacheOptionsEntry(c))
	}
	return out
}

// cacheImportsOpt is the option that tells a frontend in the engine of them.
func (s Solve) cacheImportsOpt() string {
	text, _ := json.Marshal(entries(s.CacheFrom)) // strings in maps can always be written
	return string(text)
}

func entries(caches []Cache) []*controlapi.CacheOptionsEntry {
	var out []*controlapi.CacheOptionsEntry
	for _, c := range caches {
		out = append(out, &controlapi.CacheOptionsEntry{Type: c.Type, Attrs: c.Attrs})
	}
	return out
}

// importing is how BuildKit calls the step that reads a cache. It goes on without one that it cannot read.
const importing = "importing cache manifest from "

// unread is what to say of a cache that was not read; empty for any other step.
func unread(step, fault string) string {
	name, ok := strings.CutPrefix(step, importing)
	if !ok || isCancelText(fault) {
		return ""
	}
	for _, kind := range []string{cacheLocal, cacheActions} {
		if strings.HasPrefix(name, kind+":") { // and a number
			name = "type=" + kind
		}
	}
	if strings.HasSuffix(fault, ": not found") {
		return "the build cache " + name + " is not there (yet)"
	}
	return "the build cache " + name + " is not read: " + fault
}
