package image_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms"
)

// odd is a config that any decoding and encoding again would change: order, blanks, escapes, numbers, unknown fields.
const odd = "{ \"zeta\" : 12345678901234567890.10, \"architecture\":\"amd64\",\n\t\"config\": {\"Cmd\":[\"\\u002fapp\",\"<&>\"],\"architecture\":\"x\"}," +
	"\"os\" :\"linux\", \"created\":\"2020-01-01T00:00:00.000000000Z\",\"os.version\":\"\", \"moby.x\":{\"b\":1e400,\"a\":[ ]}, \"\\u00e9\": null }\n"

func TestRelabelChangesNoOtherByte(t *testing.T) {
	for _, test := range []struct{ in, platform, want string }{
		{odd, "amd64", odd},
		{odd, "arm64", strings.Replace(odd, `"architecture":"amd64"`, `"architecture":"arm64"`, 1)},
		{odd, "windows/amd64", strings.Replace(odd, `"os" :"linux"`, `"os" :"windows"`, 1)},
		{`{"architecture":"amd64","os":"linux"}`, "arm/v7", `{"architecture":"arm","os":"linux","variant":"v7"}`},
		{`{"architecture":"arm","variant":"v7","os":"linux"}`, "arm/v6", `{"architecture":"arm","variant":"v6","os":"linux"}`},
		{`{"architecture":"arm","variant":"v7","os":"linux"}`, "arm64", `{"architecture":"arm64","os":"linux"}`},
		{`{"variant":"v7","architecture":"arm","os":"linux"}`, "amd64", `{"architecture":"amd64","os":"linux"}`},
		{`{"architecture":"arm","os":"linux","variant":"v7"}`, "amd64", `{"architecture":"amd64","os":"linux"}`},
		{`{"architecture":"arm","os":"linux"}`, "arm/v7", `{"architecture":"arm","os":"linux","variant":"v7"}`},
		{`{"architecture":"arm64","os":"linux","variant":"v8"}`, "arm64", `{"architecture":"arm64","os":"linux","variant":"v8"}`},
		{`{"architecture":"amd64","os":"linux","variant":"v8"}`, "arm64", `{"architecture":"arm64","os":"linux","variant":"v8"}`},
		{`{"architecture":"aarch64","os":"linux"}`, "arm64", `{"architecture":"arm64","os":"linux"}`},
		{`{"architecture":"amd64","os":"linux"}`, "amd64/v3", `{"architecture":"amd64","os":"linux","variant":"v3"}`},
		{`{}`, "arm64", `{"architecture":"arm64","os":"linux"}`},
		{`{"architecture":null,"os":7}`, "arm64", `{"architecture":"arm64","os":"linux"}`},
		{`{"architecture":"arm64","os":"linux","variant":""}`, "arm64", `{"architecture":"arm64","os":"linux","variant":""}`},
		{`{"config":{"variant":"x","architecture":"y"},"architecture":"arm64","os":"linux"}`, "riscv64", `{"config":{"variant":"x","architecture":"y"},"architecture":"riscv64","os":"linux"}`},
	} {
		got, err := image.Relabel([]byte(test.in), platform(t, test.platform))
		if err != nil || string(got) != test.want {
			t.Errorf("%s to %s is\n%s, %v, want\n%s", test.in, test.platform, got, err, test.want)
		}
	}
}

func TestRelabelGivesBackTheSameBytes(t *testing.T) {
	in := []byte(odd)
	out, err := image.Relabel(in, platform(t, "amd64"))
	if err != nil || &in[0] != &out[0] || len(in) != len(out) {
		t.Errorf("a config that is right was copied, %v", err)
	}
	before := bytes.Clone(in)
	if _, err := image.Relabel(in, platform(t, "arm/v6")); err != nil || !bytes.Equal(in, before) {
		t.Errorf("the caller's bytes were changed, %v", err)
	}
}

func TestConfigRefused(t *testing.T) {
	for _, test := range []struct{ what, in, says string }{
		{"nothing", "", "no JSON object"},
		{"null", "null", "no JSON object"},
		{"an array", "[]", "no JSON object"},
		{"a text", "hello", "no JSON object"},
		{"two objects", "{}{}", "no JSON object"},
		{"cut off", `{"architecture":"amd64"`, "no JSON object"},
		{"nested without end", "{\"a\":" + strings.Repeat("[", 1<<20), "no JSON object"},
		{"over 8 MiB", `{"a":"` + strings.Repeat("x", 8<<20) + `"}`, "more than 8388608"},
		{"a key twice", `{"architecture":"amd64","os":"linux","architecture":"arm64"}`, `"architecture" stands twice`},
		{"a key twice, once escaped", `{"architecture":"amd64","arch\u0069tecture":"arm64"}`, `"architecture" stands twice`},
		{"a key in two cases", `{"architecture":"amd64","Architecture":"arm64"}`, `"Architecture" is spelt "architecture"`},
		{"a key that Go alone understands", `{"OS":"linux"}`, `"OS" is spelt "os"`},
		{"one of a letter that only folds to it", `{"o\u017f":"linux"}`, `is spelt "os"`},
		{"a hidden config", `{"Config":{"Entrypoint":["/app"]}}`, `"Config" is spelt "config"`},
		{"a hidden entrypoint", `{"config":{"entrypoint":["/app"]}}`, `"entrypoint" is spelt "Entrypoint"`},
		{"a second command", `{"config":{"Cmd":["/a"],"cmd":["/b"]}}`, `"cmd" is spelt "Cmd"`},
		{"a hidden PATH", `{"config":{"a":[{}],"ENV":["PATH=/a"]}}`, `"ENV" is spelt "Env"`},
		{"a hidden health check", `{"config":{"Healthcheck":{"test":["CMD","/a"]}}}`, `"test" is spelt "Test"`},
		{"hidden layers", `{"rootfs":{"Diff_IDs":[]}}`, `"Diff_IDs" is spelt "diff_ids"`},
		{"a key twice further in", `{"config":{"Labels":{"a":"1","a":"2"}}}`, `"a" stands twice`},
		{"a key twice in a list", `{"history":[{},{"x":[{"b":1,"c":{},"b":2}]}]}`, `"b" stands twice`},
	} {
		p := platform(t, "arm64")
		_, err := image.Relabel([]byte(test.in), p)
		if !errors.Is(err, image.ErrConfig) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want it to say %q", test.what, err, test.says)
		}
		if _, err := image.PlatformOf([]byte(test.in)); !errors.Is(err, image.ErrConfig) {
			t.Errorf("platform of %s: %v", test.what, err)
		}
		if labels := image.Labels([]byte(test.in)); labels == nil || len(labels) != 0 {
			t.Errorf("labels of %s: %v", test.what, labels)
		}
	}
	if _, err := image.Relabel([]byte("{}"), ocispec.Platform{OS: "linux"}); err == nil {
		t.Error("labelled with no architecture")
	}
}

func TestConfigAccepted(t *testing.T) {
	for _, in := range []string{`{"config":{"Labels":{"a":"1","A":"2"}},"a":1}`, `{"a":{"b":1},"b":{"a":1}}`, `{"config":{"Labels":{"CMD":"1","cmd":"2"},"X":{"env":1},"Os":1},"x":{"OS":1},"entrypoint":1,"history":[{"OS":1}]}`, `{"a":["b","b"],"b":"b"}`, " {}", `{"a":{}, "b":[], "c":[{}]}`} {
		if _, err := image.PlatformOf([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestPlatformOf(t *testing.T) {
	in := `{"architecture":"arm64","variant":"v8","os":"windows","os.version":"10.0.1","os.features":["win32k"],"os":"windows"}`
	if _, err := image.PlatformOf([]byte(in)); err == nil {
		t.Error("os twice is taken")
	}
	in = strings.Replace(in, `,"os":"windows"}`, "}", 1)
	got, err := image.PlatformOf([]byte(in))
	want := ocispec.Platform{Architecture: "arm64", Variant: "v8", OS: "windows", OSVersion: "10.0.1", OSFeatures: []string{"win32k"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFactsOf(t *testing.T) {
	f, err := image.FactsOf([]byte(`{"architecture":"arm64","os":"linux","created":"2024-05-06T07:08:09.5Z","author":"me",
		"config":{"User":"www","WorkingDir":"/srv","Entrypoint":["/app"],"Cmd":["a","b"],"Env":["A=b"],"ExposedPorts":{"90/udp":{},"80/tcp":{}},
		"Volumes":{"/v":{}},"Labels":{"k":"v","n":null},"Healthcheck":{"Test":["NONE"]}},
		"rootfs":{"type":"layers","diff_ids":["sha256:a","sha256:b"]},
		"history":[{"created":"2024-01-01T00:00:00Z","created_by":"COPY","comment":"c"},{"created":"soon","empty_layer":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.TrimSpace(fmt.Sprintln(platforms.Format(f.Platform), f.Created.UTC(), f.Author, f.User, f.WorkingDir, f.Entrypoint, f.Cmd, f.Env, f.Ports, f.Volumes, f.Labels,
		f.Healthcheck, f.DiffIDs, len(f.History), f.History[0].CreatedBy, f.History[1].Empty, f.History[1].Created.IsZero()))
	want := "linux/arm64 2024-05-06 07:08:09.5 +0000 UTC me www /srv [/app] [a b] [A=b] [80/tcp 90/udp] [/v] map[k:v n:] [NONE] [sha256:a sha256:b] 2 COPY true true"
	if got != want {
		t.Errorf("facts are\n%s, want\n%s", got, want)
	}
}

func TestFactsOfOddConfigs(t *testing.T) {
	f, err := image.FactsOf([]byte(`{"config":null,"history":{},"rootfs":[],"created":5}`))
	if err != nil || f.Entrypoint != nil || f.History != nil || f.DiffIDs != nil || f.Labels == nil || !f.Created.IsZero() {
		t.Errorf("%+v, %v", f, err)
	}
	f, err = image.FactsOf([]byte(`{"config":{"Entrypoint":"/app","Cmd":[1,null]}}`))
	if err != nil || !reflect.DeepEqual(f.Entrypoint, []string{"/app"}) || len(f.Cmd) != 2 {
		t.Errorf("%+v, %v", f, err)
	}
}

// Relabelling says what it was told, touches nothing else, and is stable.
func FuzzRelabel(f *testing.F) {
	for _, s := range []string{odd, `{}`, `{"architecture":"arm","variant":"v7"}`, `{"variant":"v8","os":null}`, `{"a":{"architecture":1}}`,
		`{"arch\u0069tecture":"amd64"}`, `{"o\u0073":"linux","variant":{}}`, "{\"\xff\":1}"} {
		f.Add([]byte(s), "arm64")
		f.Add([]byte(s), "arm/v6")
	}
	f.Fuzz(func(t *testing.T, config []byte, name string) {
		p, err := platforms.ParseAny(name)
		if err != nil {
			return
		}
		out, err := image.Relabel(config, p)
		if err != nil {
			return
		}
		got, err := image.PlatformOf(out)
		p.OSVersion, p.OSFeatures, got.OSVersion, got.OSFeatures = "", nil, "", nil
		if err != nil || !platforms.Equal(got, p) {
			t.Fatalf("%q to %q says %v, %v", config, name, got, err)
		}
		if again, err := image.Relabel(out, p); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q relabelled again is %q, %v", out, again, err)
		}
		if before, after := rest(t, config), rest(t, out); !reflect.DeepEqual(before, after) {
			t.Fatalf("%v became %v", before, after)
		}
	})
}

// rest is what relabelling must not touch, byte for byte.
func rest(t *testing.T, config []byte) map[string]string {
	raw := map[string]json.RawMessage{}
	if err := json.Unmarshal(config, &raw); err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for k, v := range raw {
		if k != "architecture" && k != "variant" && k != "os" {
			fields[k] = string(v)
		}
	}
	return fields
}

// Whatever a config says and whatever the files are, a check ends with a verdict and never passes silently.
func FuzzCheck(f *testing.F) {
	for _, test := range checks {
		c := test.config.bytes()
		for name, file := range rootOf(test.root...) {
			if file.Mode.IsRegular() && !file.Mode.IsDir() {
				f.Add(c, name, file.Data)
			}
		}
	}
	f.Add([]byte("{\"config\":{\"Entrypoint\":[\"env\",\"-\xff\"]}}"), "/app", []byte(nil)) // no UTF-8
	f.Fuzz(func(t *testing.T, config []byte, name string, data []byte) {
		root := rootOf(busybox("arm64"), put("/app", 0o755, data), put("/run.sh", 0o755, data))
		r, err := image.Check(config, root, platform(t, "arm64"), image.Options{})
		if err != nil {
			if !errors.Is(err, image.ErrConfig) && !errors.Is(err, image.ErrRefused) {
				t.Fatal(err)
			}
			return
		}
		if r.Verdict == image.Verified && len(r.Programs) == 0 || r.Verdict == image.Unverified && len(r.Notes) == 0 {
			t.Fatalf("%+v", r)
		}
	})
}
