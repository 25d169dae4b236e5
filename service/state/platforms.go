package state

// platforms assigns a number to the name of each platform that records have, and forgets those that none has any more:
// clients may choose any name.
type platforms struct {
	numbers map[string]uint32
	known   []platform // by number
	free    []uint32
}

type platform struct {
	name    string
	records int
}

func newPlatforms() *platforms { return &platforms{numbers: map[string]uint32{}} }

func (p *platforms) name(number uint32) string { return p.known[number].name }

// take returns the number of the platform of one more record.
func (p *platforms) take(name string) uint32 {
	number, known := p.numbers[name]
	if !known {
		number = p.add(name)
	}
	p.known[number].records++
	return number
}

func (p *platforms) add(name string) (number uint32) {
	if last := len(p.free) - 1; last >= 0 {
		number, p.free = p.free[last], p.free[:last]
		p.known[number].name = name
	} else {
		number = uint32(len(p.known))
		p.known = append(p.known, platform{name: name})
	}
	p.numbers[name] = number
	return number
}

// release counts one record less.
func (p *platforms) release(number uint32) {
	known := &p.known[number]
	if known.records--; known.records == 0 {
		delete(p.numbers, known.name)
		known.name = ""
		p.free = append(p.free, number)
	}
}
