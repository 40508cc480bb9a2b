package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// pushMessage is one line of a push's answer. The engine says HTTP 200 before
// it begins, so that a failure is an error in here.
type pushMessage struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error  string `json:"error"`
	Detail struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
	Aux json.RawMessage `json:"aux"`
}

// readPush reads a push to its end and gives what was pushed.
func readPush(ctx context.Context, ref string, stream io.Reader, onEvent func(Event)) (Pushed, error) {
	var done Pushed
	layers := map[string]bool{} // by ID: sent, or already there
	sent := newMeter("push")
	sent.tell(onEvent, false)
	for lines := json.NewDecoder(stream); ; {
		var m pushMessage
		err := lines.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Pushed{}, pushError(ctx, ref, "the engine's answer broke off: "+err.Error())
		}
		if text := m.fault(); text != "" {
			return Pushed{}, pushError(ctx, ref, text)
		}
		m.note(layers, sent)
		m.result(&done)
		sent.tell(onEvent, false)
	}
	done.Uploaded, done.Present = countLayers(layers)
	if done.Digest == "" {
		return Pushed{}, pushError(ctx, ref, "the engine's answer broke off before the digest: unexpected EOF")
	}
	sent.tell(onEvent, true)
	return done, nil
}

func (m pushMessage) fault() string {
	if m.Detail.Message != "" {
		return m.Detail.Message
	}
	return m.Error
}

// note remembers how far a layer is, and how it ended.
func (m pushMessage) note(layers map[string]bool, sent *meter) {
	switch {
	case m.ID == "":
	case m.Progress.Current > 0:
		sent.note(m.ID, m.Progress.Current, m.Progress.Total)
	case m.Status == "Pushed":
		layers[m.ID] = true
		sent.end(m.ID)
	case m.Status == "Layer already exists", strings.HasPrefix(m.Status, "Mounted from"):
		layers[m.ID] = false
	}
}

func countLayers(layers map[string]bool) (uploaded, present int) {
	for _, sent := range layers {
		if sent {
			uploaded++
		} else {
			present++
		}
	}
	return uploaded, present
}

// result reads the digest: graph drivers send it as a value of its own,
// containerd stores and Podman in a sentence.
func (m pushMessage) result(done *Pushed) {
	var aux struct {
		Digest digest.Digest
		Size   int64
	}
	if json.Unmarshal(m.Aux, &aux) == nil && aux.Digest.Validate() == nil {
		done.Digest, done.Size = aux.Digest, aux.Size
		return
	}
	if found := pushedSentence().FindStringSubmatch(m.Status); found != nil {
		done.Digest = digest.Digest(found[1])
		done.Size, _ = strconv.ParseInt(found[2], 10, 64) // digits only; one too long for a size is none
	}
}

// pushedSentence is the status that tells the digest: "TAG: digest: sha256:... size: N".
var pushedSentence = pattern(`^\S+: digest: (sha256:[0-9a-f]{64}) size: (\d+)$`)

// errTransient marks what may go well another time.
var errTransient = errors.New("transient")

// errBadManifest is a refusal that may go well another time: by the same number a registry refuses a tag that stays what it is, and a
// manifest ahead of its blobs, of which it has lost one to two uploads at once.
var errBadManifest = fmt.Errorf("%w: bad request", ErrManifestRefused)

// pushFaults sorts what engines say of a failed push. They pass on registries'
// words and their own transport's, and no code; the first that fits decides,
// and names are no words.
// They are compiled when a push has failed: at every start they would be felt.
func pushFaults() []pushFault {
	return []pushFault{
		{regexp.MustCompile(`(?i)cannot connect to the docker daemon|error during connect`), ErrUnreachable},
		{regexp.MustCompile(`(?i)does not exist locally|no such image|tag does not exist`), ErrNotFound},
		{regexp.MustCompile(`(?i)immutable|already exists.*tag|tag.*already exists`), ErrTagRefused},
		{regexp.MustCompile(`unexpected status from PUT request to ` + manifestURL + ` 400\b`), errBadManifest}, // containerd leaves the registry's words out
		{regexp.MustCompile(`unexpected status from PUT request to ` + manifestURL + ` 4(03|05|09|12)\b`), ErrManifestRefused},
		{regexp.MustCompile(`(?i)unauthorized|authentication required|no basic auth|denied|forbidden|\b40[13]\b`), ErrUnauthorized},
		{regexp.MustCompile(`(?i)connection refused|no such host|no route to host|network is unreachable|http: server gave HTTP response to HTTPS client|x509:|certificate`), ErrRegistryUnreachable},
		{regexp.MustCompile(`(?i)toomanyrequests|too many requests|blob (upload )?unknown|blob unknown|manifest blob unknown`), errTransient},
		{regexp.MustCompile(`(?i)\b(408|429|500|502|503|504)\b|internal server error|bad gateway|service unavailable|gateway time-?out`), errTransient},
		{regexp.MustCompile(`(?i)connection reset|broken pipe|unexpected EOF|\bEOF$|i/o timeout|TLS handshake timeout|deadline exceeded|use of closed network connection`), errTransient},
	}
}

type pushFault struct {
	words *regexp.Regexp
	kind  error
}

// manyFormats is Podman's tale of a refused manifest: it tries the other formats, and tells the same of each. The first is enough.
var manyFormats = pattern(`(?s)^.*attempted the following formats: [^\s(]+\((.+?)\)(?:, application/[^\s(]+\(.*)?$`)

// pushError gives a failed push its kind and, where there is one, its cure.
func pushError(ctx context.Context, ref, text string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	out := &PushError{Ref: ref, Message: manyFormats().ReplaceAllString(strings.TrimSpace(text), "$1"), Err: errors.New("refused")}
	happened := said(text, ref)
	for _, fault := range pushFaults() {
		if fault.words.MatchString(happened) {
			out.Err = fault.kind
			break
		}
	}
	out.Message += cureOf(out.Err)
	return out
}

func cureOf(kind error) string {
	switch {
	case errors.Is(kind, ErrUnauthorized):
		return "; log in with `docker login`, and check that this account may push there"
	case errors.Is(kind, ErrRegistryUnreachable):
		return "; the engine cannot reach the registry: check its name, and for plain HTTP INSECURE (Podman) or the engine's insecure-registries (Docker)"
	case errors.Is(kind, ErrUnreachable):
		return "; start the engine and run this again"
	case errors.Is(kind, ErrNotFound):
		return "; build it first"
	case errors.Is(kind, ErrManifestRefused):
		return "; check that this account may write this tag"
	case errors.Is(kind, ErrTagRefused):
		return fmt.Sprintf("; %v: choose another VERSION", kind)
	}
	return ""
}
