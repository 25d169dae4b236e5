package dao

import (
	"context"
	"reflect"

	"gorm.io/gorm/schema"
)

// nullable writes a text that is empty, or what is not true, as NULL. GORM's tag default:null would do so too, and leave
// such a column out of an upsert, which then would not clear it.
type nullable struct{}

func init() { schema.RegisterSerializer("nullable", nullable{}) }

// Value implements schema.SerializerValuerInterface.
func (nullable) Value(_ context.Context, _ *schema.Field, _ reflect.Value, value any) (any, error) {
	if v := reflect.ValueOf(value); !v.IsValid() || v.IsZero() {
		return nil, nil
	}
	return value, nil
}

// Scan implements schema.SerializerInterface.
func (nullable) Scan(ctx context.Context, field *schema.Field, into reflect.Value, value any) error {
	return scanInto(field.ReflectValueOf(ctx, into).Addr().Interface(), value)
}
