package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Content goes to a registry here without any code of ours: plain HTTP, plain JSON.

// image is one platform's image to be published: a root filesystem that becomes one layer, and what its config says.
type image struct {
	os, arch, variant string
	root              string // folder; "" for an image without layers
	config            map[string]any
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    map[string]string `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

const (
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	ociConfig   = "application/vnd.oci.image.config.v1+json"
	ociLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// publish puts the images and one index over them under repo:tag (repo as Registry.Repo gives it).
func (r *Registry) publish(repo, tag string, images ...image) error {
	name := strings.TrimPrefix(repo, r.Host+"/")
	var entries []descriptor
	for _, img := range images {
		d, err := r.publishImage(name, img)
		if err != nil {
			return err
		}
		entries = append(entries, d)
	}
	index := map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": entries}
	_, err := r.putManifest(name, tag, ociIndex, index)
	return err
}

func (r *Registry) publishImage(name string, img image) (descriptor, error) {
	layers, diffs := []descriptor{}, []string{}
	if img.root != "" {
		gz, diff, err := layer(img.root)
		if err != nil {
			return descriptor{}, err
		}
		d, err := r.putBlob(name, ociLayer, gz)
		if err != nil {
			return descriptor{}, err
		}
		layers, diffs = append(layers, d), append(diffs, diff)
	}
	config := map[string]any{"os": img.os, "architecture": img.arch, "config": img.config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffs}}
	if img.root != "" { // Podman builds on no image whose history has fewer steps than it has layers
		config["history"] = []any{map[string]any{"created": "2020-01-01T00:00:00Z", "created_by": "ADD root /"}}
	}
	platform := map[string]string{"os": img.os, "architecture": img.arch}
	if img.variant != "" {
		config["variant"], platform["variant"] = img.variant, img.variant
	}
	encoded, err := json.Marshal(config)
	if err != nil {
		return descriptor{}, err
	}
	c, err := r.putBlob(name, ociConfig, encoded)
	if err != nil {
		return descriptor{}, err
	}
	manifest := map[string]any{"schemaVersion": 2, "mediaType": ociManifest, "config": c, "layers": layers}
	d, err := r.putManifest(name, "", ociManifest, manifest)
	d.Platform = platform
	return d, err
}

func describe(mediaType string, content []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(content)), Size: len(content)}
}

// putBlob uploads in one piece, unless the repository has it.
func (r *Registry) putBlob(name, mediaType string, content []byte) (descriptor, error) {
	d := describe(mediaType, content)
	if resp, err := r.send(http.MethodHead, "/v2/"+name+"/blobs/"+d.Digest, "", nil); err == nil && resp.StatusCode == http.StatusOK {
		return d, nil
	}
	resp, err := r.send(http.MethodPost, "/v2/"+name+"/blobs/uploads/", "", nil)
	if err != nil {
		return d, err
	}
	location, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return d, err
	}
	query := location.Query()
	query.Set("digest", d.Digest)
	resp, err = r.send(http.MethodPut, location.Path+"?"+query.Encode(), "application/octet-stream", content)
	return d, created(resp, err)
}

// putManifest publishes under the tag, or under the digest alone.
func (r *Registry) putManifest(name, tag, mediaType string, manifest any) (descriptor, error) {
	content, err := json.Marshal(manifest)
	if err != nil {
		return descriptor{}, err
	}
	d := describe(mediaType, content)
	if tag == "" {
		tag = d.Digest
	}
	resp, err := r.send(http.MethodPut, "/v2/"+name+"/manifests/"+tag, mediaType, content)
	return d, created(resp, err)
}

func created(resp *http.Response, err error) error {
	if err == nil && resp.StatusCode != http.StatusCreated {
		err = fmt.Errorf("%s %s: %s", resp.Request.Method, resp.Request.URL, resp.Status)
	}
	return err
}

// send returns the answer without its body.
func (r *Registry) send(method, path, mediaType string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, "http://"+r.Host+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "*/*, "+ociIndex+", "+ociManifest) // docker-registry denies what is OCI to those who do not name it
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := r.do(req)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp, resp.Body.Close()
}

// layer packs a folder, owned by root, without times: the same folder gives the same bytes. It returns the diff id, too.
func layer(root string) (gz []byte, diff string, err error) {
	var plain bytes.Buffer
	tw := tar.NewWriter(&plain)
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		return addTo(tw, root, path)
	})
	if err == nil {
		err = tw.Close()
	}
	if err != nil {
		return nil, "", err
	}
	var packed bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if _, err = zw.Write(plain.Bytes()); err == nil {
		err = zw.Close()
	}
	return packed.Bytes(), describe("", plain.Bytes()).Digest, err
}

func addTo(tw *tar.Writer, root, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	link, _ := os.Readlink(path)
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	name, _ := filepath.Rel(root, path)
	*header = tar.Header{Typeflag: header.Typeflag, Name: name, Linkname: link, Size: header.Size, Mode: header.Mode}
	if err := tw.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	content, err := os.ReadFile(path)
	if err == nil {
		_, err = tw.Write(content)
	}
	return err
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}
