package dao

import (
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

// What a disk that is full, or a server that has no connection left, says cannot be had of a real server in a
// test; what the operator is told to do about it must be right all the same.
func TestRemedies(t *testing.T) {
	for number, remedy := range map[uint16]string{
		1021: "make room on the database server's disk", 1114: "make room on the database server's disk",
		1040: "raise max_connections", 1203: "account's limits", 1045: "mysql.dsn", 1836: "take writes again", 1064: "own log",
	} {
		err := translate(t.Context(), "applying", fmt.Errorf("%w", &mysql.MySQLError{Number: number, Message: "its words"}))
		require.ErrorIs(t, err, model.ErrStoreUnavailable)
		require.ErrorContains(t, err, fmt.Sprintf("applying: the node's database answers with an error: %d its words; ", number))
		require.ErrorContains(t, err, remedy)
	}
	full := &mysql.MySQLError{Number: 1030, Message: `Got error 28 "No space left on device" from storage engine InnoDB`}
	require.ErrorContains(t, translate(t.Context(), "applying", full), "make room on the database server's disk")
}

// What is denied says nothing of the tables: a node that took it for that would build its store anew for want of a
// privilege. Each number that an administrator is sent for counts.
func TestWhatIsDeniedIsNoDamage(t *testing.T) {
	for _, number := range []uint16{1044, 1045, 1142, 1143, 1227, 1370, 1698} {
		err := fmt.Errorf("%w", &mysql.MySQLError{Number: number, Message: "its words"})
		require.True(t, isDenied(err), number)
		require.ErrorContains(t, translate(t.Context(), "applying", err), "grant")
	}
	require.False(t, isDenied(&mysql.MySQLError{Number: 1049}), "a database that is not there is made")
	require.False(t, isDenied(&mysql.MySQLError{Number: 1146}))
}
