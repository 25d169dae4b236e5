package client

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// address is where one node, or a proxy before some, is asked.
type address struct {
	text string
}

func parseAddresses(texts []string) ([]*address, error) {
	if len(texts) == 0 {
		return nil, errors.New("client: Addresses is empty; a right value is http://127.0.0.1:8081")
	}
	all := make([]*address, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = parseAddress(text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func parseAddress(text string) (*address, error) {
	whole := text
	if !strings.Contains(text, "://") {
		whole = "http://" + text
	}
	base, err := url.Parse(whole)
	switch {
	case err != nil:
		return nil, fmt.Errorf("client: %q is no address; a right value is http://127.0.0.1:8081", text)
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("client: %q begins with neither http:// nor https://", text)
	case base.Hostname() == "" || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("client: %q is no address; a right value is http://127.0.0.1:8081", text)
	case base.User != nil:
		return nil, fmt.Errorf("client: the address of %s has a user or a password in it; give a token instead", base.Host)
	}
	base.Path, base.RawPath = strings.TrimSuffix(base.Path, "/"), ""
	return &address{text: base.String()}, nil
}

// url returns where a path, which is escaped already, is found.
func (a *address) url(path string, query url.Values) string {
	whole := a.text + path
	if len(query) > 0 {
		whole += "?" + query.Encode()
	}
	return whole
}
