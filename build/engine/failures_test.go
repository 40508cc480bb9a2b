package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// What each engine said when it was asked: Docker 20.10 and 26.1 with BuildKit, their classic builders, Podman 4.3.
func TestBaseErrors(t *testing.T) {
	const (
		platform = "it has none for the platform; take another base, or leave the platform out of ARCHES"
		absent   = "a.example:5000 has no such image; correct its name, or push it there first"
		login    = "a.example:5000 wants credentials, and others than it gets; log in with `docker login a.example:5000`"
		closed   = "a.example:5000 does not let this account read it (403); check its name, or log in with `docker login a.example:5000` as somebody who may"
		limit    = "a.example:5000 gives out no more for now, its limit of pulls being reached (429); log in with `docker login a.example:5000`, whose limit is higher, or run this again later"
		later    = "a.example:5000 answers 503, and not with the image; run this again later, or ask who runs it"
		page     = "a.example:5000 answers, and not as registries do; check its name"
		away     = "; check its name, and that a.example:5000 answers the engine"
	)
	for said, test := range map[string]struct {
		want string
		is   error
	}{
		"a.example:5000/b:1.404: no match for platform in manifest sha256:99: not found":                                                                       {platform, ErrNoPlatform},
		"a.example:5000/b:1.404: no match for platform in manifest: not found":                                                                                 {platform, ErrNoPlatform},
		"Error response from daemon: no matching manifest for linux/riscv64 in the manifest list entries":                                                      {platform, ErrNoPlatform},
		"choosing an image from manifest list docker://a.example:5000/b:1.404: no image found in image index for architecture riscv64, variant \"\", OS linux": {platform, ErrNoPlatform},
		"asked for linux/arm64 the registry gave linux/amd64":                                                                                                  {"asked for linux/arm64 the registry gave linux/amd64; take another base, or leave the platform out of ARCHES", ErrNoPlatform},

		"a.example:5000/b:1.404: a.example:5000/b:1.404: not found":                                                                           {absent, ErrNoImage},
		"Error response from daemon: manifest for a.example:5000/b:1.404 not found: manifest unknown: manifest unknown":                       {absent, ErrNoImage},
		"initializing source docker://a.example:5000/b:1.404: reading manifest 1.404 in a.example:5000/b: manifest unknown: manifest unknown": {absent, ErrNoImage},

		"pulling from host a.example:5000 failed with status code [manifests 1.404]: 401 Unauthorized":                                         {login, ErrUnauthorized},
		"unexpected status from HEAD request to http://a.example:5000/v2/b/manifests/1.404: 401 Unauthorized":                                  {login, ErrUnauthorized},
		"Error response from daemon: Head \"http://a.example:5000/v2/b/manifests/1.404\": no basic auth credentials":                           {login, ErrUnauthorized},
		"reading manifest 1.404 in a.example:5000/b: unauthorized: authentication required":                                                    {login, ErrUnauthorized},
		"pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed": {"a.example:5000 has no such image, or shows it to others alone; correct its name, or log in with `docker login a.example:5000`", ErrUnauthorized},

		"pulling from host a.example:5000 failed with status code [manifests 1.404]: 403 Forbidden": {closed, ErrUnauthorized},
		"Error response from daemon: denied": {closed, ErrUnauthorized},

		"pulling from host a.example:5000 failed with status code [manifests 1.404]: 429 Too Many Requests": {limit, nil},
		"Error response from daemon: toomanyrequests: You have reached your pull rate limit.":               {limit, nil},

		"pulling from host a.example:5000 failed with status code [manifests 1.404]: 503 Service Unavailable":        {later, ErrRegistryUnreachable},
		"unexpected status from HEAD request to http://a.example:5000/v2/b/manifests/1.404: 503 Service Unavailable": {later, ErrRegistryUnreachable},
		"Error response from daemon: received unexpected HTTP status: 503 Service Unavailable":                       {later, ErrRegistryUnreachable},
		"reading manifest 1.404 in a.example:5000/b: received unexpected HTTP status: 503 Service Unavailable":       {later, ErrRegistryUnreachable},
		"error parsing HTTP 503 response body: invalid character 'b' looking for beginning of value: \"busy\"":       {later, ErrRegistryUnreachable},

		"failed to do request: Head \"http://a.example:5000/v2/b/manifests/1.404\": dial tcp 10.0.0.1:5000: connect: connection refused": {"the engine does not reach a.example:5000 (connection refused)" + away, ErrRegistryUnreachable},
		"pinging container registry a.example:5000: dial tcp: lookup a.example on 10.0.0.1:53: no such host":                             {"the engine does not reach a.example:5000 (no such host)" + away, ErrRegistryUnreachable},
		"failed to do request: Head \"https://a.example:5000/v2/b/manifests/1.404\": http: server gave HTTP response to HTTPS client":    {"a.example:5000 speaks plain HTTP, and the engine asks for HTTPS; name a.example:5000 among the engine's insecure-registries, and for Podman in INSECURE", ErrRegistryUnreachable},

		"error parsing HTTP 404 response body: invalid character 'o' in literal null (expecting 'u'): \"nothing here\\n\"": {absent, ErrNoImage},
		"reading manifest 1.404 in a.example:5000/b: StatusCode: 404, nothing here":                                        {absent, ErrNoImage},

		"failed to do request: Head \"http://a.example:5000/v2/b/manifests/1.404\": EOF":                                                            {"a.example:5000 gives the engine no answer (EOF); run this again later, or ask who runs it", ErrRegistryUnreachable},
		"DeadlineExceeded: failed to do request: Head \"https://a.example:5000/v2/b/manifests/1.404\": net/http: timeout awaiting response headers": {"a.example:5000 gives the engine no answer (timeout awaiting response headers); run this again later, or ask who runs it", ErrRegistryUnreachable},

		"encountered unknown type text/html; children may not be fetched":                                                      {page, nil},
		"error unmarshalling content: invalid character '<' looking for beginning of value":                                    {page, nil},
		"initializing image from source docker://a.example:5000/b:1.404: invalid character '<' looking for beginning of value": {page, nil},

		"something else": {"something else", nil},
	} {
		cause := errors.New(said)
		got := baseError("a.example:5000/b:1.404", cause)
		if got.Error() != test.want || !errors.Is(got, cause) || test.is != nil && !errors.Is(got, test.is) {
			t.Errorf("%s\ngot  %v\nwant %s, %v", said, got, test.want, test.is)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	dir := t.TempDir()
	for said, missing := range map[string]bool{
		`failed to compute cache key: "/conf" not found: not found`:                                                                                                                                                  true,
		`failed to compute cache key: failed to calculate checksum of ref 02ac0d1b::khg3r: "/conf": not found`:                                                                                                       true,
		"COPY failed: file not found in build context or excluded by .dockerignore: stat conf/: file does not exist":                                                                                                 true,
		`building at STEP "COPY a conf/ /": checking on sources under "/var/tmp/x/build": copier: stat: "/conf": no such file or directory`:                                                                          true,
		"failed to compute cache key: failed to walk /x/tmp/buildkit-mount92966385/conf: lstat /x/tmp/buildkit-mount92966385/conf: no such file or directory":                                                        true,
		"lstat /x/tmp/buildkit-mount92966385/conf: no such file or directory":                                                                                                                                        true,
		"lstat /var/lib/docker/overlay2/fc95fc25/merged/conf: no such file or directory":                                                                                                                             true,
		`building at STEP "COPY a conf/ /": reading "/var/tmp/x/build/conf": error during bulk transfer for copier.request{Root:"/"}: copier: get: lstat "/conf"("/etc/x"): lstat /etc/x: no such file or directory`: true,
		"the command was not found": false,
	} {
		want := "D:3: [1/1] COPY a conf/ /: " + said
		if missing {
			want = "D:3: [1/1] COPY a conf/ /: the context " + dir + " has no conf; correct the path, which begins in the context, or CONTEXT"
		}
		step := &StepError{Dockerfile: "D", Line: 3, Step: "[1/1] COPY a conf/ /", Err: errors.New(said)}
		if got := step.recognized(Context{Dir: dir}).Error(); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", said, got, want)
		}
	}
	for _, name := range []string{"[stage-1 1/1] COPY --from=x /nope /b", "[stage-1 1/1] RUN --mount=type=bind,from=x,source=nope,target=/b true"} {
		step := (&StepError{Dockerfile: "D", Line: 3, Step: name, Err: errors.New(`"/nope": not found`)}).recognized(Context{Dir: dir})
		if want := "D:3: " + name + ": x has no /nope; correct the path, or have the stage make it"; step.Error() != want {
			t.Errorf("got  %v\nwant %s", step, want)
		}
	}
}

// Engines name where a link leads, which nobody has written.
func TestMissingBehindALink(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("../shared/f", filepath.Join(dir, "f")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"[1/1] COPY ./f /":                          "f leads through the symbolic link f to what is not sent with the context; put the files in its place, or take a CONTEXT that holds what it names",
		"[1/1] COPY f /shared/":                     "f leads through the symbolic link f to what is not sent with the context; put the files in its place, or take a CONTEXT that holds what it names",
		"[1/1] RUN --mount=source=f,target=/x true": "f leads through the symbolic link f to what is not sent with the context; put the files in its place, or take a CONTEXT that holds what it names",
		"[1/1] COPY f* d /":                         "the context " + dir + " has no shared/f; correct the path, which begins in the context, or CONTEXT",
	} {
		step := (&StepError{Dockerfile: "D", Line: 3, Step: name, Err: errors.New(`"/shared/f": not found`)}).recognized(Context{Dir: dir})
		if want = "D:3: " + name + ": " + want; step.Error() != want {
			t.Errorf("got  %v\nwant %s", step, want)
		}
	}
}

// Who a step is to be, or files are to belong to, has to be in the image by name.
func TestMissingUsers(t *testing.T) {
	for said, want := range map[string]string{
		"executor failed running [/app]: unable to find user nobody: invalid argument":                                                                        "user nobody",
		`process "/app" did not complete successfully: unable to find group nogroup: no matching entries in group file`:                                       "group nogroup",
		"unable to convert uid/gid chown string to host mapping: can't find uid for user nobody: open /x/etc/passwd: no such file or directory":               "user nobody",
		`building at STEP "COPY --chown=nobody x /": looking up UID/GID for "nobody": determining run uid: user: unknown user error looking up user "nobody"`: `user "nobody"`,
		"open /var/lib/docker/overlay2/s2j8p7xy0/diff/etc/group: no such file or directory":                                                                   "/etc/group",
		"invalid user index: -1": "user or group of that name",
	} {
		want = "D:3: USER nobody: the image has no " + want +
			"; take its number, as in USER 65534 and --chown=65534, or give the image an /etc/passwd and an /etc/group that have the name"
		step := &StepError{Dockerfile: "D", Line: 3, Step: "USER nobody", Err: errors.New(said)}
		if got := step.recognized(Context{}).Error(); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", said, got, want)
		}
	}
}

// Links that lead nowhere but to themselves, and volumes where there are files, are told of without the engine's own folders.
func TestWrongPlaces(t *testing.T) {
	const circle = "a symbolic link on the way leads back to itself; correct the link, or take it out of the line"
	const out = "leads out of the context; correct the path, which begins in the context, or CONTEXT"
	for said, want := range map[string]string{
		"failed to compute cache key: too many symlinks: /l1":                                                             circle,
		"failed to compute cache key: too many links":                                                                     circle,
		"failed to compute cache key: failed to calculate checksum of ref c81b::efw5: too many links":                     circle,
		`building at STEP "COPY l1 /x": copier: stat: error resolving "/l1": open /l1: too many levels of symbolic links`: circle,
		"COPY failed: forbidden path outside the build context: ../a ()":                                                  "../a " + out,
		"cannot mount volume over existing file, file exists /var/lib/docker/overlay2/aefcedad/merged/bin/busybox":        "the image has a file there; name a folder, or none",
		"link /a /b: too many links": "link /a /b: too many links",
	} {
		step := &StepError{Dockerfile: "D", Line: 3, Step: "COPY x /", Err: errors.New(said)}
		if got := step.recognized(Context{}).Error(); got != "D:3: COPY x /: "+want {
			t.Errorf("%s:\ngot  %s\nwant %s", said, got, want)
		}
	}
}

// Classic builders want a file for their patterns.
func TestPatternsThatFitNothing(t *testing.T) {
	for step, want := range map[string]string{
		"COPY a* /":          "nothing that is sent of the context /x fits; correct the pattern, which begins in the context, or .dockerignore, or CONTEXT",
		"COPY --from=y a* /": "y has nothing that fits; correct the pattern, or have the stage make it",
	} {
		for _, said := range []string{
			"COPY failed: no source files were specified",
			`building at STEP "COPY a* /": checking on sources under "/var/tmp/b/build": Rel: can't make  relative to /var/tmp/b/build; copier: stat: ["/a*"]: no such file or directory`,
		} {
			got := (&StepError{Dockerfile: "D", Line: 3, Step: step, Err: errors.New(said)}).recognized(Context{Dir: "/x"})
			if want := "D:3: " + step + ": " + want; got.Error() != want {
				t.Errorf("got  %v\nwant %s", got, want)
			}
		}
	}
}

// What Docker's classic builder calls forbidden leads out of the context, to itself, or below a file.
func TestForbiddenPaths(t *testing.T) {
	dir := folder(t, "a")
	if err := os.Symlink("l", filepath.Join(dir, "l")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"../a": "../a leads out of the context; correct the path, which begins in the context, or CONTEXT",
		"l":    circle + "; " + circleCure,
		"a/x":  "the context " + dir + " has no a/x; correct the path, which begins in the context, or CONTEXT",
	} {
		said := "COPY failed: forbidden path outside the build context: " + name + " ()"
		step := (&StepError{Dockerfile: "D", Line: 3, Step: "COPY", Err: errors.New(said)}).recognized(Context{Dir: dir})
		if want = "D:3: COPY: " + want; step.Error() != want {
			t.Errorf("got  %v\nwant %s", step, want)
		}
	}
}

// A FROM that runs what waits in ONBUILD asks no registry.
func TestTriggersThatFail(t *testing.T) {
	step := &StepError{Dockerfile: "D", Line: 3, Step: "[dev 1/2] FROM x AS dev", Output: "# Executing 1 build trigger",
		Err: errors.New("COPY failed: file not found in build context or excluded by .dockerignore: stat nothere: file does not exist")}
	want := "D:3: [dev 1/2] FROM x AS dev: the context /x has no nothere; correct the path, which begins in the context, or CONTEXT"
	if got := step.recognized(Context{Dir: "/x"}).Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
