package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// dockerfile is one of the kind that the recipe was made for: it knows nothing of platforms.
const dockerfile = `FROM scratch
ARG GOARCH=amd64
COPY hello-${GOARCH} /hello
COPY blob /blob
ENTRYPOINT ["/hello"]
`

// content makes a folder with a Dockerfile and megabytes that nothing can compress or has seen.
func (b *bench) content(megabytes int) (dir string, err error) {
	if dir, err = os.MkdirTemp(b.dir, "context-"); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600); err != nil {
		return "", err
	}
	for _, arch := range arches {
		if err := copyFile(filepath.Join(dir, "hello-"+arch), b.hello[arch]); err != nil {
			return "", err
		}
	}
	return dir, random(filepath.Join(dir, "blob"), megabytes)
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
