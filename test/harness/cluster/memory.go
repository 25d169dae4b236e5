package cluster

import (
	"fmt"
	"os"
	"strings"

	"github.com/stretchr/testify/require"
)

// ResidentBytes returns how much memory the program has in use now, as Linux counts it.
func (p *Process) ResidentBytes() int64 {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	require.NoError(p.t, err)
	_, rest, found := strings.Cut(string(text), "VmRSS:")
	require.True(p.t, found, "%s", text)
	var kibibytes int64
	_, err = fmt.Sscan(rest, &kibibytes)
	require.NoError(p.t, err)
	return kibibytes << 10
}
