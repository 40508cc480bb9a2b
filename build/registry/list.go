package registry

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
)

const (
	maxPage  = 8 << 20 // bytes; a page of 1000 tags at their longest is 130 KB, and registries that do not page send all
	maxPages = 10_000  // a registry whose pages never end is broken; nobody has ten million tags in a repository
	pageSize = "1000"  // what every registry takes; Docker Hub and GHCR send fewer
)

// Tags lists a repository's tags, sorted. What can be no tag is left out, as nobody can ask for it: Artifactory lists digests, too.
func (c *Client) Tags(ctx context.Context, repo reference.Named) ([]string, error) {
	first := &call{
		method: http.MethodGet,
		host:   reference.Domain(repo),
		path:   "v2/" + reference.Path(repo) + "/tags/list",
		query:  url.Values{"n": {pageSize}},
		scopes: pulling(ctx, repo),
	}
	var tags []string
	err := c.pages(ctx, "list tags of", repo.Name(), first, func(resp *http.Response, body []byte) error {
		var page struct {
			Tags []string `json:"tags"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return corrupt("the list of tags is no JSON: %w", err)
		}
		tags = append(tags, page.Tags...)
		return nil
	})
	tags = slices.DeleteFunc(tags, func(tag string) bool {
		_, err := reference.WithTag(reference.TrimNamed(repo), tag)
		return err != nil
	})
	slices.Sort(tags)
	return slices.Compact(tags), err
}

// pages walks a list that may come in parts, each of them tried on its own.
func (c *Client) pages(ctx context.Context, op, ref string, next *call, take func(*http.Response, []byte) error) error {
	read := map[string]bool{}
	for count := 0; next != nil; count++ {
		err := c.run(ctx, op, ref, func(ctx context.Context) error {
			if count == maxPages {
				return refusal(ErrUnsupported, "the list has more than %d pages", maxPages)
			}
			following, err := c.page(ctx, next, take)
			if err != nil {
				return err
			}
			if following != nil {
				if read[following.url.String()] {
					return refusal(ErrCorrupt, "the list's next page is one that was read before")
				}
				read[following.url.String()] = true
			}
			next = following
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) page(ctx context.Context, r *call, take func(*http.Response, []byte) error) (*call, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refused(r.host, resp)
	}
	defer drain(resp)
	body, err := readBounded(resp, maxPage, "list")
	if err != nil {
		return nil, err
	}
	link, err := nextLink(resp)
	if err != nil {
		return nil, err
	}
	if err := take(resp, body); err != nil {
		return nil, err
	}
	if link == nil {
		return nil, nil
	}
	return &call{method: r.method, host: r.host, url: link, header: r.header, scopes: r.scopes}, nil
}

// nextLink reads a Link header with rel="next" (RFC 8288), nil when there is none. It has to lead to the same registry. A list goes on
// at its own path: Artifactory leaves the first part of a repository's name out.
func nextLink(resp *http.Response) (*url.URL, error) {
	target := parseLink(resp.Header.Values("Link"))
	if target == "" {
		return nil, nil
	}
	asked := resp.Request.URL
	next, err := asked.Parse(target)
	if err != nil {
		return nil, corrupt("the list's next page has no usable address")
	}
	if next.Hostname() == asked.Hostname() && next.Scheme == "http" && asked.Scheme == "https" {
		next.Scheme, next.Host = asked.Scheme, asked.Host // behind a proxy that ends TLS
	}
	if !sameOrigin(next, asked) {
		return nil, refusal(ErrUnexpected, "it says that the list goes on at %s, which is refused", next.Host)
	}
	if path.Base(next.Path) == path.Base(asked.Path) {
		next.Path, next.RawPath = asked.Path, asked.RawPath
	}
	return next, nil
}

// parseLink finds the target of the first link whose relation is next.
func parseLink(headers []string) string {
	for _, rest := range headers {
		for {
			_, after, _ := strings.Cut(rest, "<")
			target, params, closed := strings.Cut(after, ">")
			if !closed {
				break
			}
			mine, others, _ := strings.Cut(params, ",")
			if isNext(mine) {
				return target
			}
			rest = others
		}
	}
	return ""
}

func isNext(params string) bool {
	for _, param := range strings.Split(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") {
			return slices.Contains(strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))), "next")
		}
	}
	return false
}

// Referrers lists what refers to a manifest (signatures, SBOMs), of one artifact type or, when empty, of all. A registry
// without the referrers API is asked for the tag that the specification has for it instead.
func (c *Client) Referrers(ctx context.Context, repo reference.Named, subject digest.Digest, artifactType string) ([]ocispec.Descriptor, error) {
	if err := subject.Validate(); err != nil {
		return nil, &Error{Op: "list referrers of", Ref: at(repo, subject), Err: refusal(ErrCorrupt, "it is no digest: %w", err)}
	}
	found, err := c.referrersByAPI(ctx, repo, subject, artifactType)
	if errors.Is(err, errNoReferrersAPI) {
		found, err = c.referrersByTag(ctx, repo, subject)
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(d ocispec.Descriptor) bool {
		return artifactType != "" && d.ArtifactType != artifactType
	}), nil
}

var errNoReferrersAPI = errors.New("no referrers API")

func (c *Client) referrersByAPI(ctx context.Context, repo reference.Named, subject digest.Digest, artifactType string) ([]ocispec.Descriptor, error) {
	first := &call{
		method: http.MethodGet,
		host:   reference.Domain(repo),
		path:   "v2/" + reference.Path(repo) + "/referrers/" + subject.String(),
		header: http.Header{"Accept": {ocispec.MediaTypeImageIndex}},
		scopes: pulling(ctx, repo),
	}
	if artifactType != "" {
		first.query = url.Values{"artifactType": {artifactType}}
	}
	var found []ocispec.Descriptor
	err := c.pages(ctx, "list referrers of", at(repo, subject), first, func(resp *http.Response, body []byte) error {
		if mediaTypeOf(resp) != ocispec.MediaTypeImageIndex { // a page for people, of a registry that answers anything
			return errNoReferrersAPI
		}
		var list ocispec.Index
		if err := json.Unmarshal(body, &list); err != nil {
			return corrupt("the list of referrers is no JSON: %w", err)
		}
		found = append(found, list.Manifests...)
		return nil
	})
	var failed *Error
	if errors.As(err, &failed) && (failed.Status == http.StatusNotFound || errors.Is(err, ErrUnexpected) && failed.Status != 0) {
		return nil, errNoReferrersAPI
	}
	return found, err
}

// referrersByTag reads the index under the tag sha256-... (distribution specification, referrers tag schema).
func (c *Client) referrersByTag(ctx context.Context, repo reference.Named, subject digest.Digest) ([]ocispec.Descriptor, error) {
	tagged, _ := reference.WithTag(reference.TrimNamed(repo), ReferrersTag(subject)) // a digest always makes one
	m, err := c.Manifest(ctx, tagged)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !IsReferrersList(m.Descriptor, subject) {
		return nil, nil
	}
	var list ocispec.Index
	if err := json.Unmarshal(m.Bytes, &list); err != nil {
		return nil, &Error{Op: "list referrers of", Ref: at(repo, subject), Err: corrupt("its tag holds no index: %w", err)}
	}
	return list.Manifests, nil
}

// IsReferrersList tells whether what was found at a subject's ReferrersTag is a list of its referrers. GitLab's registry takes that
// tag for the digest that it is made of and gives the subject itself, whose own images are none of its referrers.
func IsReferrersList(found ocispec.Descriptor, subject digest.Digest) bool {
	return found.Digest != subject && index.IsIndex(found.MediaType)
}

// ReferrersTag is where a registry without the referrers API keeps the index of what refers to a subject (distribution
// specification, referrers tag schema): the algorithm cut to 32 characters, a hyphen, and the encoded part cut to 64.
func ReferrersTag(subject digest.Digest) string {
	algorithm, encoded := subject.Algorithm().String(), subject.Encoded()
	return algorithm[:min(len(algorithm), 32)] + "-" + encoded[:min(len(encoded), 64)]
}
