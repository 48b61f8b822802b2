package tracedns

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// aboutPrefix tells the answers of this plugin from others'.
const aboutPrefix = "trace-dns "

// about is what was asked, as it is kept: "trace-dns redis from shop/Deployment/backend".
func about(ask dns.Ask) string {
	words := aboutPrefix + ask.Name
	for _, t := range ask.Types {
		words += " " + string(t)
	}
	words += " from " + ask.Namespace
	if ask.From.Name != "" {
		words += "/" + ask.From.Kind + "/" + ask.From.Name
	}
	if ask.Container != "" {
		words += " container " + ask.Container
	}
	return words
}

// record is what a snapshot keeps of what was seen.
func record(ask dns.Ask, seen dns.Observations) source.Answers {
	document, err := json.Marshal(seen)
	if err != nil { // it holds nothing that JSON cannot say
		document = []byte("{}")
	}
	return source.Answers{About: about(ask), Document: document}
}

// recorded is what a snapshot says was seen: all of the same question, and of
// others what does not depend on the name.
func recorded(v *index.View, ask dns.Ask, all []source.Answers) dns.Observations {
	var others dns.Observations
	var client dns.Plan
	for _, a := range all {
		var seen dns.Observations
		if !strings.HasPrefix(a.About, aboutPrefix) || json.Unmarshal(a.Document, &seen) != nil {
			continue
		}
		if a.About == about(ask) {
			return seen
		}
		if client.UID == "" {
			client = dns.Live(v, ask, dns.Observations{})
		}
		if len(others.Replicas) == 0 {
			others.Replicas = seen.Replicas
		}
		if others.ResolvConf == nil && seen.Pod != "" && seen.Pod == client.UID {
			others.Pod, others.ResolvConf, others.Hosts, others.Libc, others.LibcWhy = seen.Pod, seen.ResolvConf, seen.Hosts, seen.Libc, seen.LibcWhy
		}
		others.Answers = append(others.Answers, seen.Answers...)
	}
	return others
}

// recordedNamespace is that of a recording of the same question: a snapshot
// knows no kubeconfig that could say it.
func recordedNamespace(ask dns.Ask, all []source.Answers) (string, error) {
	var found []string
	for _, a := range all {
		text, ours := strings.CutPrefix(a.About, aboutPrefix)
		_, from, _ := strings.Cut(text, " from ")
		from, _, _ = strings.Cut(from, " ")
		namespace, client, _ := strings.Cut(from, "/")
		same := ask.From.Name == "" && client == "" || client == ask.From.Kind+"/"+ask.From.Name
		if ours && same && !slices.Contains(found, namespace) {
			found = append(found, namespace)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("the snapshot has that client in several namespaces: choose with -n one of %s", strings.Join(found, ", "))
}
