package badrequests

import (
	"net/http"
	"strings"
)

func headers() []Case {
	return append(append(mediaTypes(), conditions()...), keys()...)
}

func mediaTypes() []Case {
	const status, code = http.StatusUnsupportedMediaType, "unsupported_media_type"
	typed := func(c Case, header map[string]string) Case { return c.headed(header).answered(status, code) }
	return []Case{
		typed(post("without a type", good), nil),
		typed(post("as curl -d sends it", good), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}),
		typed(post("as text", good), map[string]string{"Content-Type": "text/plain"}),
		typed(post("as another JSON", good), map[string]string{"Content-Type": "application/merge-patch+json"}),
		typed(post("in Latin-1", good), map[string]string{"Content-Type": "application/json; charset=iso-8859-1"}),
		typed(post("in a charset that does not exist", good), map[string]string{"Content-Type": "application/json; charset=utf9"}),
		typed(post("with a broken type", good), map[string]string{"Content-Type": "application/json; ="}),
		typed(post("compressed", good), with("Content-Encoding", "gzip")),
		typed(put("without a type", goodPut), nil),
		typed(put("as a form", goodPut), map[string]string{"Content-Type": "multipart/form-data; boundary=x"}),
	}
}

func conditions() []Case {
	const status, code = http.StatusPreconditionFailed, "revision_mismatch"
	remove := func(ifMatch string) Case {
		return plain(http.MethodDelete, knownPath, "If-Match").headed(map[string]string{"If-Match": ifMatch})
	}
	return []Case{
		put("on another revision", goodPut).headed(with("If-Match", `"1"`)).answered(status, code),
		put("on a weak tag", goodPut).headed(with("If-Match", `W/"4096"`)).answered(status, code),
		put("on revision 0", goodPut).headed(with("If-Match", `"0"`)).answered(status, code),
		put("on a tag that is no revision", goodPut).headed(with("If-Match", `"abc"`)).answered(status, code),
		put("on a tag beyond 64 bits", goodPut).headed(with("If-Match", `"99999999999999999999"`)).answered(status, code),
		put("on an unquoted tag", goodPut, "If-Match").headed(with("If-Match", "4096")),
		put("on an open tag", goodPut, "If-Match").headed(with("If-Match", `"4096`)),
		put("on two other revisions", goodPut).headed(with("If-Match", `"4096", "8192"`)).answered(status, code),
		put("on a weak tag and another revision", goodPut).headed(with("If-Match", `W/"4096", "1"`)).answered(status, code),
		put("on a tag that a proxy has changed", goodPut).headed(with("If-Match", `"4096-gzip"`)).answered(status, code),
		put("on two tags without a comma", goodPut, "If-Match").headed(with("If-Match", `"4096" "8192"`)),
		put("on another revision than the body has", `{"versionNo":"1","platform":"linux","revision":8192}`, "revision").headed(with("If-Match", `"4096"`)),
		put("on a weak tag beside a revision", `{"versionNo":"1","platform":"linux","revision":8192}`, "revision").headed(with("If-Match", `W/"8192"`)),
		get(knownPath).headed(map[string]string{"If-Match": `"1"`}).answered(status, code),
		get(knownPath).headed(map[string]string{"If-Match": `W/"4096"`}).answered(status, code),
		get(knownPath, "If-Match").headed(map[string]string{"If-Match": `4096`}),
		put("unless it exists", goodPut, "If-None-Match").headed(with("If-None-Match", "*")),
		post("on a revision", good, "If-Match").headed(with("If-Match", `"4096"`)),
		remove(`"1"`).answered(status, code),
		remove(`W/"1"`).answered(status, code),
		remove(`"01"`).answered(status, code),
		remove(`1`),
		remove(``),
		remove(`*, "1"`),
		remove(`"a b"`),
		plain(http.MethodDelete, knownPath, "If-None-Match").headed(map[string]string{"If-None-Match": "*"}),
		get(knownPath, "If-None-Match").headed(map[string]string{"If-None-Match": "4096"}),
		get(knownPath, "If-None-Match").headed(map[string]string{"If-None-Match": `"4096" "8192"`}),
	}
}

// keys are the idempotency keys that are none.
func keys() []Case {
	const header = "Idempotency-Key"
	keyed := func(c Case, key string) Case {
		c.Fields = []string{header}
		return c.headed(with(header, key))
	}
	return []Case{
		keyed(post("with an empty key", good), ""),
		keyed(post("with a key of 129 characters", good), strings.Repeat("k", 129)),
		keyed(post("with a blank in the key", good), "a b"),
		keyed(post("with a tab in the key", good), "a\tb"),
		keyed(post("with a key beyond ASCII", good), "schlüssel"),
		keyed(put("with a blank in the key", goodPut), "a b"),
		keyed(plain(http.MethodDelete, knownPath), "a b"),
		keyed(batch("with a blank in the key", goodBatch), "a b"),
	}
}

func crossSite() []Case {
	const status, code = http.StatusForbidden, "cross_site"
	from := func(c Case, pairs ...string) Case { return c.headed(with(pairs...)).answered(status, code) }
	const join = "/join/node9/127.0.0.1:7009"
	const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	return []Case{
		from(post("from another site", good), "Sec-Fetch-Site", "cross-site"),
		from(post("from a sister site", good), "Sec-Fetch-Site", "same-site"),
		from(post("with another origin", good), "Origin", "http://elsewhere.example"),
		from(post("with the origin null", good), "Origin", "null"),
		from(put("from another site", goodPut), "Sec-Fetch-Site", "cross-site"),
		from(plain(http.MethodDelete, knownPath), "Sec-Fetch-Site", "cross-site"),
		from(plain(http.MethodDelete, "/peer/node1"), "Origin", "https://elsewhere.example"),
		from(plain(http.MethodPost, "/leader/node1"), "Sec-Fetch-Site", "cross-site"),
		from(plain(http.MethodPost, join), "Sec-Fetch-Site", "cross-site"),
		from(get(join), "Sec-Fetch-Site", "cross-site"),
		from(get(join), "Sec-Fetch-Site", "same-site"),
		from(get(join), "Origin", "http://elsewhere.example"),
		from(get(join), "Referer", "http://elsewhere.example/page"),
		from(get(join), "User-Agent", browser, "Accept-Language", "en"),
	}
}
