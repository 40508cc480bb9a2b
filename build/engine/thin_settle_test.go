package engine

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// builtImage is an engine with one image that a build made, whose API does not tell
// all of its config: the save stream does.
func builtImage(t *testing.T) (e *Engine, id string, answers map[string]string, requests func() []string) {
	t.Helper()
	id = digest.FromString(smallConfig).String()
	layers, err := diffIDs([]byte(smallConfig))
	if err != nil {
		t.Fatal(err)
	}
	empty, err := tarOf()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := tarOf(member{strings.TrimPrefix(id, "sha256:") + ".json", []byte(smallConfig)})
	if err != nil {
		t.Fatal(err)
	}
	answers = map[string]string{
		"GET /images/" + id + "/json":    `{"Id":"` + id + `","Os":"linux","RootFS":{"Type":"layers","Layers":["` + layers[0].String() + `"]}}`,
		"GET /images/" + id + "/history": "[]",
		"GET /images/get":                string(saved),
		"POST /containers/create":        `{"Id":"box"}`,
		"GET /containers/box/export":     string(empty),
		"DELETE /containers/box":         "",
		"DELETE /images/" + id:           "[]",
	}
	e, requests = apiDouble(t, answers)
	e.info.Name, e.info.Store = "Docker", StoreGraph
	return e, id, answers, requests
}

// What the hook changes are the engine's own bytes, and no others.
func TestHookIsAskedAgainWithTheEnginesBytes(t *testing.T) {
	e, id, _, requests := builtImage(t)
	var seen, told []string
	hook := func(_ context.Context, config []byte, root fs.FS) ([]byte, error) {
		if _, err := fs.Stat(root, "."); err != nil || slices.Contains(requests(), "DELETE /containers/box") {
			t.Errorf("no root: %v", err)
		}
		seen = append(seen, string(config))
		return append(config, ' '), nil
	}
	s, wanted, err := e.judgeStored(t.Context(), id, ocispec.Platform{}, hook, func(e Event) { told = append(told, e.(Notice).Text) })
	if err != nil || !s.proven || string(s.config) != smallConfig || string(wanted) != smallConfig+" " {
		t.Errorf("%s, proven %t, %v", wanted, s.proven, err)
	}
	if len(seen) != 2 || seen[0] == smallConfig || seen[1] != smallConfig {
		t.Errorf("the hook saw %q", seen)
	}
	if len(told) != 1 || !strings.Contains(told[0], "save stream") || !slices.Contains(requests(), "DELETE /containers/box") {
		t.Errorf("told %q, asked for %q", told, requests())
	}
}

// A label that Podman's API tells is the image's only where it is the right one:
// what else the hook would see twice, the second time in the engine's own bytes.
func TestPodmansLabelsAreReadWhereTheyMatter(t *testing.T) {
	const linux = `{"os":"linux","architecture":`
	for _, test := range []struct {
		config, want string
		is           bool
	}{
		{linux + `"arm64"}`, "linux/arm64/v8", true},
		{linux + `"arm","variant":"v7"}`, "linux/arm", true},
		{linux + `"arm"}`, "linux/arm/v7", false},
		{linux + `"amd64"}`, "linux/amd64", true},
		{linux + `"amd64"}`, "linux/amd64/v2", false},
		{linux + `"amd64"}`, "linux/arm64", false},
		{`{`, "linux/arm64", false},
	} {
		if got := labelled([]byte(test.config), platform(t, test.want)); got != test.is {
			t.Errorf("%s for %s: %t", test.config, test.want, got)
		}
	}
	e, id, _, _ := builtImage(t)
	e.info.Name = podman
	var seen []string
	renames := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) {
		seen = append(seen, string(config))
		return append(config, ' '), nil
	}
	if _, _, err := e.judgeStored(t.Context(), id, platform(t, "linux/amd64/v2"), renames, func(Event) {}); err != nil || !slices.Equal(seen, []string{smallConfig}) {
		t.Errorf("%v, the hook saw %q", err, seen)
	}
	e, id, answers, requests := builtImage(t)
	e.info.Name = podman
	answers["GET /images/"+id+"/json"] = strings.Replace(answers["GET /images/"+id+"/json"], `"Os":"linux"`, `"Os":"linux","Architecture":"arm64"`, 1)
	same := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) { return config, nil }
	if _, _, err := e.judgeStored(t.Context(), id, platform(t, "linux/arm64"), same, func(Event) {}); err != nil || slices.Contains(requests(), "GET /images/get") {
		t.Errorf("%v, the right label was asked for again: %q", err, requests())
	}
}

// A hook that changes nothing needs no proof, and reads no stream.
func TestHookThatChangesNothingIsAskedOnce(t *testing.T) {
	e, id, _, requests := builtImage(t)
	calls := 0
	same := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) { calls++; return config, nil }
	if _, _, err := e.judgeStored(t.Context(), id, ocispec.Platform{}, same, func(Event) {}); err != nil || calls != 1 || slices.Contains(requests(), "GET /images/get") {
		t.Errorf("%v, %d calls, asked for %q", err, calls, requests())
	}
}

// A label that is called right on Podman is the one in the engine's own bytes,
// where a key may stand twice.
func TestSetArchShowsPodmansBytes(t *testing.T) {
	e, id, answers, _ := builtImage(t)
	e.info.Name = podman
	answers["GET /images/docker.io/library/app:1/json"] = `{"Id":"` + id + `","RepoTags":["docker.io/library/app:1"]}`
	var seen []string
	same := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) {
		seen = append(seen, string(config))
		return config, nil
	}
	if done, err := e.SetArch(t.Context(), "app:1", same, false, nil); err != nil || done.Changed || !slices.Equal(seen, []string{smallConfig}) {
		t.Errorf("%+v, %v, the hook saw %q", done, err, seen)
	}
}

// What is wrong with an image is told with the tag that it was asked for by.
func TestSetArchNamesTheImage(t *testing.T) {
	e, id, answers, _ := builtImage(t)
	answers["GET /images/app:1/json"] = `{"Id":"` + id + `","RepoTags":["app:1"]}`
	answers["GET /images/"+id+"/json"] = `{"Id":"` + id + `","Config":{"Labels":{"x":"` + strings.Repeat("x", maxConfig) + `"}}}`
	if _, err := e.SetArch(t.Context(), "app:1", nil, true, nil); !errors.Is(err, ErrConfig) || !strings.HasPrefix(err.Error(), "app:1: ") {
		t.Errorf("got %v", err)
	}
}

// What is said of an image that is gone meanwhile, because somebody else gave it another label, is nobody's business: it is looked for again.
func TestSetArchFollowsTheTag(t *testing.T) {
	e, id, answers, _ := builtImage(t)
	const gone = "sha256:0123456789abcdef"
	answers["GET /images/app:1/json"] = `{"Id":"` + gone + `","RepoTags":["app:1"]}` + then + `{"Id":"` + id + `","RepoTags":["app:1"]}`
	answers["GET /images/"+gone+"/json"] = strings.ReplaceAll(answers["GET /images/"+id+"/json"], id, gone)
	same := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) { return config, nil }
	if done, err := e.SetArch(t.Context(), "app:1", same, false, nil); err != nil || done.ID != id {
		t.Errorf("%+v, %v", done, err)
	}
}

// The check of somebody else holds the old image for a while; what else stands on it is not waited for.
func TestOldImageGoesWithTheLastCheck(t *testing.T) {
	const id = "sha256:old"
	for name, test := range map[string]struct {
		removal, boxes string
		fails          bool
		asked          int
	}{
		"nobody has it":      {removal: "[]", asked: 1},
		"a check has it":     {removal: inUse + then + inUse + then + "[]", boxes: `[{"ImageID":"` + id + `"}]`, asked: 3},
		"a container has it": {removal: inUse, boxes: `[{"ImageID":"sha256:other"}]`, fails: true, asked: 2},
		"a check had it":     {removal: inUse + then + "[]", boxes: "[]", asked: 2},
	} {
		e, requests := apiDouble(t, map[string]string{
			"GET /images/" + id + "/json": `{"Id":"` + id + `"}`, "DELETE /images/" + id: test.removal,
			"GET /containers/json": test.boxes, "POST /containers/prune": "{}",
		})
		err := e.removeOld(t.Context(), id)
		asked := 0
		for _, request := range requests() {
			if request == "DELETE /images/"+id {
				asked++
			}
		}
		if (err != nil) != test.fails || asked != test.asked {
			t.Errorf("%s: %v, asked for %q", name, err, requests())
		}
	}
}

// An image that is in several repositories is known by a digest in each. Only a graph driver wants these gone first.
func TestOldImageOfSeveralRepositoriesGoes(t *testing.T) {
	const id, digests = "sha256:old", `"a.lan/x@sha256:1","b.lan/x@sha256:1","c.lan/x@sha256:1"`
	for name, want := range map[string]int{docker + StoreGraph: 3, docker + StoreContainerd: 1, podman + StoreGraph: 1} {
		e, requests := apiDouble(t, map[string]string{
			"GET /images/" + id + "/json": `{"Id":"` + id + `","RepoDigests":[` + digests + `]}`, "DELETE /images/" + id: "[]",
			"DELETE /images/b.lan/x@sha256:1": "[]", "DELETE /images/c.lan/x@sha256:1": "[]",
		})
		e.info.Name, e.info.Store = name[:6], name[6:]
		if err := e.removeOld(t.Context(), id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		asked := slices.DeleteFunc(requests(), func(request string) bool { return !strings.HasPrefix(request, "DELETE ") })
		if len(asked) != want || asked[len(asked)-1] != "DELETE /images/"+id {
			t.Errorf("%s: asked for %q", name, asked)
		}
	}
}

// What a containerd store calls an image that was loaded without a name ends with
// a new tag; one that somebody else has given already is none. An image that is
// gone meanwhile is listed nowhere.
func TestLoadedImageIsListedOnce(t *testing.T) {
	const (
		id     = "sha256:0123456789abcdef"
		ending = "DELETE /images/localhost/manymage/loaded:0123456789ab"
	)
	answers := map[string]string{"POST /images/" + id + "/tag": "", ending: "[]"}
	e, requests := apiDouble(t, answers)
	var told []string
	tell := func(e Event) { told = append(told, e.(Notice).Text) }
	for _, store := range []string{StoreGraph, StoreContainerd} {
		e.info.Store = store
		e.settleName(t.Context(), id, tell)
		if ended := slices.Contains(requests(), ending); ended != (store == StoreContainerd) {
			t.Errorf("%s: asked for %q", store, requests())
		}
	}
	delete(answers, "POST /images/"+id+"/tag")
	e.settleName(t.Context(), id, tell)
	if len(told) > 0 {
		t.Errorf("told %q", told)
	}
	answers["POST /images/"+id+"/tag"], answers[ending] = "", "no JSON"
	e.settleName(t.Context(), id, tell)
	if len(told) != 1 || !strings.HasPrefix(told[0], "the image is listed twice: ") {
		t.Errorf("told %q", told)
	}
}

// A graph driver keeps its own system's images alone. That is found out before it
// is asked to, so that a dry run tells it, too.
func TestAnotherSystemIsNotPromised(t *testing.T) {
	windows := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) {
		return bytes.Replace(config, []byte("linux"), []byte("windows"), 1), nil
	}
	const want = "app:1: the engine does not take this image: it keeps images for linux alone, and this would be one for windows; push the image and repair its label in the registry"
	for _, dryRun := range []bool{true, false} {
		e, id, answers, requests := builtImage(t)
		answers["GET /images/app:1/json"] = `{"Id":"` + id + `","RepoTags":["app:1"]}`
		if _, err := e.SetArch(t.Context(), "app:1", windows, dryRun, nil); !errors.Is(err, ErrThin) || err.Error() != want {
			t.Errorf("dry run %t: %v", dryRun, err)
		}
		if slices.Contains(requests(), "POST /images/load") {
			t.Errorf("asked for %q", requests())
		}
	}
	image, err := thinOf([]byte(strings.Replace(smallConfig, "linux", "freebsd", 1)))
	if err != nil {
		t.Fatal(err)
	}
	e, requests := apiDouble(t, nil)
	e.info.Store = StoreGraph
	if _, err := e.loadThin(t.Context(), image); !errors.Is(err, ErrThin) || len(requests()) > 0 {
		t.Errorf("%v, asked for %q", err, requests())
	}
}

// A refused image goes, and the container in any case.
func TestRefusedImageIsNotKept(t *testing.T) {
	refusal := errors.New("a lie")
	refuses := func(context.Context, []byte, fs.FS) ([]byte, error) { return nil, refusal }
	e, id, _, requests := builtImage(t)
	if _, err := e.settle(t.Context(), id, Solve{Tags: []string{"app:1"}}, refuses, func(Event) {}); !errors.Is(err, refusal) {
		t.Errorf("%v", err)
	}
	asked := requests()
	if !slices.Contains(asked, "DELETE /containers/box") || !slices.Contains(asked, "DELETE /images/"+id) || slices.Contains(asked, "POST /images/"+id+"/tag") {
		t.Errorf("asked for %q", asked)
	}

	e, id, answers, requests := builtImage(t)
	delete(answers, "GET /containers/box/export")
	if _, err := e.settle(t.Context(), id, Solve{}, refuses, func(Event) {}); err == nil || !slices.Contains(requests(), "DELETE /containers/box") {
		t.Errorf("a root that cannot be read: %v, asked for %q", err, requests())
	}

	e, id, _, requests = builtImage(t)
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	if _, err := e.keep(interrupted, stored{id: id, thin: thin{config: []byte(smallConfig)}}, []byte(smallConfig+" "), nil, func(Event) {}); !errors.Is(err, context.Canceled) || !slices.Contains(requests(), "DELETE /images/"+id) {
		t.Errorf("an interrupted relabelling: %v, asked for %q", err, requests())
	}

	for _, change := range []string{"", " "} { // of the config, which makes a second image
		e, id, answers, requests := builtImage(t)
		changed := digest.FromString(smallConfig + change).String()
		answers["POST /images/load"], answers["GET /images/"+changed+"/json"], answers["DELETE /images/"+changed] = "", `{"Id":"`+changed+`"}`, "[]"
		before := stored{id: id, config: []byte(smallConfig), thin: thin{config: []byte(smallConfig)}}
		if _, err := e.keep(t.Context(), before, []byte(smallConfig+change), []string{"app:1"}, func(Event) {}); err == nil ||
			!slices.Contains(requests(), "DELETE /images/"+id) || !slices.Contains(requests(), "DELETE /images/"+changed) {
			t.Errorf("a tag that cannot be given: %v, asked for %q", err, requests())
		}
	}

	e, id, answers, _ = builtImage(t)
	answers["DELETE /containers/box"] = inUse
	var told []string
	_, err := e.settle(t.Context(), id, Solve{}, refuses, func(e Event) { told = append(told, e.(Notice).Text) })
	if !errors.Is(err, refusal) || len(told) != 1 || !strings.HasPrefix(told[0], "remove the container box: ") {
		t.Errorf("a container that stays: %v, told %q", err, told)
	}
	answers["DELETE /containers/box"], told = absent, nil // pruned by another run, as one that waits for hours is
	if _, err := e.settle(t.Context(), id, Solve{}, refuses, func(e Event) { told = append(told, e.(Notice).Text) }); !errors.Is(err, refusal) || len(told) > 0 {
		t.Errorf("a container that is gone: %v, told %q", err, told)
	}
}

// Podman cannot look at an image while another goes: it is asked twice. What others stand on stays, and nothing is said of it.
func TestUnwantedImageIsRemoved(t *testing.T) {
	const id, remove = "sha256:unwanted", "DELETE /images/sha256:unwanted"
	const here, broken = `{"Id":"` + id + `"}`, "no JSON"
	for name, test := range map[string]struct {
		looks, removal string
		removals       int
		told           bool
	}{
		"at once":              {here, "[]", 1, false},
		"while another goes":   {broken + then + here, "[]", 1, false},
		"while others go":      {broken, "[]", 0, true},
		"others stand on it":   {here, inUse, 1, false},
		"... and another goes": {broken + then + here, inUse, 1, false},
		"it is gone":           {absent, "[]", 0, false},
		"it has a name":        {`{"Id":"` + id + `","RepoTags":["app:1"]}`, "[]", 0, false},
	} {
		e, requests := apiDouble(t, map[string]string{"GET /images/" + id + "/json": test.looks, remove: test.removal})
		told := 0
		e.discard(t.Context(), id, func(Event) { told++ })
		removals := 0
		for _, request := range requests() {
			if request == remove {
				removals++
			}
		}
		if removals != test.removals || (told > 0) != test.told {
			t.Errorf("%s: told %d times, asked for %q", name, told, requests())
		}
	}
}

// A reference is one tag's name: no ID, and no name that two images have.
func TestNamesOfOneImage(t *testing.T) {
	e, _ := apiDouble(t, map[string]string{
		"GET /images/docker.io/library/app:1/json": `{"Id":"sha256:a","RepoTags":["docker.io/library/app:1"]}`,
		"GET /images/localhost/app:1/json":         `{"Id":"sha256:b","RepoTags":["localhost/app:1"]}`,
		"GET /images/localhost/own:1/json":         `{"Id":"sha256:c","RepoTags":["localhost/own:1"]}`,
		"GET /images/0123abcd/json":                `{"Id":"sha256:0123abcd","RepoTags":["other:1"]}`,
	})
	e.info.Name = podman
	wholeID := strings.Repeat("0123abcd", 8)
	for ref, want := range map[string]error{"app:1": ErrReference, "0123abcd": ErrReference, wholeID: ErrReference, "none:1": ErrNotFound, "own:1": nil} {
		name, image, err := e.named(t.Context(), ref)
		if !errors.Is(err, want) || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", ref, err)
		}
		if want == nil && (name != "localhost/own:1" || image.ID != "sha256:c") {
			t.Errorf("%s is %s, %s", ref, name, image.ID)
		}
		if ref == wholeID && !strings.Contains(err.Error(), "is an image's ID, which a new label changes; give a tag") {
			t.Errorf("%s: %v", ref, err)
		}
		if ref == "app:1" && (err == nil || !strings.Contains(err.Error(), `"app:1" is both docker.io/library/app:1 and localhost/app:1; give the whole name`)) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}
