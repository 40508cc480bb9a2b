package index

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var platforms386 = ocispec.Platform{OS: "linux", Architecture: "386"}

func TestNewChoosesTheMediaType(t *testing.T) {
	for name, c := range map[string]struct {
		entries []Entry
		opts    Options
		want    string
		note    string
	}{
		"Docker images":                       {[]Entry{docker("linux/amd64"), docker("linux/arm64")}, Options{}, DockerList, ""},
		"OCI images":                          {[]Entry{oci("linux/amd64"), oci("linux/arm64")}, Options{}, OCIIndex, ""},
		"both":                                {[]Entry{docker("linux/amd64"), oci("linux/arm64")}, Options{}, OCIIndex, "1 Docker and 1 OCI images"},
		"Docker images with annotations":      {[]Entry{docker("linux/amd64")}, Options{Annotations: map[string]string{"a": "b"}}, OCIIndex, "because the list has annotations"},
		"Docker images with attestations":     {[]Entry{docker("linux/amd64").attested()}, Options{}, OCIIndex, "annotations or an artifact type"},
		"OCI asked for":                       {[]Entry{docker("linux/amd64")}, Options{MediaType: OCIIndex}, OCIIndex, ""},
		"Docker asked for over OCI":           {[]Entry{oci("linux/amd64")}, Options{MediaType: DockerList}, DockerList, "as asked for"},
		"OCI asked for over OCI":              {[]Entry{oci("linux/amd64")}, Options{MediaType: OCIIndex}, OCIIndex, ""},
		"Docker asked for over Docker":        {[]Entry{docker("linux/amd64")}, Options{MediaType: DockerList}, DockerList, ""},
		"attestations of images elsewhere":    {[]Entry{oci("linux/amd64"), oci("", "a").attested().Attestations[0], oci("", "b").attested().Attestations[0]}, Options{}, OCIIndex, ""},
		"an attestation without platform":     {[]Entry{placed(ocispec.Platform{}).with(RefType, "attestation-manifest").with(RefDigest, "x")}, Options{}, OCIIndex, ""},
		"an index of one":                     {[]Entry{oci("linux/amd64")}, Options{}, OCIIndex, ""},
		"the same platform, other os.version": {[]Entry{docker("", "a").windows("10.0.1"), docker("", "b").windows("10.0.2")}, Options{}, DockerList, ""},
	} {
		ix, notes, err := New(c.entries, c.opts)
		if err != nil || ix.MediaType != c.want {
			t.Errorf("%s: %s, %v; want %s", name, ix.MediaType, err, c.want)
		}
		if said := strings.Join(notes, ";"); (c.note == "") != (said == "") || !strings.Contains(said, c.note) {
			t.Errorf("%s: said %q, want %q", name, said, c.note)
		}
		if got, want := len(ix.Flatten()), len(flatten(c.entries)); got != want {
			t.Errorf("%s: %d manifests, want %d", name, got, want)
		}
		if _, _, err := ix.Marshal(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	inner := oci("linux/amd64")
	inner.MediaType = OCIIndex
	old := docker("linux/amd64")
	old.MediaType = DockerSigned1
	empty := oci("linux/amd64")
	empty.Size = 0
	for name, c := range map[string]struct {
		entries []Entry
		opts    Options
		want    error
		says    string
	}{
		"one platform twice":            {[]Entry{oci("linux/arm64", "a").from("me/app:arm64"), oci("linux/arm64/v8", "b").from("me/app:v8")}, Options{}, ErrDuplicate, "two images for linux/arm64: me/app:arm64 and me/app:v8"},
		"the same image twice":          {[]Entry{oci("linux/arm64"), oci("linux/arm64")}, Options{}, ErrDuplicate, ": linux/arm64 sha256:"},
		"two of one list":               {[]Entry{oci("linux/arm64", "a").from("linux/arm64 of me/app:1"), oci("linux/arm64", "b").from("linux/arm64 of me/app:1")}, Options{}, ErrDuplicate, "me/app:1 (" + oci("", "a").Digest.String() + ") and linux/arm64 of me/app:1 (" + oci("", "b").Digest.String() + ")"},
		"no platform":                   {[]Entry{oci("", "x").from("me/app:x")}, Options{}, ErrInvalid, "me/app:x: it has no platform"},
		"half a platform":               {[]Entry{placed(ocispec.Platform{OS: "linux"})}, Options{}, ErrInvalid, "no operating system or no architecture"},
		"its other half":                {[]Entry{placed(ocispec.Platform{Architecture: "arm64"})}, Options{}, ErrInvalid, "no operating system or no architecture"},
		"no size":                       {[]Entry{empty}, Options{}, ErrInvalid, "size 0"},
		"an index":                      {[]Entry{inner}, Options{}, ErrInvalid, "index inside an index"},
		"schema 1":                      {[]Entry{old}, Options{}, ErrInvalid, "schema 1"},
		"annotations with Docker asked": {[]Entry{docker("linux/amd64")}, Options{MediaType: DockerList, Annotations: map[string]string{"a": "b"}}, ErrAnnotations, "use the OCI"},
		"a type with Docker asked":      {[]Entry{docker("linux/amd64")}, Options{MediaType: DockerList, ArtifactType: "a/b"}, ErrAnnotations, "an artifact type or a subject"},
		"a subject with Docker asked":   {[]Entry{docker("linux/amd64")}, Options{MediaType: DockerList, Subject: &inner}, ErrAnnotations, "an artifact type or a subject"},
		"a media type unheard of":       {[]Entry{oci("linux/amd64")}, Options{MediaType: "text/plain"}, ErrNotIndex, "text/plain"},
	} {
		_, _, err := New(c.entries, c.opts)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.says)
		}
	}
}

// placed is an image whose platform is written as it stands.
func placed(p ocispec.Platform) Entry {
	e := oci("", "placed")
	e.Platform = &p
	return e
}

func TestAdd(t *testing.T) {
	base := listOf(oci("linux/amd64").attested(), oci("linux/arm64"))
	for name, c := range map[string]struct {
		replace bool
		add     []Entry
		want    Index
		err     error
	}{
		"a new platform goes behind":        {false, []Entry{oci("linux/arm/v7")}, listOf(oci("linux/amd64").attested(), oci("linux/arm64"), oci("linux/arm/v7")), nil},
		"a known platform is refused":       {false, []Entry{oci("linux/amd64", "new")}, Index{}, ErrDuplicate},
		"and replaced in place when wanted": {true, []Entry{oci("linux/amd64", "new")}, listOf(oci("linux/amd64", "new"), oci("linux/arm64")), nil},
		"the same image changes nothing":    {false, []Entry{oci("linux/amd64")}, base, nil},
		"its attestation is added":          {false, []Entry{oci("linux/arm64").attested()}, listOf(oci("linux/amd64").attested(), oci("linux/arm64").attested()), nil},
		"and not twice":                     {false, []Entry{oci("linux/amd64").attested()}, base, nil},
		"a second one stands beside it":     {false, []Entry{oci("linux/amd64").attested().attested()}, listOf(oci("linux/amd64").attested().attested(), oci("linux/arm64")), nil},
		"its annotations are added":         {false, []Entry{oci("linux/arm64").with("k", "v")}, listOf(oci("linux/amd64").attested(), oci("linux/arm64").with("k", "v")), nil},
		"something without platform":        {false, []Entry{oci("", "x")}, Index{}, ErrInvalid},
		"what needs no platform":            {false, []Entry{artifact("x"), artifact("y"), oci("linux/arm/v7")}, listOf(append(base.Entries, artifact("x"), artifact("y"), oci("linux/arm/v7"))...), nil},
	} {
		got, err := Add(base, c.replace, c.add...)
		if !errors.Is(err, c.err) || err == nil && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAddKeepsTheOldAnnotation(t *testing.T) {
	old := oci("linux/amd64").with("k", "old")
	for _, c := range []struct{ again, want Entry }{
		{oci("linux/amd64").with("k", "new").with("l", "new"), old.with("l", "new")},
		{oci("linux/amd64"), old},
	} {
		if got, err := Add(listOf(old), false, c.again); err != nil || !sameIndex(got, listOf(c.want)) {
			t.Errorf("%v %+v", err, got)
		}
	}
}

// artifact is an entry that is no image.
func artifact(name string) Entry {
	e := oci("", name)
	e.MediaType = "application/vnd.example"
	return e
}

func TestRemove(t *testing.T) {
	base := listOf(oci("linux/amd64").attested(), oci("linux/arm64"), oci("linux/arm/v7"))
	arm64, s390x := platform(t, "linux/arm64/v8"), platform(t, "linux/s390x")
	for name, c := range map[string]struct {
		targets []Target
		want    Index
		err     error
	}{
		"a platform":                    {[]Target{{Platform: &arm64}}, listOf(oci("linux/amd64").attested(), oci("linux/arm/v7")), nil},
		"the same twice":                {[]Target{{Platform: &arm64}, {Platform: &arm64}}, listOf(oci("linux/amd64").attested(), oci("linux/arm/v7")), nil},
		"a digest, attestations with":   {[]Target{{Digest: base.Entries[0].Digest}}, listOf(oci("linux/arm64"), oci("linux/arm/v7")), nil},
		"an attestation":                {[]Target{{Digest: base.Entries[0].Attestations[0].Digest}}, listOf(oci("linux/amd64"), oci("linux/arm64"), oci("linux/arm/v7")), nil},
		"a platform that is not there":  {[]Target{{Platform: &s390x}}, Index{}, ErrNotFound},
		"one that is there, one is not": {[]Target{{Platform: &arm64}, {Platform: &s390x}}, Index{}, ErrNotFound},
	} {
		got, err := Remove(base, c.targets...)
		if !errors.Is(err, c.err) || err == nil && !sameIndex(got, c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := Remove(base, Target{}); err == nil || !strings.Contains(err.Error(), "give a platform or a digest") {
		t.Errorf("removing nothing: %v", err)
	}
	gone := artifact("gone").Digest
	for what, target := range map[string]Target{"linux/s390x": {Platform: &s390x}, gone.String(): {Digest: gone}} {
		_, err := Remove(base, target)
		if err == nil || !strings.Contains(err.Error(), what+" is not in the index; it has linux/amd64, linux/arm64, linux/arm/v7") {
			t.Errorf("removing what is not there: %v", err)
		}
	}
}

func sameIndex(a, b Index) bool {
	x, _, err1 := a.Marshal()
	y, _, err2 := b.Marshal()
	return err1 == nil && err2 == nil && string(x) == string(y)
}

func TestAnnotate(t *testing.T) {
	base := dockerList(docker("linux/amd64"), docker("linux/arm"))
	arm := platform(t, "linux/arm/v7")
	v6, amd64, empty, freebsd, windows, version := "v6", "amd64", "", "freebsd", "windows", "10.0.1"
	onWindows := docker("", "linux/arm")
	onWindows.Platform = &ocispec.Platform{OS: "windows", Architecture: "arm", Variant: arm.Variant, OSVersion: "10.0.1", OSFeatures: []string{"win32k"}}
	for name, c := range map[string]struct {
		target Target
		change Change
		want   Index
		note   string
		err    error
	}{
		"a variant":                   {Target{Platform: &arm}, Change{Variant: &v6}, dockerList(docker("linux/amd64"), docker("linux/arm/v6", "linux/arm")), "", nil},
		"os.features":                 {Target{Digest: docker("linux/amd64").Digest}, Change{OSVersion: &empty, OSFeatures: []string{}}, base, "", nil},
		"an index annotation":         {Target{}, Change{Annotations: map[string]string{"a": "b"}}, listOf(docker("linux/amd64"), docker("linux/arm")).with("a", "b"), "an OCI index is written", nil},
		"of one entry":                {Target{Platform: &arm}, Change{Annotations: map[string]string{"a": "b"}}, listOf(docker("linux/amd64"), docker("linux/arm").with("a", "b")), "an OCI index is written", nil},
		"one taken away":              {Target{}, Change{Annotations: map[string]string{"a": ""}}, base, "", nil},
		"the system":                  {Target{Platform: &arm}, Change{OS: &freebsd}, dockerList(docker("linux/amd64"), docker("freebsd/arm/v7", "linux/arm")), "", nil},
		"version and features":        {Target{Platform: &arm}, Change{OS: &windows, OSVersion: &version, OSFeatures: []string{"win32k"}}, dockerList(docker("linux/amd64"), onWindows), "", nil},
		"a platform that another has": {Target{Platform: &arm}, Change{Architecture: &amd64, Variant: &empty}, Index{}, "", ErrDuplicate},
		"an entry that is not there":  {Target{Platform: &platforms386}, Change{Variant: &v6}, Index{}, "", ErrNotFound},
	} {
		got, notes, err := Annotate(base, c.target, c.change)
		if !errors.Is(err, c.err) || err == nil && !sameIndex(got, c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if said := strings.Join(notes, ";"); (said == "") != (c.note == "") || !strings.Contains(said, c.note) {
			t.Errorf("%s: said %q", name, said)
		}
	}
	for _, c := range []Change{{OS: &amd64}, {Architecture: &amd64}, {Variant: &v6}, {OSVersion: &version}, {OSFeatures: []string{"a"}}} {
		if _, _, err := Annotate(base, Target{}, c); err == nil {
			t.Errorf("an index took %+v", c)
		}
	}
	if _, notes, err := Annotate(listOf(docker("linux/amd64")), Target{}, Change{Annotations: map[string]string{"k": "v"}}); err != nil || notes != nil {
		t.Errorf("an OCI index is no news: %v %q", err, notes)
	}
	annotated := listOf(oci("linux/amd64"), artifact("x")).with("a", "b").with("c", "d")
	got, _, err := Annotate(annotated, Target{}, Change{Annotations: map[string]string{"a": ""}})
	if err != nil || !sameIndex(got, listOf(oci("linux/amd64"), artifact("x")).with("c", "d")) {
		t.Errorf("an annotation is still there: %v %+v", err, got)
	}
	got, _, err = Annotate(annotated, Target{Digest: artifact("x").Digest}, Change{Annotations: map[string]string{"k": "v"}})
	if err != nil || got.Entries[1].Platform != nil {
		t.Errorf("an artifact got a platform: %v %+v", err, got.Entries[1].Platform)
	}
	if got := names(base.Platforms()); got != "linux/amd64, linux/arm/v7" || base.Annotations != nil {
		t.Errorf("the index given was changed: %s", got)
	}
}

// A list that somebody else has published is mended entry by entry, and what is wrong with one keeps nobody from another.
func TestAnnotateInABrokenList(t *testing.T) {
	linux, amd64, half := "linux", "amd64", oci("", "sbom")
	half.Platform = &ocispec.Platform{OS: "linux"} // as oras attach makes them
	given := listOf(oci("", "a"), oci("", "b"), half, oci("linux/386"), oci("linux/386", "again"))
	for name, c := range map[string]struct {
		target Target
		change Change
		err    error
	}{
		"a platform for one of two":  {Target{Digest: oci("", "a").Digest}, Change{OS: &linux, Architecture: &amd64}, nil},
		"half a platform":            {Target{Digest: oci("", "a").Digest}, Change{OS: &linux}, ErrInvalid},
		"an annotation of it":        {Target{Digest: half.Digest}, Change{Annotations: map[string]string{"k": "v"}}, nil},
		"an annotation of a twin":    {Target{Digest: oci("linux/386").Digest}, Change{Annotations: map[string]string{"k": "v"}}, nil},
		"a twin to another platform": {Target{Digest: oci("", "again").Digest}, Change{Architecture: &amd64}, nil},
		"a triplet":                  {Target{Digest: oci("", "b").Digest}, Change{OS: &linux, Architecture: &platforms386.Architecture}, ErrDuplicate},
	} {
		if _, _, err := Annotate(given, c.target, c.change); !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is not named stays, and an image that has no platform yet gets one.
func TestAnnotateThePlatformInPart(t *testing.T) {
	freebsd, amd64, version := "freebsd", "amd64", "10.0.2"
	for name, c := range map[string]struct {
		entry  Entry
		change Change
		want   Entry
	}{
		"features stay": {oci("", "x").windows("10.0.1", "win32k"), Change{OSVersion: &version}, oci("", "x").windows(version, "win32k")},
		"a first one":   {oci("", "x"), Change{OS: &freebsd, Architecture: &amd64}, oci("freebsd/amd64", "x")},
	} {
		got, _, err := Annotate(listOf(c.entry), Target{Digest: c.entry.Digest}, c.change)
		if err != nil || !sameIndex(got, listOf(c.want)) {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
}

// An index is a value: what an edit gives back shares nothing that a later edit writes to.
func TestEditsChangeNothingGiven(t *testing.T) {
	features := Entry{Descriptor: oci("", "w").Descriptor}.windows("10.0.1", "a")
	base := listOf(oci("linux/amd64").attested().with("k", "v"), features).with("k", "v")
	before, _, err := base.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Add(base, false, oci("linux/arm64"))
	if err != nil {
		t.Fatal(err)
	}
	got.Annotations["k"], got.Entries[0].Annotations["k"] = "x", "x"
	got.Entries[0].Attestations[0] = Entry{}
	got.Entries[0].Platform.OS, got.Entries[1].Platform.OSFeatures[0] = "x", "x"
	if after, _, err := base.Marshal(); err != nil || string(after) != string(before) {
		t.Errorf("%v\n%s\nwas\n%s", err, after, before)
	}
}
