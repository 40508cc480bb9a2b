package engine

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
)

// environmentTLS follows the docker command: DOCKER_TLS_VERIFY with any value
// asks for verified TLS, DOCKER_TLS for TLS that believes any server, with the
// files in DOCKER_CERT_PATH. Only TCP has TLS.
func (o Options) environmentTLS(host string) (*tls.Config, error) {
	verify := o.getenv("DOCKER_TLS_VERIFY") != ""
	if !strings.HasPrefix(host, "tcp://") || (!verify && o.getenv("DOCKER_TLS") == "") {
		return nil, nil
	}
	dir := cmp.Or(o.getenv("DOCKER_CERT_PATH"), o.configDir())
	data, err := dockercontext.TLSDataFromFiles(filepath.Join(dir, "ca.pem"), ifThere(dir, "cert.pem"), ifThere(dir, "key.pem"))
	if err != nil {
		return nil, err
	}
	return tlsConfig(data, !verify)
}

// ifThere is the file's path, or "": a server that asks for no certificate needs none.
func ifThere(dir, name string) string {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

// contextTLS is what a docker context keeps beside its address.
func contextTLS(kept store.Reader, name string, end dockercontext.EndpointMetaBase) (*tls.Config, error) {
	data, err := dockercontext.LoadTLSData(kept, name, dockerEndpoint)
	if err != nil {
		return nil, err
	}
	if data == nil && !end.SkipTLSVerify {
		return nil, nil
	}
	return tlsConfig(data, end.SkipTLSVerify)
}

func tlsConfig(data *dockercontext.TLSData, skipVerify bool) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: skipVerify}
	if data == nil {
		return conf, nil
	}
	if data.CA != nil {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(data.CA) {
			return nil, errors.New("ca.pem holds no certificate")
		}
	}
	if data.Cert == nil || data.Key == nil {
		return conf, nil
	}
	pair, err := tls.X509KeyPair(data.Cert, data.Key)
	if err != nil {
		return nil, err
	}
	conf.Certificates = []tls.Certificate{pair}
	return conf, nil
}
