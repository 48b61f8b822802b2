package endpoints

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// describe writes what was found about one Service into its part of the document.
func (c *subject) describe(opts Options) *report.Service {
	s := &report.Service{Object: c.ref, Type: typeOf(c.svc), Selector: selectorText(c.svc), Addresses: addressesOf(c.svc), Asked: true}
	if created := c.svc.CreationTimestamp.Time; !created.IsZero() {
		s.Created, s.Age = &created, duration.HumanDuration(c.v.Now.Sub(created))
	}
	s.Endpoints, s.Ports = c.table()
	for _, f := range c.found {
		if !slices.Contains(s.Codes, f.Code) {
			s.Codes = append(s.Codes, f.Code)
		}
	}
	s.Verdict, s.Summary = c.verdict(s)
	if opts.Learn {
		s.Learn = c.lessons()
	}
	return s
}

// table is what the document shows of the comparison.
func (c *subject) table() (rows []report.Endpoint, ports []report.ServicePort) {
	rows = c.inOrder()
	if isExternal(c.svc) {
		return rows, nil
	}
	for i := range c.svc.Spec.Ports {
		ports = append(ports, c.describePort(i))
	}
	return rows, ports
}

func typeOf(svc *corev1.Service) string {
	if isHeadless(svc) && !isExternal(svc) {
		return "Headless"
	}
	return cmp.Or(string(svc.Spec.Type), string(corev1.ServiceTypeClusterIP))
}

func addressesOf(svc *corev1.Service) []string {
	if isExternal(svc) {
		return []string{svc.Spec.ExternalName}
	}
	var out []string
	for _, ip := range slices.Concat([]string{svc.Spec.ClusterIP}, svc.Spec.ClusterIPs, svc.Spec.ExternalIPs) {
		if ip != "" && !slices.Contains(out, ip) {
			out = append(out, ip)
		}
	}
	for _, in := range svc.Status.LoadBalancer.Ingress {
		out = append(out, cmp.Or(in.IP, in.Hostname))
	}
	return out
}

func (c *subject) describePort(i int) report.ServicePort {
	sp := &c.svc.Spec.Ports[i]
	p := report.ServicePort{Name: sp.Name, Port: sp.Port, TargetPort: sp.TargetPort.String(), NodePort: sp.NodePort, Protocol: string(protocolOf(sp.Protocol))}
	var numbers []int32
	counted := map[string]bool{} // a pod of two families has an entry for each
	v4, v6 := families(c.svc)
	for j := range c.entries {
		e := &c.entries[j]
		if e.port != i || e.row.State == report.EndpointStale || e.twice || e.pod != nil && ended(e.pod) {
			continue
		}
		if e.row.Port != 0 && len(numbers) < 8 && !slices.Contains(numbers, e.row.Port) {
			numbers = append(numbers, e.row.Port)
		}
		if v4 && v6 && e.row.Pod != nil {
			if key := fmt.Sprint(e.usable(), e.row.Pod.Name); counted[key] {
				continue
			} else {
				counted[key] = true
			}
		}
		if !e.row.Terminating {
			p.Total++
		}
		if e.usable() {
			p.Ready++
		}
	}
	p.Total = max(p.Total, p.Ready)
	slices.Sort(numbers)
	words := make([]string, len(numbers))
	for j, n := range numbers {
		words[j] = strconv.Itoa(int(n))
	}
	p.Resolved = strings.Join(words, ",")
	return p
}

// verdict is the Service in one word and one sentence.
func (c *subject) verdict(s *report.Service) (report.Verdict, string) {
	subject := c.ref.String()
	worst := c.worstFinding()
	sentence := func(f *finding.Finding) string {
		if f.Object.Key() != c.ref.Key() {
			return f.Object.String() + ": " + strings.TrimSuffix(f.Message, ".")
		}
		return strings.TrimSuffix(f.Message, ".")
	}
	switch {
	case worst != nil && worst.Severity == finding.Error && worst.Code == code("lb-pending"):
		return report.Broken, fmt.Sprintf("%s cannot be reached from outside: %s. Inside, it %s.", subject, sentence(worst), c.reaches(s))
	case worst != nil && worst.Severity == finding.Error && isExternal(c.svc):
		return report.Broken, fmt.Sprintf("%s leads nowhere: %s.", subject, sentence(worst))
	case worst != nil && worst.Severity == finding.Error && reached(s) == 0:
		return report.Broken, fmt.Sprintf("%s reaches nothing: %s.", subject, sentence(worst))
	case worst != nil && worst.Severity == finding.Error:
		return report.Broken, fmt.Sprintf("%s does not work as it should: %s.", subject, sentence(worst))
	case c.unseen != "" && !isExternal(c.svc):
		return report.Unknown, fmt.Sprintf("%s cannot be judged: %s.", subject, c.unseen)
	case isExternal(c.svc):
		return report.OK, fmt.Sprintf("%s is another name for %s.", subject, c.svc.Spec.ExternalName)
	case reached(s) == 0 && c.has("scaled-to-zero", "only-completed-pods"):
		f := c.found[slices.IndexFunc(c.found, func(f finding.Finding) bool {
			return f.Code == code("scaled-to-zero") || f.Code == code("only-completed-pods")
		})]
		return report.OK, fmt.Sprintf("%s has nothing to reach: %s.", subject, sentence(&f))
	case reached(s) == 0 && c.svc.DeletionTimestamp != nil:
		return report.Progressing, subject + " is being deleted."
	case reached(s) == 0 && (c.has("none-ready", "no-pod-ip") || c.settling):
		return report.Progressing, fmt.Sprintf("%s reaches nothing yet: %s.", subject, c.lacks())
	case worst != nil && worst.Code == code("selectorless-empty"):
		return report.OK, fmt.Sprintf("%s reaches nothing: %s.", subject, sentence(worst))
	case worst != nil && worst.Code == code("partial-ready"):
		_, others, _ := strings.Cut(sentence(worst), "; ") // how many are ready it says already
		return report.OK, fmt.Sprintf("%s %s; %s.", subject, c.reaches(s), others)
	case worst != nil:
		return report.OK, fmt.Sprintf("%s %s, but %s.", subject, c.reaches(s), sentence(worst))
	}
	return report.OK, fmt.Sprintf("%s %s.", subject, c.reaches(s))
}

// worstFinding is the worst root cause; what follows from a cause elsewhere
// comes second, and is an error all the same.
func (c *subject) worstFinding() *finding.Finding {
	var worst *finding.Finding
	for _, root := range []bool{true, false} {
		for i := range c.found {
			f := &c.found[i]
			if (f.CausedBy == nil) == root && f.Severity != finding.Info && (worst == nil || f.Severity.Rank() < worst.Severity.Rank()) {
				worst = f
			}
		}
	}
	return worst
}

func (c *subject) lacks() string {
	for _, f := range c.found {
		if f.Code == code("none-ready") || f.Code == code("no-pod-ip") {
			return strings.TrimSuffix(f.Message, ".")
		}
	}
	return "its pods have just changed"
}

// reached is the number of endpoints that some port can use.
func reached(s *report.Service) int {
	n := 0
	for _, p := range s.Ports {
		n = max(n, p.Ready)
	}
	if len(s.Ports) == 0 {
		for _, e := range s.Endpoints {
			if e.Ready && e.State != report.EndpointStale && e.State != report.EndpointMissing {
				n++
			}
		}
	}
	return n
}

// reaches says how many of what is reached on which ports.
func (c *subject) reaches(s *report.Service) string {
	total, n := 0, reached(s)
	for _, p := range s.Ports {
		total = max(total, p.Total)
	}
	if len(s.Ports) == 0 {
		total = len(s.Endpoints)
	}
	if !c.selects() {
		what := "hand-made endpoint"
		if _, owned := ownerOf(c.svc); owned {
			what = "endpoint"
		}
		if total == 0 {
			return "has no selector and no endpoints"
		}
		return fmt.Sprintf("reaches %s%s", counted(n, what), portSentence(s.Ports))
	}
	beside, ready := c.handWrittenBeside()
	pods := fmt.Sprintf("%d of %s", max(0, n-ready), counted(max(0, total-beside), "pod"))
	if beside > 0 {
		pods += fmt.Sprintf(" and %d hand-made %s", ready, verb(ready, "address", "addresses"))
	}
	return "reaches " + pods + portSentence(s.Ports)
}

// handWrittenBeside are the addresses beside those of the selected pods that
// somebody wrote, on the port that has most, and those of them that are ready.
func (c *subject) handWrittenBeside() (all, ready int) {
	perPort := map[int][2]int{}
	for i := range c.entries {
		e := &c.entries[i]
		if e.row.State != report.EndpointManual && e.row.State != report.EndpointForeign || e.pod != nil && ended(e.pod) {
			continue
		}
		n := perPort[e.port]
		n[0]++
		if e.usable() {
			n[1]++
		}
		perPort[e.port] = n
		all, ready = max(all, n[0]), max(ready, n[1])
	}
	return all, ready
}

func portSentence(ports []report.ServicePort) string {
	if len(ports) == 0 {
		return ""
	}
	var words []string
	for _, p := range ports[:min(len(ports), 4)] {
		word := fmt.Sprint(p.Port)
		if p.Protocol != string(corev1.ProtocolTCP) {
			word += "/" + p.Protocol
		}
		to := cmp.Or(strings.ReplaceAll(p.Resolved, ",", " and "), p.TargetPort)
		word += " → " + to
		if intstr.Parse(p.TargetPort).Type == intstr.String && p.Resolved != "" {
			word += fmt.Sprintf(" (named %q)", p.TargetPort)
		}
		words = append(words, word)
	}
	if len(ports) > 4 {
		words = append(words, fmt.Sprintf("%d more", len(ports)-4))
	}
	if len(words) == 1 {
		return " on port " + words[0]
	}
	return " on ports " + strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
