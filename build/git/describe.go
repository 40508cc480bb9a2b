package git

import "context"

// Describe asks git, the CI's variables and SOURCE_DATE_EPOCH about the folder dir. getenv may be nil.
// The only errors are a SOURCE_DATE_EPOCH that is no number (ErrEpoch) and ctx's.
func Describe(ctx context.Context, dir string, getenv func(string) string) (Info, error) {
	return Info{}, nil
}
