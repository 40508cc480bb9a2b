package shell

import (
	"path"
	"strings"
)

// MaxPathDirs is how many folders of a PATH are looked into.
const MaxPathDirs = 512

// Absolute joins a working directory and a name. What a shell has to work out stays Unknown. A ".." is left to whoever follows links,
// because behind one it does not lead back.
func Absolute(dir, name string) string {
	if !path.IsAbs(name) {
		if !Known(dir) {
			return Unknown
		}
		name = "/" + dir + "/" + name
	}
	if strings.Contains(name, "..") {
		return name
	}
	return path.Clean(name)
}

// PathList cuts a PATH into its directories; one that only the shell knows is Unknown, or, where it is whoever runs the image that may give it, another
// text that is not Known. Behind the first MaxPathDirs one Unknown directory stands for all others.
func PathList(value string) []string {
	list := strings.SplitN(value, ":", MaxPathDirs+1)
	for i, dir := range list {
		switch {
		case WorkedOut(dir), i == MaxPathDirs:
			list[i] = Unknown
		case !Known(dir):
			list[i] = given
		}
	}
	return list
}
