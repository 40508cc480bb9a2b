package build_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The house: which rooms there are, on which floor each stands, and which heavy import lives in it alone. A room may import rooms
// of the floors below its own. What the tables do not know fails the test, so that a new room or import is a decision.

// module is the import path of the house.
const module = "github.com/manymage/manymage"

// floors are the rooms by floor, the lowest first.
var floors = [][]string{
	{"platforms", "build/image/options", "magefiles/targets/early"},
	{"build/rootfs", "build/lines", "build/index", "build/image/shell", "build/image/tree"},
	{"build/image/view"},
	{"build/image/modules"},
	{"build/config", "build/dockerfile", "build/engine", "build/git", "build/image", "build/progress", "build/record", "build/registry", "build/registry/local"},
	{"build/lists"},
	{"build"},
	{"magefiles/targets"},
	{"magefiles"},
}

// forTests are packages that no program links.
var forTests = []string{"build/e2e", "build/e2e/faults", "build/bench", "build/registry/registrytest", "platforms/elftest"}

// lives says in which rooms an import may stand, by the longest prefix. Rooms that are nil: everywhere.
var lives = map[string][]string{
	"github.com/opencontainers/image-spec":         nil, // shared vocabulary
	"github.com/opencontainers/go-digest":          nil, // shared vocabulary
	"github.com/distribution/reference":            nil, // shared vocabulary
	"golang.org/x/sync":                            nil,
	"github.com/magefile/mage":                     {"magefiles", "magefiles/targets"},
	"go.yaml.in/yaml":                              {"build/config", "build/lists"},
	"github.com/moby/buildkit/frontend/dockerfile": {"build/dockerfile", "build/engine"},
	"github.com/moby/buildkit/util/suggest":        {"build/dockerfile"},
	"github.com/moby/buildkit":                     {"build/engine"},
	"github.com/moby/patternmatcher":               {"build/engine"},
	"github.com/docker/docker":                     {"build/engine"},
	"github.com/docker/cli":                        {"build/engine"},
	"github.com/containerd/errdefs":                {"build/engine"},
	"github.com/containerd/containerd":             {"build/engine"},
	"github.com/tonistiigi/fsutil":                 {"build/engine"},
	"google.golang.org/grpc":                       {"build/engine"},
	"github.com/tidwall/gjson":                     {"build/image", "build/image/modules"},
	"github.com/tidwall/sjson":                     {"build/image"},
	"mvdan.cc/sh":                                  {"build/image/shell"},
	"github.com/hbollon/go-edlib":                  nil,
	"golang.org/x/mod/semver":                      {"build/config"},
	"golang.org/x/net":                             {"build/registry"},
	"github.com/distribution/distribution":         {"build/registry/local"},
	"github.com/sirupsen/logrus":                   {"build/registry/local"},
	"github.com/containerd/platforms":              {"platforms", "build/index"},
	"github.com/klauspost/compress":                {"build/rootfs"},
	"golang.org/x/term":                            {"build/progress"},
	"golang.org/x/crypto/x509roots/fallback":       {"magefiles"},
}

// only says which rooms may be imported by one other room alone.
var only = map[string]string{
	"build/registry/local": "magefiles", // importers of the targets do not pay for it
}

// variables are those of packages that are written after their initialisation, each with its reason.
var variables = map[string]string{
	"magefiles/targets.entered":     "Mage reads the command line before any target runs; the door is before that",
	"magefiles/targets.process":     "Mage gives a target nothing but a context; the session is what targets of one line share",
	"magefiles/targets.toolVersion": "written by the linker",
}

// longest is how many lines a function may have.
const longest = 60

// source is one parsed file.
type source struct {
	room string // folder, with slashes
	path string
	test bool
	file *ast.File
}

// house parses every Go file outside testdata.
func house(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	files, set := []source(nil), token.NewFileSet()
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != ".." && (entry.Name() == "testdata" || entry.Name() == "dist" || strings.HasPrefix(entry.Name(), ".")) {
			return fs.SkipDir
		}
		if filepath.Ext(name) != ".go" || entry.Name() == "mage_output_file.go" {
			return nil
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		where := strings.TrimPrefix(filepath.ToSlash(name), "../")
		files = append(files, source{path.Dir(where), where, strings.HasSuffix(name, "_test.go"), file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return set, files
}

// floor is where a room stands; -1: nowhere.
func floor(room string) int {
	return slices.IndexFunc(floors, func(rooms []string) bool { return slices.Contains(rooms, room) })
}

func (s source) imports() []string {
	var out []string
	for _, i := range s.file.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		out = append(out, name)
	}
	return out
}

func TestArrowsPointDown(t *testing.T) {
	_, files := house(t)
	for _, s := range files {
		if s.test || slices.Contains(forTests, s.room) {
			continue
		}
		if floor(s.room) < 0 {
			t.Errorf("%s: the room %s is not in the table of rooms", s.path, s.room)
			continue
		}
		for _, name := range s.imports() {
			if room, ok := strings.CutPrefix(name, module+"/"); ok {
				checkArrow(t, s, room)
			}
		}
	}
}

func checkArrow(t *testing.T, s source, room string) {
	t.Helper()
	switch allowed, restricted := only[room]; {
	case slices.Contains(forTests, room):
		t.Errorf("%s imports %s, which is for tests", s.path, room)
	case floor(room) < 0:
		t.Errorf("%s imports %s, which is not in the table of rooms", s.path, room)
	case floor(room) >= floor(s.room):
		t.Errorf("%s imports %s, which stands no lower than %s", s.path, room, s.room)
	case restricted && s.room != allowed:
		t.Errorf("%s imports %s, which is for %s alone", s.path, room, allowed)
	}
}

func TestHeavyImportsLiveInTheirRooms(t *testing.T) {
	_, files := house(t)
	for _, s := range files {
		if s.test || slices.Contains(forTests, s.room) {
			continue
		}
		for _, name := range s.imports() {
			if !foreign(name) {
				continue
			}
			rooms, known := livesIn(name)
			if !known {
				t.Errorf("%s imports %s, which is not in the table of imports", s.path, name)
			}
			if rooms != nil && !slices.Contains(rooms, s.room) {
				t.Errorf("%s imports %s, which lives in %s", s.path, name, strings.Join(rooms, " and "))
			}
		}
	}
}

// foreign tells imports from other modules: their first element has a dot.
func foreign(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return strings.Contains(first, ".") && name != module && !strings.HasPrefix(name, module+"/")
}

// livesIn finds the entry of the longest prefix.
func livesIn(name string) (rooms []string, known bool) {
	best := ""
	for prefix := range lives {
		if (name == prefix || strings.HasPrefix(name, prefix+"/")) && len(prefix) > len(best) {
			best = prefix
		}
	}
	rooms, known = lives[best]
	return rooms, known
}

// TestHeavyTypesStayInside looks for types of heavy imports in exported signatures. The targets are made for Mage, and may have
// its types.
func TestHeavyTypesStayInside(t *testing.T) {
	set, files := house(t)
	for _, s := range files {
		if s.test || slices.Contains(forTests, s.room) || strings.HasPrefix(s.room, "magefiles") {
			continue
		}
		heavy := s.heavy()
		for _, declared := range s.file.Decls {
			for _, exposed := range surface(declared) {
				ast.Inspect(exposed, func(n ast.Node) bool {
					if selected, ok := n.(*ast.SelectorExpr); ok {
						if name, ok := selected.X.(*ast.Ident); ok && heavy[name.Name] != "" {
							t.Errorf("%s: %s.%s, a type of %s, is part of the exported surface", set.Position(n.Pos()), name.Name, selected.Sel.Name, heavy[name.Name])
						}
					}
					return true
				})
			}
		}
	}
}

// heavy are the names under which a file knows imports that live in some rooms only.
func (s source) heavy() map[string]string {
	out := map[string]string{}
	for _, i := range s.file.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		if rooms, known := livesIn(name); !foreign(name) || !known || rooms == nil {
			continue
		}
		local := strings.TrimPrefix(path.Base(name), "go-")
		if i.Name != nil {
			local = i.Name.Name
		}
		out[local] = name
	}
	return out
}

// surface gives what a declaration shows to other rooms: signatures of exported functions and methods, exported fields and
// methods of exported types, types of exported variables.
func surface(declared ast.Decl) []ast.Node {
	var out []ast.Node
	switch d := declared.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d.Recv)) {
			out = append(out, d.Type)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() {
					out = append(out, exposed(spec.Type)...)
				}
			case *ast.ValueSpec:
				if spec.Type != nil && spec.Names[0].IsExported() {
					out = append(out, spec.Type)
				}
			}
		}
	}
	return out
}

func exportedReceiver(list *ast.FieldList) bool {
	found := false
	ast.Inspect(list.List[0].Type, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok && name.IsExported() {
			found = true
		}
		return true
	})
	return found
}

// exposed is the type itself, or only the exported fields of a structure.
func exposed(typ ast.Expr) []ast.Node {
	structure, ok := typ.(*ast.StructType)
	if !ok {
		return []ast.Node{typ}
	}
	var out []ast.Node
	for _, field := range structure.Fields.List {
		if len(field.Names) == 0 || slices.ContainsFunc(field.Names, (*ast.Ident).IsExported) {
			out = append(out, field.Type)
		}
	}
	return out
}

func TestFunctionsAreShort(t *testing.T) {
	set, files := house(t)
	for _, s := range files {
		for _, declared := range s.file.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if !ok || s.test {
				continue
			}
			if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; lines > longest {
				t.Errorf("%s: %s has %d lines, more than %d", set.Position(f.Pos()), f.Name.Name, lines, longest)
			}
		}
	}
}

// forbidden are words of the standard library, and the rooms where they may stand.
var forbidden = map[string][]string{
	"os.Getenv": {"magefiles", "magefiles/targets"}, "os.LookupEnv": {"magefiles", "magefiles/targets"},
	"os.Environ": {"magefiles", "magefiles/targets"}, "os.Setenv": {"magefiles/targets"}, "os.Unsetenv": {"magefiles/targets"},
	"os.Exit": {"magefiles/targets"}, "log.Fatal": nil, "log.Fatalf": nil,
	"os.Stdout": {"magefiles", "magefiles/targets"}, "os.Stderr": {"magefiles", "magefiles/targets"},
	"fmt.Print": {"magefiles", "magefiles/targets"}, "fmt.Println": {"magefiles", "magefiles/targets"},
	"fmt.Printf": {"magefiles", "magefiles/targets"}, "os.UserHomeDir": {"magefiles", "magefiles/targets"},
}

func TestForbiddenWords(t *testing.T) {
	set, files := house(t)
	for _, s := range files {
		if s.test || slices.Contains(forTests, s.room) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			selected, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			name, ok := selected.X.(*ast.Ident)
			if !ok || name.Obj != nil {
				return true
			}
			word := name.Name + "." + selected.Sel.Name
			if rooms, found := forbidden[word]; found && !slices.Contains(rooms, s.room) {
				t.Errorf("%s: %s may stand in %v only", set.Position(n.Pos()), word, rooms)
			}
			return true
		})
	}
}

func TestNoInit(t *testing.T) {
	set, files := house(t)
	for _, s := range files {
		for _, declared := range s.file.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil && s.room != "magefiles" {
				t.Errorf("%s: an init function; only a magefile may have one, to set its defaults", set.Position(f.Pos()))
			}
		}
	}
}

// TestPackageVariablesAreConstant finds package variables that have no value, or that a function of the package assigns to.
func TestPackageVariablesAreConstant(t *testing.T) {
	set, files := house(t)
	known := map[string]bool{} // room.name
	for _, s := range files {
		for _, v := range s.packageVariables() {
			key := s.room + "." + v.name.Name
			known[key] = true
			if !v.valued && variables[key] == "" {
				t.Errorf("%s: %s is a package variable without a value, so somebody will write it", set.Position(v.name.Pos()), key)
			}
		}
	}
	for _, s := range files {
		if s.test || slices.Contains(forTests, s.room) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			for _, name := range written(n) {
				if key := s.room + "." + name.Name; known[key] && atPackageLevel(name) && variables[key] == "" {
					t.Errorf("%s: %s, a package variable, is written", set.Position(n.Pos()), key)
				}
			}
			return true
		})
	}
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		if !known[key] {
			t.Errorf("the exception for %s has no variable any more", key)
		}
	}
}

type packageVariable struct {
	name   *ast.Ident
	valued bool
}

func (s source) packageVariables() []packageVariable {
	var out []packageVariable
	for _, declared := range s.file.Decls {
		d, ok := declared.(*ast.GenDecl)
		if !ok || d.Tok != token.VAR || s.test || slices.Contains(forTests, s.room) {
			continue
		}
		for _, spec := range d.Specs {
			values := spec.(*ast.ValueSpec)
			for _, name := range values.Names {
				// An embedded file is written by the compiler.
				embedded := d.Doc != nil && strings.Contains(d.Doc.List[len(d.Doc.List)-1].Text, "//go:embed ")
				out = append(out, packageVariable{name, len(values.Values) > 0 || embedded || name.Name == "_"})
			}
		}
	}
	return out
}

// written are the variables that a statement assigns to, or to an element or field of.
func written(n ast.Node) []*ast.Ident {
	var targets []ast.Expr
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			targets = n.Lhs
		}
	case *ast.IncDecStmt:
		targets = []ast.Expr{n.X}
	}
	var out []*ast.Ident
	for _, expr := range targets {
		if name := root(expr); name != nil {
			out = append(out, name)
		}
	}
	return out
}

func root(expr ast.Expr) *ast.Ident {
	switch e := expr.(type) {
	case *ast.Ident:
		if e.Name == "_" {
			return nil
		}
		return e
	case *ast.IndexExpr:
		return root(e.X)
	case *ast.SelectorExpr:
		return root(e.X)
	}
	return nil
}

// atPackageLevel tells a name that is not declared inside a function: the parser resolves those, and those of its own file.
func atPackageLevel(name *ast.Ident) bool {
	if name.Obj == nil {
		return true
	}
	declared, ok := name.Obj.Decl.(*ast.ValueSpec)
	return ok && name.Obj.Kind == ast.Var && declared.Pos().IsValid() && name.Obj.Data == 0
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	_, files := house(t)
	documented := map[string]bool{}
	for _, s := range files {
		if s.test || s.room == "magefiles" {
			continue
		}
		what := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			what = "Command " + path.Base(s.room) + " "
		}
		says := strings.HasPrefix(s.file.Doc.Text(), what)
		documented[s.room] = documented[s.room] || says
	}
	for _, room := range slices.Sorted(maps.Keys(documented)) {
		if !documented[room] {
			t.Errorf("%s has no comment that begins with \"Package %s\" or \"Command %[2]s\"", room, path.Base(room))
		}
	}
}

// closets are names that say nothing about what is inside.
var closets = []string{"util", "utils", "common", "types", "helpers", "errs", "misc", "shared"}

func TestNoClosets(t *testing.T) {
	_, files := house(t)
	for _, s := range files {
		base := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
		if slices.Contains(closets, path.Base(s.room)) || slices.Contains(closets, base) {
			t.Errorf("%s is a closet: name it after what is in it", s.path)
		}
	}
}

// atTheTop are the files and folders of the repository's root; names that begin with a dot and build results come on top.
var atTheTop = []string{"magefiles", "build", "platforms", "scripts", "Dockerfile", "go.mod", "go.sum", "README.md", "LICENSE", "dist"}

func TestTheTopIsFixed(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") && !slices.Contains(atTheTop, entry.Name()) {
			t.Errorf("%s does not belong into the root of the repository", entry.Name())
		}
	}
}

// TestTheTablesAreTrue: a table that names what is not there hides what is.
func TestTheTablesAreTrue(t *testing.T) {
	_, files := house(t)
	rooms, imported := map[string]bool{}, map[string]bool{}
	for _, s := range files {
		rooms[s.room] = true
		for _, name := range s.imports() {
			imported[name] = true
		}
	}
	for _, room := range slices.Concat(floors...) {
		if !rooms[room] {
			t.Errorf("there is no room %s", room)
		}
	}
	for prefix := range lives {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(imported)), func(name string) bool { return name == prefix || strings.HasPrefix(name, prefix+"/") }) {
			t.Errorf("nothing imports %s", fmt.Sprint(prefix))
		}
	}
}
