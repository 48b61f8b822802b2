package e2e

import (
	"fmt"
	"slices"
	"strings"
)

// Report is the document of -o json as its readers know it. It is written anew
// here, so that a change of the product's own types cannot hide a change of
// the document.
type Report struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Target     string    `json:"target"`
	Verdict    string    `json:"verdict"`
	Summary    string    `json:"summary"`
	Findings   []Finding `json:"findings"`
	Gaps       []Gap     `json:"gaps"`
	Tree       []Node    `json:"tree"`
}

// Object names an object.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

func (o Object) String() string { return o.Kind + "/" + o.Name }

// Finding is one claim.
type Finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Object   Object `json:"object"`
	Message  string `json:"message"`
	Evidence []struct {
		Object Object `json:"object"`
		Field  string `json:"field"`
		Value  string `json:"value"`
	} `json:"evidence"`
	Fix []struct {
		Description string `json:"description"`
		Command     string `json:"command"`
	} `json:"fix"`
	CausedBy *struct {
		Code   string `json:"code"`
		Object Object `json:"object"`
	} `json:"causedBy"`
}

// Gap is what could not be seen.
type Gap struct {
	Resource  string `json:"resource"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Reason    string `json:"reason"`
}

// Node is a row of the tree.
type Node struct {
	Object     Object   `json:"object"`
	Title      string   `json:"title"`
	Relation   string   `json:"relation"`
	Why        string   `json:"why"`
	Ready      string   `json:"ready"`
	Health     string   `json:"health"`
	Status     string   `json:"status"`
	Asked      bool     `json:"asked"`
	ShownAbove bool     `json:"shownAbove"`
	Guessed    bool     `json:"guessed"`
	Learn      string   `json:"learn"`
	Findings   []string `json:"findings"`
	Children   []Node   `json:"children"`
}

// Rows are all nodes of the tree, parents first.
func (r Report) Rows() []Node {
	var rows []Node
	var walk func([]Node)
	walk = func(nodes []Node) {
		for _, n := range nodes {
			rows = append(rows, n)
			walk(n.Children)
		}
	}
	walk(r.Tree)
	return rows
}

// Edge is a row and the one above it.
type Edge struct{ Above, Below Node }

// Edges are all pairs of a row and one right below it; a row's relation is the
// one to the row above.
func (r Report) Edges() []Edge {
	var edges []Edge
	for _, above := range r.Rows() {
		for _, below := range above.Children {
			edges = append(edges, Edge{above, below})
		}
	}
	return edges
}

// Row is the first row with that title.
func (r Report) Row(title string) (Node, bool) {
	rows := r.Rows()
	i := slices.IndexFunc(rows, func(n Node) bool { return n.Title == title })
	if i < 0 {
		return Node{}, false
	}
	return rows[i], true
}

// Find is the first finding with that code.
func (r Report) Find(code string) (Finding, bool) {
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Code == code })
	if i < 0 {
		return Finding{}, false
	}
	return r.Findings[i], true
}

// Errors are the findings that say that something is broken.
func (r Report) Errors() []Finding {
	var errors []Finding
	for _, f := range r.Findings {
		if f.Severity == "error" {
			errors = append(errors, f)
		}
	}
	return errors
}

// Outline is the report in few lines, for the messages of a failing test.
func (r Report) Outline() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Verdict, r.Summary)
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  %s %s %s: %s", f.Severity, f.Code, f.Object, f.Message)
		if f.CausedBy != nil {
			fmt.Fprintf(&b, " (caused by %s of %s)", f.CausedBy.Code, f.CausedBy.Object)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
