package registry

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// The actions of Docker's token scheme.
const (
	pull   = "pull"
	push   = "push"
	remove = "delete"
)

// scopes are resources ("repository:library/alpine") and the actions wanted on each.
type scopes map[string][]string

func repositoryScope(repo reference.Named, actions ...string) scopes {
	return scopes{"repository:" + reference.Path(repo): actions}
}

// parseScopes reads a challenge's scope parameter: "repository:a:pull,push repository:b:pull". Image names may hold colons
// in the registry's own spelling (host:port/name), so that the actions are what follows the last one.
func parseScopes(s string) scopes {
	out := scopes{}
	for _, field := range strings.Fields(s) {
		if i := strings.LastIndexByte(field, ':'); i > 0 && i < len(field)-1 {
			out.add(field[:i], strings.Split(field[i+1:], ","))
		}
	}
	return out
}

func (s scopes) add(resource string, actions []string) {
	s[resource] = slices.Concat(s[resource], actions)
}

func (s scopes) union(others ...scopes) scopes {
	out := scopes{}
	for _, each := range append([]scopes{s}, others...) {
		for resource, actions := range each {
			out.add(resource, actions)
		}
	}
	return out
}

// covers says whether a token for s is one for all of wanted.
func (s scopes) covers(wanted scopes) bool {
	for resource, actions := range wanted {
		for _, action := range actions {
			if !slices.Contains(s[resource], action) && !slices.Contains(s[resource], "*") {
				return false
			}
		}
	}
	return true
}

// strings are the scopes as a token endpoint takes them, in a fixed order and each action once.
func (s scopes) strings() []string {
	var out []string
	for _, resource := range slices.Sorted(maps.Keys(s)) {
		out = append(out, resource+":"+strings.Join(slices.Compact(slices.Sorted(slices.Values(s[resource]))), ","))
	}
	return out
}

type pushKey struct{}

// WithPush returns a context under which tokens for the repositories are asked for with the right to push, so that reading
// first and publishing afterwards costs one token and not two.
func WithPush(ctx context.Context, repos ...reference.Named) context.Context {
	known, _ := ctx.Value(pushKey{}).(map[string]bool)
	all := maps.Clone(known)
	if all == nil {
		all = map[string]bool{}
	}
	for _, repo := range repos {
		all[repo.Name()] = true
	}
	return context.WithValue(ctx, pushKey{}, all)
}

// pulling is the scope for reading a repository, with the right to push where the caller will need it.
func pulling(ctx context.Context, repo reference.Named) scopes {
	if known, _ := ctx.Value(pushKey{}).(map[string]bool); known[repo.Name()] {
		return pushing(repo)
	}
	return repositoryScope(repo, pull)
}

func pushing(repo reference.Named) scopes { return repositoryScope(repo, pull, push) }

func removing(repo reference.Named) scopes { return repositoryScope(repo, remove, pull) }
