package build

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
)

// Two platforms that are pushed at once ask for the same login: what it is that they wait for is said, and said once.
func TestAPushTellsOfASlowCredentialHelper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []progress.Event
		p := New(Options{Show: func(e progress.Event) { told = append(told, e) }})
		find := p.forEngine(func(context.Context, string) (registry.Credential, error) {
			time.Sleep(time.Minute)
			return registry.Credential{Username: "me"}, nil
		})
		var pushes sync.WaitGroup
		for range 2 {
			pushes.Go(func() {
				if c, err := find(t.Context(), "registry.test"); err != nil || c.Username != "me" {
					t.Error(c, err)
				}
			})
		}
		pushes.Wait()
		want := []progress.Event{progress.Notice{Text: "waiting for docker's credential helper to tell the login of registry.test"}}
		if !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
	})
}
