//go:build !unix

package main

// openFilesMax: other systems know no such limit.
func openFilesMax() uint64 { return 1 << 20 }
