package controller

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// decodeBoth decodes a record by both ways; plain says whether the short one took it.
func decodeBoth(data []byte) (short, long VersionBody, plain bool, wrong *input) {
	fields := func(b *VersionBody) textFields {
		return textFields{target: b.field, names: []string{"id", "versionNo", "platform"}, what: "a record"}
	}
	plain = fields(&short).takePlain(data)
	wrong = &input{}
	if why := notAnObject(data, "{}"); why != "" {
		wrong.wrong("body", why)
		return short, long, plain, wrong
	}
	wrong.eachTextField(data, fields(&long))
	return short, long, plain, wrong
}

// What the short way takes the long one must take too, and read alike: otherwise a client's bytes would
// decide what is stored of them.
func TestPlainBodiesAreReadAlike(t *testing.T) {
	for body, plain := range map[string]bool{
		`{"id":"app","versionNo":"1.0","platform":"linux"}`: true,
		" {\t\"id\" : \"a b\" ,\r\n\"platform\":\"<&>\" } ": true,
		`{"id":"app","id":"app"}`:                           false,
		`{"id":"app","id":""}`:                              false,
		`{"id":"","id":"app"}`:                              false,
		`{"ID":"app"}`:                                      false,
		`{"id":"app",}`:                                     false,
		`{"id":"app"}}`:                                     false,
		`{"id":"app"} x`:                                    false,
		`{"id" "app"}`:                                      false,
		`{"id":"a\u0041"}`:                                  false,
		`{"id":"ä"}`:                                        false,
		"{\"id\":\"a\x00\"}":                                false,
		`{"id":7}`:                                          false,
		`{"id":null}`:                                       false,
		`{}`:                                                false,
		`{`:                                                 false,
		``:                                                  false,
		`["id"]`:                                            false,
		`{"id":"app","versionNo":"1.0","platform":"linux","x":""}`: false,
	} {
		short, long, took, wrong := decodeBoth([]byte(body))
		require.Equal(t, plain, took, body)
		if took {
			require.NoError(t, wrong.err(), body)
			require.Equal(t, long, short, body)
		}
	}
}

// FuzzPlainBodies looks for a body that the two ways read differently.
func FuzzPlainBodies(f *testing.F) {
	f.Add([]byte(`{"id":"app","versionNo":"1.0","platform":"linux"}`))
	f.Add([]byte(" {\t\"id\" : \"a b\" ,\r\n\"platform\":\"<&>\" } "))
	f.Add([]byte(`{"id":"","id":"app"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		short, long, took, wrong := decodeBoth(data)
		if took {
			require.NoError(t, wrong.err())
			require.Equal(t, long, short)
		}
	})
}
