package build

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/engine"
)

// A refusal of many lines hangs as many, and one file is one.
func TestPlanForPeople(t *testing.T) {
	p := Plan{Image: "me/app", Context: PlannedContext{Dir: "/src", Files: 1, Bytes: 3},
		Engine: PlannedEngine{Info: engine.Info{Name: "Docker", Version: "20.10"}, Refusals: []string{"first:\n  Dockerfile:2: a\nwhat to do", "second"}}}
	var out strings.Builder
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"├── will refuse: first:\n│   ├── Dockerfile:2: a\n│   └── what to do\n└── will refuse: second\n",
		"context /src: 1 file, 3 B at most\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
}
