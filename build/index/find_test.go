package index

import (
	"errors"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Which entry an engine takes. The right column is what containerd's matcher decides.
func TestFind(t *testing.T) {
	for _, c := range []struct{ have, want, found string }{
		{"linux/amd64 linux/arm64", "linux/arm64", "linux/arm64 exact"},
		{"linux/amd64 linux/arm64/v8", "linux/arm64", "linux/arm64 exact"},
		{"linux/amd64 linux/arm64", "linux/arm64/v8", "linux/arm64 exact"},
		{"linux/arm/v5 linux/arm/v6 linux/arm/v7", "linux/arm/v7", "linux/arm/v7 exact"},
		{"linux/arm/v5 linux/arm/v6", "linux/arm/v7", "linux/arm/v6"},
		{"linux/arm/v5", "linux/arm/v7", "linux/arm/v5"},
		{"linux/arm/v7", "linux/arm/v6", ""},
		{"linux/arm/v7", "linux/arm", "linux/arm/v7 exact"},
		{"linux/arm/v6 linux/arm/v7", "linux/arm64", "linux/arm/v7"},
		{"linux/arm/v7 linux/arm64", "linux/arm64", "linux/arm64 exact"},
		{"linux/386", "linux/amd64", "linux/386"},
		{"linux/386 linux/amd64", "linux/amd64", "linux/amd64 exact"},
		{"linux/amd64", "linux/386", ""},
		{"linux/amd64/v3 linux/amd64", "linux/amd64", "linux/amd64 exact"},
		{"linux/amd64/v2 linux/amd64", "linux/amd64/v3", "linux/amd64/v2"},
		{"windows/amd64", "linux/amd64", ""},
		{"", "linux/amd64", ""},
	} {
		ix := Index{}
		for _, p := range strings.Fields(c.have) {
			ix.Entries = append(ix.Entries, oci(p).attested())
		}
		m, err := ix.Find(platform(t, c.want))
		got := ""
		if err == nil {
			got = names([]ocispec.Platform{*m.Entry.Platform})
			if m.Exact {
				got += " exact"
			}
		} else if !errors.Is(err, ErrNotFound) {
			t.Errorf("%v", err)
		}
		if got != c.found {
			t.Errorf("%s in [%s]: found %q, want %q", c.want, c.have, got, c.found)
		}
	}
}

func TestFindTellsTheWalk(t *testing.T) {
	ix := listOf(oci("linux/amd64"), oci("linux/arm/v7"))
	m, _ := ix.Find(platform(t, "linux/arm64"))
	want := []string{
		"resolved to an index with 2 entries: linux/amd64, linux/arm/v7",
		"looking for linux/arm64",
		"found linux/arm/v7, digest " + ix.Entries[1].Digest.String() + "; it is not linux/arm64 itself, but an engine there also takes it",
	}
	if !slices.Equal(m.Steps, want) {
		t.Errorf("the walk is\n%s\nwant\n%s", strings.Join(m.Steps, "\n"), strings.Join(want, "\n"))
	}
	if m, err := ix.Find(platform(t, "linux/s390x")); err == nil || m.Steps[2] != "found none" || !strings.Contains(err.Error(), "linux/s390x is not in the index; it has linux/") {
		t.Errorf("%v %q", err, m.Steps)
	}
	nested := oci("", "y")
	nested.MediaType = OCIIndex
	for _, c := range []struct {
		have Index
		n    int
		says string
	}{
		{listOf(oci("", "x"), artifact("z")), 1, "1 entry without a platform: only what is in it can tell"},
		{listOf(oci("", "x"), nested), 2, "2 entries without a platform: only what is in them can tell"},
	} {
		m, err := c.have.Find(platform(t, "linux/arm64"))
		if err == nil || len(m.Undeclared) != c.n || m.Steps[2] != c.says {
			t.Errorf("%v %q", err, m.Steps)
		}
	}
}

func TestFindAnyVersionOfWindows(t *testing.T) {
	ix := listOf(oci("linux/amd64"), oci("").windows("10.0.1", "win32k"))
	for _, asked := range []ocispec.Platform{
		{OS: "windows", Architecture: "amd64"},
		{OS: "windows", Architecture: "amd64", OSVersion: "10.0.1"},
		{OS: "windows", Architecture: "amd64", OSVersion: "10.0.1", OSFeatures: []string{"win32k"}},
	} {
		if m, err := ix.Find(asked); err != nil || !m.Exact || m.Entry.Digest != ix.Entries[1].Digest {
			t.Errorf("%v: %v %+v", asked, err, m)
		}
	}
}

// An entry belongs to a platform when it is an image that names both halves of it.
func TestGetSeesPlatforms(t *testing.T) {
	lone := oci("linux/amd64").attested().Attestations[0]
	lone.Platform = oci("linux/s390x").Platform
	ix := listOf(oci("linux/arm64"), artifact("x"), lone)
	for _, p := range []ocispec.Platform{{OS: "linux"}, {OS: "linux", Architecture: "unknown"}, {OS: "unknown", Architecture: "amd64"}} {
		ix.Entries = append(ix.Entries, placed(p))
	}
	if got := names(ix.Platforms()); got != "linux/arm64" {
		t.Errorf("platforms %s", got)
	}
	if e, ok := ix.Get(platform(t, "linux/arm64/v8")); !ok || e.Digest != ix.Entries[0].Digest {
		t.Errorf("%v %+v", ok, e)
	}
	if e, ok := ix.Get(platform(t, "linux/s390x")); ok {
		t.Errorf("there is an image for s390x: %+v", e)
	}
}

func TestFindTakesTheFirstOfEquals(t *testing.T) {
	m, err := listOf(oci("linux/amd64", "a"), oci("linux/amd64", "b")).Find(platform(t, "linux/amd64"))
	if err != nil || m.Entry.Digest != oci("", "a").Digest || !slices.Contains(m.Steps, "2 entries fit, the best is taken") {
		t.Errorf("%v %v", err, m)
	}
}

func TestDiff(t *testing.T) {
	base := listOf(oci("linux/amd64").attested(), oci("linux/arm64"), oci("linux/arm/v7"))
	short := func(e Entry) string { return e.Digest.String() }
	for name, c := range map[string]struct {
		old, new Index
		want     []string
		dropped  string
	}{
		"nothing":            {base, base, nil, "no platforms"},
		"an entry more":      {listOf(oci("linux/amd64")), listOf(oci("linux/amd64"), oci("linux/s390x")), []string{"+ linux/s390x " + short(oci("linux/s390x"))}, "no platforms"},
		"an entry less":      {base, listOf(oci("linux/amd64").attested(), oci("linux/arm64")), []string{"- linux/arm/v7 " + short(oci("linux/arm/v7"))}, "linux/arm/v7"},
		"a lesser variant":   {listOf(oci("linux/arm/v7")), listOf(oci("linux/arm/v6")), []string{"- linux/arm/v7 " + short(oci("linux/arm/v7")), "+ linux/arm/v6 " + short(oci("linux/arm/v6"))}, "linux/arm/v7"},
		"an attestation":     {base, listOf(oci("linux/amd64"), oci("linux/arm64"), oci("linux/arm/v7")), []string{"- linux/amd64 (attestation) " + short(base.Entries[0].Attestations[0])}, "no platforms"},
		"another image":      {listOf(oci("linux/amd64")), listOf(oci("linux/amd64", "new")), []string{"~ linux/amd64 " + short(oci("linux/amd64")) + " -> " + short(oci("", "new"))}, "no platforms"},
		"annotations":        {listOf(oci("linux/amd64")).with("a", "1").with("b", "2"), listOf(oci("linux/amd64").with("c", "3")).with("a", "9"), []string{`+ linux/amd64 annotation c = "3"`, `~ index annotation a = "1" -> "9"`, `- index annotation b = "2"`}, "no platforms"},
		"the order":          {listOf(oci("linux/amd64"), oci("linux/arm64")), listOf(oci("linux/arm64"), oci("linux/amd64")), []string{"~ the order of the entries"}, "no platforms"},
		"the media type":     {dockerList(docker("linux/amd64")), listOf(docker("linux/amd64")), []string{`~ index media type = "` + DockerList + `" -> "` + OCIIndex + `"`}, "no platforms"},
		"a system's version": {listOf(oci("", "w").windows("10.0.1", "a")), listOf(oci("", "w").windows("10.0.1")), []string{"- windows(10.0.1+a)/amd64 " + short(oci("", "w")), "+ windows(10.0.1)/amd64 " + short(oci("", "w"))}, "windows(10.0.1+a)/amd64"},
		"a month's patches":  {listOf(oci("", "w").windows("10.0.20348.2700")), listOf(oci("", "w").windows("10.0.20348.2762")), []string{"- windows(10.0.20348.2700)/amd64 " + short(oci("", "w")), "+ windows(10.0.20348.2762)/amd64 " + short(oci("", "w"))}, "no platforms"},
		"another Windows":    {listOf(oci("", "w").windows("10.0.17763.2700")), listOf(oci("", "w").windows("10.0.20348.2700")), []string{"- windows(10.0.17763.2700)/amd64 " + short(oci("", "w")), "+ windows(10.0.20348.2700)/amd64 " + short(oci("", "w"))}, "windows(10.0.17763.2700)/amd64"},
		"a platform twice":   {listOf(oci("linux/amd64"), oci("linux/amd64", "b")), listOf(oci("linux/amd64")), []string{"- linux/amd64 " + short(oci("", "b"))}, "no platforms"},
		"a lone attestation": {listOf(oci("linux/amd64"), base.Entries[0].Attestations[0].with(RefDigest, short(oci("", "gone")))), listOf(oci("linux/amd64")), []string{"- unknown/unknown (attestation) " + short(base.Entries[0].Attestations[0])}, "no platforms"},
		"a subject":          {listOf(), about(oci("", "s")), []string{`+ index subject = "` + short(oci("", "s")) + `"`}, "no platforms"},
		"spelling of arm64":  {listOf(spelled("v8")), listOf(spelled("")), []string{`- linux/arm64 variant = "v8"`}, "no platforms"},
		"of features":        {listOf(oci("", "w").windows("10.0.1", "a", "b")), listOf(oci("", "w").windows("10.0.1", "b", "a")), []string{`~ windows(10.0.1+a+b)/amd64 os.features = "a,b" -> "b,a"`}, "no platforms"},
		"no version at all":  {listOf(oci("", "w").windows("")), listOf(oci("", "w").windows("1")), []string{"- windows/amd64 " + short(oci("", "w")), "+ windows(1)/amd64 " + short(oci("", "w"))}, "windows/amd64"},
		"another system's":   {listOf(oci("freebsd(1.2.3.4)/amd64", "w")), listOf(oci("freebsd(1.2.3.5)/amd64", "w")), []string{"- freebsd(1.2.3.4)/amd64 " + short(oci("", "w")), "+ freebsd(1.2.3.5)/amd64 " + short(oci("", "w"))}, "freebsd(1.2.3.4)/amd64"},
		"fields of others":   {listOf(oci("linux/amd64").foreign("1")).foreign("2"), listOf(oci("linux/amd64").foreign("3")).foreign("4"), []string{`~ linux/amd64 field x = "1" -> "3"`, `~ linux/amd64 platform field x = "1" -> "3"`, `~ index field x = "2" -> "4"`}, "no platforms"},
		"a new Docker list":  {Index{}, dockerList(docker("linux/amd64")), []string{"+ linux/amd64 " + short(docker("linux/amd64"))}, "no platforms"},
		"all of it":          {listOf(oci("linux/amd64")), Index{}, []string{"- linux/amd64 " + short(oci("linux/amd64"))}, "linux/amd64"},
		"an attested change": {listOf(oci("linux/amd64").attested()), listOf(oci("linux/amd64", "new").attested()), []string{"~ linux/amd64 " + short(oci("linux/amd64")) + " -> " + short(oci("", "new")), "~ linux/amd64 (attestation) " + short(oci("linux/amd64").attested().Attestations[0]) + " -> " + short(oci("", "new").attested().Attestations[0])}, "no platforms"},
	} {
		diff := Diff(c.old, c.new)
		if got := diff.Lines(); !slices.Equal(got, c.want) || diff.Empty() != (len(c.want) == 0) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
		if got := names(Dropped(c.old, c.new)); got != c.dropped {
			t.Errorf("%s: dropped %s, want %s", name, got, c.dropped)
		}
	}
}

// about is an index that refers to something.
func about(e Entry) Index {
	return Index{MediaType: OCIIndex, Subject: &e}
}

// spelled is an arm64 image whose platform has the variant written or not.
func spelled(variant string) Entry {
	e := oci("linux/arm64")
	e.Platform.Variant = variant
	return e
}
