// Package units makes units of commands for tests.
package units

import "versiond/model"

// Singles makes a unit of each command.
func Singles(commands ...model.Command) []model.Unit {
	made := make([]model.Unit, len(commands))
	for i, c := range commands {
		made[i] = model.Single(c)
	}
	return made
}
