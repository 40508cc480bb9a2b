package registrytest

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory" // where it keeps things
	"github.com/sirupsen/logrus"
)

// quieten keeps distribution from writing to the tests' stderr, whatever it is told.
var quieten = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

// InMemory is a registry inside of this process.
func InMemory() http.Handler {
	quieten()
	config := &configuration.Configuration{Storage: configuration.Storage{
		"inmemory":    nil,
		"delete":      {"enabled": true},
		"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
	}}
	config.Catalog.MaxEntries = 1000
	return handlers.NewApp(context.Background(), config)
}
