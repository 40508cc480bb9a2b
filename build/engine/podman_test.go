package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPodmanIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		told := 0
		request, end := (&Engine{info: Info{Name: podman}}).buildContext(ctx, serial(func(Event) { told++ }))
		defer end()
		interrupt()
		synctest.Wait()
		if request.Err() != nil || told != 1 {
			t.Errorf("the request ends with the caller: %v, told %d times", request.Err(), told)
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
