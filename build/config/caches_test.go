package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The words are those of docker buildx; what is printed reads back.
func TestCaches(t *testing.T) {
	arm := ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	for _, test := range []struct{ words, from, to string }{
		{"CACHE_FROM=ghcr.io/me/app:latest", "[ghcr.io/me/app:latest]", "[]"},
		{"CACHE_FROM=a/b:1,a/b:2 CACHE_TO=type=inline", "[a/b:1 a/b:2]", "[type=inline]"},
		{"CACHE_FROM=type=registry,ref=me/app:{arch}-{version} CACHE_TO=me/app:c-{arch}", "[me/app:armv7-7]", "[me/app:c-armv7]"},
		{"CACHE_TO=TYPE=registry,mode=max,Ref=me/app:{arch},image-manifest=true", "[]", "[type=registry,image-manifest=true,mode=max,ref=me/app:armv7]"},
		{"CACHE_FROM=type=local,src=c/{arch} CACHE_TO=type=local,dest=/c/{arch}", "[type=local,src=DIR/c/armv7]", "[type=local,dest=/c/armv7]"},
		{"CACHE_FROM=type=gha CACHE_TO=type=gha,mode=max", "[type=gha,scope=buildkit-armv7]", "[type=gha,mode=max,scope=buildkit-armv7]"},
		{"CACHE_FROM=me/app:c CACHE_TO=me/app:c ARCHES=arm/v7", "[me/app:c]", "[me/app:c]"},
		{"CACHE_FROM=me/app:c CACHE_TO=type=inline NO_CACHE=1", "[]", "[type=inline]"},
		{"CACHE_FROM= CACHE_TO=", "[]", "[]"},
	} {
		c := line(append(strings.Fields(test.words), "VERSION=7")...).mustLoad(t)
		from, to := c.CachesFor(arm)
		if got := strings.ReplaceAll(fmt.Sprint(from), c.Dir, "DIR"); got != test.from || fmt.Sprint(to) != test.to {
			t.Errorf("%s: %s and %s", test.words, got, to)
		}
	}
}

func TestCachesOfAllOrigins(t *testing.T) {
	s := say{yaml: "cache_from: [me/app:a, 'type=local,\"src=c\"']\ncache_to: type=inline\n", defaults: Defaults{CacheFrom: []string{"me/app:d"}, CacheTo: []string{"me/app:{arch}"}}}
	c := s.mustLoad(t)
	from, to := c.CachesFor(c.Platforms[0])
	if got := fmt.Sprint(from, to); got != "[me/app:a type=local,src="+filepath.Join(c.Dir, "c")+"] [type=inline]" {
		t.Error(got)
	}
	if got := c.Value("CACHE_FROM"); got.Text != `me/app:a "type=local,\"src=c\""` || got.Origin != "manymage.yaml:1" {
		t.Errorf("%+v", got)
	}
	s.yaml = ""
	if c = s.mustLoad(t); fmt.Sprint(c.CacheFrom, c.CacheTo) != "[me/app:d] [me/app:{arch}]" {
		t.Error(c.CacheFrom, c.CacheTo)
	}
}

func TestWrongCaches(t *testing.T) {
	for _, test := range []struct{ word, want string }{
		{"CACHE_TO=me/app:c", "would be written by every platform over the others': write ref=me/app:c-{arch}, in CACHE_FROM too"},
		{"CACHE_TO=me/cache", "write ref=me/cache:cache-{arch}, in"},
		{"CACHE_TO=type=registry,ref=me/app:c,mode={arch}", "write ref=me/app:c-{arch}, in"},
		{"CACHE_TO=type=local,dest=c", "write dest=c/{arch}, in"},
		{"CACHE_TO=type=gha,scope=app", "write scope=app-{arch}, in"},
		{"CACHE_TO=ghcr.io/me/app:{arch}-7", "would be written over the image itself: choose another tag, such as cache-{arch}"},
		{"CACHE_TO=ghcr.io/me/app:{version}", "over the image itself"},
		{"CACHE_TO=ghcr.io/me/app:{arch}-latest", "over the image itself"},
		{"CACHE_FROM=type=inline", "is only written: read it by the reference of the image that it is in"},
		{"CACHE_FROM=type=s3,bucket=b", "has a type that is none of registry, inline, local and gha: use one of them"},
		{"CACHE_FROM=type=regisrty,ref=a/b", "did you mean registry?"},
		{"CACHE_FROM=ref=a/b", "has no type: begin it with type=registry, type=local or type=gha"},
		{"CACHE_FROM=type=registry", "does not say where: add ref="},
		{"CACHE_FROM=type=local,dest=c", "does not say where: add src="},
		{"CACHE_TO=type=local,src=c", "does not say where: add dest="},
		{"CACHE_TO=type=local,src=c,dest=d/{arch}", "has src=, which is for the other of CACHE_FROM and CACHE_TO: leave it out"},
		{"CACHE_FROM=a/b:1,type=local,src=c", "has a/b:1 among what belongs to one cache: put a blank between two of them"},
		{"CACHE_FROM=type=registry,ref", "has ref without a value: write ref=value, or leave it out"},
		{"CACHE_FROM=type=registry,ref=", "has ref= without a value: write ref=value, or leave it out"},
		{"CACHE_FROM=Me/App", "names Me/App, which is no reference: write one such as ghcr.io/me/app:cache"},
		{"CACHE_FROM=me/app:{arhc}", "did you mean {arch}?"},
		{`CACHE_FROM=type=registry,ref=a\"b`, "cannot be taken apart at its commas"},
	} {
		_, err := line(test.word, "IMG=ghcr.io/me/app", "VERSION=7").load(t)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", test.word, err)
		}
	}
	// It is the image that any of its platforms is.
	_, err := line("CACHE_TO=ghcr.io/me/app:{arch}-{version}", "IMG=ghcr.io/me/app", "VERSION=7", "ARCHES=amd64 arm/v7").load(t)
	if err == nil || !strings.Contains(err.Error(), "over the image itself") {
		t.Errorf("over arm/v7: %v", err)
	}
	for _, word := range []string{"CACHE_TO=type=gha,token=hunter2", "CACHE_FROM=type=registry,ref=a/b,password=hunter2", "CACHE_FROM=type=gha,url=https://me:hunter2@cache.example"} {
		_, err := line(word).load(t)
		if err == nil || !strings.Contains(err.Error(), "looks like a secret: leave it out") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// Each platform has folders of its own, and what two of them share is there once.
func TestCacheFolders(t *testing.T) {
	c := line("CACHE_FROM=type=local,src=all a/b type=local,src=/c/{arch}", "CACHE_TO=type=local,dest=/c/{arch}").mustLoad(t)
	if got := fmt.Sprint(c.CacheFolders()); got != "["+filepath.Join(c.Dir, "all")+" /c/amd64 /c/arm64]" {
		t.Error(got)
	}
}
