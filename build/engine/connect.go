package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
)

// minAPI is Docker 20.10's, the oldest engine that is tested.
const minAPI = "1.41"

// apiVersion names the variable with which a user holds the docker command to an API version.
const apiVersion = "DOCKER_API_VERSION"

// pingTimeout bounds how long a silent address is waited for. An ssh
// connection may ask for a key's passphrase, so it is generous.
const pingTimeout = 30 * time.Second

// Open connects to the engine that o and the environment name: Host, Context,
// DOCKER_HOST, DOCKER_CONTEXT, docker's current context, and when none is named
// the first of the usual sockets that answers.
//
// ErrUnreachable when there is none, ErrTooOld when it does not speak API 1.41.
func Open(ctx context.Context, o Options) (*Engine, error) {
	places, err := o.addresses()
	if err != nil {
		return nil, err
	}
	e, err := firstAnswer(ctx, places, o.getenv(apiVersion))
	if err != nil {
		return nil, err
	}
	e.auth, e.getenv, e.lax, e.listed = o.credentials(), o.getenv, o.Insecure, o.Listed
	if o.NoBuilds && e.evident(ctx, o.Tag) {
		return e, nil
	}
	if !o.NoBuilds {
		e.proxies, err = o.buildProxies(e.api.DaemonHost())
	}
	if err == nil {
		err = e.learn(ctx, o)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (o Options) credentials() Credentials {
	if o.Credentials != nil {
		return o.Credentials
	}
	return func(context.Context, string) (Credential, error) { return Credential{}, nil }
}

// firstAnswer tries the places in turn and gives the first that answers, with
// what its answer shows. The error is the most telling of all: a socket that is
// there but closed to us says more than one that is missing.
func firstAnswer(ctx context.Context, places []address, newest string) (*Engine, error) {
	var told error
	for _, place := range places {
		e, err := place.dial(ctx, newest)
		if err == nil {
			return e, nil
		}
		if told == nil || (isAbsent(told) && !isAbsent(err)) {
			told = err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, told
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// dial connects to one place and agrees on an API version, none that is newer than newest if that is not empty.
func (a address) dial(ctx context.Context, newest string) (*Engine, error) {
	opts, err := a.clientOpts()
	if err != nil {
		return nil, a.unreachable(err)
	}
	api, err := client.NewClientWithOpts(append(opts, client.WithAPIVersionNegotiation())...)
	if err != nil {
		return nil, a.unreachable(err)
	}
	info, err := a.negotiate(ctx, api, newest)
	if err != nil {
		return nil, errors.Join(err, api.Close())
	}
	return &Engine{api: api, scheme: a.scheme(), info: info}, nil
}

// scheme is that of the API's requests. A client does not find it out by itself whose transport is not http's own.
func (a address) scheme() string {
	if a.tls != nil {
		return "https"
	}
	return "http"
}

// through is the engine's API over another HTTP client, or in another version.
func (e *Engine) through(http *http.Client, version string) (*client.Client, error) {
	return client.NewClientWithOpts(client.WithHost(e.api.DaemonHost()), client.WithScheme(e.scheme), client.WithHTTPClient(http), client.WithVersion(version))
}

// negotiate agrees on an API version. Info has what the first answer shows: where, by which version, and whether it is Podman.
func (a address) negotiate(ctx context.Context, api *client.Client, newest string) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	info := Info{Address: a.host}
	if err := a.probe(ctx, api); err != nil {
		return info, a.unreachable(err)
	}
	ping, header, err := a.greet(ctx, api)
	if err != nil {
		return info, a.unreachable(err)
	}
	if versions.LessThan(ping.APIVersion, minAPI) {
		return info, fmt.Errorf("%w: %s speaks API %s, and %s (Docker 20.10) is needed: update the engine", ErrTooOld, a.host, ping.APIVersion, minAPI)
	}
	newest = strings.TrimPrefix(newest, "v") // as the docker command takes it
	if newest != "" && !isVersion(newest) {
		return info, fmt.Errorf("%w: %s=%s is no version of an API: write one such as %s, or unset it", ErrUnreachable, apiVersion, newest, minAPI)
	}
	if newest != "" && versions.LessThan(newest, minAPI) {
		return info, fmt.Errorf("%w: %s=%s, and API %s (Docker 20.10) is needed: unset it", ErrTooOld, apiVersion, newest, minAPI)
	}
	if newest != "" && versions.LessThan(newest, ping.APIVersion) {
		ping.APIVersion = newest
	}
	api.NegotiateAPIVersionPing(ping)
	info.API = api.ClientVersion()
	if version := header.Get(podmanHeader); version != "" {
		info.Name, info.Version, info.Store = podman, version, StoreGraph
	}
	return info, nil
}

// greet is api's Ping with the headers of the answer.
func (a address) greet(ctx context.Context, api *client.Client) (types.Ping, http.Header, error) {
	as := api.HTTPClient()
	answer := &lastAnswer{RoundTripper: as.Transport}
	as.Transport = answer
	asks, err := client.NewClientWithOpts(client.WithHost(api.DaemonHost()), client.WithScheme(a.scheme()), client.WithHTTPClient(as))
	if err != nil {
		return types.Ping{}, nil, err
	}
	ping, err := asks.Ping(ctx)
	if other := answer.status != "" && answer.header.Get("Api-Version") == ""; other && !wantsTLS(err) {
		err = fmt.Errorf("what answers there is no container engine (%s)", answer.status)
	}
	return ping, answer.header, err
}

// wantsTLS tells how a server refuses a request that is not encrypted.
func wantsTLS(err error) bool {
	return err != nil && strings.Contains(err.Error(), "HTTP request to an HTTPS server")
}

// lastAnswer keeps the status and the headers of the last answer, most of which the client drops.
type lastAnswer struct {
	http.RoundTripper
	status string
	header http.Header
}

func (l *lastAnswer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(req)
	if err == nil {
		l.status, l.header = resp.Status, resp.Header
	}
	return resp, err
}

// isVersion tells whether a text is like "1.44".
func isVersion(text string) bool {
	major, minor, ok := strings.Cut(text, ".")
	_, one := strconv.ParseUint(major, 10, 16)
	_, other := strconv.ParseUint(minor, 10, 16)
	return ok && one == nil && other == nil
}

// probe connects to a socket once by itself, because the client's own error
// hides whether the file is missing or closed to us.
func (a address) probe(ctx context.Context, api *client.Client) error {
	if !strings.HasPrefix(a.host, "unix://") {
		return nil
	}
	conn, err := api.Dialer()(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
}

// clientOpts turns an address into a transport: ssh by the user's own ssh
// command, TLS, or what the scheme says.
func (a address) clientOpts() ([]client.Opt, error) {
	helper, err := connhelper.GetConnectionHelper(a.host)
	if err != nil {
		return nil, err
	}
	if helper != nil {
		return []client.Opt{
			client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: helper.Dialer}}),
			client.WithHost(helper.Host),
			client.WithDialContext(helper.Dialer),
		}, nil
	}
	var opts []client.Opt
	if a.tls != nil {
		transport := &http.Transport{TLSClientConfig: a.tls, DialContext: (&net.Dialer{}).DialContext}
		opts = append(opts, client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}))
	}
	return append(opts, client.WithHost(a.host)), nil
}

// unreachable says which place does not answer and what to do about it.
func (a address) unreachable(err error) error {
	kind := ErrUnreachable
	if a.from == "" && !errors.Is(err, fs.ErrPermission) {
		kind = ErrNone
	}
	cure := a.cure(err)
	if strings.HasPrefix(a.host, "ssh://") {
		err = sshError{err}
	}
	return fmt.Errorf("%w at %s%s: %w; %s", kind, a.host, a.origin(), err, cure)
}

// sshError says what ssh said last, where that is known: Docker's connection
// tells ssh's whole command line before it, and all lines that ssh printed.
type sshError struct{ error }

func (e sshError) Unwrap() error { return e.error }

func (e sshError) Error() string {
	text := e.error.Error()
	_, printed, _ := strings.Cut(text, "stderr=")
	lines := strings.FieldsFunc(printed, func(r rune) bool { return r == '\r' || r == '\n' })
	if len(lines) == 0 {
		return text
	}
	return lines[len(lines)-1]
}

func (a address) origin() string {
	if a.from == "" {
		return ""
	}
	return " (" + a.from + ")"
}

func (a address) cure(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "you may not use this socket: run as root, or join its group (docker group: `sudo usermod -aG docker $USER`, then log in again)"
	case strings.HasPrefix(a.host, "ssh://"):
		return "check that `ssh " + strings.TrimPrefix(a.host, "ssh://") + " docker version` works"
	case wantsTLS(err):
		return "it speaks TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem"
	case a.from == "DOCKER_HOST":
		return "start that engine, or correct or unset DOCKER_HOST"
	case a.from != "":
		return "start that engine, or correct " + a.from
	case isAbsent(err):
		return "install and start Docker or Podman, or set DOCKER_HOST"
	}
	return "start it, or set DOCKER_HOST; waited " + strconv.Itoa(int(pingTimeout.Seconds())) + " s at most"
}
