package badrequests

import (
	"net/http"
	"strings"
)

func parameters() []Case {
	cases := []Case{
		post("with an unknown parameter", good, "dry_run"),
		post("with a bad level", good, "level"),
		put("with a bad timeout", goodPut, "timeout"),
		put("with a newer that is no boolean", goodPut, "newer"),
	}
	cases[0].Path += "?dry_run=true"
	cases[1].Path += "?level=strong"
	cases[2].Path += "?timeout=soon"
	cases[3].Path += "?newer=yes"
	return append(append(cases, readParameters()...), listParameters()...)
}

func readParameters() []Case {
	return []Case{
		get(knownPath+"?levl=none", "levl"),
		get(knownPath+"?Level=none", "Level"),
		get(knownPath+"?level=strong", "level"),
		get(knownPath+"?level=", "level"),
		get(knownPath+"?level=NONE", "level"),
		get(knownPath+"?level=none&level=leader", "level"),
		get(knownPath+"?min_index=-1", "min_index"),
		get(knownPath+"?min_index=1.5", "min_index"),
		get(knownPath+"?min_index=", "min_index"),
		get(knownPath+"?min_index=18446744073709551616", "min_index"),
		get(knownPath+"?timeout=5", "timeout"),
		get(knownPath+"?timeout=0s", "timeout"),
		get(knownPath+"?timeout=-1s", "timeout"),
		get(knownPath+"?timeout=61s", "timeout"),
		get(knownPath+"?timeout=", "timeout"),
		get(knownPath+"?level=x&min_index=x&timeout=x&x=x", "level", "min_index", "timeout", "x"),
		get(knownPath+"?level=none;timeout=1s", "query"),
		get(knownPath+"?level=%zz", "query"),
		get("/leader?timeout=x", "timeout"),
		get("/leader?level=none", "level"),
		get("/leader?timeout=", "timeout"),
		get("/peers?verbose=true", "verbose"),
		get("/livez?verbose=true", "verbose"),
		get("/readyz?timeout=1h", "timeout"),
		plain(http.MethodDelete, knownPath+"?force=true", "force"),
	}
}

func listParameters() []Case {
	return []Case{
		get("/version?limit=0", "limit"),
		get("/version?limit=1001", "limit"),
		get("/version?limit=-1", "limit"),
		get("/version?limit=ten", "limit"),
		get("/version?limit=", "limit"),
		get("/version?limit=1&limit=2", "limit"),
		get("/version?cursor=known", "cursor"),
		get("/version?cursor=!!", "cursor"),
		get("/version?cursor=AQ", "cursor"),
		get("/version?cursor=Amtub3du", "cursor"),
		get("/version?cursor=AWtub3duLy4u", "cursor"),
		get("/version?cursor=", "cursor"),
		get("/version?prefix=", "prefix"),
		get("/version?prefix=%ff", "prefix"),
		get("/version?prefix=a%0A", "prefix"),
		get("/version?prefix="+strings.Repeat("a", 129), "prefix"),
		get("/version?prefix=a&prefix=b", "prefix"),
		get("/version?platform=", "platform"),
		get("/version?platform", "platform"),
		get("/version?platform=%20linux", "platform"),
		get("/version?platform=a%00b", "platform"),
		get("/version?platform=%ff", "platform"),
		get("/version?platform="+strings.Repeat("a", 65), "platform"),
		get("/version?offset=10", "offset"),
		get("/version?limit=x&cursor=x&level=x", "limit", "cursor", "level"),
	}
}

func members() []Case {
	join := func(idAndAddr string, fields ...string) Case {
		return plain(http.MethodPost, "/join/"+idAndAddr, fields...)
	}
	return []Case{
		join("Node4/127.0.0.1:7004", "id"),
		join("-node4/127.0.0.1:7004", "id"),
		join("node%204/127.0.0.1:7004", "id"),
		join(strings.Repeat("n", 33)+"/127.0.0.1:7004", "id"),
		join("node4/127.0.0.1", "addr"),
		join("node4/:7004", "addr"),
		join("node4/127.0.0.1:", "addr"),
		join("node4/127.0.0.1:0", "addr"),
		join("node4/127.0.0.1:65536", "addr"),
		join("node4/127.0.0.1:http", "addr"),
		join("node4/0.0.0.0:7004", "addr"),
		join("node4/%5B::%5D:7004", "addr"),
		join("node4/::1:7004", "addr"),
		join("node4/host%2Fpath:7004", "addr"),
		join("node4/user@host:7004", "addr"),
		join("NODE/nowhere?voter=maybe&timeout=x", "id", "addr", "voter", "timeout"),
		join("node4/127.0.0.1:7004?voter=", "voter"),
		join("node4/127.0.0.1:7004?voters=false", "voters"),
		get("/join/Node4/127.0.0.1:7004", "id"),
		plain(http.MethodDelete, "/peer/Node4", "id"),
		plain(http.MethodDelete, "/peer/a%2Fb", "id"),
		plain(http.MethodDelete, "/peer/node9?force=1", "force"),
		plain(http.MethodDelete, "/peer/node9?force=", "force"),
		plain(http.MethodPost, "/leader/Node4", "id"),
		plain(http.MethodDelete, "/peer/node9").answered(http.StatusNotFound, "not_found"),
		plain(http.MethodPost, "/leader/node9").answered(http.StatusNotFound, "not_found"),
	}
}

func comparisons() []Case {
	return []Case{
		get("/version/watch?since=last", "since"),
		get("/version/watch?since=-1", "since"),
		get("/version/watch?since=1.5", "since"),
		get("/version/watch?since=", "since"),
		get("/version/watch?since=18446744073709551616", "since"),
		get("/version/watch?since=now&since=0", "since"),
		get("/version/watch?wait=30", "wait"),
		get("/version/watch?wait=61s", "wait"),
		get("/version/watch?wait=0s", "wait"),
		get("/version/watch?id=a&prefix=b", "prefix"),
		get("/version/watch?id=a,,b", "id"),
		get("/version/watch?id="+strings.Repeat("a,", 50)+"a", "id"),
		get("/version/watch?platform=a%00b&level=some&min_index=x&timeout=61s&limit=1", "platform", "level", "min_index", "timeout", "limit"),
		get("/version/known/history?cursor=AWtub3du", "cursor"), // of a list of records
		get("/version/known/history?cursor=ATA", "cursor"),
		get("/version/known/history?cursor=!!", "cursor"),
		get("/version/known/history?limit=0", "limit"),
		get("/version/known/history?limit=1001&level=some", "limit", "level"),
		get("/version/known/history?platform=linux", "platform"),
		get("/version/%20known/history", "id"),
		get("/version/latest", "id"),
		get("/version/latest?id=a&prefix=b", "prefix"),
		get("/version/latest?id=a,,b", "id"),
		get("/version/latest?id=a,%20b", "id"),
		get("/version/latest?id="+strings.Repeat("a,", 1000)+"a", "id"),
		get("/version/latest?platform=linux&current=1", "current"),
		get("/version/check?id=a", "current"),
		get("/version/check?id=a&current=", "current"),
		get("/version/check?current=1&none=200&client="+strings.Repeat("c", 129), "client", "id", "none"),
		get("/version/check?id=a&current=1.0+1", "current"),
		get("/version/compare", "a", "b"),
		get("/version/compare?a=1", "b"),
		get("/version/compare?a=&b=1", "a"),
		get("/version/compare?a=1&b=%201", "b"),
		get("/version/compare?a=1.0+1&b=1.0", "a"),
		get("/version/compare?a=1%00&b="+strings.Repeat("1", 65), "a", "b"),
		get("/version/compare?a=1&b=2&scheme=semvar", "scheme"),
		get("/version/compare?a=1&b=2&scheme=published", "scheme"),
		get("/version/compare?a=1&b=1.0.x&scheme=semver", "a", "b"),
		get("/version/compare?a=1&b=2&current=3&level=x", "current", "level"),
	}
}

func paths() []Case {
	nowhere := func(method, target string) Case {
		return plain(method, target).answered(http.StatusNotFound, "no_such_path")
	}
	notAllowed := func(method, target string) Case {
		return plain(method, target).answered(http.StatusMethodNotAllowed, "method_not_allowed")
	}
	return []Case{
		nowhere(http.MethodGet, "/versions"),
		nowhere(http.MethodGet, "/version/"),
		nowhere(http.MethodGet, "/version/known/"),
		nowhere(http.MethodGet, "/version/a/b"),
		nowhere(http.MethodGet, "/Version/known"),
		nowhere(http.MethodGet, "//version/known"),
		nowhere(http.MethodPost, "/join/node4"),
		nowhere(http.MethodPost, "/command"),
		nowhere(http.MethodGet, "/swagger/absent.html"),
		nowhere(http.MethodGet, "/swagger/x/index.html"),
		notAllowed(http.MethodPatch, knownPath),
		notAllowed(http.MethodPost, knownPath),
		notAllowed(http.MethodPut, "/version"),
		notAllowed(http.MethodDelete, "/version"),
		notAllowed(http.MethodPost, "/peers"),
		notAllowed(http.MethodGet, "/peer/node1"),
		notAllowed(http.MethodPut, "/leader"),
		notAllowed(http.MethodOptions, knownPath),
	}
}

// Peer returns the cases for the peer port.
func Peer() []Case {
	binary := func(path, form string) func(name, body string, fields ...string) Case {
		return func(name, body string, fields ...string) Case {
			c := post(name, body, fields...)
			c.Name, c.Path = path+" "+name, path
			c.Header = map[string]string{"Content-Type": "application/vnd.versiond." + form}
			return c
		}
	}
	command, read := binary("/command", "commands"), binary("/read", "queries")
	return []Case{
		get("/", "id", "addr"),
		get("/?id=node4", "addr"),
		get("/?id=node4&addr=127.0.0.1:7004&voter=yes", "voter"),
		get("/?id=node4&addr=127.0.0.1:7004&addr=127.0.0.1:7005", "addr"),
		get("/?id=node4&addr=127.0.0.1:7004&peer=1", "peer"),
		get("/?id=node4&addr=127.0.0.1:7004").headed(map[string]string{"Sec-Fetch-Site": "cross-site"}).answered(http.StatusForbidden, "cross_site"),
		command("without a byte", "", "body"),
		command("of another format", "\xff\x01", "body"),
		command("cut short", "\x01\x05", "body"),
		command("of no commands", "\x01\x00", "body"),
		command("as JSON", good).headed(jsonHeader()).answered(http.StatusUnsupportedMediaType, "unsupported_media_type"),
		command("too large", strings.Repeat("\x01", 4<<20+1)).answered(http.StatusRequestEntityTooLarge, "body_too_large"),
		read("of another format", "\xff\x01", "body"),
		read("of an unknown kind", "\x01\x01\x09", "body"),
		read("for too many rows", "\x01\x01\x02\x00\x00\xe9\x07", "body"),
		read("as JSON", good).headed(jsonHeader()).answered(http.StatusUnsupportedMediaType, "unsupported_media_type"),
		read("of an older release", "\x01\x01\x01a").headed(map[string]string{"Content-Type": "application/vnd.versiond.reads"}).answered(http.StatusUnsupportedMediaType, "unsupported_media_type"),
		get("/version/known").answered(http.StatusNotFound, "no_such_path"),
		get("/command").answered(http.StatusMethodNotAllowed, "method_not_allowed"),
		get("/peers").answered(http.StatusNotFound, "no_such_path"),
	}
}
