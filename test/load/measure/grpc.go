package measure

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// etcdClient speaks as much gRPC as one call after the other takes, over one kept connection: the
// stock client and its modules are larger than this whole tree, and the JSON gateway would make the
// server pay for a translation.
type etcdClient struct {
	conn    net.Conn
	framer  *http2.Framer
	out     bytes.Buffer // what the framer writes, sent at once
	headers *hpack.Encoder
	block   bytes.Buffer // what the encoder writes
	stream  uint32
	host    string
	message []byte
}

// windowBytes is more than a connection receives while it lives, so that nothing need be said about
// windows. Nor do requests fill the server's: it takes each before it answers.
const windowBytes = 1 << 30

func dialEtcd(ctx context.Context, address string) (Client, error) {
	conn, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	c := &etcdClient{conn: conn, stream: 1, host: address}
	c.framer = http2.NewFramer(&c.out, conn)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.headers = hpack.NewEncoder(&c.block)
	if err := c.greet(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

func (c *etcdClient) greet() error {
	c.out.WriteString(http2.ClientPreface)
	err := c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: windowBytes})
	return errors.Join(err, c.framer.WriteWindowUpdate(0, windowBytes), c.flush())
}

func (c *etcdClient) flush() error {
	_, err := c.conn.Write(c.out.Bytes())
	c.out.Reset()
	return err
}

func (c *etcdClient) Close() error { return c.conn.Close() }

func (c *etcdClient) Write(id, versionNo string) error {
	_, err := c.call("Put", appendPut(c.begin(), id, versionNo))
	return err
}

func (c *etcdClient) Read(id string, level Level) error {
	message := appendBytes(c.begin(), fieldKey, etcdKey(id))
	if level == None {
		message = append(message, fieldSerializable<<3, 1)
	}
	answer, err := c.call("Range", message)
	if err == nil && !bytes.Contains(answer, etcdKey(id)) {
		err = &refusedError{"no key " + id}
	}
	return err
}

// The numbers of fields of etcd's messages.
const (
	fieldKey          = 1
	fieldValue        = 2
	fieldSerializable = 7
)

func etcdKey(id string) []byte { return append([]byte("versions/"), id...) }

func appendPut(dst []byte, id, versionNo string) []byte {
	dst = appendBytes(dst, fieldKey, etcdKey(id))
	return appendBytes(dst, fieldValue, fmt.Appendf(nil, `{"id":%q,"versionNo":%q,"platform":"android"}`, id, versionNo))
}

func appendBytes(dst []byte, field byte, value []byte) []byte {
	dst = binary.AppendUvarint(append(dst, field<<3|2), uint64(len(value)))
	return append(dst, value...)
}

// grpcPrefixLen is that of the flag and the length before a message.
const grpcPrefixLen = 5

// begin returns an empty message with room for its prefix.
func (c *etcdClient) begin() []byte { return append(c.message[:0], make([]byte, grpcPrefixLen)...) }

func (c *etcdClient) call(method string, message []byte) ([]byte, error) {
	c.message = message
	binary.BigEndian.PutUint32(message[1:], uint32(len(message)-grpcPrefixLen))
	if err := c.request("/etcdserverpb.KV/"+method, message); err != nil {
		return nil, err
	}
	answer, status, err := c.answer()
	c.stream += 2
	if err == nil && status != "0" {
		err = &refusedError{fmt.Sprintf("%s: gRPC status %q", method, status)}
	}
	return answer, err
}

func (c *etcdClient) request(path string, message []byte) error {
	c.block.Reset()
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", c.host},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		if err := c.headers.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			return err
		}
	}
	return errors.Join(
		c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: c.stream, BlockFragment: c.block.Bytes(), EndHeaders: true}),
		c.framer.WriteData(c.stream, true, message),
		c.flush())
}

// answer reads frames until the stream ends, and serves the connection meanwhile.
func (c *etcdClient) answer() (message []byte, status string, err error) {
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return nil, "", err
		}
		switch f := frame.(type) {
		case *http2.DataFrame:
			message = append(message, f.Data()...)
		case *http2.MetaHeadersFrame:
			if f.StreamEnded() {
				return message, valueOf(f.Fields, "grpc-status"), nil
			}
		case *http2.SettingsFrame:
			if !f.IsAck() {
				err = errors.Join(c.framer.WriteSettingsAck(), c.flush())
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				err = errors.Join(c.framer.WritePing(true, f.Data), c.flush())
			}
		case *http2.RSTStreamFrame:
			// A server that answered before it saw our end of the stream resets it afterwards.
			if f.StreamID == c.stream {
				err = fmt.Errorf("etcd reset the stream: %s", f.ErrCode)
			}
		case *http2.GoAwayFrame:
			err = fmt.Errorf("etcd ends the connection: %s", f.ErrCode)
		}
		if err != nil {
			return nil, "", err
		}
	}
}

func valueOf(fields []hpack.HeaderField, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
