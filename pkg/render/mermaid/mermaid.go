// Package mermaid writes the tree as a Mermaid flowchart, which code hosts draw
// in Markdown.
package mermaid

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Render writes the flowchart.
func Render(w io.Writer, r *report.Report, _ term.Style) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "flowchart LR")
	nodes, edges := report.Graph(r.Tree)
	for i, n := range nodes {
		fmt.Fprintf(out, "  n%d[%s]:::%s\n", i, label(n), class(n))
	}
	for _, e := range edges {
		arrow := "-->"
		if e.Below.Guessed {
			arrow = "-.->"
		}
		if e.Below.Why != "" {
			arrow += `|"` + Escape(e.Below.Why) + `"|`
		}
		fmt.Fprintf(out, "  n%d %s n%d\n", e.From, arrow, e.To)
	}
	for _, line := range classes {
		fmt.Fprintln(out, "  classDef "+line)
	}
	return out.Flush()
}

// classes colour only the border, so that they suit light and dark pages.
var classes = []string{
	"ok stroke:#2e7d32", "broken stroke:#c62828,stroke-width:3px", "warning stroke:#b26a00",
	"progressing stroke:#00838f", "unknown stroke:#616161,stroke-dasharray:4", "none stroke:#9e9e9e",
}

func class(n *report.Node) string {
	switch n.Health {
	case report.Healthy, report.Failing, report.Warned, report.InProgress, report.Unseen:
		return string(n.Health)
	default:
		return "none"
	}
}

func label(n *report.Node) string {
	words := n.Status
	if words == "" && n.Health != report.NoHealth && n.Folded == 0 {
		words = string(n.Health)
	}
	text := Escape(n.Title)
	if n.Asked {
		text = "▸ " + text
	}
	if state := strings.TrimSpace(n.Ready + " " + words); state != "" {
		text += "<br/>" + Escape(state)
	}
	return `"` + text + `"`
}

// Escape leaves letters, digits and a few harmless signs; everything else
// becomes an entity code (#34;), which Mermaid decodes only after it has parsed
// the chart. So no name can end its quotes, open a tag, a directive (%%{init})
// or a Markdown string, or begin an entity. The colon is among them because
// Mermaid takes "style…:…#…;" anywhere in a line for a style.
func Escape(text string) string {
	var b strings.Builder
	for _, r := range term.Escape(text) {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(" _./,-=()…→›↑", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
