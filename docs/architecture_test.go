package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// If this fails, the page sends a reader to a function, a type or a file that is not there.
func TestArchitectureNamesWhatIsThere(t *testing.T) {
	page, declared := mustRead(t, "architecture.md"), declaredNames(t)
	names := regexp.MustCompile("`([a-z]+(?:/[a-z_]+)*\\.[A-Za-z]\\w*(?:\\.\\w+)?)`").FindAllStringSubmatch(page, -1)
	require.Greater(t, len(names), 40)
	for _, name := range names {
		switch path.Ext(name[1]) {
		case ".go", ".yaml":
			require.FileExists(t, filepath.Join("..", name[1]))
		default:
			require.True(t, declared[name[1]], "%s is declared nowhere", name[1])
		}
	}
}

// If this fails, the page that a stranger reads first sends him to a function that is not in the file that it names.
func TestRaftDocNamesWhatIsThere(t *testing.T) {
	hops := regexp.MustCompile(`(?m)^//\t(\w+\.\w+(?:, \w+\.\w+)*) +(\w+\.go) `).FindAllStringSubmatch(mustRead(t, "../raft/doc.go"), -1)
	require.Greater(t, len(hops), 7)
	for _, hop := range hops {
		file := mustRead(t, "../raft/"+hop[2])
		for name := range strings.SplitSeq(hop[1], ", ") {
			of, method, _ := strings.Cut(name, ".")
			require.Regexp(t, `(?m)^func \(\w+ \*?`+of+`\) `+method+`\(`, file, name)
		}
	}
}

// If this fails, a room stands in the tree of which the page says nothing.
func TestArchitectureHasEveryRoom(t *testing.T) {
	page, rooms := mustRead(t, "architecture.md"), map[string]bool{}
	eachSource(t, func(file, _ string) {
		if room := path.Dir(file); ofProgram(file) && room != "." {
			rooms[room] = true
		}
	})
	for room := range rooms {
		require.Regexp(t, `[^/\w]`+room+`[^/\w.]`, page)
	}
}

// A way that takes more hops than this is no longer one that a stranger keeps in mind.
func TestArchitectureWaysAreShort(t *testing.T) {
	ways := regexp.MustCompile(`(?s)## The way of one (\w+)\n\n(.*?)\n\n`).FindAllStringSubmatch(mustRead(t, "architecture.md"), -1)
	require.Len(t, ways, 2)
	for _, way := range ways {
		hops := strings.Count(way[2], "\n|") - 1
		require.Positive(t, hops, way[1])
		require.LessOrEqual(t, hops, 10, way[1])
	}
}

// A type of more methods than this has several subjects, each of which could be a type of its own.
func TestNoTypeHasTooManyMethods(t *testing.T) {
	methods := map[string]int{}
	for name := range declaredNames(t) {
		if room, declared := path.Split(name); strings.Count(declared, ".") == 2 {
			methods[room+declared[:strings.LastIndex(declared, ".")]]++
		}
	}
	require.Greater(t, len(methods), 100)
	for of, n := range methods {
		require.LessOrEqual(t, n, 45, of)
	}
}

// declaredNames returns what the program declares, as room.Name and room.Type.Method.
func declaredNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	eachSource(t, func(file, text string) {
		if !ofProgram(file) {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		room := path.Dir(file)
		if room == "." {
			room = "main"
		}
		for _, d := range parsed.Decls {
			for _, name := range namesOf(d) {
				names[room+"."+name] = true
			}
		}
	})
	return names
}

func namesOf(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		return []string{name}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if spec, is := spec.(*ast.TypeSpec); is {
				names = append(names, spec.Name.Name)
			}
		}
	}
	return names
}

// receiver returns the name of a method's type.
func receiver(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return receiver(of.X)
	case *ast.IndexExpr:
		return receiver(of.X)
	case *ast.IndexListExpr:
		return receiver(of.X)
	case *ast.Ident:
		return of.Name
	}
	return ""
}
