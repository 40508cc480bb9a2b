package image_test

import "testing"

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
