package cli

import (
	"path/filepath"
	"strings"
)

const (
	pluginPrefix     = "kubectl-"
	completionPrefix = "kubectl_complete-"
)

// Called is what argv[0] says: the name that usage shows, and whether kubectl
// asks for completions. kubectl looks for a program kubectl_complete-NAME
// beside kubectl-NAME (k8s.io/kubectl/pkg/cmd/plugin); a symlink is enough.
type Called struct {
	Program   string // "kubectl-explain_tree", the file's name
	Display   string // "kubectl explain-tree", or the program's own name
	Completes bool
}

// CalledAs reads argv[0].
func CalledAs(argv0 string) Called {
	base := strings.TrimSuffix(filepath.Base(argv0), ".exe")
	if name, ok := strings.CutPrefix(base, completionPrefix); ok {
		return Called{Program: base, Display: "kubectl " + unmangle(name), Completes: true}
	}
	if name, ok := strings.CutPrefix(base, pluginPrefix); ok {
		return Called{Program: base, Display: "kubectl " + unmangle(name)}
	}
	return Called{Program: base, Display: base}
}

// unmangle undoes kubectl's plugin naming: a dash in a command is an underscore
// in the file's name.
func unmangle(name string) string { return strings.ReplaceAll(name, "_", "-") }
