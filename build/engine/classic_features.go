package engine

import (
	"math"
	"strconv"
	"strings"
)

// Refuses tells whether the engine's builder certainly cannot be given what
// BuildKit brought to the Dockerfile, in words such as "RUN --mount" and "COPY
// heredoc". Docker's classic builder refuses such a line, or, worse, builds
// without it (ADD --checksum on Docker 26). Podman's takes more with each
// version. An idle line is in a stage that is not built: Docker reads it
// nevertheless, and Podman takes the lines of a here-document that it does not
// know for statements, of which one may be a FROM.
func (i Info) Refuses(feature string, idle bool) bool {
	switch {
	case i.Road != RoadClassic:
		return false
	case i.Name == podman && idle:
		return strings.HasSuffix(feature, " heredoc") && i.before(4, 8)
	case i.Name == podman:
		return i.before(podmanTakes(feature))
	case idle, strings.HasSuffix(feature, " --link"), feature == startInterval:
		return i.olderThan(dockerReads(feature))
	}
	return true
}

// startInterval is all that came with BuildKit and that a classic builder can do: a setting of the image.
const startInterval = "HEALTHCHECK --start-interval"

// dockerReads is the first Docker whose classic builder reads a line, even if it
// then does not build it.
func dockerReads(feature string) (major int) {
	switch feature {
	case "RUN --mount", "COPY --chmod", "ADD --chmod", "ADD of a git repository":
		return 20
	case "RUN --network", "COPY --link", "ADD --link", "RUN heredoc", "COPY heredoc", "ADD heredoc": // --link only says how to cache
		return 23
	case "ADD --checksum", "ADD --keep-git-dir", startInterval:
		return 25
	}
	return math.MaxInt
}

// SkipsStages tells whether the engine's builder leaves out stages that the
// target does not need. Docker's classic builder builds all above it.
func (i Info) SkipsStages() bool { return i.Road != RoadClassic || i.Name == podman }

// podmanTakes is the first Podman that takes a feature, and does the right thing
// with it; zero for what all take, and for what is not known here: that the
// builder says itself. Each version has a Buildah in it, whose log of changes
// tells: 4.5 has 1.30, 4.8 has 1.33, 5.0 has 1.35, 5.3 has 1.38, 5.5 has 1.40,
// 5.6 has 1.41.
func podmanTakes(feature string) (major, minor int) {
	switch feature {
	case startInterval: // 5.4 does, 4.3 does not
		return 4, 4
	case "RUN --network":
		return 4, 5
	case "ADD --checksum":
		return 4, 8
	case "RUN heredoc": // from 4.8 on, with a cache that does not look at the text
		return 5, 0
	case "COPY heredoc", "ADD heredoc": // from 4.8 on, through one file for all builds
		return 5, 5
	case "COPY --exclude", "ADD --exclude", "ADD of a git repository": // which it downloads as a file before
		return 5, 3
	case "COPY --parents":
		return 5, 5
	case "COPY --link", "ADD --link":
		return 5, 6
	case "RUN --security", "RUN --device", "ADD --keep-git-dir", "ADD --unpack": // no Podman so far
		return 5, 9
	}
	return 0, 0
}

// before compares the first two numbers of the engine's version.
func (i Info) before(major, minor int) bool {
	first, rest, _ := strings.Cut(i.Version, ".")
	second, _, _ := strings.Cut(rest, ".")
	has, err := strconv.Atoi(first)
	if err != nil || has != major {
		return err == nil && has < major
	}
	has, err = strconv.Atoi(second)
	return err == nil && has < minor
}
