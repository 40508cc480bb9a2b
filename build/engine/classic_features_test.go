package engine

import (
	"slices"
	"testing"
)

// What a builder does not know is refused beforehand, and what it may know is left to it.
func TestRefuses(t *testing.T) {
	kit := Info{Name: "Docker", Version: "20.10.24", Road: RoadBuildKit}
	old := Info{Name: "Docker", Version: "20.10.24", Road: RoadClassic}
	later := Info{Name: "Docker", Version: "26.1.5", Road: RoadClassic}
	pod := Info{Name: podman, Version: "4.3.1", Road: RoadClassic}
	podAt := func(version string) Info { return Info{Name: podman, Version: version, Road: RoadClassic} }
	for info, skips := range map[*Info]bool{&kit: true, &old: false, &later: false, &pod: true} {
		if info.SkipsStages() != skips {
			t.Errorf("%s %s (%s) skips stages: %t", info.Name, info.Version, info.Road, !skips)
		}
	}
	for _, test := range []struct {
		feature string
		refused []Info
		taken   []Info
	}{
		{"RUN --mount", []Info{old, later}, []Info{kit, pod}},
		{"COPY --chmod", []Info{old, later}, []Info{kit, pod}},
		{"COPY --link", []Info{old, pod, podAt("5.5.2")}, []Info{kit, later, podAt("5.6.0"), podAt("6.0.0"), podAt("unknown")}},
		{"ADD --link", []Info{old, pod, podAt("5.5.2")}, []Info{kit, later, podAt("5.6.0")}},
		{"RUN --network", []Info{old, later, pod, podAt("4.4.4")}, []Info{podAt("4.5.0"), podAt("5.0.0")}},
		{"ADD --checksum", []Info{old, later, pod, podAt("4.7.9")}, []Info{kit, podAt("4.8.0"), podAt("5.4.2")}},
		{"RUN heredoc", []Info{old, later, pod, podAt("4.9.4")}, []Info{kit, podAt("5.0.0-dev")}},
		{"COPY heredoc", []Info{old, later, pod, podAt("5.4.2")}, []Info{kit, podAt("5.5.0")}},
		{"ADD heredoc", []Info{pod, podAt("5.4.2")}, []Info{podAt("5.5.0")}},
		{"COPY --parents", []Info{pod, podAt("5.4.2")}, []Info{podAt("5.5.0")}},
		{"COPY --exclude", []Info{pod, podAt("5.2.0")}, []Info{podAt("5.3.0")}},
		{"ADD --exclude", []Info{pod, podAt("5.2.0")}, []Info{podAt("5.3.0")}},
		{"ADD of a git repository", []Info{old, later, pod, podAt("5.2.5")}, []Info{kit, podAt("5.3.0")}},
		{"RUN --security", []Info{old, later, pod, podAt("5.8.6")}, []Info{kit, podAt("6.0.0")}},
		{"ADD --keep-git-dir", []Info{pod, podAt("5.4.2")}, []Info{podAt("6.0.0")}},
		{"HEALTHCHECK --start-interval", []Info{old, pod}, []Info{kit, later, podAt("5.4.2")}},
		{"RUN --tomorrow", []Info{old, later}, []Info{kit, pod}}, // nobody knows
	} {
		for _, info := range test.refused {
			if !info.Refuses(test.feature, false) {
				t.Errorf("%s %s (%s) takes %s", info.Name, info.Version, info.Road, test.feature)
			}
		}
		for _, info := range test.taken {
			if info.Refuses(test.feature, false) {
				t.Errorf("%s %s (%s) refuses %s", info.Name, info.Version, info.Road, test.feature)
			}
		}
	}
}

// Docker's classic builder reads the stages that it does not build, and each version reads more; Podman does not know where a
// here-document ends in any.
func TestRefusesWhatIsNotBuilt(t *testing.T) {
	old := Info{Name: "Docker", Version: "20.10.24", Road: RoadClassic}
	later := Info{Name: "Docker", Version: "26.1.5", Road: RoadClassic}
	pod := Info{Name: podman, Version: "4.3.1", Road: RoadClassic}
	newPod := Info{Name: podman, Version: "5.4.2", Road: RoadClassic}
	for feature, want := range map[string][]string{
		"RUN --mount": {}, "COPY --chmod": {}, "ADD --chmod": {}, "ADD of a git repository": {},
		"RUN --network": {old.Version}, "COPY --link": {old.Version}, "ADD --checksum": {old.Version}, "ADD --keep-git-dir": {old.Version}, "HEALTHCHECK --start-interval": {old.Version},
		"RUN heredoc": {old.Version, pod.Version}, "COPY heredoc": {old.Version, pod.Version},
		"RUN --security": {old.Version, later.Version}, "COPY --parents": {old.Version, later.Version}, "COPY --exclude": {old.Version, later.Version},
	} {
		for _, info := range []Info{old, later, pod, newPod} {
			if got := info.Refuses(feature, true); got != slices.Contains(want, info.Version) {
				t.Errorf("%s %s refuses an idle %s: %t", info.Name, info.Version, feature, got)
			}
		}
	}
}
