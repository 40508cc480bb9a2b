package engine

import "strings"

// Refuses tells whether the engine's builder cannot be given what BuildKit
// brought to the Dockerfile, in words such as "RUN --mount" and "COPY heredoc".
// Docker's classic builder refuses such a line, or, worse, builds without it
// (ADD --checksum on Docker 26). Podman's takes some, more with each version,
// and says itself what it does not take.
func (i Info) Refuses(feature string) bool {
	switch {
	case i.Road != RoadClassic:
		return false
	case i.Name == podman:
		return strings.HasSuffix(feature, " heredoc")
	case strings.HasSuffix(feature, " --link"):
		return i.olderThan(links)
	}
	return true
}

// links is the first Docker whose classic builder reads --link, which only
// says how to cache.
const links = 23
