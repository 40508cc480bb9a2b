package progress

import "time"

// Size is n bytes for people: "0 B", "512 B", "3.4 kB", "107 MB" (powers of ten, as docker and registries print them).
func Size(n int64) string { return "" }

// Duration is d for people: "40 ms", "3.1 s", "2 m 05 s", "1 h 02 m".
func Duration(d time.Duration) string { return "" }

// Clean makes foreign text safe to print on a terminal or in a log: control and escape characters become visible
// (\x1b, \r ...), invalid UTF-8 becomes U+FFFD, and so do characters that reorder text. Tabs stay, line feeds become \n.
func Clean(s string) string { return s }
