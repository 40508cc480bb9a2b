package engine

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/distribution/reference"
)

// A failure is what each engine, and each version of one, says in words of its own. The table of them is the one place that knows:
//
//	where it was said   in which words   what it is, for errors.Is   what to say instead   what to do
//
// Where there is nothing to say instead, the engine's words are clear. HOST stands for the registry, NAME for what the words have
// in parentheses.
type failure struct {
	in    within
	words *regexp.Regexp
	is    error
	says  string
	cure  string
}

// within says where words are looked for. What a program printed tells of the machine that it ran on, and of nothing else: tests
// print "401" and "connection refused" about services of their own.
type within int

const (
	anywhere within = 1 << iota // also in what the step printed
	theError
	aPull // the error of a step that asks a registry, without names
	aPush // the same of a push
)

// errTransient marks what may go well another time.
var errTransient = errors.New("transient")

// errBadManifest is a refusal that may go well another time: by the same number a registry refuses a tag that stays what it is, and a
// manifest ahead of its blobs, of which it has lost one to two uploads at once.
var errBadManifest = fmt.Errorf("%w: bad request", ErrManifestRefused)

// failures are compiled when something has failed: at every start they would be felt. The first that fits is it.
func failures() []failure { return append(ofSteps(), ofRegistries()...) }

// ofSteps are those of a step's own doing.
func ofSteps() []failure {
	const (
		number = "take its number, as in USER 65534 and --chown=65534, or give the image an /etc/passwd and an /etc/group that have the name"
		inside = "correct the path, which begins in the context, or CONTEXT"
	)
	return []failure{
		{anywhere, regexp.MustCompile(`(?i)exec format error`), nil, "",
			"the step runs a program of another architecture: `emulation` registers QEMU for it, and STRATEGY=cross avoids it"},
		{anywhere, regexp.MustCompile(`(?i)no space left on device`), nil, "",
			"the engine's disk is full: free some with `docker system prune`"},
		{theError, regexp.MustCompile(`lint violation found`), nil, "",
			"correct what the warnings name, or take error=true out of the `# check=` line"},
		{theError, regexp.MustCompile(`(?i)dockerfile parse error|unknown instruction|unknown flag`), nil, "",
			"correct the line, or give a `# syntax=` line if it needs a newer frontend"},
		{theError, regexp.MustCompile(missing), errMissing, "", ""},                                          // which the context or the stage tells more of
		{theError, regexp.MustCompile(`no source files were specified|copier: stat: \["`), errUnfit, "", ""}, // likewise
		{theError, regexp.MustCompile(`too many symlinks|(?:cache key|checksum of ref \S+): too many links|too many levels of symbolic links`),
			nil, circle, circleCure},
		{theError, regexp.MustCompile(`(?i)forbidden path outside the build context: (\S+)`), errForbidden, "NAME leads out of the context", inside}, // or nowhere, which the context tells
		{theError, regexp.MustCompile(`cannot mount volume over existing file`), nil, "the image has a file there", "name a folder, or none"},
		{theError, regexp.MustCompile(`unable to find ((?:user|group) [^\s:]+)|can't find [ug]id for ((?:user|group) [^\s:]+)|error looking up ((?:user|group) "[^"]+")`),
			nil, "the image has no NAME", number},
		{theError, regexp.MustCompile(`^open /\S+(/etc/(?:passwd|group)): no such file or directory`), nil, "the image has no NAME", number},
		{theError, regexp.MustCompile(`invalid user index: -1`), nil, "the image has no user or group of that name", number}, // Docker 20.10, of what is FROM scratch
		{theError, regexp.MustCompile(`invalid response status \d+`), nil, "",
			"correct the address, or fetch the file beforehand if it is not for everybody"},
	}
}

// ofRegistries are those of pulls and pushes.
func ofRegistries() []failure {
	const (
		elsewhere = "take another base, or leave the platform out of ARCHES"
		writable  = "check that this account may write this tag"
		later     = "run this again later, or ask who runs it"
	)
	return []failure{
		{aPush, regexp.MustCompile(`(?i)cannot connect to the docker daemon|error during connect`), ErrUnreachable, "", "start the engine and run this again"},
		{aPush, regexp.MustCompile(`(?i)does not exist locally|no such image|tag does not exist|image not known|content digest \S+: not found`), ErrNotFound, "the engine has it no longer", goneCure},
		{aPush, regexp.MustCompile(`(?i)immutable|already exists.*tag|tag.*already exists`), ErrTagRefused, "", ErrTagRefused.Error() + ": choose another VERSION"},
		{aPush, regexp.MustCompile(`unexpected status from PUT request to ` + manifestURL + ` 400\b`), errBadManifest, "", writable}, // containerd leaves the registry's words out
		{aPush, regexp.MustCompile(`unexpected status from PUT request to ` + manifestURL + ` 4(03|05|09|12)\b`), ErrManifestRefused, "", writable},
		{aPush, regexp.MustCompile(`(?i)unauthorized|authentication required|no basic auth|denied|forbidden|\b40[13]\b`),
			ErrUnauthorized, "", "log in with `docker login HOST`, and check that this account may push there"},

		{aPull, regexp.MustCompile(`(?i)no match for platform|no matching manifest for|no image found in (?:manifest list|image index)|does not match the (?:specified|expected) platform`),
			ErrNoPlatform, "it has none for the platform", elsewhere},
		{aPull, regexp.MustCompile(`the registry gave`), ErrNoPlatform, "", elsewhere},
		{aPull, regexp.MustCompile(`(?i)\b429\b|toomanyrequests|too many requests|rate limit`),
			nil, "HOST gives out no more for now, its limit of pulls being reached (429)", "log in with `docker login HOST`, whose limit is higher, or run this again later"},
		{aPull, regexp.MustCompile(`(?i)access denied|insufficient_scope|authorization failed`),
			ErrUnauthorized, "HOST has no such image, or shows it to others alone", "correct its name, or log in with `docker login HOST`"},
		{aPull, regexp.MustCompile(`(?i)\b401\b|unauthorized|no basic auth|authentication required`),
			ErrUnauthorized, "HOST wants credentials, and others than it gets", "log in with `docker login HOST`"},
		{aPull, regexp.MustCompile(`(?i)\b403\b|forbidden|\bdenied\b`),
			ErrUnauthorized, "HOST does not let this account read it (403)", "check its name, or log in with `docker login HOST` as somebody who may"},
		{aPull, regexp.MustCompile(`failed with status code (?:\[.*\])?:? *(5\d\d)\b|unexpected status.*\s(5\d\d)\b|HTTP (?:status: )?(5\d\d)\b`),
			ErrRegistryUnreachable, "HOST answers NAME, and not with the image", later},

		{aPull | aPush, regexp.MustCompile(`(?i)HTTP response to HTTPS client|not look like a TLS handshake`),
			ErrRegistryUnreachable, "HOST speaks plain HTTP, and the engine asks for HTTPS", "name HOST among the engine's insecure-registries, and for Podman in INSECURE"},
		{aPull | aPush, regexp.MustCompile(`(?i)x509:|certificate`),
			ErrRegistryUnreachable, "", "give the engine the certificate of HOST's authority, as in /etc/docker/certs.d/HOST/ca.crt"},
		{aPull | aPush, regexp.MustCompile(`(?i)(connection refused|no such host|no route to host|network is unreachable)`),
			ErrRegistryUnreachable, "the engine does not reach HOST (NAME)", "check its name, and that HOST answers the engine"},
		{aPull, regexp.MustCompile(`(?i)(i/o timeout|TLS handshake timeout|timeout awaiting response headers|deadline exceeded|connection reset|\bEOF$)`),
			ErrRegistryUnreachable, "HOST gives the engine no answer (NAME)", later},
		{aPull, regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|\b404\b`),
			ErrNoImage, "HOST has no such image", "correct its name, or push it there first"},
		{aPull, regexp.MustCompile(`unknown type \S+; children may not be fetched|invalid character \S+ looking for beginning of value`),
			nil, "HOST answers, and not as registries do", "check its name"},

		{aPush, regexp.MustCompile(`(?i)toomanyrequests|too many requests|blob (upload )?unknown|manifest blob unknown`), errTransient, "", ""},
		{aPush, regexp.MustCompile(`(?i)\b(408|429|500|502|503|504)\b|internal server error|bad gateway|service unavailable|gateway time-?out`), errTransient, "", ""},
		{aPush, regexp.MustCompile(`(?i)connection reset|broken pipe|unexpected EOF|\bEOF$|i/o timeout|TLS handshake timeout|deadline exceeded|use of closed network connection`), errTransient, "", ""},
	}
}

// goneCure is for an image that was built and is looked for in vain.
const goneCure = "`clean` or a prune took it away since it was built: run this again"

// missing is what engines say of a path that a COPY, an ADD or a mount names: BuildKit, Docker's classic builder, Podman.
const missing = `"(/[^"]*)":? not found|` +
	`(?:COPY|ADD) failed: (?:file not found in build context or excluded by \.dockerignore: )?stat ([^:]+): file does not exist|` +
	`copier: stat: "([^"]+)": no such file or directory|` +
	`copier: get: lstat "(/[^"]+)"\("[^"]*"\): lstat [^:]+: no such file or directory|` +
	`lstat /\S*/(?:buildkit-mount\d+|overlay2/\w+/merged)(/[^:]+): no such file or directory`

var (
	errMissing   = errors.New("no such path")
	errUnfit     = errors.New("no path fits")
	errForbidden = errors.New("no way there")
)

// What there is to say of a symbolic link that leads nowhere else.
const (
	circle     = "a symbolic link on the way leads back to itself"
	circleCure = "correct the link, or take it out of the line"
)

// known finds the failure that fits and puts the names in; name is what its words have in parentheses.
func known(texts map[within]string, host string) (f failure, name string) {
	for _, f := range failures() {
		for in, text := range texts { // of which none fits where another does
			found := f.words.FindStringSubmatch(text)
			if found == nil || f.in&in == 0 {
				continue
			}
			name = strings.Join(found[1:], "")
			names := strings.NewReplacer("HOST", host, "NAME", name)
			f.says, f.cure = names.Replace(f.says), names.Replace(f.cure)
			return f, name
		}
	}
	return failure{}, ""
}

// recognized says in our words what the engine has said in its own of a build over the given context.
func (e *StepError) recognized(given Context) *StepError {
	if errors.Is(e.Err, ErrUnreachable) { // in the middle of the step, which may not be to blame
		return e
	}
	image, asks := e.pulls()
	if image != "" {
		base := baseError(image, e.Err)
		e.Step, e.Err = "", fmt.Errorf("the image %s: %w", base.Image, base)
		return e
	}
	texts := map[within]string{anywhere: e.Err.Error() + "\n" + e.Output, theError: e.Err.Error()}
	if asks {
		texts[aPull] = said(e.Err.Error(), "")
	}
	f, name := known(texts, "REGISTRY")
	e.Says, e.Cure = f.says, f.cure
	from := copiedFrom().FindStringSubmatch(e.Step)
	switch {
	case f.is == errMissing && from != nil:
		e.Says, e.Cure = from[1]+" has no "+name, "correct the path, or have the stage make it"
	case f.is == errMissing:
		e.Says, e.Cure = given.missing(given.written(e.Step, name))
	case f.is == errUnfit && from != nil:
		e.Says, e.Cure = from[1]+" has nothing that fits", "correct the pattern, or have the stage make it"
	case f.is == errUnfit:
		e.Says, e.Cure = given.unfit()
	case f.is == errForbidden && from == nil && !strings.HasPrefix(path.Clean(name), ".."):
		if why, cure := given.Lacks(path.Clean(name)); why != "" {
			e.Says, e.Cure = why, cure
		}
	}
	return e
}

// copiedFrom finds what a COPY, or a RUN with a mount, takes files from beside the context.
var copiedFrom = pattern(`(?:--|[ =,])from=([^,\s]+)`)

// pullStep is how BuildKit calls what asks a registry for an image, or for its cache.
var pullStep = pattern(`^(?:(?:\[context [^\]]*\] )?load metadata for (\S+)|(?:docker-image://|(?:\[[^\]]*\] )?FROM )([^\s@]+)|resolve image config for |exporting cache to |\[context )`)

// triggers begins what Docker's classic builder prints when a FROM runs what is waiting in ONBUILD.
const triggers = "# Executing "

// pulls is the image that the step asks a registry for, where it is one, and whether it asks a registry at all.
func (e *StepError) pulls() (image string, asks bool) {
	found := pullStep().FindStringSubmatch(e.Step)
	if found == nil || e.ExitCode != 0 || strings.HasPrefix(e.Output, triggers) {
		return "", false
	}
	return found[1] + found[2], true
}

// BaseError is an image that a build starts or copies from, and that the engine does not get.
type BaseError struct {
	Image string // in full form
	Cure  string // what to do, where that is known
	says  string // instead of Err's words
	is    error
	Err   error
}

// NoImage is the error of an image that its registry has not got.
func NoImage(image string) *BaseError { return baseError(image, errors.New("not found")) }

// inFull is an image's name as it is written in full, and its registry; what is no name stands for both.
func inFull(image string) (full, host string) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image, image
	}
	return reference.TagNameOnly(named).String(), reference.Domain(named)
}

// baseError reads what was said of the pull of an image.
func baseError(image string, err error) *BaseError {
	image, host := inFull(image)
	f, _ := known(map[within]string{aPull: said(err.Error(), image)}, host)
	return &BaseError{Image: image, Cure: f.cure, says: f.says, is: f.is, Err: plainError{err}}
}

func (e *BaseError) Unwrap() []error {
	if e.is == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.is}
}

// Error leaves the image's name to the caller, who has it.
func (e *BaseError) Error() string {
	text := cmp.Or(e.says, strings.TrimPrefix(e.Err.Error(), e.Image+": "))
	if e.Cure != "" {
		text += "; " + e.Cure
	}
	return text
}
