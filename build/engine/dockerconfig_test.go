package engine

import (
	"context"
	"maps"
	"strings"
	"testing"
)

// The docker command gives every build these arguments, in both spellings.
func TestProxiesOfDockersConfiguration(t *testing.T) {
	const host = "tcp://lab:2375"
	config := func(text string) Options { return Options{ConfigDir: folder(t, "config.json="+text)} }
	corp := map[string]string{"HTTP_PROXY": "http://p:3128", "http_proxy": "http://p:3128", "NO_PROXY": ".corp", "no_proxy": ".corp"}
	for name, one := range map[string]struct {
		o    Options
		want map[string]string
	}{
		"of all engines":   {config(`{"proxies": {"default": {"httpProxy": "http://p:3128", "noProxy": ".corp"}}}`), corp},
		"of this one":      {config(`{"proxies": {"default": {"allProxy": "x"}, "tcp://lab:2375": {"httpProxy": "http://p:3128", "noProxy": ".corp"}}}`), corp},
		"of another":       {config(`{"proxies": {"tcp://other:2375": {"httpProxy": "x"}}}`), nil},
		"the other names":  {config(`{"proxies": {"default": {"httpsProxy": "s", "ftpProxy": "f", "allProxy": "a"}}}`), map[string]string{"HTTPS_PROXY": "s", "https_proxy": "s", "FTP_PROXY": "f", "ftp_proxy": "f", "ALL_PROXY": "a", "all_proxy": "a"}},
		"none":             {config(`{}`), nil},
		"a broken file":    {config(`{`), nil},
		"no configuration": {Options{}, nil},
	} {
		if got, err := one.o.buildProxies(host); err != nil || !maps.Equal(got, one.want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, one.want)
		}
	}
	const want = `write {"default": {"httpProxy": "http://HOST:PORT"}}`
	if _, err := config(`{"proxies": {"default": {"httpProxy": 5}}}`).buildProxies(host); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

// asked is a builder that keeps what it is asked for.
type asked struct {
	Builder
	solve *Solve
}

func (a asked) Solve(_ context.Context, s Solve, _ Hook, _ func(Event)) (Built, error) {
	*a.solve = s
	return Built{}, nil
}

func TestABuildsOwnArgumentsOutrankProxies(t *testing.T) {
	given := map[string]string{"http_proxy": "", "A": "1"}
	var got Solve
	b := proxied{asked{solve: &got}, map[string]string{"http_proxy": "p", "HTTP_PROXY": "p"}}
	if _, err := b.Solve(t.Context(), Solve{Target: "x", BuildArgs: given}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"http_proxy": "", "HTTP_PROXY": "p", "A": "1"}; !maps.Equal(got.BuildArgs, want) || got.Target != "x" || len(given) != 2 {
		t.Errorf("got %v", got)
	}
}
