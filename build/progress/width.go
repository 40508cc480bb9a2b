package progress

import "strings"

// columns is how wide s is on a terminal. East Asian characters and emoji, which begin at U+1100, are counted as two columns:
// too wide a guess for a few of them, which wraps no line.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += width(r)
	}
	return n
}

func width(r rune) int {
	switch {
	case r == '\u200b' || r >= 0x300 && r < 0x370:
		return 0
	case r < 0x1100 || r >= 0x2000 && r < 0x2e80:
		return 1
	}
	return 2
}

// pad fills s up to n columns.
func pad(s string, n int) string { return s + spaces(n-columns(s)) }

func padLeft(s string, n int) string { return spaces(n-columns(s)) + s }

func spaces(n int) string { return strings.Repeat(" ", max(n, 0)) }

// cut shortens s to at most n columns, the last of which then is an ellipsis.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	end, used := 0, 1
	for i, r := range s {
		if used += width(r); used > n {
			end = i
			break
		}
	}
	return s[:end] + "…"
}
