package shell

import "io/fs"

// Files are those of the image, as its processes see them. Names are absolute; that of a text that only the running shell knows leads to
// nothing. What leads to nothing is fs.ErrNotExist; any other error ends the walk.
type Files interface {
	// Resolve follows all links of a name, and returns the name of what is there.
	Resolve(name string) (real string, info fs.FileInfo, err error)
	// Lstat describes what is there under a name of which only the last part may be a link.
	Lstat(real string) (fs.FileInfo, error)
	// ReadLink is what the link holds that is there.
	ReadLink(real string) (string, error)
	// Folder lists the folder that a name leads to, and nothing where it leads to none.
	Folder(name string) (real string, entries []fs.DirEntry, err error)
	// Text is the begin of a regular file of this size, so many bytes at most.
	Text(real string, size, most int64) (string, error)
}

// Host is who wants to know what a text starts. An error ends the walk, and is what Follow returns.
type Host interface {
	// Run follows a command that the text starts.
	Run(words []string, f Frame) error
	// Try keeps a command whose program is another machine's and cannot run: the text only tries it, beside the one of the declared machine that
	// own is: its name, or a mere name for one that is called so anywhere.
	Try(words []string, own string, f Frame)
	// Find looks a command up as execvp does, and returns its program's name, "" where there is none. It is not sure of that where the program may
	// lie in a folder that only the running shell knows.
	Find(word string, f Frame) (name string, sure bool, err error)
	// Machine tells whether a program is there that is the declared machine's own, or another one's.
	Machine(name string) (own, other bool, err error)
	// Innermost are the words of what a chain of programs that start other ones starts in the end: env A=b nice app.
	Innermost(words []string) []string
	// Note keeps one sentence for people.
	Note(text string)
}
