package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

const corednsSource = "CoreDNS 1.15"

// replicaHealth is what each replica says of itself.
func replicaHealth() Analyzer {
	return Analyzer{Name: "replicas", Servers: true, Docs: []finding.Doc{
		page("replica-unsynced", finding.Error, "A DNS replica has not read the API server", "It answers SERVFAIL for names of the cluster until it has.",
			"Its ready page names kubernetes, or it answers SERVFAIL for a name of the cluster.", "See its log; check that it reaches the API server.", corednsSource+", plugin/kubernetes"),
		page("config-skew", finding.Warning, "A DNS replica runs another Corefile than the ConfigMap's", "Answers depend on which replica is asked.",
			"The hash of the configuration that the replica runs is not the hash of the ConfigMap's Corefile; or the replica mounts another ConfigMap than most, with another Corefile.", "Wait for the reload (up to two minutes), or restart the Deployment; without the reload plugin a restart is needed. Let all replicas mount the same ConfigMap, or take the stranger out of the Service.", corednsSource+", plugin/reload"),
		page("max-concurrent", finding.Warning, "A DNS replica refused queries because too many were under way upstream", "Lookups of outside names fail at times, with REFUSED.",
			"coredns_forward_max_concurrent_rejects_total is not zero.", "Raise max_concurrent, or find who asks so much.", corednsSource+", plugin/forward"),
	}, Run: func(w *world) {
		for _, r := range w.seen.Replicas {
			w.unsynced(r)
			if core := w.coreOf(w.replicaNamed(r.UID)); w.stale(r) {
				w.say("config-skew", finding.Warning, r.Pod, fmt.Sprintf("%s runs another Corefile than ConfigMap/%s holds (observed)", r.Pod, core.Object.Name),
					facts(fact(r.Pod, "configuration SHA512", short(r.ConfigHash)), fact(core.Object, "data."+core.Key+" SHA512", short(core.Hash))), w.restart(w.replicaNamed(r.UID)))
			}
			w.neverReloaded(r)
			if r.MaxReject > 0 && w.forwards() {
				w.say("max-concurrent", finding.Warning, r.Pod, fmt.Sprintf("%s refused %.0f queries because too many were under way upstream (observed)", r.Pod, r.MaxReject),
					facts(fact(r.Pod, "coredns_forward_max_concurrent_rejects_total", fmt.Sprintf("%.0f", r.MaxReject))), manual("raise max_concurrent of the forward directive"))
			}
		}
	}}
}

// neverReloaded: without the reload plugin a server keeps the Corefile with
// which it was started, and its log tells of no hash.
func (w *world) neverReloaded(r Replica) {
	pod := w.replicaNamed(r.UID)
	core := w.coreOf(pod)
	if core == nil || pod == nil || !r.LogRead || r.ConfigHash != "" || slices.ContainsFunc(core.Blocks, func(b Block) bool { return b.plugin("reload") != nil }) {
		return
	}
	it, ok := w.v.Get(core.Object)
	if !ok {
		return
	}
	var changed, started time.Time
	for _, m := range it.Object.GetManagedFields() {
		if m.Time != nil && m.Time.After(changed) {
			changed = m.Time.Time
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Running != nil && c.State.Running.StartedAt.After(started) {
			started = c.State.Running.StartedAt.Time
		}
	}
	if changed.IsZero() || started.IsZero() || !started.Before(changed) {
		return
	}
	w.say("config-skew", finding.Warning, r.Pod, fmt.Sprintf("%s was started before ConfigMap/%s was changed, and the Corefile has no reload: it runs the older one", r.Pod, core.Object.Name),
		facts(fact(r.Pod, "status.containerStatuses startedAt", started.UTC().Format(time.RFC3339)), fact(core.Object, "metadata.managedFields time", changed.UTC().Format(time.RFC3339))), w.restart(pod))
}

// forwards says whether the lookup leaves the cluster.
func (w *world) forwards() bool {
	return slices.ContainsFunc(w.wanted(), func(q Question) bool { return w.expect(q).By == "forward" })
}

// stale says whether a replica runs another text than the ConfigMap holds that
// it mounts.
func (w *world) stale(r Replica) bool {
	core := w.coreOf(w.replicaNamed(r.UID))
	return core != nil && core.Hash != "" && r.ConfigHash != "" && !strings.EqualFold(r.ConfigHash, core.Hash)
}

// restart lets all pods of a DNS server's workload begin anew.
func (w *world) restart(p *corev1.Pod) finding.Fix {
	owner := object.Ref{Kind: "Deployment", Namespace: systemNamespace, Name: "coredns"}
	if p != nil {
		owner = workloadOf(p)
	}
	if owner.Kind == "Pod" {
		return command("take it away, and make it anew", owner.Namespace, "delete", "pod", owner.Name)
	}
	return command("let all replicas read it anew", owner.Namespace, "rollout", "restart", strings.ToLower(owner.Kind)+"/"+owner.Name)
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
	fix := command("see why", r.Pod.Namespace, "logs", r.Pod.Name, "--tail=50")
	for _, line := range r.Log {
		if r.Ready != nil && !*r.Ready && strings.Contains(line, "plugin/kubernetes") {
			evidence = append(evidence, fact(r.Pod, "log", line))
			if pod := w.replicaNamed(r.UID); pod != nil && strings.Contains(line, "is forbidden") {
				account := cmp.Or(pod.Spec.ServiceAccountName, "default")
				fix = command("give its account the right to read", "", "create", "clusterrolebinding", pod.Namespace+"-"+account, "--clusterrole=system:coredns", "--serviceaccount="+pod.Namespace+":"+account)
			}
			break
		}
	}
	if len(evidence) > 0 {
		w.say("replica-unsynced", finding.Error, r.Pod, fmt.Sprintf("%s has not read the API server, so it cannot answer for names of the cluster (observed)", r.Pod), evidence, fix)
	}
}

// replicaAnswers compares the replicas with one another and with the objects.
func replicaAnswers() Analyzer {
	return Analyzer{Name: "answers", Servers: true, Docs: []finding.Doc{
		page("replica-divergent", finding.Error, "A DNS replica answers otherwise", "What a pod gets depends on which replica is asked.",
			"The replica's last answer, after the TTL, differs from the others', or all differ from what the objects say. Where the replica mounts another ConfigMap, its Corefile's line that answers is shown.", "Give it the Corefile of the others, or take it out of the DNS Service; where it has the same, restart it and see its log.", corednsSource),
		page("publish-lag", finding.Info, "The record is new, and not everywhere yet", "A change takes seconds to reach every replica, and negative answers are cached.",
			"The object is younger than 30 seconds and a replica does not know it yet; or a replica answers otherwise when it is asked past its cache; or the pod does not reach servers that became ready within 20 seconds.", "Wait, and ask again.", corednsSource+", plugin/cache: denial"),
	}, Run: func(w *world) {
		for _, q := range w.askedQuestions() {
			w.diverge(q)
		}
		for _, p := range w.replicas {
			w.mixed(p)
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
	if old, today, ok := w.cached(q); ok {
		w.say("publish-lag", finding.Info, old.Pod, fmt.Sprintf("%s still answers %s %s with %s from its cache, and past it with %s (observed)", old.Pod, q.Type, q.Name, old.text(), today.text()),
			facts(fact(old.Pod, string(q.Type)+" "+q.Name, old.text())))
	}
	if w.fresh(e.Object) && !slices.ContainsFunc(c.deviant, w.explained) {
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
		late := a.Err == "timed out" || a.Rcode == ServFail
		if upstream && (a.Err == "" || late && e.By == "forward") && !w.explained(a) {
			continue // outside answers may well rotate; failures are the upstream's
		}
		w.sayDivergent(q, a, agreed)
	}
	if wanted := answerText(e.Rcode, e.Records); len(c.deviant) == 0 && e.Rcode != "" && e.By == "kubernetes" && agreed != wanted && c.rcode != ServFail {
		about := e.Object
		if about.IsZero() {
			about = w.answers(q)[0].Pod
		}
		w.say("replica-divergent", finding.Error, about, fmt.Sprintf("every DNS replica answers %s %s with %s, and by the objects it is %s (observed)", q.Type, q.Name, agreed, wanted),
			facts(fact(w.answers(q)[0].Pod, string(q.Type)+" "+q.Name, agreed), fact(about, cmp.Or(e.Field, "metadata.name"), wanted)), w.restart(w.serverPod()))
	}
}

// sayDivergent says it once of a replica, with each question that it answers
// otherwise.
func (w *world) sayDivergent(q Question, a Answer, agreed string) {
	evidence := facts(fact(a.Pod, string(q.Type)+" "+q.Name, a.text()))
	if at := slices.IndexFunc(w.found, func(f finding.Finding) bool {
		return f.Code == code("replica-divergent") && f.Object.Key() == a.Pod.Key()
	}); at >= 0 {
		w.found[at].Evidence = append(w.found[at].Evidence, evidence...)
		return
	}
	message := fmt.Sprintf("%s answers %s %s with %s; the others say %s (observed)", a.Pod, q.Type, q.Name, a.text(), agreed)
	fix := []finding.Fix{command("make it anew, if it does not mend", a.Pod.Namespace, "delete", "pod", a.Pod.Name)}
	if pod := w.replicaNamed(a.UID); a.Err == "" && w.estranged(pod) {
		why, more, ways := w.estrangedBecause(pod, q)
		message, evidence, fix = message+": "+why, append(evidence, more...), ways
	}
	w.say("replica-divergent", finding.Error, a.Pod, message, evidence, fix...)
}

// cached is an answer that a replica gives no more when it is asked past its cache.
func (w *world) cached(q Question) (old, today Answer, ok bool) {
	for _, last := range w.answers(q) {
		for _, a := range w.seen.Answers {
			if last.Again && last.Err == "" && !a.Again && a.Err == "" && a.UID == last.UID && a.Question.key() == q.key() && a.text() != last.text() {
				return a, last, true
			}
		}
	}
	return Answer{}, Answer{}, false
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
