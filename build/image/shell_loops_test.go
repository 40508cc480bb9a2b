package image_test

import (
	"testing"

	"github.com/manymage/manymage/build/image"
)

// What break and continue leave, of several loops, too: the rows are written as in texts.
func TestLeavingLoops(t *testing.T) {
	follow(t, []string{
		"+ for h in a b; do for g in c; do continue 2; done; exit 1; done; exec /app/server",
		"+ for i in a; do for j in a; do break 2; done; exec /app/x; done; exec /app/server",
		"+ for i in a; do for j in a; do for k in a; do break 3; done; exit; done; exit; done; exec /app/server",
		"+ for i in a; do for j in a; do for k in a; do break 2; done; exit; done; exec /app/server; done; exit",
		"+ for i in a; do for j in a; do break $X; done; exit; done; exec /app/server",
		"+ for i in a; do for j in a; do break $X; done; exec /app/server; done; exit",
		"+ for i in a; do ( for j in a; do break 9; done ); exec /app/server; done",
		"+ while ls; do while ls; do break 9; done; exit; done; exec /app/server",
		"- for i in a; do for j in a; do break 2; /app/server; done; /app/server; done",
		"- for i in a; do for j in a; do break 1; /app/server; done; done",
		"- A=server; for i in a; do for j in a; do A=x; break 2; done; A=server; done; exec /app/$A",
		"- A=server; for i in a b; do for j in a; do A=x; continue 2; done; A=server; done; exec /app/$A",
	})
}

// Bash hands the functions on that it exports: the rows are written as in texts.
func TestExportedFunctions(t *testing.T) {
	follow(t, []string{
		"- f() { :; }; export -f f; bash -c f",
		"- f() { :; }; export -f f; nohup bash -c 'bash -c f'",
		"+ f() { /app/server; }; export -f f; bash -c f",
		"+ f() { /app/server; }; declare -fx f; bash -c 'f db'",
		"- f() { /app/server; }; bash -c f",
		"- f() { /app/server; }; (export -f f); bash -c f",
		"- f() { /app/server; }; export -f f; export -fn f; bash -c f",
		"+ f() { :; }; export -f f; f() { /app/server; }; bash -c f",
		"+ f() { :; }; export -f f; bash -c 'f() { /app/server; }; bash -c f'",
		"- f() { /app/server; }; export -f f; bash -c 'f() { :; }; bash -c f'",
		"- f() { /app/server; }; export -f f; sh -c f",
	})
	config := config{"Cmd": []string{"/bin/bash", "-c", "f() { :; }; export -f f; bash -c f"}}
	r, err := image.Check(config.bytes(), rootOf(scripts()...), platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || len(r.Notes) > 0 {
		t.Errorf("%s, notes %q", got, r.Notes)
	}
}
