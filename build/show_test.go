package build

import (
	"reflect"
	"testing"
	"time"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/progress"
)

// What people see is what the engine tells: each state is its own, and an internal step is the display's to hide.
func TestShown(t *testing.T) {
	j := job{name: "linux/arm64", solve: engine.Solve{DockerfileName: "sub/Dockerfile"}}
	const run = "[2/2] RUN make"
	for _, test := range []struct {
		event engine.Event
		want  progress.Event
	}{
		{engine.Step{ID: "1", Name: run}, progress.Step{Platform: j.name, ID: "1", Name: run, File: "sub/Dockerfile"}},
		{engine.Step{ID: "1", Name: run, State: engine.Done, Took: time.Second},
			progress.Step{Platform: j.name, ID: "1", Name: run, File: "sub/Dockerfile", State: progress.Done, Took: time.Second}},
		{engine.Step{ID: "1", State: engine.Cached}, progress.Step{Platform: j.name, ID: "1", File: "sub/Dockerfile", State: progress.Cached}},
		{engine.Step{ID: "1", State: engine.Canceled}, progress.Step{Platform: j.name, ID: "1", File: "sub/Dockerfile", State: progress.Canceled}},
		{engine.Step{ID: "1", Name: "[internal] load metadata", State: engine.Failed, Error: "no such host", Line: 7},
			progress.Step{Platform: j.name, ID: "1", Name: "[internal] load metadata", File: "sub/Dockerfile", State: progress.Failed, Error: "no such host", Line: 7}},
		{engine.Output{Step: "1", Text: "a\n"}, progress.Output{Platform: j.name, ID: "1", Data: []byte("a\n")}},
		{engine.Bytes{Name: "push", Current: 1, Total: 2, Done: true}, progress.Bytes{Platform: j.name, Name: "push", Current: 1, Total: 2, Done: true}},
		{engine.Notice{Text: "n"}, progress.Notice{Platform: j.name, Text: "n"}},
		{engine.Warning{Text: "told when all is built"}, nil},
	} {
		if got := shown(j, test.event); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v: got %+v, want %+v", test.event, got, test.want)
		}
	}
}
