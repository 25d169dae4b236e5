package badrequests

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	batchPath = "/version/batch"
	goodItem  = `{"op":"create","id":"fresh","versionNo":"1.0.0","platform":"linux"}`
	goodBatch = `{"atomic":true,"items":[` + goodItem + `]}`
)

// batch is a POST /version/batch that is refused for the fields.
func batch(name, body string, fields ...string) Case {
	c := post(name, body, fields...)
	c.Name, c.Path = "batch "+name, batchPath
	return c
}

// items is an atomic batch of a good item and these, of which the first is items[1].
func items(name, item string, fields ...string) Case {
	return batch(name, `{"atomic":true,"items":[`+goodItem+`,`+item+`]}`, fields...)
}

func batches() []Case {
	return append(append(batchBodies(), batchItems()...), batchConditions()...)
}

func batchBodies() []Case {
	const tooLarge, code = http.StatusRequestEntityTooLarge, "body_too_large"
	withParameter := batch("with an unknown parameter", goodBatch, "dry_run")
	withParameter.Path += "?dry_run=true"
	return []Case{
		batch("nothing", "", "body"),
		batch("malformed", `{"items":[`, "body"),
		batch("an array", `[`+goodItem+`]`, "body"),
		batch("trailing junk", goodBatch+`x`, "body"),
		batch("bytes that are not UTF-8", `{"items":[{"op":"delete","id":"`+"\xff"+`"}]}`, "body"),
		batch("an empty object", `{}`, "items"),
		batch("no items", `{"items":[]}`, "items"),
		batch("1001 items", manyItems(1001, 1), "items"),
		batch("items null", `{"items":null}`, "items"),
		batch("items an object", `{"items":`+goodItem+`}`, "items"),
		batch("items twice", `{"items":[`+goodItem+`],"items":[`+goodItem+`]}`, "items"),
		batch("items in capitals", `{"Items":[`+goodItem+`]}`, "Items", "items"),
		batch("an unknown field", `{"items":[`+goodItem+`],"mode":"fast"}`, "mode"),
		batch("atomic null", `{"atomic":null,"items":[`+goodItem+`]}`, "atomic"),
		batch("atomic a string", `{"atomic":"true","items":[`+goodItem+`]}`, "atomic"),
		batch("atomic twice", `{"atomic":true,"atomic":false,"items":[`+goodItem+`]}`, "atomic"),
		batch("over 1 MiB", goodBatch+strings.Repeat(" ", 1<<20)).answered(tooLarge, code),
		batch("items of over 512 KiB", manyItems(1000, 256)).answered(tooLarge, code),
		batch("without a type", goodBatch).headed(nil).answered(http.StatusUnsupportedMediaType, "unsupported_media_type"),
		batch("from another site", goodBatch).headed(with("Sec-Fetch-Site", "cross-site")).answered(http.StatusForbidden, "cross_site"),
		withParameter,
	}
}

// manyItems is a batch of so many creates, with contents of twice so many bytes.
func manyItems(count, bytes int) string {
	content := strings.Repeat("😀", (bytes+3)/4)
	list := make([]string, count)
	for i := range list {
		list[i] = fmt.Sprintf(`{"op":"create","id":"%0128d","versionNo":%q,"platform":%q}`, i, content, content)
	}
	return `{"items":[` + strings.Join(list, ",") + `]}`
}

func batchItems() []Case {
	return []Case{
		items("an item that is null", `null`, "items[1]"),
		items("an item that is a string", `"fresh"`, "items[1]"),
		items("an empty item", `{}`, "items[1].op", "items[1].id"),
		items("no op", `{"id":"a","versionNo":"1","platform":"linux"}`, "items[1].op"),
		items("an unknown op", `{"op":"upsert","id":"a","versionNo":"1","platform":"linux"}`, "items[1].op"),
		items("an op in capitals", `{"op":"Create","id":"a","versionNo":"1","platform":"linux"}`, "items[1].op"),
		items("an op that is a number", `{"op":1,"id":"a"}`, "items[1].op"),
		items("no id", `{"op":"delete"}`, "items[1].id"),
		items("a dot in the id", `{"op":"delete","id":"a/./b"}`, "items[1].id"),
		items("the id twice", `{"op":"delete","id":"a","id":"b"}`, "items[1].id"),
		items("a name in capitals", `{"op":"delete","ID":"a"}`, "items[1].ID", "items[1].id"),
		items("an unknown field", `{"op":"delete","id":"a","force":true}`, "items[1].force"),
		items("a revision on a create", `{"op":"create","id":"a","versionNo":"1","platform":"linux","revision":4096}`, "items[1].revision"),
		items("a revision in quotes", `{"op":"delete","id":"a","revision":"4096"}`, "items[1].revision"),
		items("a revision other than ifMatch", `{"op":"delete","id":"a","revision":4096,"ifMatch":"8192"}`, "items[1].revision"),
		items("a create without content", `{"op":"create","id":"a"}`, "items[1].versionNo", "items[1].platform"),
		items("an update without platform", `{"op":"update","id":"a","versionNo":"1"}`, "items[1].platform"),
		items("a delete with content", `{"op":"delete","id":"a","versionNo":"1"}`, "items[1].op"),
		items("a null field", `{"op":"update","id":"a","versionNo":null,"platform":"linux"}`, "items[1].versionNo"),
		items("half a surrogate pair", `{"op":"update","id":"a","versionNo":"\ud83d","platform":"linux"}`, "items[1].versionNo"),
		items("a blank after the versionNo", `{"op":"update","id":"a","versionNo":"1 ","platform":"linux"}`, "items[1].versionNo"),
		items("two items that are wrong", `{"op":"delete","id":""},{"op":"delete","id":" "}`, "items[1].id", "items[2].id"),
	}
}

func batchConditions() []Case {
	return []Case{
		items("ifMatch on a create", `{"op":"create","id":"a","versionNo":"1","platform":"linux","ifMatch":"4096"}`, "items[1].ifMatch"),
		items("ifMatch in quotes", `{"op":"delete","id":"a","ifMatch":"\"4096\""}`, "items[1].ifMatch"),
		items("ifMatch a number", `{"op":"delete","id":"a","ifMatch":4096}`, "items[1].ifMatch"),
		items("ifMatch 0", `{"op":"delete","id":"a","ifMatch":"0"}`, "items[1].ifMatch"),
		items("ifMatch with a leading zero", `{"op":"delete","id":"a","ifMatch":"04096"}`, "items[1].ifMatch"),
		items("ifMatch empty", `{"op":"delete","id":"a","ifMatch":""}`, "items[1].ifMatch"),
		items("ifMatch beyond 64 bits", `{"op":"delete","id":"a","ifMatch":"99999999999999999999"}`, "items[1].ifMatch"),
		batch("with an unknown field beside an item that is wrong", `{"mode":1,"items":[{"op":"delete","id":""}]}`, "mode", "items[0].id"),
		batch("with If-Match", goodBatch, "If-Match").headed(with("If-Match", `"4096"`)),
		batch("refused as a whole", `{"atomic":true,"items":[`+goodItem+`,{"op":"delete","id":"`+MissingID+`"}]}`).answered(http.StatusConflict, "batch_refused"),
		{Name: "get a batch", Method: http.MethodGet, Path: batchPath, Status: http.StatusNotFound, Code: "not_found"},
	}
}
