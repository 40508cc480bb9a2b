package engine

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/platforms"
)

// The user's tag stays where it was, however the pull of another platform ends. Where the digest is known, it is not touched, and given
// alone where there was none, and to the engine's own platform.
func TestPullsLeaveTheTag(t *testing.T) {
	const (
		pull, look, offers, back = "POST /images/create", "GET /images/app:1/json", "GET /distribution/app:1/json", "POST /images/mine/tag"
		lookChild                = "GET /images/docker.io/library/app@" + someDigest + "/json"
		byDigest, lookShort      = "app@" + someDigest, "GET /images/app@" + someDigest + "/json"
		byList                   = "app@sha256:1111111111111111111111111111111111111111111111111111111111111111"
		lookList                 = "GET /images/" + byList + "/json"
		give                     = "POST /images/theirs/tag"
		lookKept                 = "GET /images/localhost/manymage/base:c6e8f0f96e0c-linux-arm64/json"
		arm64                    = `{"Id":"theirs","Os":"linux","Architecture":"arm64"}`
		s390x                    = `{"Id":"other","Os":"linux","Architecture":"s390x"}`
		list                     = `{"Descriptor":{"mediaType":"application/vnd.oci.image.index.v1+json"},"Platforms":[{"os":"linux","architecture":"arm64"}]}`
		plain                    = `{"Descriptor":{"mediaType":"application/vnd.oci.image.manifest.v1+json"},"Platforms":[{"os":"linux","architecture":"arm64"}]}`
	)
	mine := Image{ID: "mine", Platform: platform(t, "linux/amd64")}
	theirs, image := listing(t, "linux/arm64"), Listed{Digest: someDigest}
	for name, test := range map[string]struct {
		pulled      string
		looked      []string // one for each look, the last for all further
		child       []string // the same by digest
		offers      string
		interrupted bool
		here        Image
		store       string
		own         string // the engine's platform
		engine      string
		name        string // app:1 when empty
		listed      Listed
		want        string
		asked       []string
	}{
		"its digest is known":     {listed: theirs, child: []string{absent, arm64}, here: mine, asked: []string{lookChild, pull, lookChild, give}},
		"... on Podman":           {engine: podman, listed: theirs, child: []string{absent, arm64}, here: mine, asked: []string{lookChild, pull, lookChild}},
		"... and it is here":      {listed: theirs, child: []string{arm64}, here: mine, asked: []string{lookChild, give}},
		"... of an image":         {listed: image, child: []string{absent, arm64}, here: mine, asked: []string{lookChild, pull, lookChild, give}},
		"... that is another's":   {listed: image, child: []string{absent, s390x}, here: mine, want: "gave linux/s390x", asked: []string{lookChild, pull, lookChild}},
		"... and not to be had":   {listed: theirs, pulled: `{"error":"cut off"}` + then + "", child: []string{absent}, looked: []string{arm64}, here: mine, asked: []string{lookChild, pull, pull, look, look, back, give}},
		"... and interrupted":     {listed: theirs, pulled: `{"progressDetail":{"current":1,"total":2}}`, child: []string{absent}, interrupted: true, here: mine, want: "context canceled", asked: []string{lookChild, pull}},
		"... and there was none":  {listed: theirs, child: []string{absent, arm64}, asked: []string{lookChild, pull, lookChild, give}},
		"... of the engine's own": {listed: theirs, own: "linux/arm64", child: []string{absent, arm64}, asked: []string{lookChild, pull, lookChild, give}},
		"... which had another's": {listed: theirs, own: "linux/arm64", child: []string{absent, arm64}, here: mine, asked: []string{lookChild, pull, lookChild}},
		"... of a name by digest": {name: byDigest, listed: theirs, own: "linux/arm64", child: []string{absent, arm64}, asked: []string{lookChild, pull, lookChild, lookShort}},
		"... by that of its list": {name: byList, listed: theirs, own: "linux/arm64", child: []string{absent, arm64}, asked: []string{lookChild, pull, lookChild, lookList, give}},
		"a name by digest":        {name: byDigest, child: []string{arm64}, here: mine, asked: []string{pull, lookShort, give}},
		"it is pulled":            {looked: []string{arm64}, here: mine, asked: []string{pull, look, look, back, give}},
		"the pull fails":          {pulled: `{"error":"cut off"}`, looked: []string{arm64}, here: mine, want: "in the engine app:1 is the image for linux/amd64, and the pull for linux/arm64 failed: cut off", asked: []string{pull, look, back, lookKept}},
		"it is interrupted":       {pulled: `{"progressDetail":{"current":1,"total":2}}`, looked: []string{arm64}, interrupted: true, here: mine, want: "context canceled", asked: []string{pull, look, back}},
		"the wrong platform":      {looked: []string{s390x}, offers: plain, here: mine, want: "gave linux/s390x", asked: []string{pull, look, offers, look, back}},
		"another run moves it":    {looked: []string{s390x, arm64}, offers: list, here: mine, asked: []string{pull, look, offers, pull, look, look, back, give}},
		"... where nobody knows":  {looked: []string{s390x, arm64}, here: mine, asked: []string{pull, look, offers, pull, look, look, back, give}},
		"... and has it now":      {looked: []string{arm64, s390x}, here: mine, asked: []string{pull, look, look, give}},
		"there was none before":   {looked: []string{arm64}, asked: []string{pull, look, give}},
		"one name for all":        {listed: theirs, looked: []string{arm64}, here: mine, store: StoreContainerd, asked: []string{pull, look}},
		"the tag is refused":      {looked: []string{arm64}, here: Image{ID: "gone"}, want: "app:1 may be another platform's image now", asked: []string{pull, look, look, "POST /images/gone/tag", lookKept}},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string]string{pull: test.pulled, look: strings.Join(test.looked, then), lookChild: strings.Join(test.child, then), lookShort: arm64, back: "", give: ""}
			if test.offers != "" {
				answers[offers] = test.offers
			}
			e, requests := apiDouble(t, answers)
			e.auth, e.info.Store, e.info.Platform = Options{}.credentials(), test.store, platform(t, cmp.Or(test.own, "linux/amd64"))
			e.listed, e.info.Name = tells(test.listed), test.engine
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			_, err := newBases(e).pulled(ctx, cmp.Or(test.name, "app:1"), platform(t, "linux/arm64"), test.here, func(e Event) {
				if _, begun := e.(Bytes); begun && test.interrupted {
					interrupt()
				}
			})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if got := requests(); !slices.Equal(got, test.asked) {
				t.Errorf("asked for %q, want %q", got, test.asked)
			}
		})
	}
}

// A base that was pulled for another platform has a name of ours, once, and is found by it while its registry does not answer.
func TestBasesOfOtherPlatformsAreFoundAgain(t *testing.T) {
	const kept = "localhost/manymage/base:c6e8f0f96e0c-linux-arm64"
	if other := keptName("docker.io/library/app:1", platform(t, "linux/arm64")); other != kept {
		t.Errorf("the name in full gives %s", other)
	}
	arm64 := `{"Id":"theirs","Os":"linux","Architecture":"arm64","RepoTags":["` + kept + `"]}`
	for name, test := range map[string]struct {
		listed Listed
		pulled string
		taken  bool
		told   int
	}{
		"it is there":                {listed: listing(t, "linux/arm64"), taken: true},
		"nobody answers":             {pulled: "dial tcp: lookup registry-1.docker.io: Temporary failure in name resolution", taken: true, told: 1},
		"the platform is there none": {pulled: "no matching manifest for linux/arm64 in the manifest list entries"},
		"the image is gone":          {pulled: "manifest for app:1 not found: manifest unknown"},
	} {
		e, requests := apiDouble(t, map[string]string{
			"GET /images/app:1/json":                                    `{"Id":"mine","Os":"linux","Architecture":"amd64"}`,
			"GET /images/" + kept + "/json":                             arm64,
			"POST /images/create":                                       `{"error":"` + test.pulled + `"}`,
			"POST /images/mine/tag":                                     "",
			"GET /images/docker.io/library/app@" + someDigest + "/json": arm64,
		})
		e.auth, e.info.Platform, e.listed = Options{}.credentials(), platform(t, "linux/amd64"), tells(test.listed)
		told := 0
		found, err := newBases(e).pin(t.Context(), "app:1", platform(t, "linux/arm64"), false, func(e Event) {
			if note, ok := e.(Notice); ok && strings.HasSuffix(note.Text, "; the engine's for linux/arm64 is taken") {
				told++
			}
		})
		if (err == nil) != test.taken || test.taken && found.ID != "theirs" || told != test.told || slices.Contains(requests(), "POST /images/theirs/tag") {
			t.Errorf("%s: %+v, %v, told %d times, asked for %q", name, found, err, told, requests())
		}
	}
}

// listing is a list with an image for each platform, the first of someDigest.
func listing(t *testing.T, names ...string) Listed {
	t.Helper()
	l := Listed{Digest: digest.FromString("list")}
	for i, name := range names {
		p, d := platform(t, name), digest.FromString(name)
		if i == 0 {
			d = someDigest
		}
		l.Images.Entries = append(l.Images.Entries, index.Entry{Descriptor: ocispec.Descriptor{MediaType: index.OCIManifest, Digest: d, Platform: &p}})
	}
	return l
}

// tells answers for the registry; what has no digest nobody knows.
func tells(l Listed) Lister {
	return func(_ context.Context, name string) (Listed, error) {
		if l.Digest == "" {
			return l, errors.New("silent")
		}
		for _, entry := range l.Images.Entries {
			if strings.HasSuffix(name, "@"+entry.Digest.String()) {
				return Listed{Digest: entry.Digest, Config: digest.FromString("config of " + platforms.Format(*entry.Platform))}, nil
			}
		}
		return l, nil
	}
}

// Where a base has a lesser variant alone, that is taken, as everywhere else: what the list calls the best, what the engine has where
// nobody answers, and nothing that another run has put there.
func TestLesserVariants(t *testing.T) {
	const (
		pull, look, offers, back = "POST /images/create", "GET /images/app:1/json", "GET /distribution/app:1/json", "POST /images/mine/tag"
		lookKept                 = "GET /images/localhost/manymage/base:c6e8f0f96e0c-linux-arm-"
		lookChild                = "GET /images/docker.io/library/app@" + someDigest + "/json"
		v5, v6, v7               = `{"Id":"id-v5","Os":"linux","Architecture":"arm","Variant":"v5"}`, `{"Id":"id-v6","Os":"linux","Architecture":"arm","Variant":"v6"}`, `{"Id":"id-v7","Os":"linux","Architecture":"arm"}`
		list                     = `{"Descriptor":{"mediaType":"application/vnd.oci.image.index.v1+json"},"Platforms":[{"os":"linux","architecture":"arm","variant":"v5"},{"os":"linux","architecture":"arm","variant":"v6"}]}`
		plain                    = `{"Descriptor":{"mediaType":"application/vnd.oci.image.manifest.v1+json"},"Platforms":[{"os":"linux","architecture":"arm","variant":"v6"}]}`
	)
	of := func(variant string) string {
		return `{"Id":"mine","Os":"linux","Architecture":"arm","Variant":"` + variant + `"}`
	}
	for name, test := range map[string]struct {
		listed Listed
		want   string // arm/v7 when empty
		looked []string
		child  []string
		pulled string
		offers string
		here   string // absent when empty
		pull   bool   // whatever is here
		got    string // an ID, or words of the error
		told   string
		asked  []string // behind the first look
	}{
		"the best of a list":           {listed: listing(t, "linux/arm/v6", "linux/arm/v5", "linux/amd64"), child: []string{absent, v6}, got: "id-v6", asked: []string{lookChild, pull, lookChild, "POST /images/id-v6/tag"}},
		"... is here":                  {listed: listing(t, "linux/arm/v6", "linux/arm/v5"), here: of("v6"), got: "mine"},
		"... is not here":              {listed: listing(t, "linux/arm/v6", "linux/arm/v5"), child: []string{v6}, here: of("v5"), got: "id-v6", asked: []string{lookChild, "POST /images/id-v6/tag"}},
		"an image":                     {listed: Listed{Digest: someDigest}, child: []string{v6}, got: "id-v6", asked: []string{lookChild, "POST /images/id-v6/tag"}},
		"an image of a greater one":    {listed: Listed{Digest: someDigest}, want: "linux/arm/v5", child: []string{v6}, got: "gave linux/arm/v6", asked: []string{lookChild}},
		"a label without its variant":  {listed: listing(t, "linux/arm/v6"), want: "linux/arm/v6", child: []string{v7}, got: "id-v7", asked: []string{lookChild, "POST /images/id-v7/tag"}},
		"none in a list":               {listed: listing(t, "linux/amd64"), pulled: `{"error":"no matching manifest for linux/arm/v7 in the manifest list entries"}`, got: "it has none for the platform", asked: []string{pull}},
		"by name":                      {looked: []string{v6}, offers: list, got: "id-v6", asked: []string{pull, look, offers, "POST /images/id-v6/tag"}},
		"... an image":                 {looked: []string{v6}, offers: plain, got: "id-v6", asked: []string{pull, look, offers, "POST /images/id-v6/tag"}},
		"... another run moves it":     {looked: []string{v5, v6}, offers: list, got: "id-v6", asked: []string{pull, look, offers, pull, look, offers, "POST /images/id-v6/tag"}},
		"the engine's own":             {here: of("v7"), got: "mine"},
		"... is asked for again":       {listed: listing(t, "linux/arm/v7"), pull: true, child: []string{absent, v7}, here: of("v7"), got: "id-v7", asked: []string{lookChild, pull, lookChild, "POST /images/id-v7/tag"}},
		"... cannot be looked at":      {here: inUse, got: "it is in use"},
		"the engine's, nobody answers": {pulled: `{"error":"cut off"}`, looked: []string{v6}, here: of("v6"), got: "mine", told: "; the engine's for linux/arm/v6 is taken", asked: []string{pull, look, lookKept + "v7/json"}},
		"... is greater":               {pulled: `{"error":"cut off"}`, looked: []string{v7}, want: "linux/arm/v6", here: of("v7"), got: "cut off", asked: []string{pull, look, lookKept + "v6/json"}},
	} {
		t.Run(name, func(t *testing.T) {
			looked := strings.Join(append([]string{cmp.Or(test.here, absent)}, test.looked...), then)
			e, requests := apiDouble(t, map[string]string{pull: test.pulled, look: looked, lookChild: strings.Join(test.child, then), offers: test.offers, back: ""})
			e.auth, e.info.Platform = Options{}.credentials(), platform(t, "linux/amd64")
			told, listings := "", 0
			e.listed = func(ctx context.Context, name string) (Listed, error) {
				if name == "app:1" {
					listings++
				}
				return tells(test.listed)(ctx, name)
			}
			found, err := newBases(e).pin(t.Context(), "app:1", platform(t, cmp.Or(test.want, "linux/arm/v7")), test.pull, func(e Event) {
				if notice, ok := e.(Notice); ok {
					told = notice.Text
				}
			})
			if err == nil && found.ID != test.got || err != nil && !strings.Contains(err.Error(), test.got) {
				t.Errorf("%s, %v, want %s", found.ID, err, test.got)
			}
			if got := requests()[1:]; !slices.Equal(got, test.asked) {
				t.Errorf("asked for %q, want %q", got, test.asked)
			}
			if listings > 1 || listings > 0 && len(test.asked) == 0 && test.listed.Digest == "" {
				t.Errorf("the registry was asked %d times", listings)
			}
			if (told == "") != (test.told == "") || !strings.HasSuffix(told, test.told) {
				t.Errorf("told %q, want %q", told, test.told)
			}
		})
	}
}

// Podman hides an image's variant, which its list tells.
func TestTheListTellsAVariant(t *testing.T) {
	e, _ := apiDouble(t, map[string]string{"GET /images/docker.io/library/app@" + someDigest + "/json": `{"Id":"v6","Os":"linux","Architecture":"arm"}`})
	e.info.Name, e.listed = podman, tells(listing(t, "linux/arm/v6"))
	found, err := newBases(e).pin(t.Context(), "app:1", platform(t, "linux/arm/v7"), false, func(Event) {})
	if err != nil || found.Platform.Variant != "v6" {
		t.Errorf("%+v, %v", found, err)
	}
	e.listed = tells(Listed{Digest: someDigest})
	found, err = newBases(e).pin(t.Context(), "app:1", platform(t, "linux/arm/v6"), false, func(Event) {})
	if err != nil || found.Platform.Variant != "v6" {
		t.Errorf("what is no list, and may be of this variant: %+v, %v", found, err)
	}
}

// Two versions of one base in one build are told, once, whichever platform comes first.
func TestTwoVersionsOfABaseAreTold(t *testing.T) {
	const look, lookChild = "GET /images/app:1/json", "GET /images/docker.io/library/app@" + someDigest + "/json"
	listed := listing(t, "linux/arm64", "linux/amd64", "linux/s390x")
	for name, test := range map[string]struct {
		id     string // the engine's own
		pulled string // what the engine knows of it
		listed Listed
		order  []string
		told   int
		pull   string // by name, after which the engine has an image for arm64
	}{
		"one that is still there": {digest.FromString("config of linux/amd64").String(), "app@" + digest.FromString("old").String(), listed, []string{"linux/amd64", "linux/arm64"}, 0, ""},
		"its own":                 {"mine", "", listed, []string{"linux/amd64", "linux/arm64"}, 1, ""},
		"... the other way":       {"mine", "", listed, []string{"linux/arm64", "linux/amd64", "linux/s390x"}, 1, ""},
		"an older one":            {"mine", "app@" + digest.FromString("old").String(), listed, []string{"linux/amd64", "linux/arm64"}, 1, ""},
		"the list's":              {"mine", "app@" + listed.Digest.String(), listed, []string{"linux/amd64", "linux/arm64"}, 0, ""},
		"pulled by digest":        {"mine", "app@" + digest.FromString("linux/amd64").String(), listed, []string{"linux/amd64", "linux/arm64"}, 0, ""},
		"nothing else":            {"mine", "", listed, []string{"linux/amd64"}, 0, ""},
		"where nobody knows":      {"mine", "", Listed{}, []string{"linux/amd64", "linux/arm64"}, 0, ""},
		"... and a pull by name":  {"mine", "", Listed{}, []string{"linux/amd64", "linux/arm64"}, 0, "{}"},
	} {
		own := `{"Id":"` + test.id + `","Os":"linux","Architecture":"amd64","RepoDigests":["` + test.pulled + `"]}`
		looks := own
		if test.pull != "" {
			looks += then + own + then + `{"Id":"theirs","Os":"linux","Architecture":"arm64"}`
		}
		e, _ := apiDouble(t, map[string]string{
			look:      looks,
			lookChild: `{"Id":"theirs","Os":"linux","Architecture":"arm64"}`,
			"GET /images/docker.io/library/app@" + digest.FromString("linux/s390x").String() + "/json": `{"Id":"more","Os":"linux","Architecture":"s390x"}`,
			"POST /images/create": cmp.Or(test.pull, `{"error":"cut off"}`), "POST /images/mine/tag": "",
		})
		e.auth, e.info.Platform, e.listed = Options{}.credentials(), platform(t, "linux/amd64"), tells(test.listed)
		b, told := newBases(e), []string(nil)
		for _, name := range test.order {
			_, err := b.pin(t.Context(), "app:1", platform(t, name), false, func(e Event) {
				if warned, ok := e.(Warning); ok {
					told = append(told, warned.Text)
				}
			})
			if err != nil && (test.listed.Digest != "" || test.pull != "") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(told) != test.told || len(told) > 0 && !strings.HasPrefix(told[0], "app:1 is not the same for all platforms: the engine's own, for linux/amd64, is not what the registry has, and linux/arm64 is built on the registry's; ") {
			t.Errorf("%s: told %q", name, told)
		}
	}
}

// playedAnswers is an engine of which one test gives the answers.
type playedAnswers func(*http.Request) string

func (p playedAnswers) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	text := p(req)
	if text == absent {
		answer.WriteHeader(http.StatusNotFound)
		text = `{"message":"no such thing"}`
	}
	_, _ = io.WriteString(answer, text)
	return answer.Result(), nil
}

// A name that is another platform's after each pull is not pulled for ever. Podman does not ask whose it is: the registry may have no other.
func TestANameThatOthersMoveAllTheTime(t *testing.T) {
	for name, want := range map[string]string{docker: "other runs pull it for other platforms all the time", podman: "the registry gave linux/s390x"} {
		synctest.Test(t, func(t *testing.T) {
			pulls := 0
			played := playedAnswers(func(req *http.Request) string {
				switch {
				case strings.HasSuffix(req.URL.Path, "/images/create"):
					pulls++
					return "{}"
				case strings.HasSuffix(req.URL.Path, "/images/app:1/json"):
					return `{"Id":"other","Os":"linux","Architecture":"s390x"}`
				}
				return absent
			})
			api, err := client.NewClientWithOpts(client.WithHost("tcp://engine:1"), client.WithHTTPClient(&http.Client{Transport: played}), client.WithScheme("http"), client.WithVersion(minAPI))
			if err != nil {
				t.Fatal(err)
			}
			e := &Engine{api: api, auth: Options{}.credentials(), info: Info{Name: name}}
			_, err = newBases(e).pulledByName(t.Context(), "app:1", platform(t, "linux/arm64"), Image{}, func(Event) {})
			if err == nil || !strings.Contains(err.Error(), want) || pulls != movedTries {
				t.Errorf("%s: %v after %d pulls", name, err, pulls)
			}
		})
	}
}

// A registry that is silent sends no bytes that could be told of: that the engine waits for it is a step from before it is asked.
func TestAPullIsAStep(t *testing.T) {
	const pull = "POST /images/create"
	for answer, want := range map[string]State{"{}": Done, `{"error":"cut off"}`: Failed, "waits": Canceled} {
		e, requests := apiDouble(t, map[string]string{pull: answer})
		e.auth = Options{}.credentials()
		ctx, interrupt := context.WithCancel(t.Context())
		var got []Step
		err := e.pullImage(ctx, "app:1", platform(t, "linux/arm64"), func(event Event) {
			step, isStep := event.(Step)
			if !isStep {
				return
			}
			if got = append(got, step); len(got) == 1 && len(requests()) > 0 {
				t.Error("it is told when the engine has answered")
			}
			if answer == "waits" {
				interrupt()
			}
		})
		interrupt()
		if (err == nil) != (want == Done) || len(got) != 2 || got[0].State != Running || got[1].State != want || got[1].Name != "pull app:1" || (got[1].Error != "") != (want == Failed) {
			t.Errorf("%s: %+v, %v", answer, got, err)
		}
	}
}
