package engine

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
)

// contexts is a docker configuration with these contexts, one of them current.
func contexts(t *testing.T, current string, hosts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	kept := store.New(filepath.Join(dir, "contexts"), storeConfig())
	for name, host := range hosts {
		end := map[string]any{dockerEndpoint: dockercontext.EndpointMetaBase{Host: host}}
		if err := kept.CreateOrUpdate(store.Metadata{Name: name, Endpoints: end}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"currentContext":"`+current+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestAddresses(t *testing.T) {
	hosts := map[string]string{"pi": "ssh://pi@10.0.0.9", "lab": "tcp://lab:2375"}
	lab := contexts(t, "lab", hosts)
	none, empty, home := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.Symlink(lab, filepath.Join(home, ".docker")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(empty, "config.json"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		name string
		o    Options
		want []string
	}{
		{"nothing set", Options{ConfigDir: none}, []string{client.DefaultDockerHost, "unix:///run/podman/podman.sock"}},
		{"an empty configuration", Options{ConfigDir: empty}, []string{client.DefaultDockerHost, "unix:///run/podman/podman.sock"}},
		{"a home and a session", Options{Getenv: env(map[string]string{"HOME": none, "XDG_RUNTIME_DIR": "/run/user/7"})}, []string{
			client.DefaultDockerHost, "unix:///run/user/7/docker.sock", "unix://" + none + "/.docker/run/docker.sock",
			"unix:///run/user/7/podman/podman.sock", "unix:///run/podman/podman.sock"}},
		{"current context", Options{ConfigDir: lab}, []string{"tcp://lab:2375"}},
		{"current context of a home", Options{Getenv: env(map[string]string{"HOME": home})}, []string{"tcp://lab:2375"}},
		{"DOCKER_CONTEXT", Options{ConfigDir: lab, Getenv: env(map[string]string{"DOCKER_CONTEXT": "pi"})}, []string{"ssh://pi@10.0.0.9"}},
		{"DOCKER_CONTEXT=default", Options{ConfigDir: lab, Getenv: env(map[string]string{"DOCKER_CONTEXT": "default"})}, []string{client.DefaultDockerHost, "unix:///run/podman/podman.sock"}},
		{"DOCKER_HOST outranks contexts", Options{ConfigDir: lab, Getenv: env(map[string]string{"DOCKER_CONTEXT": "pi", "DOCKER_HOST": "unix:///x.sock"})}, []string{"unix:///x.sock"}},
		{"DOCKER_CONFIG", Options{Getenv: env(map[string]string{"DOCKER_CONFIG": lab})}, []string{"tcp://lab:2375"}},
		{"a given context outranks DOCKER_HOST", Options{ConfigDir: lab, Context: "pi", Getenv: env(map[string]string{"DOCKER_HOST": "unix:///x.sock"})}, []string{"ssh://pi@10.0.0.9"}},
		{"a given host outranks all", Options{ConfigDir: lab, Context: "pi", Host: "tcp://h:1"}, []string{"tcp://h:1"}},
	} {
		got, err := one.o.addresses()
		var found []string
		for _, a := range got {
			found = append(found, a.host)
		}
		if err != nil || !slices.Equal(found, one.want) {
			t.Errorf("%s: got %v %v, want %v", one.name, found, err, one.want)
		}
	}
}

func TestAddressesRefused(t *testing.T) {
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"no scheme":            {Host: "localhost"},
		"no such context":      {ConfigDir: t.TempDir(), Context: "gone"},
		"current is gone":      {ConfigDir: contexts(t, "gone", nil)},
		"no docker endpoint":   {ConfigDir: contexts(t, "kube", map[string]string{"kube": ""})},
		"a broken file":        {ConfigDir: broken},
		"missing certificates": {Host: "tcp://h:2376", ConfigDir: t.TempDir(), Getenv: env(map[string]string{"DOCKER_TLS_VERIFY": "1"})},
	} {
		if got, err := o.addresses(); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: got %v %v", name, got, err)
		}
	}
}

func TestAContextThatIsNotThereIsNamed(t *testing.T) {
	_, err := Options{ConfigDir: t.TempDir(), Context: "gone", Origin: "NODES"}.addresses()
	const want = "NODES is \"gone\", and there is no such docker context; `docker context ls` lists them"
	if err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// certificates writes ca.pem, cert.pem and key.pem.
func certificates(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"ca.pem": {Type: "CERTIFICATE", Bytes: cert}, "cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLSFollowsTheEnvironment(t *testing.T) {
	dir, public := t.TempDir(), t.TempDir()
	certificates(t, dir)
	if err := os.Link(filepath.Join(dir, "ca.pem"), filepath.Join(public, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		host         string
		env          map[string]string
		tls, skip    bool
		certificates int
	}{
		{"tcp://h:2376", nil, false, false, 0},
		{"tcp://h:2376", map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": dir}, true, false, 1},
		{"tcp://h:2376", map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": public}, true, false, 0},
		{"tcp://h:2376", map[string]string{"DOCKER_TLS": "1", "DOCKER_CERT_PATH": dir}, true, true, 1},
		{"tcp://h:2376", map[string]string{"DOCKER_CERT_PATH": dir}, false, false, 0},
		{"unix:///x.sock", map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": dir}, false, false, 0},
	} {
		got, err := Options{Host: one.host, Getenv: env(one.env)}.addresses()
		if err != nil {
			t.Fatal(err)
		}
		if conf := got[0].tls; (conf != nil) != one.tls || (conf != nil && (conf.InsecureSkipVerify != one.skip || len(conf.Certificates) != one.certificates || conf.RootCAs == nil)) {
			t.Errorf("%s %v: got %+v", one.host, one.env, conf)
		}
	}
}

func TestTLSOfAContext(t *testing.T) {
	dir := contexts(t, "lab", map[string]string{"lab": "tcp://lab:2376"})
	files := t.TempDir()
	certificates(t, files)
	data, err := dockercontext.TLSDataFromFiles(filepath.Join(files, "ca.pem"), filepath.Join(files, "cert.pem"), filepath.Join(files, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.New(filepath.Join(dir, "contexts"), storeConfig()).ResetEndpointTLSMaterial("lab", dockerEndpoint, data.ToStoreTLSData()); err != nil {
		t.Fatal(err)
	}
	got, err := Options{ConfigDir: dir}.addresses()
	if err != nil || got[0].tls == nil || len(got[0].tls.Certificates) != 1 || got[0].tls.InsecureSkipVerify {
		t.Errorf("got %+v %v", got, err)
	}
}

func TestOpenSaysWhyNothingAnswers(t *testing.T) {
	dir := t.TempDir()
	dead := filepath.Join(dir, "dead.sock")
	listener, err := net.Listen("unix", dead)
	if err != nil {
		t.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	listener.Close()
	none := "unix://" + dir + "/none.sock"
	for _, one := range []struct {
		o     Options
		words []string
	}{
		{Options{Host: none, Origin: "NODES"}, []string{none, "(NODES)", "no such file"}},
		{Options{Host: "unix://" + dead}, []string{dead, "connection refused"}},
		{Options{Host: "tcp://127.0.0.1:1"}, []string{"tcp://127.0.0.1:1"}},
		{Options{ConfigDir: contexts(t, "lab", map[string]string{"lab": none})}, []string{none, `(the context "lab")`, "no such file"}},
	} {
		_, err := Open(t.Context(), one.o)
		if !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrNone) { // of one that was named nobody installs another
			t.Errorf("%+v: got %v", one.o, err)
		}
		for _, words := range one.words {
			if err != nil && !strings.Contains(err.Error(), words) {
				t.Errorf("%+v: no %q in %v", one.o, words, err)
			}
		}
	}
}

func TestTheCureFitsTheFault(t *testing.T) {
	for _, one := range []struct {
		place address
		err   error
		want  string
		none  bool
	}{
		{address{host: "unix:///var/run/docker.sock"}, fs.ErrPermission, "you may not use this socket", false},
		{address{host: "unix:///var/run/docker.sock"}, fs.ErrNotExist, "install and start Docker or Podman", true},
		{address{host: "unix:///x.sock", from: "DOCKER_HOST"}, fs.ErrNotExist, "correct or unset DOCKER_HOST", false},
		{address{host: "tcp://pi:2376", from: "DOCKER_HOST"}, errors.New("Client sent an HTTP request to an HTTPS server."), "set DOCKER_TLS_VERIFY=1", false},
		{address{host: "tcp://pi:1", from: "NODES"}, errors.New("refused"), "start that engine, or correct NODES", false},
		{address{host: "unix:///var/run/docker.sock"}, errors.New("refused"), "start it, or set DOCKER_HOST", true},
		{address{host: "ssh://pi", from: "DOCKER_HOST"}, context.DeadlineExceeded, "context deadline exceeded; check that `ssh pi docker version` works", false},
		{address{host: "ssh://pi", from: "NODES"}, errors.New("command [ssh -T -- pi docker system dial-stdio] has exited with exit status 255: stderr=Warning: new key\r\nme@pi: Permission denied (publickey).\r\n"),
			"at ssh://pi (NODES): me@pi: Permission denied (publickey).; check that `ssh pi docker version` works", false},
	} {
		got := one.place.unreachable(one.err)
		if !errors.Is(got, ErrUnreachable) || !errors.Is(got, one.err) || !strings.Contains(got.Error(), one.want) {
			t.Errorf("%+v: got %v", one.place, got)
		}
		if errors.Is(got, ErrNone) != one.none {
			t.Errorf("%+v: is ErrNone: %v, want %v", one.place, !one.none, one.none)
		}
	}
}

func TestTheMostTellingFaultIsTold(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a-file"), nil, 0o600), os.Mkdir(filepath.Join(dir, "dir"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ places, told string }{
		{"none a-file neither", "a-file"},
		{"a-file dir", "a-file"},
		{"none neither", "none"},
	} {
		var places []address
		for _, name := range strings.Fields(test.places) {
			places = append(places, address{host: "unix://" + filepath.Join(dir, name)})
		}
		_, err := firstAnswer(t.Context(), places, "")
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "/"+test.told+":") {
			t.Errorf("%s: got %v", test.places, err)
		}
	}
}

// speaking is where an engine answers in this version of the API.
func speaking(t *testing.T, version string) address {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", version) }))
	t.Cleanup(server.Close)
	return address{host: "tcp://" + server.Listener.Addr().String()}
}

func TestOldEnginesAreRefused(t *testing.T) {
	for version, want := range map[string]error{"1.40": ErrTooOld, "1.9": ErrTooOld, minAPI: nil} {
		if _, err := speaking(t, version).dial(t.Context(), ""); !errors.Is(err, want) {
			t.Errorf("API %s: %v", version, err)
		}
	}
}

// A web server and a proxy answer as well, in as many lines as they like.
func TestWhatElseAnswersIsNoEngine(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusForbidden, http.StatusNotFound, http.StatusBadGateway} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<html>\n<h1>nginx</h1>\n</html>"))
		}))
		defer server.Close()
		_, err := address{host: "tcp://" + server.Listener.Addr().String(), from: "DOCKER_HOST"}.dial(t.Context(), "")
		want := fmt.Sprintf("(DOCKER_HOST): what answers there is no container engine (%d %s); start that engine, or correct or unset DOCKER_HOST", status, http.StatusText(status))
		if !errors.Is(err, ErrUnreachable) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

// All that asks an engine behind TLS does so by TLS: for configs in an older API, and Podman for transfers.
func TestEveryRequestGoesByTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", "1.51")
		_, _ = w.Write([]byte(`{"Id":"sha256:a"}`))
	}))
	defer server.Close()
	e, err := address{host: "tcp://" + server.Listener.Addr().String(), tls: server.Client().Transport.(*http.Transport).TLSClientConfig}.dial(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	e.info.Name = podman
	for _, open := range []func() (*client.Client, error){e.telling, func() (*client.Client, error) { return e.towards("127.0.0.1:5000") }} {
		api, err := open()
		if err == nil {
			_, err = api.ImageInspect(t.Context(), "a")
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// DOCKER_API_VERSION holds us to an API as it does the docker command; the engine may know less.
func TestNewestAPI(t *testing.T) {
	place := speaking(t, "1.51")
	for newest, want := range map[string]string{"": "1.51", "1.44": "1.44", "1.41": "1.41", "v1.44": "1.44", "1.60": "1.51", "1.40": "", "new": "", "1": ""} {
		e, err := place.dial(t.Context(), newest)
		if want == "" {
			if errors.Is(err, ErrTooOld) != (newest == "1.40") || err == nil || !strings.Contains(err.Error(), "DOCKER_API_VERSION="+newest) {
				t.Errorf("%q: %v", newest, err)
			}
			continue
		}
		if err != nil || e.info.API != want || e.api.ClientVersion() != want {
			t.Errorf("%q: %+v, want %s: %v", newest, e, want, err)
		}
	}
}
