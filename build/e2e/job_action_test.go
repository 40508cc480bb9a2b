package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is what GitHub reads of an action's file, as far as these tests go by it.
type action struct {
	clone   string // the action is of this clone
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Steps []struct {
			ID  string
			Run string
			Env map[string]string
		}
	}
}

const actionFolder = ".github/actions/mage"

func readAction(t *testing.T) action {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(suite.clone, actionFolder, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	a := action{clone: suite.clone}
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// step runs one of the steps as a runner does, in dir with these inputs, and gives what it left as outputs.
func (a action) step(t *testing.T, id, dir string, env []string, inputs map[string]string) map[string]string {
	t.Helper()
	folder := filepath.Join(a.clone, actionFolder)
	left := filepath.Join(t.TempDir(), "output")
	env = append(env, "GITHUB_ACTION_PATH="+folder, "GITHUB_ACTIONS=true", "GITHUB_OUTPUT="+left, "MANYMAGE_NO_INSTALL=1")
	for _, s := range a.Runs.Steps {
		if s.ID != id {
			continue
		}
		for name, value := range s.Env {
			if input, ok := strings.CutPrefix(value, "${{ inputs."); ok {
				input = strings.TrimSuffix(input, " }}")
				if value, ok = inputs[input]; !ok {
					value = a.Inputs[input].Default
				}
			}
			env = append(env, name+"="+value)
		}
		if out, err := outputWithin(4*patience, env, "env", "-C", dir, "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
	}
	text, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^(\w+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		outputs[line[1]] = line[2]
	}
	return outputs
}

// workflow is what these tests read of a workflow's file.
type workflow struct {
	Jobs map[string]struct {
		Steps []struct {
			Uses string
			With map[string]string
		}
	}
}

// releaseInputs are what the release workflow gives the action, with a registry and credentials of the test's.
func releaseInputs(t *testing.T, repo string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(suite.clone, ".github/workflows/release.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("ghcr.io/${{ github.repository }}", repo, "${{ github.actor }}", User, "${{ github.token }}", Password)
	inputs := map[string]string{}
	for _, step := range w.Jobs["image"].Steps {
		if step.Uses == "./"+actionFolder {
			for name, value := range step.With {
				inputs[name] = fill.Replace(value)
			}
		}
	}
	return inputs
}

// A release is published by the action, under the tags of its series.
func TestReleaseWorkflow(t *testing.T) {
	e, reg := Engine(t, Docker20), Private(t)
	a := readAction(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	Git(t, dir, "v1.2.3")
	repo := reg.Repo(t)
	inputs := releaseInputs(t, repo)
	for name := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Errorf("the release gives the action %s, which it does not take", name)
		}
	}
	a.step(t, "mage", dir, With(e, "HOME="+os.Getenv("HOME"), "DOCKER_CONFIG="+suite.home), inputs)
	for _, tag := range []string{"1.2", "1", "latest"} {
		if reg.Raw(t, repo+":"+tag) != reg.Raw(t, repo+":1.2.3") {
			t.Errorf("%s is another list than 1.2.3", tag)
		}
	}
}

// The action for GitHub's workflows is scripts/mage with its inputs as knobs, and its outputs are those of the job.
func TestGitHubAction(t *testing.T) {
	e, reg := Engine(t, Docker20), Private(t)
	a := readAction(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nARG WORDS\nLABEL words=$WORDS\nCOPY Dockerfile /\n"})
	repo := reg.Repo(t)
	outputs := a.step(t, "mage", dir, With(e, "HOME="+os.Getenv("HOME"), "DOCKER_CONFIG="+suite.home), map[string]string{
		"knobs":   fmt.Sprintf("IMG=%s\nVERSION=1\n\n  \nARCHES=amd64 arm64\nTAGS={version} latest\nBUILD_ARGS=\"WORDS=a $HOME 'b'\"\n", repo),
		"targets": "build\npush\n", "username": User, "password": Password,
	})
	if seen := a.step(t, "look", dir, nil, nil); len(seen["sources"]) != 16 || !strings.HasSuffix(seen["go"], "/go") {
		t.Errorf("the cache and the way to Go go by %v", seen)
	}
	index := reg.Index(t, repo+":latest")
	if outputs["image"] != repo+":1" || reg.Raw(t, repo+"@"+outputs["digest"]) != reg.Raw(t, repo+":1") {
		t.Errorf("outputs %v", outputs)
	}
	if got := reg.Config(t, repo+"@"+index.Manifests[0].Digest).Config.Labels["words"]; got != "a $HOME 'b'" {
		t.Errorf("an argument came through as %q", got)
	}
	for name, output := range a.Outputs {
		if _, ok := outputs[name]; !ok || output.Value != "${{ steps.mage.outputs."+name+" }}" {
			t.Errorf("output %s is %s of %v", name, output.Value, outputs)
		}
	}
}

// Whatever a job's own setup-go has left in the environment, the Go that is there may fetch the one that is needed.
func TestGitHubActionMayFetchGo(t *testing.T) {
	a := readAction(t)
	a.clone = Dir(t, Files{actionFolder + "/action.yml": "", "scripts/mage": "#!/bin/sh\necho toolchain=$GOTOOLCHAIN >>$GITHUB_OUTPUT\n"})
	if err := os.Chmod(filepath.Join(a.clone, "scripts/mage"), 0o755); err != nil {
		t.Fatal(err)
	}
	if seen := a.step(t, "mage", t.TempDir(), []string{"GOTOOLCHAIN=local"}, nil)["toolchain"]; seen != "auto" {
		t.Errorf("GOTOOLCHAIN is %q", seen)
	}
}
