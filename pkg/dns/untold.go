package dns

import "github.com/leadsman-dev/leadsman/pkg/finding"

// Untold are the pages of faults of DNS that trace-dns cannot tell: what the
// API server stores and what servers and pods answer is the same with and
// without them. They have no severity, and no finding ever has their name.
func Untold() []finding.Doc {
	return []finding.Doc{
		page("conntrack-race", "", "Two queries at once race for an entry in the node's connection table",
			"glibc and musl send A and AAAA from one socket at the same time. On kernels before 5.0 both may claim the same translation from the DNS Service to a pod, and one packet is dropped: a lookup takes 5 s now and then, and succeeds.",
			"It is not told. The loss is counted by the node's kernel alone, happens once in thousands of lookups, and is gone when one asks again; the replicas are asked over TCP, which has no such race.",
			"Look on the node: conntrack -S counts insert_failed. NodeLocal DNSCache ends it (it is not translated), as does a kernel of 5.0 or later; for glibc also the option single-request-reopen in dnsConfig.",
			"Linux net/netfilter: nf_nat and nf_conntrack of UDP; Kubernetes, Using NodeLocal DNSCache: motivation"),
		page("udp-conntrack-stale", "", "The node still sends queries to a DNS pod that is gone",
			"An entry of the node's connection table outlives the pod to which it leads, while a client asks from the same port again and again: that client's lookups time out, all others work.",
			"It is not told. The table is on the node, and neither its entries nor what kube-proxy deletes from it is in the API server; a lookup that starts from a fresh port, as getent's, is well.",
			"Look on the node: conntrack -L -p udp --dport 53 shows entries with the address of a pod that is no more; conntrack -D removes them. kube-proxy does so itself when it works: see its log.",
			"k8s.io/kubernetes pkg/proxy/conntrack, CleanStaleEntries"),
	}
}
