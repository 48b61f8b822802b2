package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// corefiles judges the configuration as such.
func corefiles() Analyzer {
	return Analyzer{Name: "corefile", Servers: true, Docs: []finding.Doc{
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
	return edit(description, w.core.Object.Namespace, "configmap", w.core.Object.Name)
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
			own := w.dnsService != nil && slices.Contains(clusterIPs(w.dnsService), serverAddress(to))
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
