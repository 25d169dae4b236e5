package config

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseText(t *testing.T) {
	tests := []struct {
		text string
		want any
	}{
		{"30s", 30 * time.Second},
		{"1m30s", 90 * time.Second},
		{"-1s", -time.Second}, // of the right form; Validate refuses it
		{"42", 42},
		{"0.25", 0.25},
		{"true", true},
		{"0", false},
		{"0123", "0123"},
		{"a:1,b:2", []string{"a:1", "b:2"}},
		{" a:1 , b:2 ", []string{"a:1", "b:2"}},
		{"a:1,", []string{"a:1", ""}},
		{"", []string(nil)},
		{"n1=a:1/2", []Node{{"n1", "a:1", 2}}},
		{"n1=a:1/2, n2=[::1]:3/4", []Node{{"n1", "a:1", 2}, {"n2", "[::1]:3", 4}}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := parseText(reflect.TypeOf(tt.want), tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestParseTextRefuses(t *testing.T) {
	tests := []struct {
		like any
		text string
		want string
	}{
		{time.Second, "30", `"30" is a bare number; a duration needs a unit`},
		{time.Second, "0", "bare number"},
		{time.Second, "1.5", "bare number"},
		{time.Second, "soon", "not a duration"},
		{1, "many", "not a whole number"},
		{1, "1.5", "not a whole number"},
		{1, "1e5", "not a whole number"},
		{1.0, "half", "not a number"},
		{true, "perhaps", `"perhaps" is neither true nor false`},
		{[]Node{}, "node1", "not in the form id=host:port/httpPort"},
		{[]Node{}, "node1=a:1", "not in the form"},
		{[]Node{}, "a:1/2", "not in the form"},
		{[]Node{}, "node1=a:1/http", "not in the form"},
		{[]Node{}, "n1=a:1/2,", "not in the form"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			_, err := parseText(reflect.TypeOf(tt.like), tt.text)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestSuggestion(t *testing.T) {
	known := []string{"mysql.dsn", "redis.addr", "id", "dataDir"}
	tests := map[string]string{
		"mysql.dns":     "mysql.dsn",
		"MYSQL.DSN":     "mysql.dsn",
		"redis.address": "redis.addr",
		"data-dir":      "dataDir",
		"ip":            "id",
		"ab":            "",
		"somethingElse": "",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			if want == "" {
				require.Empty(t, suggestion(name, known))
				return
			}
			require.Equal(t, "; did you mean "+want+"?", suggestion(name, known))
		})
	}
}
