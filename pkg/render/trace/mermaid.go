package trace

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/render/mermaid"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Mermaid writes the trace as a sequence diagram: the pod, the way to the
// servers, and one exchange for each name.
func Mermaid(w io.Writer, r *report.Report, _ term.Style) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "sequenceDiagram")
	t := r.Trace
	if t == nil {
		t = &report.Trace{Name: r.Target}
	}
	client, way, server := participants(t)
	fmt.Fprintf(out, "  participant P as %s\n", mermaid.Escape(client))
	if way != "" {
		fmt.Fprintf(out, "  participant W as %s\n", mermaid.Escape(way))
	}
	fmt.Fprintf(out, "  participant S as %s\n", mermaid.Escape(server))
	for _, h := range t.Path {
		if h.State == report.HopBroken {
			fmt.Fprintf(out, "  Note over P,S: ✗ %s\n", mermaid.Escape(strings.TrimSuffix(h.Title+" "+h.Why, " ")))
		}
	}
	for _, rung := range t.Ladder {
		exchange(out, rung, way != "")
	}
	fmt.Fprintf(out, "  Note over P: %s\n", mermaid.Escape(firstLine(r.Summary)))
	return out.Flush()
}

// participants are who asks, through what, and who answers.
func participants(t *report.Trace) (client, way, server string) {
	client, server = "a pod", "DNS"
	if t.Client != nil {
		client = t.Client.String()
	}
	hops := t.Path
	if len(hops) > 0 {
		client, hops = hops[0].Title, hops[1:]
	}
	if len(hops) > 0 {
		server, hops = hops[len(hops)-1].Title, hops[:len(hops)-1]
	}
	var middle []string
	for _, h := range hops {
		middle = append(middle, h.Title)
	}
	return client, strings.Join(middle, " → "), server
}

func exchange(out io.Writer, r report.Rung, through bool) {
	question := fmt.Sprintf("%d  %s %s", r.N, r.Name, strings.Join(r.Types, " "))
	if r.State == report.RungSkipped {
		fmt.Fprintf(out, "  Note left of P: %s\n", mermaid.Escape(fmt.Sprintf("%d  %s not asked", r.N, r.Name)))
		return
	}
	if through {
		fmt.Fprintf(out, "  P->>W: %s\n  W->>S: %s\n", mermaid.Escape(question), mermaid.Escape(strings.Join(r.Types, " ")))
	} else {
		fmt.Fprintf(out, "  P->>S: %s\n", mermaid.Escape(question))
	}
	if details := detailsOf(r); details != "" {
		fmt.Fprintf(out, "  Note right of S: %s\n", mermaid.Escape(details))
	}
	arrow := "-->>"
	if r.State == report.RungStops && !answered(r) {
		arrow = "--x"
	}
	fmt.Fprintf(out, "  S%sP: %s\n", arrow, mermaid.Escape(answers(r)))
}

func firstLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	return text
}
