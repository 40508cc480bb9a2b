package registry

import (
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/reference"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/registry/registrytest"
)

// TestMain lets more tests run at once than there are cores: those of faults wait, they do not compute.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16")
	m.Run()
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
	proxy := faults.Around(registrytest.InMemory())
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

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func ref(t testing.TB, s string) reference.Named {
	t.Helper()
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		t.Fatal(err)
	}
	return named
}
