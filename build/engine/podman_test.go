package engine

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPodmanIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		var told []string
		request, end := (&Engine{info: Info{Name: podman}}).buildContext(ctx, serial(func(e Event) { told = append(told, e.(Notice).Text) }))
		defer end()
		interrupt()
		synctest.Wait()
		if request.Err() != nil {
			t.Errorf("the request ends with the caller: %v", request.Err())
		}
		if len(told) != 1 || told[0] != podmanGoesOn || strings.Contains(told[0], "\n") {
			t.Errorf("told %q", told)
		}
		time.Sleep(podmanGrace + time.Second)
		synctest.Wait()
		if request.Err() == nil {
			t.Error("the request never ends")
		}
	})
}

func TestDockerIsLeftAtOnce(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	request, end := (&Engine{info: docker20}).buildContext(ctx, func(Event) {})
	defer end()
	interrupt()
	if request.Err() == nil {
		t.Error("the request outlives its caller")
	}
}
