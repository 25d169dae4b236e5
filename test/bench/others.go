package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"

	"versiond/test/load/measure"
)

// other is another versiond that is measured beside this one, such as one of before.
type other struct{ name, program string }

var otherName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// parseOther reads NAME=PATH.
func parseOther(name, path string) (other, error) {
	if !otherName.MatchString(name) || name == measure.OurName || path == "" {
		return other{}, fmt.Errorf("must be NAME=PATH, with a name of letters, digits, points and dashes that is not %s", measure.OurName)
	}
	program, err := exec.LookPath(path)
	if err != nil {
		return other{}, err
	}
	program, err = filepath.Abs(program) // it runs in a folder of its own
	return other{name, program}, err
}

// addOther takes another versiond into the options.
func (o *options) addOther(name, path string) error {
	if slices.ContainsFunc(o.others, func(each other) bool { return each.name == name }) {
		return errors.New("the name is taken")
	}
	another, err := parseOther(name, path)
	o.others = append(o.others, another)
	return err
}

// toOther returns the row of another versiond, in the same cell and mode, that a row is compared with; nil when there is none.
func (r *result) toOther(of *row, name string) *row {
	for _, versiond := range append([]string{measure.OurName}, r.Others...) {
		for _, servers := range []bool{false, true} {
			if of.System == measure.NameOf(versiond, servers) {
				return r.find(of.Work, of.Clients, measure.NameOf(name, servers))
			}
		}
	}
	return nil
}

// forPage returns the result without other versionds, of which nobody knows who reads the page, but that they were there.
func (r *result) forPage() *result {
	page := *r
	page.Others, page.unshown = nil, len(r.Others)
	isOther := func(system string) bool {
		return slices.ContainsFunc(r.Others, func(name string) bool {
			return system == measure.NameOf(name, false) || system == measure.NameOf(name, true)
		})
	}
	page.Systems = slices.DeleteFunc(slices.Clone(r.Systems), func(s systemNote) bool { return isOther(s.Name) })
	page.Rows = slices.DeleteFunc(slices.Clone(r.Rows), func(each row) bool { return isOther(each.System) })
	page.Memory = slices.DeleteFunc(slices.Clone(r.Memory), func(m memoryNote) bool { return isOther(m.System) })
	return &page
}
