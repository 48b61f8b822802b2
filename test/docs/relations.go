package main

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/relation"
)

// example is a user's own file; it is read here, so that the page cannot lie.
const example = `relations:
- name: database-credentials
  from: [Database.example.com]
  to: Secret
  side: needs
  required: true
  at: [spec]
  ref: credentialsSecret
  why: signs in with it
  inverse: signs in with it
  learn: A Database reads its user and password from a Secret.
- name: database-pod
  from: [Database.example.com]
  to: Pod
  side: route
  selector: spec.podSelector
  why: "runs in {@selector}"
`

// meanings are the fields of a row, in the order in which one writes them.
var meanings = []struct{ field, text string }{
	{"name", "stable, for `--relations`; must differ from the names below"},
	{"from", "the kinds that the relation starts from: `Kind` or `Kind.group`; `podspec` is Pod and every kind with a pod template, `*` every kind, `custom` every kind that is not built in"},
	{"to", "the kind that it leads to; left out where the reference itself says the kind"},
	{"side", "where it is drawn. The trunk of the tree: `down` (from stands above to), `route` (from leads traffic to to), `under` (from belongs below to). Side branches: `needs` (from uses to), `guards` (from acts on to)"},
	{"when", "`always` (default); `asked`: only when one of its ends is the object that was asked about; `all`: only with `--relations`"},
	{"at", "paths to the elements that hold the reference, such as `spec.rules[].backends[]`; the next paths start there. `{podspec}` is the pod's spec"},
	{"ref", "path to the target's name"},
	{"namespace", "path to its namespace; without it, that of from"},
	{"kind", "path to its kind, where the reference says it"},
	{"group", "path to its group or apiVersion, likewise"},
	{"key", "path to the key that must exist in it"},
	{"optional", "path to a field that is true where the target may be absent"},
	{"except", "names that are no reference"},
	{"selector", "path to a label selector instead, in either of the API's forms"},
	{"label", "a label of from whose value names the target"},
	{"search", "path to a selector in from that finds what it owns; the edge is drawn where the owner reference's UID fits"},
	{"searchUID", "a label of the owned that holds the owner's UID"},
	{"resolver", "a rule written in Go; the built-in rows use them"},
	{"default", "the target's name when the reference is unset"},
	{"defaultAnnotation", "the annotation that marks the default target when it is unset"},
	{"required", "a missing target is a fault"},
	{"chain", "is followed from a side branch too"},
	{"settled", "`PATH=VALUE` or `PATH=VALUE|VALUE` of from: once it holds, the target may be absent without harm"},
	{"guessed", "is told from a value that only looks like a reference"},
	{"why", "what the row says; `{path}` is filled in from the element"},
	{"inverse", "what it says when seen from the other end"},
	{"learn", "one plain sentence for `--learn`"},
}

func relationsPage() ([]byte, error) {
	if err := checkMeanings(); err != nil {
		return nil, err
	}
	if _, err := relation.NewTable([]byte(example)); err != nil {
		return nil, fmt.Errorf("the example: %w", err)
	}
	table, err := relation.NewTable()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# Relations\n\n" + generated)
	b.WriteString("What `kubectl explain-tree` knows about how objects hang together. `--relations NAME,…` follows only some, `--relations owner` only ownership, `--relations all` also those that are expensive or rarely wanted.\n\n")
	b.WriteString("| name | from | to | read from | drawn | when | says |\n|---|---|---|---|---|---|---|\n")
	for _, r := range table.Rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Name, code(r.From...), target(r), field(r), r.Side, r.When, cell(r.Why))
	}
	b.WriteString("\n## Relations of your own kinds\n\nWrite them in the same form and give the file with `--relations-file`:\n\n```yaml\n" + example + "```\n\n")
	b.WriteString("| field | |\n|---|---|\n")
	for _, m := range meanings {
		fmt.Fprintf(&b, "| `%s` | %s |\n", m.field, strings.ReplaceAll(m.text, "|", `\|`))
	}
	return b.Bytes(), nil
}

// checkMeanings: a field that a row can have and the page does not explain is
// an error, and so is one that is explained and gone.
func checkMeanings() error {
	row := reflect.TypeFor[relation.Row]()
	var fields, told []string
	for i := range row.NumField() {
		if f := row.Field(i); f.IsExported() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields = append(fields, name)
		}
	}
	for _, m := range meanings {
		told = append(told, m.field)
	}
	for _, f := range fields {
		if !slices.Contains(told, f) {
			return fmt.Errorf("the field %q of a relation is not explained; add it to meanings", f)
		}
	}
	for _, f := range told {
		if !slices.Contains(fields, f) {
			return fmt.Errorf("a relation has no field %q any more; take it out of meanings", f)
		}
	}
	return nil
}

func target(r relation.Row) string {
	if r.To == "" {
		return "what it names"
	}
	return code(r.To)
}

// field is where a relation is written.
func field(r relation.Row) string {
	end := cmp.Or(r.Ref, r.Selector, r.Search)
	var paths []string
	for _, at := range r.At {
		paths = append(paths, strings.Trim(at+"."+end, "."))
	}
	switch {
	case len(paths) > 0:
		return code(paths...)
	case r.Selector != "":
		return code(r.Selector)
	case r.Label != "":
		return "label " + code(r.Label)
	case r.SearchUID != "":
		return "ownerReferences, found by label " + code(r.SearchUID)
	case r.Search == "*":
		return "ownerReferences"
	case r.Search != "" && r.Resolver == "":
		return "ownerReferences, found by " + code(r.Search)
	}
	return "a rule: " + r.Resolver
}

func code(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "`" + strings.ReplaceAll(w, "|", `\|`) + "`"
	}
	return strings.Join(quoted, "<br>")
}
