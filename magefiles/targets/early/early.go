// Package early acts before nearly all other packages are initialised, which is most of what a short run takes.
//
// Go initialises a package as soon as what it imports is, and of those that may be next the first by its path (the Go specification,
// "Program initialization"). So this one imports what all others stand on, and nothing else.
package early
