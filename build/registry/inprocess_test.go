package registry

import (
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/sirupsen/logrus"
)

// TestMain lets more tests run at once than there are cores: those of faults wait, they do not compute.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16")
	logrus.SetOutput(io.Discard)
	m.Run()
}

// inProcess is a real registry in memory: the fast double of docker-registry for tables of faults.
func inProcess(t testing.TB) http.Handler {
	t.Helper()
	config := &configuration.Configuration{Storage: configuration.Storage{
		"inmemory":    nil,
		"delete":      {"enabled": true},
		"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
	}}
	config.Catalog.MaxEntries = 1000
	return handlers.NewApp(context.Background(), config)
}

// faulty is a registry behind a proxy that injects faults, and a client of it whose clock jumps instead of waiting.
type faulty struct {
	*faults.Proxy
	host   string
	client *Client
	waits  *clock
}

func newFaulty(t testing.TB, opts Options) *faulty {
	t.Helper()
	proxy := faults.Around(inProcess(t))
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	f := &faulty{Proxy: proxy, host: strings.TrimPrefix(server.URL, "http://"), waits: &clock{}}
	f.client = f.waits.run(New(opts))
	t.Cleanup(f.client.Close)
	return f
}

// patience is the idle time of tests that inject silence; they live through a slow machine's own silences by trying again.
const patience = 500 * time.Millisecond

// run makes a client wait on the clock, whose time passes only by being waited for.
func (c *clock) run(client *Client) *Client {
	client.now, client.sleep = c.now, c.sleep
	client.jitter = func() float64 { return 0 }
	return client
}
