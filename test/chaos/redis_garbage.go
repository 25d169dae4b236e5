package chaos

import (
	"encoding/json"
	"strings"

	"github.com/go-redis/redis/v8"

	"versiond/dao"
)

// redisKeys is the pattern of the keys that nodes write.
const redisKeys = "version:*"

// garbage are the ways in which a key of ours may hold what we did not write there.
var garbage = []func(r *Round, client *redis.Client, key, value string) error{
	ofAnotherType, brokenJSON, otherJSON, olderRevision, foreignCluster, anotherRecord, anotherContent,
}

func ofAnotherType(r *Round, client *redis.Client, key, value string) error {
	if err := client.Del(r.TB.Context(), key).Err(); err != nil {
		return err
	}
	err := client.LPush(r.TB.Context(), key, value).Err()
	if err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") {
		return nil // a node has mended it in between
	}
	return err
}

func brokenJSON(r *Round, client *redis.Client, key, value string) error {
	return client.Set(r.TB.Context(), key, value[:r.Random.IntN(len(value))], 0).Err()
}

func otherJSON(r *Round, client *redis.Client, key, _ string) error {
	return client.Set(r.TB.Context(), key, `{"id":7,"versionNo":[],"revision":"high"}`, 0).Err()
}

func olderRevision(r *Round, client *redis.Client, key, value string) error {
	return forge(r, client, key, value, func(v *dao.CachedVersion) { v.Revision, v.VersionNo = v.Revision-1, "older" })
}

func foreignCluster(r *Round, client *redis.Client, key, value string) error {
	return forge(r, client, key, value, func(v *dao.CachedVersion) { v.Cluster, v.VersionNo = "another", "foreign" })
}

func anotherRecord(r *Round, client *redis.Client, key, value string) error {
	return forge(r, client, key, value, func(v *dao.CachedVersion) { v.ID, v.VersionNo = "another", "another" })
}

// anotherContent has the right id, revision and cluster: nodes know the hash of what was applied.
func anotherContent(r *Round, client *redis.Client, key, value string) error {
	return forge(r, client, key, value, func(v *dao.CachedVersion) { v.VersionNo = "forged" })
}

// forge changes a value that a node wrote. One that is garbage already stays as it is.
func forge(r *Round, client *redis.Client, key, value string, change func(v *dao.CachedVersion)) error {
	var v dao.CachedVersion
	if json.Unmarshal([]byte(value), &v) != nil || v.Revision == 0 {
		return nil
	}
	change(&v)
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return client.Set(r.TB.Context(), key, text, 0).Err()
}
