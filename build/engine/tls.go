package engine

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"path/filepath"
	"strings"

	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
)

// environmentTLS follows the docker command: DOCKER_TLS_VERIFY with any value
// asks for verified TLS, with the files in DOCKER_CERT_PATH. Only TCP has TLS.
func (o Options) environmentTLS(host string) (*tls.Config, error) {
	certs := o.getenv("DOCKER_CERT_PATH")
	verify := o.getenv("DOCKER_TLS_VERIFY") != ""
	if !strings.HasPrefix(host, "tcp://") || (certs == "" && !verify) {
		return nil, nil
	}
	dir := cmp.Or(certs, o.configDir())
	data, err := dockercontext.TLSDataFromFiles(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return nil, err
	}
	return tlsConfig(data, !verify)
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
