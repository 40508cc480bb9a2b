package local

import (
	"context"
	"io"
	"reflect"

	"github.com/sirupsen/logrus"
)

// silence gives a context in which the registry finds a logger that writes nowhere. Without one it takes logrus's standard
// logger, which writes to stderr and belongs to the whole process. The key under which it looks is a type of an internal
// package, so the context recognises it by name.
func silence(ctx context.Context) context.Context {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	logger.SetLevel(logrus.PanicLevel)
	return quiet{Context: ctx, logger: logrus.NewEntry(logger)}
}

type quiet struct {
	context.Context
	logger *logrus.Entry
}

const (
	loggerPackage = "github.com/distribution/distribution/v3/internal/dcontext"
	loggerKey     = "loggerKey"
)

func (q quiet) Value(key any) any {
	if t := reflect.TypeOf(key); t != nil && t.Name() == loggerKey && t.PkgPath() == loggerPackage {
		return q.logger
	}
	return q.Context.Value(key)
}
