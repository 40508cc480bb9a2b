package config

import (
	"maps"
	"slices"

	"github.com/hbollon/go-edlib"
)

// nearest is the meaning of the candidate that the fewest typing errors away from name has, "" when all are too far to be meant.
// Among equals the first by the alphabet wins.
func nearest(name string, candidates map[string]string) string {
	best, least := "", len(name)/3+1
	for _, candidate := range slices.Sorted(maps.Keys(candidates)) {
		if far := edlib.OSADamerauLevenshteinDistance(name, candidate); far < least || far == 0 {
			best, least = candidates[candidate], far
		}
	}
	return best
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
