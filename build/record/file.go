package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrSchema is a record of another version of the tool; ErrDamaged one that cannot be read.
var (
	ErrSchema  = errors.New("record of another schema")
	ErrDamaged = errors.New("damaged record")
)

// largest bounds what is read: a record of a hundred platforms is below 100 KB.
const largest = 4 << 20

// Temporary is the pattern of the names under which records are written before they have their own.
const Temporary = ".manymage-*.json"

// Write puts the record at path, whole or not at all: beside it under a temporary name, then renamed. Missing folders are made.
// Schema is set here.
func Write(path string, r Record) error {
	data, err := encode(r)
	if err != nil {
		return fmt.Errorf("encode the record: %w", err)
	}
	if err := replace(path, data); err != nil {
		return fmt.Errorf("write the record %s: %w", path, err)
	}
	return nil
}

// Writable says in advance whether a record can be written at path, and leaves nothing there that was not.
func Writable(path string) error {
	dir := filepath.Dir(path)
	_, before := os.Stat(dir)
	probe, err := create(dir)
	if err == nil {
		err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		if errors.Is(before, fs.ErrNotExist) {
			_ = os.Remove(dir) // refused while anything is in it
		}
	}
	if err != nil {
		return fmt.Errorf("the record of the run cannot be written: %w; make its folder writable", err)
	}
	return nil
}

func encode(r Record) ([]byte, error) {
	r.Schema = Schema
	if r.Platforms == nil {
		r.Platforms = []Platform{}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(r)
	return buffer.Bytes(), err
}

// replace renames a finished file over path: a reader, or a run beside this one, sees the old record or the new one.
func replace(path string, data []byte) (err error) {
	temp, err := create(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	if err := fillAndClose(temp, data); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// tries are more than the runs that begin in one folder at the same moment.
const tries = 20

// create makes a temporary file in a folder, which is made where it is missing: again where a run beside this one, which has only asked
// whether it may write, takes it away.
func create(dir string) (file *os.File, err error) {
	for range tries {
		if err = os.MkdirAll(dir, 0o755); err == nil {
			file, err = os.CreateTemp(dir, Temporary)
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) { // which MkdirAll says where it vanishes meanwhile
			break
		}
	}
	return file, err
}

// fillAndClose syncs before the rename can make a name of it: after a power cut the record is the old one, never an empty one.
func fillAndClose(file *os.File, data []byte) error {
	_, err := file.Write(data)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Read is the record at path. A missing one is fs.ErrNotExist.
func Read(path string) (Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return Record{}, fmt.Errorf("read the record: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err != nil {
		return Record{}, fmt.Errorf("read the record %s: %w", path, err)
	}
	return decode(path, data)
}

// decode looks at the schema first: a newer record may hold anything else. What follows the record is refused by the way.
func decode(path string, data []byte) (Record, error) {
	if len(data) > largest {
		return Record{}, damaged(path, errors.New("larger than any record"))
	}
	var head struct {
		Schema *int `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Record{}, damaged(path, err)
	}
	if head.Schema == nil {
		return Record{}, damaged(path, errors.New("it has no schema"))
	}
	if *head.Schema != Schema {
		return Record{}, fmt.Errorf("%s is a %w: it has schema %d and this program knows %d; delete it, or use the program that wrote it",
			path, ErrSchema, *head.Schema, Schema)
	}
	return strict(path, data)
}

func strict(path string, data []byte) (Record, error) {
	var r Record
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return Record{}, damaged(path, err)
	}
	return r, nil
}

func damaged(path string, cause error) error {
	return fmt.Errorf("%s is a %w (%w): delete it, the next run writes it anew", path, ErrDamaged, cause)
}

// Remove deletes the record at path, and its folder with it if nothing else is there and it is no link to one; no record is success.
func Remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove the record: %w", err)
	}
	dir := filepath.Dir(path)
	if info, err := os.Lstat(dir); err == nil && info.IsDir() {
		_ = os.Remove(dir) // refused while anything is in it
	}
	return nil
}
