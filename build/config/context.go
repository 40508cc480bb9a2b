package config

import "strings"

// noFolder says what to do with the contexts of docker build that are no folders: standard input, git repositories, addresses.
func noFolder(context string) string {
	address, part, isPart := strings.Cut(context, "#")
	isAddress := strings.Contains(context, "://")
	switch {
	case context == "-":
		return "is no folder but standard input: unpack what comes there (mkdir app && tar -x -C app) and set CONTEXT=app"
	case strings.HasPrefix(context, "git@"), isAddress && (isPart || strings.HasSuffix(address, ".git") || !strings.HasPrefix(context, "http")):
		clone, folder := "git clone "+address+" app", "app"
		ref, dir, _ := strings.Cut(part, ":")
		if ref != "" {
			clone += " && git -C app checkout " + ref
		}
		if dir = strings.Trim(dir, "/"); dir != "" {
			folder += "/" + dir
		}
		return "is no folder but a git repository: clone it (" + clone + ") and set CONTEXT=" + folder
	case isAddress:
		return "is no folder but an address: fetch and unpack what is there (mkdir app && curl -L " + address + " | tar -xz -C app) and set CONTEXT=app"
	}
	return ""
}

// isArchive recognises what would have to be unpacked by its name.
func isArchive(path string) bool {
	for _, end := range []string{".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst"} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}
