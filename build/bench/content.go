package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// dockerfile is one of the kind that the recipe was made for: it knows nothing of platforms.
const dockerfile = `FROM scratch
ARG GOARCH=amd64
COPY hello-${GOARCH} /hello
COPY %s /blob
ENTRYPOINT ["/hello"]
`

// The names of an image's megabytes in its context: one file for all platforms, as data is, or one for each, as programs are.
const (
	sharedBlob = "blob"
	ownBlob    = "blob-${GOARCH}"
)

// content makes a folder with a Dockerfile and megabytes that nothing can compress or has seen: shared, or for each platform of its own.
func (b *bench) content(blob string, megabytes int) (dir string, err error) {
	if dir, err = os.MkdirTemp(b.dir, "context-"); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), fmt.Appendf(nil, dockerfile, blob), 0o600); err != nil {
		return "", err
	}
	for i, arch := range arches {
		if err := copyFile(filepath.Join(dir, "hello-"+arch), b.hello[arch]); err != nil {
			return "", err
		}
		if blob == sharedBlob && i > 0 {
			continue
		}
		if err := random(filepath.Join(dir, strings.ReplaceAll(blob, "${GOARCH}", arch)), megabytes); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func random(path string, megabytes int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	_, err = io.CopyN(w, rand.Reader, int64(megabytes)*1e6)
	return errors.Join(err, w.Flush(), f.Close())
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
