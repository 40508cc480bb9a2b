package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
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

// manyFormats is Podman's tale of a refused manifest: it tries the other formats, and tells the same of each. The first is enough.
var manyFormats = pattern(`(?s)^.*attempted the following formats: [^\s(]+\((.+?)\)(?:, application/[^\s(]+\(.*)?$`)

// pushError gives a failed push its kind and, where there is one, its cure. Engines pass on registries' words and their own transport's,
// and no code.
func pushError(ctx context.Context, ref, text string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text = strings.TrimSpace(text)
	_, host := inFull(ref)
	f, _ := known(map[within]string{aPush: said(text, ref)}, host)
	out := &PushError{Ref: ref, Message: cmp.Or(f.says, manyFormats().ReplaceAllString(text, "$1")), Err: f.is}
	if f.cure != "" {
		out.Message += "; " + f.cure
	}
	if f.is == nil {
		out.Err = errors.New("refused")
	}
	return out
}
