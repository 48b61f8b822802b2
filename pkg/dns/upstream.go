package dns

import (
	"fmt"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// upstreams is what lies behind forward.
func upstreams() Analyzer {
	return Analyzer{Name: "upstream", Servers: true, Docs: []finding.Doc{
		page("upstream-timeout", finding.Error, "The servers to which CoreDNS forwards do not answer", "Names outside of the cluster are not found.",
			"Every replica answers SERVFAIL, or not at all, for a name that is forwarded; as a warning where the name is plainly the cluster's.", "Check the servers of the forward directive from the node.", corednsSource+", plugin/forward"),
		page("upstream-partial", finding.Warning, "Some replicas do not reach their upstream", "Names outside of the cluster are found or not, depending on the replica.",
			"Some replicas answer a forwarded name, others answer SERVFAIL.", "Compare the nodes on which the replicas run.", corednsSource+", plugin/forward"),
	}, Run: func(w *world) {
		for _, q := range w.askedQuestions() {
			e := w.expect(q)
			if e.By != "forward" {
				continue
			}
			bad, good := []Answer{}, 0
			for _, a := range w.answers(q) {
				switch {
				case a.Err != "" && !strings.Contains(a.Err, "time"):
				case a.Err != "" || a.Rcode == ServFail:
					bad = append(bad, a)
				default:
					good++
				}
			}
			if len(bad) == 0 {
				continue
			}
			evidence := facts(fact(w.core.Object, w.at(e.Line), e.Why), fact(bad[0].Pod, string(q.Type)+" "+q.Name, bad[0].text()))
			if good > 0 {
				w.say("upstream-partial", finding.Warning, bad[0].Pod, fmt.Sprintf("%s gets no answer from its upstream for %s; other replicas do (observed)", bad[0].Pod, q.Name), evidence,
					command("see where it runs, and what its log says", bad[0].Pod.Namespace, "logs", bad[0].Pod.Name, "--tail=50"))
			} else {
				severity := finding.Error
				if w.internal() && !w.name.Rooted {
					severity = finding.Warning // the name is the cluster's: that it is not found is no fault of theirs
				}
				w.say("upstream-timeout", severity, w.core.Object, fmt.Sprintf("no DNS replica gets an answer for %s: %s (observed)", q.Name, strings.TrimSuffix(e.Why, ", which was not asked")), evidence,
					w.editCorefile("forward to servers that answer"))
			}
			return
		}
	}}
}
