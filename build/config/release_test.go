package config

import "testing"

// A tag of a series stays with a newer release of it, and with nothing else.
func TestStays(t *testing.T) {
	for _, c := range []struct {
		template, has, next string
		want                bool
	}{
		{"{major}", "1.3.0", "1.2.9", true},
		{"{major}", "1.2.10", "1.2.9", true},
		{"v{major}", "v1.3.0", "1.2.9", true},
		{"{major}", "1.3", "1.2.9", true},
		{"{major}.{minor}", "1.2.10", "1.2.9", true},
		{"{major}.{minor}", "1.3.0", "1.2.9", false}, // somebody's slip: 1.2 has never been 1.3.0
		{"{major}", "22.10", "1.2.9", false},         // the label of a base that an image has inherited
		{"{major}", "1.3.0-rc.1", "1.2.9", false},    // of no series, whoever tagged it
		{"{major}", "1.3.0", "1.3.0", false},
		{"{major}", "1.2.9", "1.3.0", false},
		{"{major}", "dev", "1.2.9", false},
		{"{major}", "1.2.9", "dev", false},
		{"{major}", "", "1.2.9", false},
		{"{major}", "1.2.9", "", false},
	} {
		tag, _ := fill(c.template, "1.2.9")
		if got := (Series{tag, c.template}).Stays(c.has, c.next); got != c.want {
			t.Errorf("%s stays on %q rather than go to %q: %v, want %v", tag, c.has, c.next, got, c.want)
		}
	}
}
