package endpoints

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// facts are what the Service says of itself: address, ports, selector.
func facts(p prose.Writer, s *report.Service) {
	fact(p, "address", strings.Join(slices.DeleteFunc([]string{s.Type, strings.Join(s.Addresses, ", ")}, func(part string) bool { return part == "" }), " "))
	lessons(p, s, "Service")
	for _, port := range s.Ports {
		fact(p, "port", portLine(port))
	}
	lessons(p, s, "port", "targetPort")
	fact(p, "selector", s.Selector)
	lessons(p, s, "selector")
}

func fact(p prose.Writer, name, text string) {
	if text != "" {
		p.Paragraph(fmt.Sprintf("    %-10s", name), term.Dim, p.Style.Text(text), term.Plain)
	}
}

// portLine is `80 "web" → 8080 (named "http"), nodePort 30080   3 of 3 ready`.
func portLine(port report.ServicePort) string {
	var b strings.Builder
	b.WriteString(portTitle(port))
	if port.Name != "" {
		fmt.Fprintf(&b, " %q", port.Name)
	}
	target := port.Resolved
	if target == "" {
		target = port.TargetPort
	}
	if target != "" {
		b.WriteString(" → " + target)
	}
	if port.Resolved != "" && port.TargetPort != port.Resolved && !isNumber(port.TargetPort) {
		fmt.Fprintf(&b, " (named %q)", port.TargetPort)
	}
	if port.NodePort != 0 {
		fmt.Fprintf(&b, ", nodePort %d", port.NodePort)
	}
	fmt.Fprintf(&b, " · %d of %d ready", port.Ready, port.Total)
	return b.String()
}

// portTitle is the number, with the protocol unless it is TCP.
func portTitle(port report.ServicePort) string {
	if port.Protocol == "" || port.Protocol == "TCP" {
		return fmt.Sprint(port.Port)
	}
	return fmt.Sprintf("%d/%s", port.Port, port.Protocol)
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// terms that have their place beside a fact or above the table.
func placed() []string {
	return []string{"Service", "port", "targetPort", "selector", "EndpointSlice", "readiness"}
}

// lessons writes what --learn says of these terms.
func lessons(p prose.Writer, s *report.Service, terms ...string) {
	for _, l := range s.Learn {
		if slices.Contains(terms, l.Term) {
			lesson(p, l)
		}
	}
}

func otherLessons(p prose.Writer, s *report.Service) {
	for _, l := range s.Learn {
		known := slices.Contains(placed(), l.Term)
		tableTerm := l.Term == "EndpointSlice" || l.Term == "readiness"
		if !known || tableTerm && len(s.Endpoints) == 0 {
			lesson(p, l)
		}
	}
}

func lesson(p prose.Writer, l report.Lesson) {
	p.Paragraph("      ", term.Plain, p.Style.Text(l.Text), term.Dim)
}
