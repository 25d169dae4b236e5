//go:build !unix

package server

// openFilesMax: other systems know no such limit.
func openFilesMax() uint64 { return 1 << 20 }
