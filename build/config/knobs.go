package config

// Knob is one thing that can be set, as help and README show it.
type Knob struct {
	// Name as on the command line; the environment has it too, and MANYMAGE_ before it; manymage.yaml in lower case.
	Name     string
	Synonyms []string
	// Help is one line without a full stop; Example a word of the command line; Default what counts when nobody says anything.
	Help, Example, Default string
}

// Knobs is the table of all knobs, in the order in which people meet them.
func Knobs() []Knob { return nil }
