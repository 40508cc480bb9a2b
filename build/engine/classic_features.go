package engine

import (
	"strconv"
	"strings"
)

// Refuses tells whether the engine's builder certainly cannot be given what
// BuildKit brought to the Dockerfile, in words such as "RUN --mount" and "COPY
// heredoc". Docker's classic builder refuses such a line, or, worse, builds
// without it (ADD --checksum on Docker 26). Podman's takes more with each
// version.
func (i Info) Refuses(feature string) bool {
	switch {
	case i.Road != RoadClassic:
		return false
	case i.Name == podman:
		return i.before(podmanTakes(feature))
	case strings.HasSuffix(feature, " --link"):
		return i.olderThan(links)
	}
	return true
}

// SkipsStages tells whether the engine's builder leaves out stages that the
// target does not need. Docker's classic builder builds all above it.
func (i Info) SkipsStages() bool { return i.Road != RoadClassic || i.Name == podman }

// links is the first Docker whose classic builder reads --link, which only
// says how to cache.
const links = 23

// podmanTakes is the first Podman that takes a feature, and does the right thing
// with it; zero for what all take, and for what is not known here: that the
// builder says itself. Each version has a Buildah in it, whose log of changes
// tells: 4.5 has 1.30, 4.8 has 1.33, 5.0 has 1.35, 5.3 has 1.38, 5.5 has 1.40,
// 5.6 has 1.41.
func podmanTakes(feature string) (major, minor int) {
	switch feature {
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
