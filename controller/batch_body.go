package controller

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"versiond/model"
	"versiond/wire"
)

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
	b.gather()
	if bytes := wire.UnitBytes(&b.unit); bytes > wire.UnitBytesMax {
		in.refusal = model.Explain(errBodyTooLarge, fmt.Sprintf(
			"the items come to %d bytes, more than the %d that one batch takes; send them in two", bytes, wire.UnitBytesMax))
	}
	return b
}

// gather puts the items that are right into the unit.
func (b *batchRequest) gather() {
	for _, each := range b.items {
		if len(each.wrong) == 0 {
			b.unit.Commands = append(b.unit.Commands, each.command)
		}
	}
}

// fieldsOfItem returns what the service found wrong with the item at i.
func fieldsOfItem(i int, err error) []model.FieldError {
	own := faults{fieldsMax: itemErrorsMax, within: fmt.Sprintf("items[%d].", i)}
	own.merge(err)
	return own.fields
}

// fieldsOfItems returns what it found wrong with items of an atomic batch, all of which it was given, as far as an answer has
// place for it.
func fieldsOfItems(wrong *model.ItemsError) []model.FieldError {
	all := faults{}
	for _, i := range slices.Sorted(maps.Keys(wrong.Items)) {
		all.merge(&model.ValidationError{Fields: fieldsOfItem(i, wrong.Items[i])})
	}
	return all.fields
}

func (in *input) readBatch() (b batchRequest) {
	data, ok := in.body(jsonType, bodyBytesMax)
	if !ok {
		return b
	}
	sent := in.object(data, "a batch", `{"items":[{"op":"delete","id":"app"}]}`, []field{
		{name: "atomic", into: &b.unit.Atomic},
		{name: "items", into: func(value json.RawMessage) { b.items = in.items(value) }},
	})
	if sent != nil && !sent["items"] {
		in.wrong("items", "is required: an array of 1 to 1000 writes")
	}
	return b
}

// items reads a well-formed JSON value as the items of a batch.
func (d document) items(value json.RawMessage) (items []batchItem) {
	if value[0] != '[' {
		d.wrong("items", "must be an array of 1 to 1000 writes, not "+kindOf(value))
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	_, _ = decoder.Token() // the opening bracket
	for decoder.More() {
		if len(items) == model.UnitCommandsMax {
			d.wrong("items", fmt.Sprintf("must not be more than %d writes", model.UnitCommandsMax))
			return nil
		}
		var item json.RawMessage
		_ = decoder.Decode(&item) // the syntax is known to be right
		items = append(items, readItem(fmt.Sprintf("items[%d]", len(items)), item))
	}
	if len(items) == 0 {
		d.wrong("items", "must hold at least one write")
	}
	return items
}

// readItem reads one item; what is wrong with it is reported as that item's.
func readItem(name string, value json.RawMessage) (item batchItem) {
	own := document{&faults{fieldsMax: itemErrorsMax}}
	if value[0] != '{' {
		own.wrong(name, `must be an object such as {"op":"delete","id":"app"}, not `+kindOf(value))
	} else {
		own.within = name + "."
		item.command = own.command(value)
	}
	item.wrong = own.fields
	return item
}

// command returns the command that an item describes.
func (d document) command(value json.RawMessage) model.Command {
	var op, ifMatch string
	var revision uint64
	var record model.VersionDB
	var details model.Details
	fields := append([]field{{name: "op", into: &op}, {name: "ifMatch", into: &ifMatch}}, recordFields(&record, &details, &revision)...)
	sent := d.fieldsOf(value, "an item", fields)
	record.Details = details.OrNil()
	c := model.NewCommand(d.commandType(op), record)
	c.DetailNames, c.IfRevision = namedDetails(sent), revision
	if c.Type == model.CommandAdd {
		d.refuseOnCreate(sent)
		d.refuseReserved(c.ID)
		c.DetailNames = c.Details.DetailNames() // null says nothing there
	} else if sent["ifMatch"] {
		c.IfRevision = d.itemRevision(ifMatch, revision)
	}
	if c.Type == model.CommandDelete && (sent["versionNo"] || sent["platform"] || c.DetailNames != 0) {
		d.wrong("op", "is delete, which takes nothing but an id and ifMatch")
	}
	if c.Type == model.CommandAdd || c.Type == model.CommandUpdate {
		d.merge(checkRecord(record))
	} else {
		d.merge(model.ValidateID(c.ID))
	}
	return c
}

func (d document) commandType(op string) model.CommandType {
	switch op {
	case "create":
		return model.CommandAdd
	case "update":
		return model.CommandUpdate
	case "delete":
		return model.CommandDelete
	case "":
		d.wrong("op", "is required: create, update or delete")
	default:
		d.wrong("op", "must be create, update or delete")
	}
	return 0
}

func (d document) refuseOnCreate(sent map[string]bool) {
	for _, name := range []string{"ifMatch", "revision"} {
		if sent[name] {
			d.wrong(name, "does not go with create: there is no revision yet")
		}
	}
}

// itemRevision returns the revision that an item's ifMatch names, which must be the item's own if that is not 0.
func (d document) itemRevision(text string, own uint64) uint64 {
	revision, err := strconv.ParseUint(text, 10, 64)
	if err != nil || revision == 0 || strconv.FormatUint(revision, 10) != text {
		d.wrong("ifMatch", `must be a revision as ETag gives it, without its quotes, such as "4096"`)
	} else if own != 0 && own != revision {
		d.wrong("revision", "contradicts ifMatch, which names another one; send either")
	}
	return revision
}
