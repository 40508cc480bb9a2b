package engine

// meter adds up the parts of a transfer, such as the layers of an image.
// Engines tell of each part alone, and of its total when it begins.
type meter struct {
	name  string
	parts map[string]part
	told  Bytes // what was said last
}

// part is one layer. What was told as Done is counted no more.
type part struct {
	current, total int64
	over, told     bool
}

func newMeter(name string) *meter { return &meter{name: name, parts: map[string]part{}} }

// note takes what an engine says of a part. Totals are of the unpacked layer
// there, and what is read can be some bytes more.
func (m *meter) note(id string, current, total int64) {
	p := m.parts[id]
	p.current, p.total = current, total
	if total > 0 {
		p.current = min(current, total)
	}
	m.parts[id] = p
}

// end says that a part is there, which engines say without a number.
func (m *meter) end(id string) {
	p := m.parts[id]
	p.current, p.over = max(p.current, p.total), true
	m.parts[id] = p
}

// over tells whether all parts are there that were heard of.
func (m *meter) over() bool {
	for _, p := range m.parts {
		if !p.over {
			return false
		}
	}
	return true
}

// tell passes the sum on if it is news. After one that is done a new sum begins.
func (m *meter) tell(emit func(Event), done bool) {
	sum := Bytes{Name: m.name, Done: done}
	for id, p := range m.parts {
		if p.told {
			continue
		}
		sum.Current += p.current
		sum.Total += p.total
		p.told = done
		m.parts[id] = p
	}
	if sum != m.told {
		m.told = sum
		emit(sum)
	}
}
