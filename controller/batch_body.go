package controller

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"versiond/model"
	"versiond/wire"
)

// BatchBody is a batch as clients send it.
type BatchBody struct {
	// Atomic asks for all or nothing; otherwise each item is decided on its own.
	Atomic bool `json:"atomic"`
	// Items are 1 to 1000 writes, which are done in this order.
	Items []BatchItem `json:"items"`
}

// BatchItem is one write of a batch.
type BatchItem struct {
	Op string `json:"op"`
	ID string `json:"id"`
	// VersionNo and Platform are needed by create and update.
	VersionNo string `json:"versionNo"`
	Platform  string `json:"platform"`
	// IfMatch makes an update or a delete depend on the record's revision, as ETag gives it, without quotes.
	IfMatch string `json:"ifMatch"`
	// Revision does the same: it is there in a record that was read.
	Revision uint64 `json:"revision"`

	contentSent, ifMatchSent bool
	namedDetails
}

func (b *BatchItem) field(name string) *string {
	switch name {
	case "op":
		return &b.Op
	case "id":
		return &b.ID
	case "versionNo":
		b.contentSent = true
		return &b.VersionNo
	case "platform":
		b.contentSent = true
		return &b.Platform
	case "ifMatch":
		b.ifMatchSent = true
		return &b.IfMatch
	}
	return nil
}

// batchRequest is a batch as it was read. What is wrong with an item is that item's own affair unless the
// batch is atomic.
type batchRequest struct {
	// unit has the items that are right.
	unit  model.Unit
	items []batchItem
}

// batchItem is a command, or what is wrong with it.
type batchItem struct {
	command model.Command
	wrong   []model.FieldError
}

// batch returns what the body describes.
func (in *input) batch() (b batchRequest) {
	b = in.readBatch()
	if b.unit.Atomic || in.err() != nil {
		for _, each := range b.items {
			in.merge(&model.ValidationError{Fields: each.wrong})
		}
	}
	for _, each := range b.items {
		if len(each.wrong) == 0 {
			b.unit.Commands = append(b.unit.Commands, each.command)
		}
	}
	if bytes := wire.UnitBytes(&b.unit); bytes > wire.UnitBytesMax {
		in.refusal = model.Explain(errBodyTooLarge, fmt.Sprintf(
			"the items come to %d bytes, more than the %d that one batch takes; send them in two", bytes, wire.UnitBytesMax))
	}
	return b
}

func (in *input) readBatch() (b batchRequest) {
	data, ok := in.body(jsonType, bodyBytesMax)
	if !ok {
		return b
	}
	if why := notAnObject(data, `{"items":[{"op":"delete","id":"app"}]}`); why != "" {
		in.wrong("body", why)
		return b
	}
	itemsSent := false
	in.eachField(data, func(name string, value json.RawMessage) {
		switch name {
		case "atomic":
			b.unit.Atomic = in.flag(name, value)
		case "items":
			itemsSent = true
			b.items = in.items(value)
		default:
			in.wrong(name, "is not known; a batch has atomic and items")
		}
	})
	if !itemsSent {
		in.wrong("items", "is required: an array of 1 to 1000 writes")
	}
	return b
}

func (in *input) flag(name string, value json.RawMessage) bool {
	if kindOf(value) != "a boolean" {
		in.wrong(name, "must be true or false, not "+kindOf(value))
	}
	return value[0] == 't'
}

// items reads a well-formed JSON value as the items of a batch.
func (in *input) items(value json.RawMessage) []batchItem {
	if value[0] != '[' {
		in.wrong("items", "must be an array of 1 to 1000 writes, not "+kindOf(value))
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	_, _ = decoder.Token() // the opening bracket
	var items []batchItem
	for decoder.More() {
		if len(items) == model.UnitCommandsMax {
			in.wrong("items", fmt.Sprintf("must not be more than %d writes", model.UnitCommandsMax))
			return nil
		}
		var item json.RawMessage
		_ = decoder.Decode(&item) // the syntax is known to be right
		items = append(items, in.item(len(items), item))
	}
	if len(items) == 0 {
		in.wrong("items", "must hold at least one write")
	}
	return items
}

// item reads one item; what is wrong with it is reported as that item's.
func (in *input) item(position int, value json.RawMessage) batchItem {
	name := fmt.Sprintf("items[%d]", position)
	own := &input{c: in.c, fieldsMax: itemErrorsMax}
	if value[0] != '{' {
		own.wrong(name, `must be an object such as {"op":"delete","id":"app"}, not `+kindOf(value))
		return batchItem{wrong: own.fields}
	}
	own.within = name + "."
	var item BatchItem
	fields := textFields{target: item.field, names: []string{"op", "id", "versionNo", "platform", "ifMatch"}, what: "an item", revision: &item.Revision, details: &item.namedDetails}
	own.eachTextField(value, fields)
	command := own.command(&item)
	return batchItem{command: command, wrong: own.fields}
}

// command returns what an item asks for.
func (in *input) command(item *BatchItem) model.Command {
	c := model.Command{Type: in.commandType(item.Op), ID: item.ID, VersionNo: item.VersionNo, Platform: item.Platform, Details: item.details.OrNil(), DetailNames: item.names}
	c.IfRevision = in.itemRevision(item)
	if c.Type == model.CommandDelete && (item.contentSent || item.names != 0) {
		in.wrong("op", "is delete, which takes nothing but an id and ifMatch")
	}
	if c.Type == model.CommandAdd {
		in.refuseReserved(c.ID)
	}
	switch c.Type {
	case model.CommandAdd, model.CommandUpdate:
		in.checkRecord(c.Record(c.Details, 0))
	default:
		in.merge(model.ValidateID(c.ID))
	}
	if c.Type == model.CommandAdd {
		c.DetailNames = c.Details.DetailNames() // null says nothing there
	}
	return c
}

func (in *input) commandType(op string) model.CommandType {
	switch op {
	case "create":
		return model.CommandAdd
	case "update":
		return model.CommandUpdate
	case "delete":
		return model.CommandDelete
	case "":
		in.wrong("op", "is required: create, update or delete")
	default:
		in.wrong("op", "must be create, update or delete")
	}
	return 0
}

// itemRevision returns the revision that an item depends on, 0 for none.
func (in *input) itemRevision(item *BatchItem) uint64 {
	const onCreate = "does not go with create: there is no revision yet"
	switch {
	case !item.ifMatchSent && item.Revision == 0:
		return 0
	case item.Op == "create" && item.ifMatchSent:
		in.wrong("ifMatch", onCreate)
		return 0
	case item.Op == "create":
		in.wrong("revision", onCreate)
		return 0
	case !item.ifMatchSent:
		return item.Revision
	}
	revision, err := strconv.ParseUint(item.IfMatch, 10, 64)
	if err != nil || revision == 0 || strconv.FormatUint(revision, 10) != item.IfMatch {
		in.wrong("ifMatch", `must be a revision as ETag gives it, without its quotes, such as "4096"`)
	} else if item.Revision != 0 && item.Revision != revision {
		in.wrong("revision", "contradicts ifMatch, which names another one; send either")
	}
	return revision
}
