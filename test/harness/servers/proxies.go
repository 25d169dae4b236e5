package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// nginxConfig is what is around the part of a site: one process, and no file outside its directory.
const nginxConfig = `daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
%[2]s}
`

// Nginx runs an nginx whose http section has this site, which listens on the port, and ends it with the test.
func Nginx(t testing.TB, site string, port int) {
	t.Helper()
	dir := tempDir(t)
	startProxy(t, "nginx", dir, fmt.Sprintf(nginxConfig, dir, site), port, func(config string) []string {
		return []string{"-c", config, "-p", dir, "-e", "stderr"}
	})
}

// HAProxy runs an HAProxy with this configuration, which listens on the port, and ends it with the test.
func HAProxy(t testing.TB, config string, port int) {
	t.Helper()
	startProxy(t, "haproxy", tempDir(t), config, port, func(config string) []string { return []string{"-db", "-f", config} })
}

func startProxy(t testing.TB, program, dir, config string, port int, args func(config string) []string) {
	t.Helper()
	path, err := Find(program, program)
	must(t, err)
	file := filepath.Join(dir, program+".conf")
	must(t, os.WriteFile(file, []byte(config), 0o600))
	s := NewProgram(Program{Path: path, Args: args(file), Dir: dir, Ready: func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return err
		}
		return conn.Close()
	}})
	must(t, s.Start())
	t.Cleanup(func() { _ = s.Kill() })
}
