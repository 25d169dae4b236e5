package state

import "slices"

// discard takes back what is staged, the newest first.
func (l *changeLog) discard() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range slices.Backward(l.steps) {
		if s.gone {
			l.putBack(s.place)
		} else {
			l.takeOff(s.place)
		}
		l.window = s.window
	}
	l.from = l.former
	l.release(false, nil)
	l.settle()
}

// putBack undoes drop.
func (l *changeLog) putBack(number int32) {
	p := &l.places[number]
	p.gone = false
	l.places[p.before].behind, l.places[p.behind].before = number, number
	of := l.ofID[p.id]
	if of.count++; of.count == 1 {
		of.newest = number
	} else {
		l.places[p.behindOfID].beforeOfID = number
	}
	of.oldest = number
	l.ofID[p.id] = of
	l.count++
}

// takeOff undoes append.
func (l *changeLog) takeOff(number int32) {
	p := l.places[number]
	l.places[p.before].behind, l.places[0].before = 0, p.before
	of := l.ofID[p.id]
	if of.count--; of.count == 0 {
		delete(l.ofID, p.id)
	} else {
		of.newest = p.beforeOfID
		l.places[of.newest].behindOfID = 0
		l.ofID[p.id] = of
	}
	l.count--
	l.places[number] = place{}
	l.free = append(l.free, number)
}
