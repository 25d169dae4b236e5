package controller

import (
	"cmp"
	"slices"
	"strings"

	"versiond/model"
)

const (
	fieldErrorsMax = 32
	// itemErrorsMax is the same for an item of a batch, of which there may be a thousand.
	itemErrorsMax     = 8
	fieldNameBytesMax = 64
)

// faults collects everything that is wrong with a request, so that a client learns all of it at once. Whoever reads a
// part of the request returns a zero value for what it reports as wrong.
type faults struct {
	fields []model.FieldError
	// fieldsMax bounds them; fieldErrorsMax when it is 0.
	fieldsMax int
	// within stands before the names of fields while a part of something larger is read.
	within string
	// refusal is why the body was not looked at: its type or its size.
	refusal error
}

// wrong reports a field, parameter or header, once each: what follows from the first thing that is
// wrong with it would only distract. The bounds keep an absurd request from getting an answer as
// large as itself.
func (f *faults) wrong(field, detail string) {
	field = f.within + field
	if len(field) > fieldNameBytesMax {
		field = strings.ToValidUTF8(field[:fieldNameBytesMax], "") + "…"
	}
	reported := slices.ContainsFunc(f.fields, func(each model.FieldError) bool { return each.Field == field })
	if !reported && len(f.fields) < cmp.Or(f.fieldsMax, fieldErrorsMax) {
		f.fields = append(f.fields, model.FieldError{Field: field, Detail: detail})
	}
}

// merge reports what a validation found.
func (f *faults) merge(err error) {
	for _, each := range fieldErrors(err) {
		f.wrong(each.Field, each.Detail)
	}
}

func (f *faults) err() error {
	switch {
	case f.refusal != nil:
		return f.refusal
	case len(f.fields) > 0:
		return &model.ValidationError{Fields: f.fields}
	}
	return nil
}
