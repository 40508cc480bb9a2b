package engine

import "testing"

// What a builder does not know is refused beforehand, and what it may know is left to it.
func TestRefuses(t *testing.T) {
	kit := Info{Name: "Docker", Version: "20.10.24", Road: RoadBuildKit}
	old := Info{Name: "Docker", Version: "20.10.24", Road: RoadClassic}
	later := Info{Name: "Docker", Version: "26.1.5", Road: RoadClassic}
	pod := Info{Name: podman, Version: "4.3.1", Road: RoadClassic}
	for _, test := range []struct {
		feature string
		refused []Info
		taken   []Info
	}{
		{"RUN --mount", []Info{old, later}, []Info{kit, pod}},
		{"COPY --chmod", []Info{old, later}, []Info{kit, pod}},
		{"COPY --link", []Info{old}, []Info{kit, later, pod}},
		{"ADD --checksum", []Info{old, later}, []Info{kit, pod}},
		{"RUN heredoc", []Info{old, later, pod}, []Info{kit}},
		{"ADD of a git repository", []Info{old, later}, []Info{kit, pod}},
	} {
		for _, info := range test.refused {
			if !info.Refuses(test.feature) {
				t.Errorf("%s %s (%s) takes %s", info.Name, info.Version, info.Road, test.feature)
			}
		}
		for _, info := range test.taken {
			if info.Refuses(test.feature) {
				t.Errorf("%s %s (%s) refuses %s", info.Name, info.Version, info.Road, test.feature)
			}
		}
	}
}
