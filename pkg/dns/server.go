package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

const corednsSource = "CoreDNS 1.15"

// corefiles judges the configuration as such.
func corefiles() Analyzer {
	return Analyzer{Name: "corefile", Docs: []finding.Doc{
		page("corefile-error", finding.Error, "CoreDNS cannot read its Corefile", "Replicas that run keep the old one; one that starts anew crashes.",
			"The Corefile does not parse, or names a plugin that does not exist.", "Correct the line.", corednsSource+", caddyfile"),
		page("forward-loop", finding.Error, "CoreDNS forwards to itself", "Queries for outside names go round until the loop plugin stops the process, or for ever.",
			"forward names the DNS Service's own address, or reads the resolv.conf of a pod that itself asks the cluster's DNS; or the loop plugin said so in the log.", "Forward to the node's upstream servers; give the DNS pods dnsPolicy: Default.", corednsSource+", plugin/loop"),
		page("autopath-mismatch", finding.Warning, "autopath needs pods verified", "autopath finds a client's search list by its pod, which the kubernetes plugin knows only with pods verified.",
			"A server block has autopath @kubernetes, and its kubernetes directive says otherwise than pods verified.", "Set pods verified.", corednsSource+", plugin/autopath"),
		page("serve-stale", finding.Info, "The cache may answer with records that have ended", "While nothing upstream answers, old answers are served.",
			"The cache directive says serve_stale.", "Know it when an answer looks old; the TTL is then 0.", corednsSource+", plugin/cache"),
	}, Run: func(w *world) {
		if w.core == nil {
			return
		}
		w.syntax()
		w.loops()
		for i := range w.core.Blocks {
			w.oddities(&w.core.Blocks[i])
		}
	}}
}

// at is the place of a directive, as evidence.
func (w *world) at(line int) string { return fmt.Sprintf("data.%s line %d", w.core.Key, line) }

func (w *world) editCorefile(description string) finding.Fix {
	return command(description, w.core.Object.Namespace, "edit", "configmap", w.core.Object.Name)
}

func (w *world) syntax() {
	if w.core.Err == nil {
		return
	}
	w.say("corefile-error", finding.Error, w.core.Object, "CoreDNS cannot read its Corefile: "+w.core.Err.Error()+"; replicas that run keep the old one, and none can start anew",
		facts(fact(w.core.Object, w.at(w.core.ErrLine), strings.TrimSpace(lineOf(w.core.Text, w.core.ErrLine)))), w.editCorefile(fmt.Sprintf("correct line %d", w.core.ErrLine)))
}

func lineOf(text string, n int) string {
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

func (w *world) loops() {
	for _, r := range w.seen.Replicas {
		for _, line := range r.Log {
			if strings.Contains(line, "plugin/loop: Loop") {
				w.say("forward-loop", finding.Error, r.Pod, "CoreDNS forwards to itself, and ended because of it (observed in its log)", facts(fact(r.Pod, "log", line)), w.editCorefile("forward to servers outside of the cluster"))
				return
			}
		}
	}
	for _, b := range w.core.Blocks {
		d := b.plugin("forward")
		if d == nil || len(d.Args) < 2 {
			continue
		}
		for _, to := range d.Args[1:] {
			own := w.dnsService != nil && slices.Contains(clusterIPs(w.dnsService), strings.TrimSuffix(strings.TrimPrefix(to, "dns://"), ":53"))
			pod := w.serverPod()
			file := to == "/etc/resolv.conf" && pod != nil && !pod.Spec.HostNetwork && (pod.Spec.DNSPolicy == corev1.DNSClusterFirst || pod.Spec.DNSPolicy == "")
			evidence := facts(fact(w.core.Object, w.at(d.Line), "forward "+strings.Join(d.Args, " ")))
			switch {
			case own:
				w.say("forward-loop", finding.Error, w.core.Object, fmt.Sprintf("CoreDNS forwards to %s, which is its own Service", to), evidence, w.editCorefile("forward to servers outside of the cluster"))
			case file:
				w.say("forward-loop", finding.Error, podRef(pod), "CoreDNS forwards to its own pod's resolv.conf, which with dnsPolicy ClusterFirst names CoreDNS itself",
					append(evidence, fact(podRef(pod), "spec.dnsPolicy", cmp.Or(string(pod.Spec.DNSPolicy), "ClusterFirst"))),
					command("give the DNS pods the node's resolv.conf", pod.Namespace, "patch", "deployment", "coredns", "-p", `{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}`))
			}
		}
	}
}

func (w *world) oddities(b *Block) {
	if d := b.plugin("autopath"); d != nil && len(d.Args) > 0 && d.Args[len(d.Args)-1] == "@kubernetes" {
		if k := b.plugin("kubernetes"); k != nil && w.kubernetesAt(b, k).pods != "verified" {
			w.say("autopath-mismatch", finding.Warning, w.core.Object, fmt.Sprintf("autopath @kubernetes needs pods verified, and the directive says pods %s: search lists are not shortened", w.kubernetesAt(b, k).pods),
				facts(fact(w.core.Object, w.at(d.Line), "autopath "+strings.Join(d.Args, " "))), w.editCorefile("set pods verified in the kubernetes directive"))
		}
	}
	if d := b.plugin("cache"); d != nil {
		if _, ok := d.property("serve_stale"); ok {
			w.say("serve-stale", finding.Info, w.core.Object, "the cache may answer with records that have ended, while nothing upstream answers", facts(fact(w.core.Object, w.at(d.Line), "serve_stale")))
		}
	}
}

// replicaHealth is what each replica says of itself.
func replicaHealth() Analyzer {
	return Analyzer{Name: "replicas", Docs: []finding.Doc{
		page("replica-unsynced", finding.Error, "A DNS replica has not read the API server", "It answers SERVFAIL for names of the cluster until it has.",
			"Its ready page names kubernetes, or it answers SERVFAIL for a name of the cluster.", "See its log; check that it reaches the API server.", corednsSource+", plugin/kubernetes"),
		page("config-skew", finding.Warning, "A DNS replica runs another Corefile than the ConfigMap's", "Answers depend on which replica is asked.",
			"The hash of the configuration that the replica runs is not the hash of the ConfigMap's Corefile.", "Wait for the reload (up to two minutes), or restart the Deployment; without the reload plugin a restart is needed.", corednsSource+", plugin/reload"),
		page("max-concurrent", finding.Warning, "A DNS replica refused queries because too many were under way upstream", "Lookups of outside names fail at times, with REFUSED.",
			"coredns_forward_max_concurrent_rejects_total is not zero.", "Raise max_concurrent, or find who asks so much.", corednsSource+", plugin/forward"),
	}, Run: func(w *world) {
		for _, r := range w.seen.Replicas {
			w.unsynced(r)
			if w.core != nil && w.core.Hash != "" && r.ConfigHash != "" && !strings.EqualFold(r.ConfigHash, w.core.Hash) {
				w.say("config-skew", finding.Warning, r.Pod, fmt.Sprintf("%s runs another Corefile than ConfigMap/%s holds (observed)", r.Pod, w.core.Object.Name),
					facts(fact(r.Pod, "configuration SHA512", short(r.ConfigHash)), fact(w.core.Object, "data."+w.core.Key+" SHA512", short(w.core.Hash))), w.restartServers())
			}
			if r.MaxReject > 0 {
				w.say("max-concurrent", finding.Warning, r.Pod, fmt.Sprintf("%s refused %.0f queries because too many were under way upstream (observed)", r.Pod, r.MaxReject),
					facts(fact(r.Pod, "coredns_forward_max_concurrent_rejects_total", fmt.Sprintf("%.0f", r.MaxReject))), manual("raise max_concurrent of the forward directive"))
			}
		}
	}}
}

func (w *world) restartServers() finding.Fix {
	name := "coredns"
	if p := w.serverPod(); p != nil {
		if hash := p.Labels["pod-template-hash"]; hash != "" {
			if base, _, ok := strings.Cut(p.Name, "-"+hash); ok {
				name = base
			}
		}
		return command("let all replicas read it anew", p.Namespace, "rollout", "restart", "deployment/"+name)
	}
	return command("let all replicas read it anew", systemNamespace, "rollout", "restart", "deployment/"+name)
}

func short(hash string) string { return hash[:min(len(hash), 12)] }

func (w *world) unsynced(r Replica) {
	evidence := facts()
	if r.Ready != nil && !*r.Ready && strings.Contains(r.ReadyText, "kubernetes") {
		evidence = facts(fact(r.Pod, "ready plugin", r.ReadyText))
	}
	for _, a := range w.seen.Answers {
		if len(evidence) == 0 && a.Pod.Key() == r.Pod.Key() && a.Rcode == ServFail && a.Err == "" && w.expect(a.Question).By == "kubernetes" {
			evidence = facts(fact(r.Pod, string(a.Question.Type)+" "+a.Question.Name, "SERVFAIL"))
		}
	}
	if len(evidence) > 0 {
		w.say("replica-unsynced", finding.Error, r.Pod, fmt.Sprintf("%s has not read the API server, so it cannot answer for names of the cluster (observed)", r.Pod), evidence,
			command("see why", r.Pod.Namespace, "logs", r.Pod.Name, "--tail=50"))
	}
}

// replicaAnswers compares the replicas with one another and with the objects.
func replicaAnswers() Analyzer {
	return Analyzer{Name: "answers", Docs: []finding.Doc{
		page("replica-divergent", finding.Error, "A DNS replica answers otherwise", "What a pod gets depends on which replica is asked.",
			"The replica's last answer, after the TTL, differs from the others', or all differ from what the objects say.", "Restart the replica; see its log.", corednsSource),
		page("publish-lag", finding.Info, "The record is new, and not everywhere yet", "A change takes seconds to reach every replica, and negative answers are cached.",
			"The object is younger than 30 seconds, and a replica does not know it yet.", "Wait, and ask again.", corednsSource+", plugin/cache: denial"),
	}, Run: func(w *world) {
		for _, q := range w.askedQuestions() {
			w.diverge(q)
		}
	}}
}

func (w *world) askedQuestions() []Question {
	var out []Question
	for _, a := range w.seen.Answers {
		if q := a.Question.key(); !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	return out
}

func (w *world) diverge(q Question) {
	c, ok := w.consensus(q)
	if !ok {
		return
	}
	e := w.expect(q)
	if w.fresh(e.Object) {
		if slices.ContainsFunc(w.answers(q), func(a Answer) bool { return a.Err == "" && a.text() != answerText(e.Rcode, e.Records) }) && e.Rcode == NoError {
			w.say("publish-lag", finding.Info, e.Object, fmt.Sprintf("%s is new, and not every DNS replica has it yet (observed)", e.Object), facts(fact(e.Object, "metadata.creationTimestamp", w.created(e.Object).UTC().Format(time.RFC3339))))
		}
		return
	}
	agreed := answerText(c.rcode, nil)
	if len(c.records) > 0 {
		agreed = strings.Join(sorted(c.records), " ")
	}
	upstream := e.By == "forward" || e.By == ""
	for _, a := range c.deviant {
		if upstream && a.Err == "" {
			continue // outside answers may well rotate; failures are upstream-partial's
		}
		w.say("replica-divergent", finding.Error, a.Pod, fmt.Sprintf("%s answers %s %s with %s; the others say %s (observed)", a.Pod, q.Type, q.Name, a.text(), agreed),
			facts(fact(a.Pod, string(q.Type)+" "+q.Name, a.text())), command("make it anew, if it does not mend", a.Pod.Namespace, "delete", "pod", a.Pod.Name))
	}
	if wanted := answerText(e.Rcode, e.Records); len(c.deviant) == 0 && e.Rcode != "" && e.By == "kubernetes" && agreed != wanted && c.rcode != ServFail {
		about := e.Object
		if about.IsZero() {
			about = w.answers(q)[0].Pod
		}
		w.say("replica-divergent", finding.Error, about, fmt.Sprintf("every DNS replica answers %s %s with %s, and by the objects it is %s (observed)", q.Type, q.Name, agreed, wanted),
			facts(fact(w.answers(q)[0].Pod, string(q.Type)+" "+q.Name, agreed), fact(about, cmp.Or(e.Field, "metadata.name"), wanted)), w.restartServers())
	}
}

func sorted(in []string) []string { out := slices.Clone(in); slices.Sort(out); return out }

// fresh says whether an object is so new that replicas may not have it.
func (w *world) fresh(r object.Ref) bool {
	t := w.created(r)
	return !t.IsZero() && w.v.Now.Sub(t) < 30*time.Second
}

func (w *world) created(r object.Ref) time.Time {
	if it, ok := w.v.Get(r); ok {
		return it.Object.GetCreationTimestamp().Time
	}
	return time.Time{}
}

// upstreams is what lies behind forward.
func upstreams() Analyzer {
	return Analyzer{Name: "upstream", Docs: []finding.Doc{
		page("upstream-timeout", finding.Error, "The servers to which CoreDNS forwards do not answer", "Names outside of the cluster are not found.",
			"Every replica answers SERVFAIL, or not at all, for a name that is forwarded.", "Check the servers of the forward directive from the node.", corednsSource+", plugin/forward"),
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
				w.say("upstream-timeout", finding.Error, w.core.Object, fmt.Sprintf("no DNS replica gets an answer for %s: %s (observed)", q.Name, strings.TrimSuffix(e.Why, ", which was not asked")), evidence,
					w.editCorefile("forward to servers that answer"))
			}
			return
		}
	}}
}

// serverBlocks is which block and plugin answers, where that is a fault.
func serverBlocks() Analyzer {
	return Analyzer{Name: "blocks", Docs: []finding.Doc{
		page("no-server-block", finding.Error, "No server block of the Corefile serves the name", "CoreDNS answers REFUSED, or SERVFAIL where a block has nothing that answers.",
			"The longest zone that holds the name is in no server block, or no plugin of its block answers.", "Add a server block for the root zone, with forward.", corednsSource+", core/dnsserver"),
		page("zone-shadow", finding.Error, "A server block for a longer zone hides the cluster's names", "The block without the kubernetes plugin answers for names of Services.",
			"A name of the cluster domain is served by a block of a longer zone that has no kubernetes directive.", "Take the zone out of that block.", corednsSource+", core/dnsserver: longest match"),
		page("fallthrough-missing", finding.Error, "A plugin answers NXDOMAIN for all that it does not know", "What comes after it in the chain is never asked.",
			"hosts (or kubernetes for reverse zones) answers NXDOMAIN without fallthrough, and a later plugin would answer.", "Add fallthrough to it.", corednsSource+", plugin/hosts"),
		page("rewrite-applied", finding.Info, "A rewrite rule changes the name", "CoreDNS looks up another name than was asked.",
			"A rewrite directive matches a name of the ladder.", "Know it; correct the rule if it is not meant.", corednsSource+", plugin/rewrite"),
		page("acl-or-view", finding.Info, "The answer depends on who asks", "acl and view choose by the client's address, so what was asked through a port-forward proves little.",
			"The server block has acl or view.", "Ask from the pod itself.", corednsSource+", plugin/acl, plugin/view"),
		page("namespace-or-label-filter", finding.Error, "The Corefile hides the namespace or the Service", "The object exists, and CoreDNS is told not to serve it.",
			"The kubernetes directive has namespaces, namespace_labels or labels, and they leave the object out.", "Widen the option, or label the object.", corednsSource+", plugin/kubernetes"),
		page("noendpoints", finding.Error, "The Corefile turns off records of endpoints", "Headless Services and pods' hostnames are not answered.",
			"The kubernetes directive says noendpoints, and the name needs endpoints.", "Remove noendpoints.", corednsSource+", plugin/kubernetes"),
	}, Run: func(w *world) {
		if w.core == nil || w.core.Err != nil {
			return
		}
		for _, q := range w.wanted() {
			w.blockOf(q)
		}
	}}
}

// wanted are the questions of the primary ladder that are or may be asked.
func (w *world) wanted() []Question {
	l := w.primary()
	if l == nil {
		return nil
	}
	var out []Question
	for _, s := range l.steps {
		if s.State != NotAsked {
			for _, t := range w.types() {
				out = append(out, Question{Name: s.Name, Type: t}.key())
			}
		}
	}
	return out
}

func (w *world) blockOf(q Question) {
	e := w.expect(q)
	clusterName := within(w.defaultZones()[0], q.Name)
	var b *Block
	if e.Block > 0 {
		b = &w.core.Blocks[e.Block-1]
	}
	if e.Renamed != "" {
		w.say("rewrite-applied", finding.Info, w.core.Object, fmt.Sprintf("CoreDNS looks up %s instead of %s", e.Renamed, q.Name), facts(fact(w.core.Object, w.at(e.RenLine), strings.TrimSpace(lineOf(w.core.Text, e.RenLine)))))
	}
	if b != nil {
		for _, name := range []string{"acl", "view"} {
			if d := b.plugin(name); d != nil {
				w.say("acl-or-view", finding.Info, w.core.Object, fmt.Sprintf("%s (line %d) chooses by who asks, so the answer may be another for the pod", name, d.Line), facts(fact(w.core.Object, w.at(d.Line), name+" "+strings.Join(d.Args, " "))))
			}
		}
	}
	switch {
	case e.Cause == "no-server-block" && !w.resolved():
		w.say("no-server-block", finding.Error, w.core.Object, fmt.Sprintf("no server block of the Corefile serves %s: CoreDNS answers REFUSED", q.Name), facts(fact(w.core.Object, "data."+w.core.Key, "no block whose zone holds "+q.Name)), w.editCorefile("add a server block for the zone . with forward"))
	case clusterName && b != nil && b.plugin("kubernetes") == nil && w.shadowed(b):
		w.say("zone-shadow", finding.Error, w.core.Object, fmt.Sprintf("%s is served by the block of %s, which has no kubernetes directive", q.Name, strings.Join(b.zones(), " ")), facts(fact(w.core.Object, w.at(b.Line), strings.TrimSpace(lineOf(w.core.Text, b.Line)))), w.editCorefile("take the zone out of that block"))
	case (e.By == "hosts" || e.By == "kubernetes" && q.Type == PTR) && e.Rcode == NXDomain && b != nil && b.plugin("forward") != nil && !w.resolved():
		w.say("fallthrough-missing", finding.Error, w.core.Object, fmt.Sprintf("%s answers NXDOMAIN for %s without asking further: it has no fallthrough", e.By, q.Name), facts(fact(w.core.Object, w.at(e.Line), e.By)), w.editCorefile("add fallthrough to "+e.By))
	case (e.Cause == "namespace-or-label-filter" || e.Cause == "noendpoints") && !w.resolved() && !e.Object.IsZero() && (e.Object.Kind == "Service" || e.Object.Name == w.namespace || w.seenNamespace(e.Object.Name) == index.Present):
		w.say(e.Cause, finding.Error, e.Object, fmt.Sprintf("%s is not served: %s", e.Object, e.Why), facts(fact(w.core.Object, w.at(e.Line), strings.TrimSpace(lineOf(w.core.Text, e.Line)))), w.editCorefile("let the kubernetes directive serve it"))
	}
}

// shadowed says whether the kubernetes plugin stands in another block.
func (w *world) shadowed(b *Block) bool {
	return slices.ContainsFunc(w.core.Blocks, func(o Block) bool { return o.plugin("kubernetes") != nil && !slices.Equal(o.zones(), b.zones()) })
}
