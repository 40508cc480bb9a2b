package targets

import "runtime"

// lateCollection has the heap grow to twice Go's least size, which is 4 MB, before it is collected for the first time. Most runs
// end before that, and a collection takes a tenth of their time. From the first one on all is as it was, so that a long run takes
// no more memory. Who sets GOGC has said how it is to be. set is debug.SetGCPercent, for a test to see.
func lateCollection(getenv func(string) string, set func(percent int) int) {
	if getenv("GOGC") != "" {
		return
	}
	const late = 200
	was := set(late)
	unreachable := new([64]byte) // by its end a collection shows
	runtime.AddCleanup(unreachable, func(percent int) { set(percent) }, was)
}
