package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// hosts is a choice of registries. The zero value is none.
type hosts struct {
	all   bool
	named []string // "reg.lan:5000", or "reg.lan" for every port
}

// Insecure tells whether INSECURE allows plain HTTP and unknown certificates for a registry's host ("reg.lan:5000").
func (c Config) Insecure(host string) bool {
	name, _, _ := net.SplitHostPort(host) // empty where there is no port, as no host's name is
	return c.hosts.all || slices.ContainsFunc(c.hosts.named, func(named string) bool {
		return strings.EqualFold(named, host) || strings.EqualFold(strings.Trim(named, "[]"), name)
	})
}

// insecure reads INSECURE: a word for yes or no, or registries.
func (l *loader) insecure() {
	s := l.get("INSECURE")
	if !s.said() {
		return
	}
	l.record("INSECURE", s.text, s.origin)
	if yes, known := yesOrNo(s.items[0].text); known && len(s.items) == 1 {
		l.config.hosts.all = yes
		return
	}
	for _, i := range s.items {
		if !namesHost(i.text+"/") || !isHost(i.text) {
			l.fail(&UsageError{Knob: "INSECURE", Text: i.text, Origin: i.origin,
				Problem: "is neither yes nor no, nor a registry's host: write 1, 0, or hosts as in reg.lan:5000"})
			continue
		}
		l.config.hosts.named = append(l.config.hosts.named, i.text)
	}
}

// isHost tells whether some host can have this text for its name: a name, an IPv4 address or an IPv6 one in brackets, with a port or
// without, or an IPv6 address alone. What nobody can have would be taken without a word, and allow nothing.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	u, err := url.Parse("//" + text)
	if err != nil || u.Host != text || strings.Contains(text, "*") {
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0 || u.Port() == "" && !strings.HasSuffix(text, ":")
}
