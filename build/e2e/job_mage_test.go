package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// Help calls the program what people call it, not what the cache does; and the cache holds the binary and nothing else.
func TestScriptsMageHelp(t *testing.T) {
	clone, cache := smallClone(t), t.TempDir()
	if out, code := in(t, clone, cache, "scripts/mage -h where"); code != 0 || !strings.Contains(out, "\tmage where") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if compiled, _ := filepath.Glob(cache + "/targets-*"); len(compiled) != 1 || strings.Contains(filepath.Base(compiled[0]), ".") {
		t.Errorf("compiled %v", compiled)
	}
}
