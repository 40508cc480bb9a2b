package engine

import (
	"context"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
)

// What stands for FROM scratch is shared by all builds and has a name: it stays,
// and says what it is.
func TestScratchHasAName(t *testing.T) {
	p := platform(t, "linux/arm/v7")
	config, err := scratchConfig(p)
	if err != nil {
		t.Fatal(err)
	}
	id := digest.FromBytes(config).String()
	e, requests := apiDouble(t, map[string]string{
		"POST /images/load":           "{}",
		"GET /images/" + id + "/json": `{"Id":"` + id + `"}`,
		"POST /images/" + id + "/tag": "",
	})
	b := newBases(e)
	for range 2 {
		if got, err := b.scratch(t.Context(), p); got != id || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
	b.end()
	if got, want := requests(), []string{"POST /images/load", "GET /images/" + id + "/json", "POST /images/" + id + "/tag"}; !slices.Equal(got, want) {
		t.Errorf("asked for %q", got)
	}
	if got := scratchName(p); got != "localhost/manymage/scratch:linux-arm-v7" {
		t.Errorf("it is called %s", got)
	}
}

// A base under another label is there for a build alone. What the engine's cache
// stands on it does not let go.
func TestAliasesGoWithTheBuild(t *testing.T) {
	const base = "sha256:base"
	answers := map[string]string{
		"GET /images/" + base + "/json":    `{"Id":"` + base + `","Architecture":"amd64","Os":"linux","RootFS":{"Type":"layers"}}`,
		"GET /images/" + base + "/history": "[]",
		"POST /images/load":                "{}",
	}
	e, requests := apiDouble(t, answers)
	config, err := e.relabelled(t.Context(), base, platform(t, "linux/arm64"))
	if err != nil {
		t.Fatal(err)
	}
	id := digest.FromBytes(config).String()
	answers["GET /images/"+id+"/json"] = `{"Id":"` + id + `"}`
	answers["DELETE /images/"+id] = "[]"

	ctx, interrupt := context.WithCancel(t.Context())
	b := &classicBuilder{engine: e, bases: newBases(e)}
	for range 2 {
		if got, err := b.bases.alias(ctx, base, platform(t, "linux/arm64")); got != id || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
	if slices.Contains(requests(), "DELETE /images/"+id) {
		t.Error("it went before the build did")
	}
	interrupt()
	if err := b.Close(); err != nil || !slices.Contains(requests(), "DELETE /images/"+id) {
		t.Errorf("%v, asked for %q", err, requests())
	}
}
