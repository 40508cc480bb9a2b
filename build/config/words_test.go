package config

import (
	"errors"
	"strings"
	"testing"
)

// The words of a line are checked for who goes by none of them, and nothing else is.
func TestCheckWords(t *testing.T) {
	for word, says := range map[string]string{
		"INSECURE=maybe": "INSECURE=maybe (command line) is neither yes nor no",
		"IMGE=x":         "did you mean IMG?",
		"ARCHES=amd46":   "amd64",
		"IMG=app":        "names no registry",
		"V=1":            "",
		"STAGE=test":     "",
	} {
		err := CheckWords([]string{word}, []string{"STAGE"})
		if says == "" && err != nil || says != "" && (!errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v", word, err)
		}
	}
}
