package cluster

import "context"

// Keyed is a request of the public port with an idempotency key.
type Keyed struct {
	Key, Method, Path, Content string
}

// KeyedAnswer is what came of it; Replayed says that it was answered before.
type KeyedAnswer struct {
	Status   int
	Replayed bool
	Body     string
}

// SendKeyed sends it once.
func (c *Client) SendKeyed(ctx context.Context, k Keyed) (KeyedAnswer, error) {
	header := withJSON(nil)
	header["Idempotency-Key"] = k.Key
	req, err := c.newRequest(ctx, request{method: k.Method, path: k.Path, header: header}, []byte(k.Content))
	if err != nil {
		return KeyedAnswer{}, err
	}
	status, answered, body, err := c.exchange(req)
	return KeyedAnswer{Status: status, Replayed: answered.Get("X-Versiond-Replayed") == "true", Body: string(body)}, err
}
