package changes

import (
	"fmt"
	"testing"

	"versiond/model"
)

// What a change costs the applier while a thousand watch, each for an id of its own, or none at all.
func BenchmarkPublish(b *testing.B) {
	for _, watchers := range []int{0, WatchersMax} {
		b.Run(fmt.Sprint(watchers, " watchers"), func(b *testing.B) {
			n := mustFake()
			for i := range watchers {
				c := n.mustWatch(b, Request{Now: true, Filter: Filter{IDs: []string{fmt.Sprint("r", i)}}})
				c.untilBookmark()
			}
			change := []model.Change{{Op: model.ChangeUpdate, VersionNo: "1.10.0", Platform: "linux/amd64"}}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				change[0].ID, change[0].Revision = fmt.Sprint("r", i%2000), model.Revision(uint64(i+2), 0)
				n.hub.Publish(change, n.floor)
			}
		})
	}
}
