package changes

import (
	"fmt"
	"slices"
	"strings"

	"versiond/model"
)

// Filter selects the records that a watcher wants: those of a list of ids, which is sorted, or with a prefix, and of a platform.
// One without any of these selects all.
type Filter struct {
	IDs              []string
	Prefix, Platform string
}

// key is the filter's own.
func (f *Filter) key() string { return fmt.Sprintf("%q %q %q", f.IDs, f.Prefix, f.Platform) }

// wants reports whether a change is one of the filter's records, and whether the record is one from then on.
func (f *Filter) wants(c *model.Change) (wanted, stays bool) {
	if !strings.HasPrefix(c.ID, f.Prefix) || len(f.IDs) > 0 && !f.lists(c.ID) {
		return false, false
	}
	switch f.Platform {
	case "", c.Platform:
		return true, c.Op != model.ChangeDelete
	case c.WasPlatform:
		return true, false
	}
	return false, false
}

func (f *Filter) lists(id string) bool {
	_, found := slices.BinarySearch(f.IDs, id)
	return found
}

// index finds the groups that want a change without asking each of them.
type index struct {
	groups map[place][]*group
	// prefixes counts the places of each length of a prefix.
	prefixes [model.IDBytesMax + 1]int
}

// place is where groups are found: by an id or a prefix, and a platform, which may be empty.
type place struct {
	id, prefix, platform string
}

func newIndex() index { return index{groups: map[place][]*group{}} }

func (f *Filter) places() []place {
	if len(f.IDs) == 0 {
		return []place{{prefix: f.Prefix, platform: f.Platform}}
	}
	places := make([]place, len(f.IDs))
	for i, id := range f.IDs {
		places[i] = place{id: id, platform: f.Platform}
	}
	return places
}

func (x *index) add(g *group) {
	for _, p := range g.filter.places() {
		x.groups[p] = append(x.groups[p], g)
		if p.id == "" {
			x.prefixes[len(p.prefix)]++
		}
	}
}

func (x *index) remove(g *group) {
	for _, p := range g.filter.places() {
		x.groups[p] = slices.DeleteFunc(x.groups[p], func(each *group) bool { return each == g })
		if len(x.groups[p]) == 0 {
			delete(x.groups, p)
		}
		if p.id == "" {
			x.prefixes[len(p.prefix)]--
		}
	}
}

// matching calls found for each group that wants a change.
func (x *index) matching(c *model.Change, found func(*group)) {
	if len(x.groups) == 0 {
		return
	}
	x.at(place{id: c.ID}, c, found)
	for length := range min(len(c.ID), model.IDBytesMax) + 1 {
		if x.prefixes[length] > 0 {
			x.at(place{prefix: c.ID[:length]}, c, found)
		}
	}
}

// at does that for one id or prefix, with the platforms that a change is of.
func (x *index) at(p place, c *model.Change, found func(*group)) {
	platforms := [...]string{"", c.Platform, c.WasPlatform}
	known := len(platforms)
	if c.WasPlatform == "" {
		known--
	}
	for _, p.platform = range platforms[:known] {
		for _, g := range x.groups[p] {
			found(g)
		}
	}
}
