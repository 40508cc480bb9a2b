package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/engine"
)

// behindTLS is the engine at a tcp:// address that wants a client's certificate, as dockerd --tlsverify does. The
// folder holds what a client needs.
func behindTLS(t *testing.T, e *EngineUnderTest) (host, certs string) {
	t.Helper()
	certs = t.TempDir()
	ca, key := filepath.Join(certs, "ca.pem"), filepath.Join(certs, "key.pem")
	if _, err := output(nil, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=engine", "-addext", "subjectAltName=IP:127.0.0.1", "-out", ca, "-keyout", key); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(ca, filepath.Join(certs, "cert.pem")); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(ca, key)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(pair.Leaf)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			go join(conn, strings.TrimPrefix(e.Host, "unix://"))
		}
	}()
	return "tcp://" + listener.Addr().String(), certs
}

// join copies both ways between a connection and a socket until one side ends.
func join(conn net.Conn, socket string) {
	defer conn.Close()
	to, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer to.Close()
	go func() {
		io.Copy(to, conn)
		to.Close()
	}()
	io.Copy(conn, to)
}

// By the environment and by a context; the build needs the hijacked connections of BuildKit and its session, or on the classic road more
// than one client.
func TestEngineByTLS(t *testing.T) {
	under := Engine(t, Docker20)
	host, certs := behindTLS(t, under)
	config := t.TempDir()
	of := func(name string) string { return name + "=" + filepath.Join(certs, name+".pem") }
	if _, err := output(nil, "docker", "--config", config, "context", "create", "lab",
		"--docker", strings.Join([]string{"host=" + host, of("ca"), of("cert"), of("key")}, ",")); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs}
	for name, o := range map[string]engine.Options{
		"environment": {ConfigDir: t.TempDir(), Getenv: func(name string) string { return environment[name] }},
		"context":     {ConfigDir: config, Context: "lab"},
		"classic":     {ConfigDir: config, Context: "lab", Classic: true},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := engine.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			j := job{Context: engine.Context{Dir: Dir(t, Files{"m": "sent"})}, Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nCOPY m /\n")}, hook: says("m", "sent")}
			if _, _, err := j.build(t, e); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := engine.Open(t.Context(), engine.Options{Host: host}); !errors.Is(err, engine.ErrUnreachable) {
		t.Errorf("without certificates: %v", err)
	}
}
