package registry

import (
	"context"
	"sync"
)

// scout is the first request to a host. Where we have credentials the host will ask for them, most likely, so that the
// others wait for the scout's answer: N requests at once then get one 401 and not N. Where we have none they go along at
// once, and a registry that lets everybody in costs no round trip more.
type scout struct {
	back chan struct{} // closed when its answer has come and a 401 has been dealt with

	look     sync.Once
	expected bool // that the host asks for credentials
}

// follow lets the first request to a host through, and the others when they need not, or no longer, wait for it.
func (k *keyring) follow(ctx context.Context, host string) error {
	k.mu.Lock()
	l := k.of(host)
	first := l.scout == nil
	if first {
		l.scout = &scout{back: make(chan struct{})}
	}
	s := l.scout
	k.mu.Unlock()
	if first || s.isBack() {
		return nil
	}
	s.look.Do(func() { s.expected = k.expects(ctx, host) })
	if !s.expected {
		return nil
	}
	select {
	case <-s.back:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// expects tells whether there is a credential that the host will most likely ask for.
func (k *keyring) expects(ctx context.Context, host string) bool {
	if k.loggedIn != nil {
		return k.loggedIn(host)
	}
	cred, err := k.credentials.of(ctx, host)
	return err == nil && cred != (Credential{})
}

// arrived notes that a host has answered, or that it will not: what there was to be learnt from its first answer is known.
func (k *keyring) arrived(host string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.of(host).scout; s != nil && !s.isBack() {
		close(s.back)
	}
}

func (s *scout) isBack() bool {
	select {
	case <-s.back:
		return true
	default:
		return false
	}
}
