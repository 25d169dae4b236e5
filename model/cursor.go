package model

import "encoding/base64"

// cursorVersion is the first byte of a cursor. A cursor of another version is refused, so what
// follows it can change.
const cursorVersion = 1

// EncodeCursor makes the cursor of the page after the record with this id; the empty one when there
// is no such page.
func EncodeCursor(after string) string {
	if after == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte{cursorVersion}, after...))
}

// DecodeCursor reads what EncodeCursor made, and reports whether it was that.
func DecodeCursor(cursor string) (after string, ok bool) {
	if cursor == "" {
		return "", true
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) == 0 || raw[0] != cursorVersion {
		return "", false
	}
	after = string(raw[1:])
	return after, ValidateID(after) == nil
}
