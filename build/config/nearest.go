package config

import (
	"maps"
	"slices"
)

// nearest is the meaning of the candidate that the fewest typing errors away from name has, "" when all are too far to be meant.
// Among equals the first by the alphabet wins.
func nearest(name string, candidates map[string]string) string {
	best, least := "", len(name)/3+1
	for _, candidate := range slices.Sorted(maps.Keys(candidates)) {
		if far := distance(name, candidate); far < least || far == 0 {
			best, least = candidates[candidate], far
		}
	}
	return best
}

// distance counts insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// oneOf finds text among words, or says which are there and which is meant.
func oneOf(text string, words ...string) (problem string, ok bool) {
	if slices.Contains(words, text) {
		return "", true
	}
	all := map[string]string{}
	for _, w := range words {
		all[w] = w
	}
	problem = "is none of " + sentence(words)
	if near := nearest(text, all); near != "" {
		return problem + ": did you mean " + near + "?", false
	}
	return problem + ": use one of them", false
}

// sentence joins words with commas and an "and".
func sentence(words []string) string {
	out := ""
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			out += " and "
		default:
			out += ", "
		}
		out += w
	}
	return out
}
