package controller

import (
	"math"

	"versiond/model"
)

const (
	limitDefault = 100
	limitMax     = 1000
)

// readOptions returns how current the read must be.
func (in *input) readOptions() model.ReadOptions {
	return model.ReadOptions{Level: in.level(), MinIndex: in.minIndex()}
}

func (in *input) level() model.Level {
	value, sent := in.parameter("level")
	if !sent {
		return model.LevelLinearizable
	}
	switch level := model.Level(value); level {
	case model.LevelLinearizable, model.LevelLeader, model.LevelNone:
		return level
	}
	in.wrong("level", "must be linearizable, leader or none")
	return ""
}

func (in *input) minIndex() uint64 {
	value, sent := in.parameter("min_index")
	if !sent {
		return 0
	}
	index, err := wholeNumber(value, 0, math.MaxUint64)
	if err != nil {
		in.wrong("min_index", "must be a whole number, as X-Versiond-Index gave it")
	}
	return index
}

// listOptions returns which page of the listing is wanted.
func (in *input) listOptions() model.ListOptions {
	return model.ListOptions{Platform: in.platform(), Prefix: in.prefix(), After: in.cursor(), Limit: in.limit()}
}

func (in *input) platform() string {
	platform, _ := in.parameter("platform")
	if platform != "" {
		in.merge(model.ValidateText("platform", platform))
	}
	return platform
}

func (in *input) prefix() string {
	prefix, _ := in.parameter("prefix")
	in.merge(model.ValidatePrefix(prefix))
	return prefix
}

func (in *input) limit() int {
	value, sent := in.parameter("limit")
	if !sent {
		return limitDefault
	}
	limit, err := wholeNumber(value, 1, limitMax)
	if err != nil {
		in.wrong("limit", "must be a whole number from 1 to 1000")
	}
	return int(limit)
}

// cursor returns the id after which the page begins; an empty cursor asks for the first page.
func (in *input) cursor() string {
	value, _ := in.parameter("cursor")
	if value == "" {
		return ""
	}
	after, ok := model.DecodeCursor(value)
	if !ok {
		in.wrong("cursor", "must be a nextCursor exactly as an earlier page gave it")
	}
	return after
}
