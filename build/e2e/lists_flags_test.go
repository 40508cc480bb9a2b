package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// published is a list as it lies in the registry.
type published struct {
	MediaType   string
	Annotations map[string]string
	Manifests   []struct {
		Digest      string
		Annotations map[string]string
		Platform    map[string]any
	}
}

func (at listScene) list(t *testing.T, tag string) published {
	t.Helper()
	var p published
	decode(t, at.Raw(t, at.repo+":"+tag), &p)
	return p
}

// Every flag of the targets that publish does what its name says.
func TestListsFlags(t *testing.T) {
	at := newListScene(t, Plain(t))
	r := at.repo
	both := r + ":amd64-1," + r + ":arm64-1"
	run := func(args ...string) Result { t.Helper(); return Run(t, at.dir, nil, args...).Exits(t, 0) }

	run("manifest:create", r+":1", both, "-annotations=one=1,two=2, and 3", "-media-type=oci", "-tags=a b")
	one := at.list(t, "1")
	if one.MediaType != ociIndex || one.Annotations["one"] != "1" || one.Annotations["two"] != "2, and 3" {
		t.Errorf("%+v", one)
	}
	for _, tag := range []string{"a", "b"} {
		if at.digest(t, tag) != at.digest(t, "1") {
			t.Errorf("%s is another list", tag)
		}
	}
	run("manifest:create", r+":2", both, "-media-type=docker")
	if got := at.list(t, "2").MediaType; got != "application/vnd.docker.distribution.manifest.list.v2+json" {
		t.Error(got)
	}
	run("manifest:create", r+":2.1.0", both, "-tags={major}.{minor}")
	run("manifest:create", r+":2.1.0-rc.1", r+":amd64-1", "-tags={major}.{minor}").Says(t, "no tag {major}.{minor}: the tag 2.1.0-rc.1 is no release")
	if at.digest(t, "2.1") != at.digest(t, "2.1.0") {
		t.Error("2.1 is another list than 2.1.0")
	}
	run("manifest:create", r+":3", both+","+r+":none", "-ignore-missing").Says(t, r+":none is not there and was left out")
	run("manifest:create", r+":4", "linux/s390x="+r+":amd64-1", "-force-platform").Says(t, "forced:")
	publishes("4", "linux/s390x")(t, at, run("manifest:annotate", r+":4", "linux/s390x", "-annotations=x=y"))

	run("manifest:annotate", r+":1", "linux/arm64", "-os-version=6.1", "-os-features=x,y", "-annotations=of=arm64")
	run("manifest:annotate", r+":1", "index", "-annotations=one=,three=3")
	one = at.list(t, "1")
	arm := one.Manifests[1]
	if arm.Platform["os.version"] != "6.1" || !slices.Equal(arm.Platform["os.features"].([]any), []any{"x", "y"}) || arm.Annotations["of"] != "arm64" {
		t.Errorf("%+v", arm)
	}
	if _, there := one.Annotations["one"]; there || one.Annotations["three"] != "3" {
		t.Errorf("%v", one.Annotations)
	}
	publishes("4", "plan9/arm/v6")(t, at, run("manifest:annotate", r+":4", "linux/s390x", "-os=plan9", "-arch=arm", "-variant=v6", "-force-platform"))
	at.tag(t, "new", image{os: "linux", arch: "amd64", config: map[string]any{"User": "1"}})
	run("manifest:add", r+":1", r+":new", "-replace")
	if was, is := one.Manifests[0].Digest, at.list(t, "1").Manifests[0].Digest; was == is {
		t.Error("the image was not replaced")
	}
	publishes("1", "linux/arm64")(t, at, run("manifest:remove", r+":1", "linux/amd64"))
	run("manifest:copy", r+":2", r+":copy", "-platforms=linux/arm64")
	if got := at.Index(t, r+":copy").Platforms(); !slices.Equal(got, []string{"linux/arm64"}) {
		t.Error(got)
	}
}

// What is beside a list, and what is in it, is shown, taken along and removed only where that is asked for.
func TestListsFlagsOfWhatIsBeside(t *testing.T) {
	at := newListScene(t, Plain(t))
	r, name, other := at.repo, strings.TrimPrefix(at.repo, at.Host+"/"), at.repo+"-b"
	run := func(args ...string) Result { t.Helper(); return Run(t, at.dir, nil, args...).Exits(t, 0) }
	run("manifest:create", r+":1", r+":amd64-1,"+r+":arm64-1")
	list, child := at.digest(t, "1"), at.Index(t, r+":1").Manifests[0].Digest
	beside := strings.Replace(list, ":", "-", 1) // the tag of a list's referrers
	sbom, err := at.publishImage(name, image{os: "linux", arch: "riscv64"})
	if err != nil {
		t.Fatal(err)
	}
	entry := map[string]any{"mediaType": sbom.MediaType, "digest": sbom.Digest, "size": sbom.Size, "artifactType": "application/x-sbom"}
	if _, err := at.putManifest(name, beside, ociIndex, map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": []any{entry}}); err != nil {
		t.Fatal(err)
	}
	run("inspect", r+":1").Hides(t, "application/x-sbom")
	run("inspect", r+":1", "-referrers").Says(t, "application/x-sbom")
	for _, flag := range []string{"-no-referrers", "-json"} {
		run("manifest:copy", r+":1", other+":1", flag)
		if at.Has(t, other+":"+beside) == (flag == "-no-referrers") {
			t.Errorf("%s: the referrers were copied, or were not", flag)
		}
	}
	run("manifest:ls", r).Says(t, "amd64-1", list[:len("sha256:")+12])
	run("manifest:ls", r, "-names").Says(t, "amd64-1").Hides(t, list[:len("sha256:")+12])
	run("manifest:rm", other+":1", "-manifest", "-children", "-yes")
	if at.Has(t, other+":1") || at.Has(t, other+"@"+child) || !at.Has(t, r+"@"+child) {
		t.Error("the list or its image is still there, or the other repository's is gone")
	}
}

// -json is one record on stdout, and nothing else is there.
func TestListsRecords(t *testing.T) {
	at := newListScene(t, Plain(t))
	r := at.repo
	for _, test := range []struct {
		has  string // a field of the record
		args []string
	}{
		{"published", []string{"manifest:create", r + ":1", r + ":amd64-1," + r + ":arm64-1"}},
		{"published", []string{"manifest:fromargs", "linux/amd64,linux/arm64", r + ":ARCH-1", r + ":2"}},
		{"published", []string{"manifest:fromspec", "spec.yaml"}},
		{"changes", []string{"manifest:add", r + ":1", r + ":armv7-1"}},
		{"changes", []string{"manifest:annotate", r + ":1", "linux/arm64", "-variant=v8"}},
		{"changes", []string{"manifest:remove", r + ":1", "linux/arm/v7"}},
		{"referrers", []string{"manifest:copy", r + ":1", r + ":3"}},
		{"digest", []string{"inspect", r + ":1"}},
		{"tags", []string{"manifest:ls", r}},
		{"a", []string{"manifest:diff", r + ":1", r + ":2"}},
		{"config", []string{"fetch", r + ":1", "linux/amd64", "app.tar"}},
		{"runs", []string{"why", r + ":1", "-platform=linux/amd64"}},
		{"delete", []string{"manifest:rm", r + ":2", "-manifest", "-yes"}},
	} {
		got := Run(t, at.dir, nil, append(test.args, "-json")...).Exits(t, 0)
		var record map[string]json.RawMessage
		if err := json.Unmarshal([]byte(got.Stdout), &record); err != nil {
			t.Errorf("%v: %v\n%s", test.args, err, got.Stdout)
		} else if record[test.has] == nil {
			t.Errorf("%v has no %s: %s", test.args, test.has, got.Stdout)
		}
	}
}

// What inspect and fetch take: a platform as an engine would resolve it, a file, a folder, stdout.
func TestListsResolve(t *testing.T) {
	at := newListScene(t, Plain(t))
	r := at.repo
	Run(t, at.dir, nil, "manifest:create", r+":1", r+":amd64-1,"+r+":arm64-1").Exits(t, 0)
	arm := at.Index(t, r+":1").Manifests[1].Digest
	Run(t, at.dir, nil, "inspect", r+":1", "-platform=linux/arm64/v8").Exits(t, 0).
		Says(t, "resolved to an index with 2 entries: linux/amd64, linux/arm64", "looking for linux/arm64/v8", "found linux/arm64, digest "+arm)
	Run(t, at.dir, nil, "inspect", r+":1", "-platform=linux/s390x").Exits(t, 1).Says(t, "looking for linux/s390x", "found none")
	Run(t, at.dir, nil, "fetch", r+":1", "any", "app/").Exits(t, 0)
	if _, err := os.Stat(filepath.Join(at.dir, "app", "oci-layout")); err != nil {
		t.Error(err)
	}
	got := Run(t, at.dir, nil, "fetch", r+":1", "linux/arm64", "-").Exits(t, 0)
	if !strings.Contains(got.Stdout, "oci-layout") || strings.Contains(got.Stdout, "Digest: ") {
		t.Errorf("stdout is no tarball alone: %.100q", got.Stdout)
	}
}
