//go:build !linux

package early

// LargePages does nothing where pages cannot be asked for.
func LargePages() {}
