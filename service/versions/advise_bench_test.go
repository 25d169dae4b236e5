package versions_test

import (
	"fmt"
	"testing"

	"versiond/model"
	"versiond/service/versions"
)

// A question about many records that is polled should cost about what a read of one record costs.
func BenchmarkAdvise(b *testing.B) {
	for _, scheme := range []string{"natural", "semver", "pypi", "debian"} {
		b.Run(scheme, func(b *testing.B) {
			records := make([]model.VersionDB, 1000)
			for i := range records {
				records[i] = model.VersionDB{ID: fmt.Sprint(i), VersionNo: fmt.Sprintf("1.%d.0", len(records)-i), Platform: "p", Revision: uint64(i + 1), Details: &model.Details{Scheme: scheme}}
			}
			ranked := versions.Rank(records)
			for b.Loop() {
				if _, err := ranked.Advise("1.7.0", ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
