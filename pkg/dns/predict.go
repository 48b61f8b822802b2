package dns

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Node is what the kubelet of the client's node knows.
type Node struct {
	ClusterDNS    []string
	ClusterDomain string
	Host          *ResolvConf // the node's own file; nil where it was not seen
}

// Prediction is the resolv.conf that the kubelet writes for a pod.
type Prediction struct {
	Conf     ResolvConf
	Policy   string   // the rules that applied: "ClusterFirst", "Default", "None"
	Why      string   // in words
	Cut      []string // what the kubelet leaves out: each raises event DNSConfigForming
	HostPart bool     // a part comes from the node's file, which was not seen
}

// Predict follows k8s.io/kubernetes pkg/kubelet/network/dns, GetPodDNS.
func Predict(spec *corev1.PodSpec, namespace string, node Node) Prediction {
	p := Prediction{}
	policy := spec.DNSPolicy
	if policy == "" {
		policy = corev1.DNSClusterFirst
	}
	switch {
	case policy == corev1.DNSNone:
		p.Policy, p.Why = "None", "dnsPolicy None"
	case policy == corev1.DNSDefault:
		p.Policy, p.Why = "Default", "dnsPolicy Default: the node's own resolv.conf"
	case policy == corev1.DNSClusterFirst && spec.HostNetwork:
		p.Policy, p.Why = "Default", "dnsPolicy ClusterFirst with hostNetwork falls back to the node's own resolv.conf"
	default:
		p.Policy, p.Why = "ClusterFirst", "dnsPolicy "+string(policy)
		if len(node.ClusterDNS) == 0 {
			p.Policy, p.Why = "Default", "the kubelet knows no clusterDNS (event MissingClusterDNS), so it writes the node's own resolv.conf"
		}
	}
	p.base(namespace, node)
	p.merge(spec.DNSConfig)
	p.limit()
	return p
}

func (p *Prediction) base(namespace string, node Node) {
	var host ResolvConf
	if node.Host != nil {
		host = *node.Host
	}
	switch p.Policy {
	case "None":
		return
	case "Default":
		p.Conf = ResolvConf{Nameservers: slices.Clone(host.Nameservers), Search: slices.Clone(host.Search), Options: slices.Clone(host.Options)}
		p.HostPart = node.Host == nil
	default:
		d := strings.TrimSuffix(node.ClusterDomain, ".")
		p.Conf = ResolvConf{Nameservers: slices.Clone(node.ClusterDNS), Options: []string{clusterFirstDots}}
		if d != "" {
			p.Conf.Search = []string{namespace + ".svc." + d, "svc." + d, d}
		}
		p.Conf.Search = distinct(append(p.Conf.Search, host.Search...))
		p.HostPart = node.Host == nil
	}
}

func (p *Prediction) merge(c *corev1.PodDNSConfig) {
	if c == nil {
		return
	}
	p.Conf.Nameservers = distinct(append(p.Conf.Nameservers, c.Nameservers...))
	p.Conf.Search = distinct(append(p.Conf.Search, c.Searches...))
	var options []string
	for _, o := range c.Options {
		if o.Value != nil && *o.Value != "" {
			options = append(options, o.Name+":"+*o.Value)
		} else {
			options = append(options, o.Name)
		}
	}
	p.Conf.Options = mergeOptions(p.Conf.Options, options)
	if p.Why != "" {
		p.Why += " and dnsConfig"
	}
}

func (p *Prediction) limit() {
	if n := p.Conf.Nameservers; len(n) > maxNameservers {
		p.Cut = append(p.Cut, "nameservers "+strings.Join(n[maxNameservers:], " ")+" (three are kept)")
		p.Conf.Nameservers = n[:maxNameservers]
	}
	search := p.Conf.Search
	if len(search) > maxSearches {
		p.Cut = append(p.Cut, fmt.Sprintf("%d search domains after the 32nd", len(search)-maxSearches))
		search = search[:maxSearches]
	}
	var kept []string
	for _, s := range search {
		if len(s) > maxSearchEntry {
			p.Cut = append(p.Cut, "search "+s[:32]+"… (longer than 253 characters)")
			continue
		}
		kept = append(kept, s)
	}
	for len(kept) > 0 && len(strings.Join(kept, " ")) > maxSearchChars {
		p.Cut = append(p.Cut, "search "+kept[len(kept)-1]+" (2048 characters are kept)")
		kept = kept[:len(kept)-1]
	}
	p.Conf.Search = kept
	p.Conf.LongLine = p.Conf.lineLength() >= muslLine
}

func distinct(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
