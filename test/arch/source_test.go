package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root     = "../.."
	buildTag = "kustomize_disable_go_plugin_support"
)

// file is one Go file of the repository, tests and nested modules included.
type file struct {
	path   string // from the root, with slashes
	syntax *ast.File
	pos    *token.FileSet
}

func (f file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f file) generated() bool { return ast.IsGenerated(f.syntax) }

func (f file) in(rooms ...string) bool {
	dir := filepath.ToSlash(filepath.Dir(f.path))
	return slices.ContainsFunc(rooms, func(room string) bool {
		room = strings.TrimSuffix(room, "/*")
		return dir == room || strings.HasPrefix(dir, room+"/")
	})
}

func (f file) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.pos.Position(n.Pos()).Line)
}

func files(t *testing.T) []file {
	t.Helper()
	var all []file
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		pos := token.NewFileSet()
		syntax, err := parser.ParseFile(pos, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		all = append(all, file{path: filepath.ToSlash(rel), syntax: syntax, pos: pos})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// ban forbids calls in rooms. A call is written as the source says it, such as
// "time.Now"; one that ends in * stands for every name that starts so.
type ban struct {
	rooms  []string
	except []string // rooms
	calls  []string
	why    string
}

func bans() []ban {
	return []ban{
		{
			rooms: append([]string{"pkg/object", "pkg/finding", "pkg/scheme"}, judges...),
			calls: []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.Tick", "time.NewTimer", "time.NewTicker"},
			why:   "the view carries Now: a clock of its own would make a dump of last night older at each look",
		},
		{
			rooms: renderers, except: []string{"pkg/render/live"},
			calls: []string{"time.Now", "time.Since", "time.Until"},
			why:   "a report that is rendered twice is the same twice; only the live screen lives in time",
		},
		{
			rooms: []string{"pkg", "plugins", "cmd"}, except: []string{"pkg/term"},
			calls: []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv"},
			why:   "only pkg/term reads the environment; everyone else is told",
		},
		{
			rooms: []string{"pkg", "plugins", "cmd"},
			calls: []string{"fmt.Print*", "print", "println", "log.*"},
			why:   "output goes to the stream that was handed in, so that tests and callers can have it",
		},
		{
			rooms: []string{"pkg", "plugins", "cmd"},
			calls: []string{"panic", "log.Fatal*", "log.Panic*", "context.TODO"},
			why:   "an error is returned, with its context, to the one who can say what to do next",
		},
		{
			rooms: []string{"pkg", "plugins"}, except: []string{"pkg/cli"},
			calls: []string{"os.Exit"},
			why:   "errors become exit codes in one place",
		},
		{
			rooms: []string{"pkg", "plugins"}, except: []string{"pkg/cli"},
			calls: []string{"context.Background"},
			why:   "a run ends when its caller says so",
		},
	}
}

func TestNobodyCallsWhatIsForbidden(t *testing.T) {
	for _, f := range files(t) {
		if f.test() {
			continue
		}
		for _, b := range bans() {
			if !f.in(b.rooms...) || f.in(b.except...) {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if name := f.nameOf(n); name != "" && b.forbids(name) {
					t.Errorf("%s uses %s, but %s", f.at(n), name, b.why)
				}
				return true
			})
		}
	}
}

// nameOf is "package.Name" for what is taken from an imported package, and the
// name of a function that is called without one.
func (f file) nameOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && f.imports(x.Name) {
			return x.Name + "." + n.Sel.Name
		}
	case *ast.CallExpr:
		if fun, ok := n.Fun.(*ast.Ident); ok {
			return fun.Name
		}
	}
	return ""
}

func (f file) imports(name string) bool {
	return slices.ContainsFunc(f.syntax.Imports, func(i *ast.ImportSpec) bool {
		if i.Name != nil {
			return i.Name.Name == name
		}
		return path.Base(strings.Trim(i.Path.Value, `"`)) == name
	})
}

func (b ban) forbids(name string) bool {
	return slices.ContainsFunc(b.calls, func(call string) bool {
		prefix, many := strings.CutSuffix(call, "*")
		return name == call || many && strings.HasPrefix(name, prefix)
	})
}

func TestNoCodeRunsBeforeMain(t *testing.T) {
	for _, f := range files(t) {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init runs in every start and cannot be tested; call it from where it is needed", f.at(fn))
			}
		}
	}
}

func TestEveryFileTellsOneStory(t *testing.T) {
	const most = 400
	for _, f := range files(t) {
		if lines := f.pos.File(f.syntax.Pos()).LineCount(); lines > most && !f.test() && !f.generated() {
			t.Errorf("%s has %d lines; more than %d are mostly two stories: cut it where the second begins", f.path, lines, most)
		}
	}
}

func TestEveryPackageSaysItsDuty(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range files(t) {
		dir := filepath.Dir(f.path)
		if !f.test() {
			documented[dir] = documented[dir] || f.syntax.Doc != nil
		}
		for _, word := range []string{"util", "utils", "helper", "helpers", "common", "misc", "shared", "base"} {
			if f.syntax.Name.Name == word {
				t.Errorf("%s: package %s is a room without a duty; name what it does", f.path, word)
			}
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no doc comment that says its one duty", dir)
		}
	}
}

func TestMainsOnlyCallTheirPlugin(t *testing.T) {
	const most = 10
	for _, f := range files(t) {
		if !f.in("cmd") || f.test() {
			continue
		}
		var lines int
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if fn, ok := n.(*ast.FuncDecl); ok {
				lines += f.pos.Position(fn.End()).Line - f.pos.Position(fn.Pos()).Line + 1
			}
			return true
		})
		if lines > most {
			t.Errorf("%s: %d lines of functions; a main of more than %d does what its plugin should", f.path, lines, most)
		}
	}
}

func TestNothingUnfinishedIsLeftBehind(t *testing.T) {
	for _, f := range files(t) {
		for _, group := range f.syntax.Comments {
			for _, c := range group.List {
				for _, mark := range []string{"TO" + "DO", "FIX" + "ME", "XXX"} {
					if strings.Contains(c.Text, mark) {
						t.Errorf("%s: a mark of unfinished work: %s", f.at(c), c.Text)
					}
				}
			}
		}
		if !f.test() {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && f.in("pkg", "plugins", "cmd", "test/script", "test/arch") {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "t" && strings.HasPrefix(s.Sel.Name, "Skip") {
					t.Errorf("%s: a test that is skipped tests nothing", f.at(n))
				}
			}
			return true
		})
	}
}

// literals are the string constants of a file with where they stand.
func (f file) literals(visit func(value string, at ast.Node)) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if value, err := strconv.Unquote(lit.Value); err == nil {
				visit(value, lit)
			}
		}
		return true
	})
}
