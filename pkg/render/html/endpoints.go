package html

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Endpoints writes the page of check-endpoints: the verdict, each Service with
// what its slices say beside what the pods say, and what was found.
func Endpoints(w io.Writer, r *report.Report, _ term.Style) error {
	return render(w, r, "check-endpoints", script, func(p *page) {
		if len(r.Services) == 1 {
			p.section("service", r.Services[0].Object.String())
			p.service(r.Services[0])
			p.end()
		} else if len(r.Services) > 1 {
			p.services()
		}
		p.findings()
		if len(r.Services) > 1 {
			p.each()
		}
	})
}

// services is a line each.
func (p *page) services() {
	p.section("services", fmt.Sprintf("%d Services", len(p.report.Services)))
	table := p.table("Service", "Ready", "Ports", "What is the matter")
	for i, s := range p.report.Services {
		t := p.serviceTone(s)
		var ready, ports []string
		for _, port := range s.Ports {
			ready = append(ready, fmt.Sprintf("%d/%d", port.Ready, port.Total))
			ports = append(ports, portWay(port))
		}
		why := ""
		if t != good {
			why = strings.TrimLeft(strings.TrimPrefix(s.Summary, s.Object.String()), ": ")
		}
		name := s.Object.Name
		if p.long {
			name = s.Object.Namespace + "/" + name
		}
		table.linked(t, "s"+itoa(i), name, strings.Join(ready, ", "), strings.Join(ports, ", "), why)
	}
	table.close()
	p.end()
}

// each Service, behind its line.
func (p *page) each() {
	for i, s := range p.report.Services {
		t := p.serviceTone(s)
		p.fold("s"+itoa(i), t, p.name(s.Object), s.Summary)
		p.service(s)
		p.put("</details>")
		p.end()
	}
}

// fold opens a section that is closed where all is well.
func (p *page) fold(id string, t tone, name, summary string) {
	p.put("<section class=\"fold-up\" id=\"%s\" tabindex=\"-1\"><details", id)
	if t == bad {
		p.put(" open")
	}
	p.put("><summary>")
	p.mark(t)
	p.put(" <b>%s</b> <span class=\"dim\">%s</span></summary>\n", name, summary)
}

// serviceTone is a warning's where the Service works and a finding about it warns.
func (p *page) serviceTone(s *report.Service) tone {
	if s.Verdict == report.OK {
		for _, f := range p.report.Findings {
			if f.Object.Key() == s.Object.Key() && f.Severity != finding.Info {
				return warn
			}
		}
	}
	return verdictTone(s.Verdict)
}

// service is the way of the traffic: the address, the ports, and the endpoints
// in two columns that ought to say the same.
func (p *page) service(s *report.Service) {
	p.put("<dl class=\"facts\">\n")
	p.fact("Address", strings.TrimSpace(s.Type+" "+strings.Join(s.Addresses, ", ")))
	p.fact("Selector", s.Selector)
	p.fact("Age", s.Age)
	p.put("</dl>\n")
	if len(s.Ports) > 0 {
		p.put("<h4>Ports</h4>\n<div class=\"ports\">\n")
		for _, port := range s.Ports {
			p.port(port)
		}
		p.put("</div>\n")
	}
	if len(s.Endpoints) > 0 {
		p.endpoints(s)
	}
	p.lessons(s.Learn)
}

func (p *page) fact(name, text string) {
	if text != "" {
		p.put("<div><dt>%s</dt><dd>%s</dd></div>\n", name, text)
	}
}

func (p *page) port(port report.ServicePort) {
	t := good
	switch {
	case port.Ready == 0:
		t = bad
	case port.Ready < port.Total:
		t = warn
	}
	p.put("<div class=\"port\"><p>")
	p.mark(t)
	p.put(" <b>%s</b>", portWay(port))
	if port.Name != "" {
		p.put(" <span class=\"dim\">%s</span>", port.Name)
	}
	if port.Resolved != "" && port.TargetPort != port.Resolved {
		p.put(" <span class=\"dim\">targetPort %s</span>", port.TargetPort)
	}
	if port.NodePort != 0 {
		p.put(" <span class=\"dim\">nodePort %s</span>", itoa(int(port.NodePort)))
	}
	p.put("</p>\n")
	p.meter(fmt.Sprintf("%d of %d ready", port.Ready, port.Total), share{string(t), port.Ready, port.Total})
	p.put("</div>\n")
}

// portWay is "80 → 8080".
func portWay(port report.ServicePort) string {
	text := itoa(int(port.Port))
	if port.Protocol != "" && port.Protocol != "TCP" {
		text += "/" + port.Protocol
	}
	target := port.Resolved
	if target == "" {
		target = port.TargetPort
	}
	if target != "" {
		text += " → " + target
	}
	return text
}

// share is a part of a meter.
type share struct {
	class    string
	n, outOf int
}

// meter is a bar of shares that says its numbers in words, too.
func (p *page) meter(words string, shares ...share) {
	p.put("<div class=\"meter\"><svg viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"rest\" width=\"100\" height=\"4\"/>")
	at := 0.0
	for _, s := range shares {
		if s.outOf <= 0 || s.n <= 0 {
			continue
		}
		width := min(100-at, 100*float64(s.n)/float64(s.outOf))
		p.put("<rect class=\"%s\" x=\"%s\" width=\"%s\" height=\"4\"/>", s.class, num(at), num(width))
		at += width
	}
	p.put("</svg><span>%s</span></div>\n", words)
}

// num is a number in a drawing. It and its like are not inlined: they stand in
// hundreds of places, and every place is part of the binary.
//
//go:noinline
func num(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

// itoa is a number in a text.
//
//go:noinline
func itoa(n int) string { return strconv.Itoa(n) }

// endpoints holds the slices and the pods side by side.
func (p *page) endpoints(s *report.Service) {
	ports, zones, observed := len(s.Ports) > 1, false, false
	for _, e := range s.Endpoints {
		zones = zones || e.Zone != ""
		observed = observed || e.Observed != ""
	}
	titles := []string{"The slice says", "The pod says", "Ready", "Node", "Why"}
	if ports {
		titles = append(titles, "Port")
	}
	if zones {
		titles = append(titles, "Zone")
	}
	if observed {
		titles = append(titles, "Asked")
	}
	p.put("<h4>Endpoints</h4>\n")
	table := p.table(titles...)
	for _, e := range s.Endpoints {
		t, words := endpointTone(e)
		cells := []string{orDash(addressOf(e)), strings.TrimSpace(podOf(e.Pod) + "  " + e.PodIP), readiness(e), e.Node, strings.TrimSuffix(strings.TrimPrefix(words+": "+e.Why, ": "), ": ")}
		if ports {
			cells = append(cells, e.ServicePort)
		}
		if zones {
			cells = append(cells, e.Zone)
		}
		if observed {
			cells = append(cells, e.Observed)
		}
		table.row(t, cells...)
	}
	table.close()
}

func podOf(pod *object.Ref) string {
	if pod == nil {
		return "–"
	}
	return pod.Name
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func addressOf(e report.Endpoint) string {
	switch {
	case e.Address == "" || e.Port == 0 || e.State == report.EndpointNoPort:
		return e.Address
	case strings.Contains(e.Address, ":"):
		return fmt.Sprintf("[%s]:%d", e.Address, e.Port)
	}
	return fmt.Sprintf("%s:%d", e.Address, e.Port)
}

// endpointTone is how the two sides agree.
func endpointTone(e report.Endpoint) (tone, string) {
	switch e.State {
	case report.EndpointMissing:
		return bad, "in no slice"
	case report.EndpointStale:
		return bad, "stale"
	case report.EndpointForeign:
		return bad, "another app's pod"
	case report.EndpointNoPort:
		return bad, "no such port"
	case report.EndpointUnseen:
		return unknown, "not seen"
	case report.EndpointManual:
		return good, "made by hand"
	}
	if !e.Ready {
		return warn, ""
	}
	return good, ""
}

// readiness puts the three conditions of a slice into a word.
func readiness(e report.Endpoint) string {
	switch {
	case e.State == report.EndpointMissing && !e.Ready:
		return "–"
	case e.Terminating && e.Serving:
		return "draining"
	case e.Terminating:
		return "ending"
	case e.Ready:
		return "yes"
	}
	return "no"
}
