// Package dot writes the tree as a graph in the language of Graphviz.
package dot

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Render writes the graph: kubectl explain-tree … -o dot | dot -Tsvg.
func Render(w io.Writer, r *report.Report, _ term.Style) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "digraph tree {\n")
	fmt.Fprintf(out, "  graph [rankdir=LR, labelloc=t, label=%s];\n", quote(string(r.Verdict), r.Summary))
	fmt.Fprintf(out, "  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n")
	fmt.Fprintf(out, "  edge [fontname=\"sans-serif\", fontsize=10];\n")
	nodes, edges := report.Graph(r.Tree)
	for i, n := range nodes {
		fmt.Fprintf(out, "  n%d [label=%s%s];\n", i, quote(n.Title, state(n)), look(n))
	}
	for _, e := range edges {
		style := ""
		if e.Below.Guessed {
			style = ", style=dashed"
		}
		fmt.Fprintf(out, "  n%d -> n%d [label=%s%s];\n", e.From, e.To, quote(e.Below.Why), style)
	}
	fmt.Fprintf(out, "}\n")
	return out.Flush()
}

// state is in words, so that colour is never the only carrier of meaning.
func state(n *report.Node) string {
	words := n.Status
	if words == "" && n.Health != report.NoHealth && n.Folded == 0 {
		words = string(n.Health)
	}
	return strings.TrimSpace(n.Ready + " " + words)
}

func look(n *report.Node) string {
	attributes := ""
	switch n.Health {
	case report.Healthy:
		attributes = `, color="#2e7d32"`
	case report.Failing:
		attributes = `, color="#c62828", penwidth=2`
	case report.Warned:
		attributes = `, color="#b26a00"`
	case report.InProgress:
		attributes = `, color="#00838f"`
	case report.Unseen:
		attributes = `, color="#616161", style="rounded,dashed"`
	}
	if n.Asked {
		attributes += ", peripheries=2"
	}
	return attributes
}

// quote is a quoted string of the language, one line a part. In it a backslash
// starts an escape (\N is the node's name) and & an entity.
func quote(parts ...string) string {
	var lines []string
	for _, p := range parts {
		if p != "" {
			lines = append(lines, escaper.Replace(term.Escape(p)))
		}
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`)
