package model

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A field that the table lacks, or has under another name or number, is taken from nobody, or stored as another one.
func TestEveryDetailIsInTheTable(t *testing.T) {
	var d Details
	fields := reflect.TypeFor[Details]()
	require.Len(t, DetailFields, fields.NumField())
	for i, field := range DetailFields {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		require.Equal(t, name, field.Name)
		require.Equal(t, DetailSet(1)<<i, field.Set, name)
		require.Same(t, reflect.ValueOf(&d).Elem().Field(i).Addr().Interface(), field.In(&d), name)
	}
}
