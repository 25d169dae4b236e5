package wire

import (
	"encoding/binary"

	"versiond/model"
)

// formVersion is the first byte of every form but those of records, dedup records and steps of a restore. One that changes
// gets a number of its own.
const formVersion = 1

const (
	flagAtomic = 1
	flagKeyed  = 2
	// flagOrigin is none that an earlier release knows.
	flagOrigin = 4
)

// UnitBytesMax bounds one unit, since it cannot be split over entries: hashicorp/raft suggests entries
// of at most 512 KiB, so that none delays a heartbeat.
const UnitBytesMax = 512 << 10

// unitOverheadMax bounds what a unit costs beside its commands and its origin: flags, two hashes and a count.
const unitOverheadMax = 1 + 2*16 + 3

// AppendUnits appends the byte form of units to dst. The units must be valid and hold at most
// model.CommandsPerEntryMax commands together: it is the caller's grouping that keeps the bound. The form: version, count
// of commands, count of units, and of each unit flags, hashes if it is keyed, time and name if it has an origin, count, commands.
func AppendUnits(dst []byte, units []model.Unit) []byte {
	dst = append(dst, formVersion)
	dst = binary.AppendUvarint(dst, uint64(model.CountCommands(units)))
	dst = binary.AppendUvarint(dst, uint64(len(units)))
	for i := range units {
		dst = appendUnit(dst, &units[i])
	}
	return dst
}

func appendUnit(dst []byte, u *model.Unit) []byte {
	flags := byte(0)
	if u.Atomic {
		flags |= flagAtomic
	}
	if u.Idempotency != nil {
		flags |= flagKeyed
	}
	if u.Origin != nil {
		flags |= flagOrigin
	}
	dst = append(dst, flags)
	if u.Idempotency != nil {
		dst = append(append(dst, u.Idempotency.Key[:]...), u.Idempotency.Request[:]...)
	}
	if u.Origin != nil {
		dst = appendText(binary.AppendUvarint(dst, uint64(u.Origin.At)), u.Origin.By)
	}
	dst = binary.AppendUvarint(dst, uint64(len(u.Commands)))
	for i := range u.Commands {
		dst = appendCommand(dst, &u.Commands[i])
	}
	return dst
}

// UnitBytes bounds from above what AppendUnits adds for one unit.
func UnitBytes(u *model.Unit) int {
	bytes := unitOverheadMax
	if u.Origin != nil {
		bytes += binary.MaxVarintLen64 + 2 + len(u.Origin.By)
	}
	for i := range u.Commands {
		bytes += commandBytes(&u.Commands[i])
	}
	return bytes
}

// UnitsBytes is UnitBytes of all units.
func UnitsBytes(units []model.Unit) int {
	bytes := 0
	for i := range units {
		bytes += UnitBytes(&units[i])
	}
	return bytes
}

// DecodeUnits reads what AppendUnits wrote. Every error matches model.ErrCorrupt: another version, an
// unknown command type or flag, a count or length out of bounds, missing or left-over bytes.
func DecodeUnits(data []byte) ([]model.Unit, error) {
	r := reader{rest: data}
	r.version("commands")
	units := r.units()
	return units, r.end()
}

// units returns units whose commands share one array.
func (r *reader) units() []model.Unit {
	commands := make([]model.Command, r.count(model.CommandsPerEntryMax))
	units := make([]model.Unit, r.count(uint64(len(commands))))
	for i := range units {
		flags := r.byte()
		if flags&^(flagAtomic|flagKeyed|flagOrigin) != 0 {
			r.fail("unknown flags %d of a unit", flags)
		}
		units[i].Atomic = flags&flagAtomic != 0
		if flags&flagKeyed != 0 {
			units[i].Idempotency = &model.Idempotency{Key: r.hash(), Request: r.hash()}
		}
		if flags&flagOrigin != 0 {
			units[i].Origin = r.origin()
		}
		n := r.countFromOne(uint64(len(commands)))
		units[i].Commands, commands = commands[:n:n], commands[n:]
		for j := range units[i].Commands {
			r.command(&units[i].Commands[j])
		}
	}
	if len(commands) > 0 {
		r.fail("%d commands belong to no unit", len(commands))
	}
	return units
}

// origin refuses what a store could not hold: an entry is stored or the node stands still.
func (r *reader) origin() *model.Origin {
	o := &model.Origin{At: int64(r.uvarint()), By: r.text()}
	if !o.Valid() {
		r.fail("the origin of a unit with the time %d and a name of %d bytes", o.At, len(o.By))
	}
	return o
}
