package targets

import (
	"os"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/progress"
)

// Help prints the knobs, with their defaults and examples.
func Help() error {
	t := progress.Table{Header: []string{"KNOB", "", "DEFAULT", "EXAMPLE"}}
	for _, k := range config.Knobs() {
		t.Add(k.Name, k.Help, k.Default, k.Example)
	}
	return t.Write(os.Stdout)
}
