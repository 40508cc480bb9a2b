package config

import "slices"

// level is how strong an origin is; the strongest that says something counts.
type level int

const (
	fromNowhere level = iota // a default, or what git and the folder say
	fromDefaults
	fromFile
	fromVariable
	fromOwnVariable
	fromLine
)

// setting is what one origin says of one knob.
type setting struct {
	knob   Knob
	text   string // as written, or the items joined
	items  []item // the text taken apart as the knob's form says
	origin string
	level  level
}

// item is one element of a knob that holds many, with its own line of the file.
type item struct{ text, origin string }

// texts are the items without their origins.
func (s setting) texts() []string {
	var all []string
	for _, i := range s.items {
		all = append(all, i.text)
	}
	return all
}

// said tells whether anybody said anything; an empty word says: as if nobody had.
func (s setting) said() bool { return s.level > fromNowhere && len(s.items) > 0 }

// wrong is a fault of the setting.
func (s setting) wrong(problem string) *UsageError {
	return &UsageError{Knob: s.knob.Name, Text: s.text, Origin: s.origin, Problem: problem}
}

// textual is a setting that is written as text, taken apart.
func (l *loader) textual(knob Knob, text, origin string) setting {
	s := setting{knob: knob, text: text, origin: origin}
	parts := []string{text}
	var err error
	switch knob.form {
	case list:
		parts = splitList(text)
	case paths:
		parts, err = splitQuoted(text, ",")
	case pairs, words:
		parts, err = splitWords(text)
	case one, truth:
		if text == "" {
			parts = nil
		}
	}
	if err != nil { // without the text, which may hold what nobody should read
		l.fail(&UsageError{Knob: knob.Name, Origin: origin, Problem: err.Error(), Err: err})
	}
	for _, part := range parts {
		s.items = append(s.items, item{part, origin})
	}
	return s
}

// itemised is a setting that is written as a list or a map.
func itemised(knob Knob, items []item, origin string) setting {
	s := setting{knob: knob, items: items, origin: origin}
	s.text = joinQuoted(s.texts(), knob.form)
	return s
}

// get is what the strongest origin says; level fromNowhere when none does. What holds pairs comes from all origins together,
// the stronger after the weaker, so that the last of a name counts.
func (l *loader) get(name string) setting {
	knob, _ := find(name)
	out := setting{knob: knob}
	for _, at := range l.order {
		s, found := l.layers[at][name]
		if !found {
			continue
		}
		s.level = at
		if knob.form != pairs {
			return s
		}
		if out.level == fromNowhere {
			out = s
		} else {
			out.items = slices.Concat(s.items, out.items)
		}
		if len(s.items) == 0 {
			return out // an empty word: nothing of the weaker origins either
		}
	}
	return out
}
