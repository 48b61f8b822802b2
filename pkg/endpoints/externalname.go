package endpoints

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// externalName judges a Service that is only another name.
func externalName() Analyzer {
	return Analyzer{Name: "external name", Docs: []finding.Doc{
		page("externalname-loop", finding.Error, "The name leads back to itself",
			"A lookup follows the CNAME records in a circle and fails.",
			"The chain of ExternalName Services comes back to one that it passed.", "Let one of them name the real target.", "core/v1, ServiceSpec.ExternalName"),
		page("externalname-dead", finding.Error, "The name leads to a Service that does not exist",
			"A lookup ends in NXDOMAIN. A selector on an ExternalName Service is a lesser matter: it is ignored (a warning).",
			"The external name is that of a Service of this cluster, which is missing; or it is an address, to which no CNAME can lead; or it stops before the cluster's domain (db, db.prod, db.prod.svc), and no search list completes where a CNAME leads.", "Correct the name, or create the Service.", "core/v1, ServiceSpec.ExternalName"),
	}, Each: func(c *subject) {
		if !isExternal(c.svc) {
			return
		}
		field := fact(c.ref, "spec.externalName", c.svc.Spec.ExternalName)
		chain, end := c.chain()
		switch {
		case isAddress(c.svc.Spec.ExternalName):
			c.say("externalname-dead", finding.Error, fmt.Sprintf("its external name is the address %s; DNS can only lead a name to another name, so no lookup of it succeeds", c.svc.Spec.ExternalName), []finding.Evidence{field},
				manual("make it a Service without a selector, and write an EndpointSlice with the label kubernetes.io/service-name=%s and that address", c.svc.Name))
		case end == loops:
			c.say("externalname-loop", finding.Error, "its name leads back to itself: "+strings.Join(chain, " → "), []finding.Evidence{field},
				manual("let one of them name the real target"))
		case end == dead:
			c.say("externalname-dead", finding.Error, fmt.Sprintf("it is another name for Service/%s in namespace %s, which does not exist", target(chain[len(chain)-1]).Name, target(chain[len(chain)-1]).Namespace), []finding.Evidence{field}, c.elsewhereNamed(target(chain[len(chain)-1])))
		case c.cutShort(field):
		case len(c.svc.Spec.Selector) > 0:
			c.say("externalname-dead", finding.Warning, "it is only another name in DNS, so its selector is ignored",
				[]finding.Evidence{field, fact(c.ref, "spec.selector", selectorText(c.svc))},
				c.patchService("remove the selector", map[string]any{"op": "remove", "path": "/spec/selector"}))
		}
	}}
}

// cutShort: a search list completes what a client asks for, never where a CNAME
// record leads, so the name of a Service must be whole.
func (c *subject) cutShort(field finding.Evidence) bool {
	meant, short := c.shortFor()
	if !short {
		return false
	}
	_, there := c.v.Get(meant)
	message := fmt.Sprintf("its external name %s stops before the cluster's domain, and no search list completes where a CNAME leads", c.svc.Spec.ExternalName)
	switch oneWord := !strings.Contains(c.svc.Spec.ExternalName, "."); {
	case there:
		whole := meant.Name + "." + meant.Namespace + ".svc.cluster.local"
		c.say("externalname-dead", finding.Error, fmt.Sprintf("%s: Service/%s of namespace %s, which is meant, is not found so", message, meant.Name, meant.Namespace), []finding.Evidence{field, fact(meant, "metadata.namespace", meant.Namespace)},
			c.patchService("name it in full (cluster.local is the domain of most clusters)", map[string]any{"op": "replace", "path": "/spec/externalName", "value": whole}))
	case oneWord:
		c.say("externalname-dead", finding.Warning, message+"; names of one word are hardly ever known outside", []finding.Evidence{field}, manual("name the target in full"))
	default:
		return false // it may be a name of somebody's own domain
	}
	return true
}

// shortFor is the Service that an external name would mean if it were completed:
// x, x.ns or x.ns.svc.
func (c *subject) shortFor() (object.Ref, bool) {
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(c.svc.Spec.ExternalName), "."), ".")
	if len(parts) > 3 || len(parts) == 3 && parts[2] != "svc" || slices.Contains(parts, "") {
		return object.Ref{}, false
	}
	r := object.Ref{Version: "v1", Kind: "Service", Namespace: c.svc.Namespace, Name: parts[0]}
	if len(parts) > 1 {
		r.Namespace = parts[1]
	}
	return r, true
}

type end int

const (
	outside end = iota
	reaches
	loops
	dead
)

// chain follows ExternalNames from Service to Service.
func (c *subject) chain() ([]string, end) {
	svc := c.svc
	chain := []string{svc.Name + "." + svc.Namespace}
	seen := map[object.Ref]bool{c.ref.Key(): true}
	for range 16 {
		next, ok := inCluster(svc.Spec.ExternalName)
		if !ok {
			return chain, outside
		}
		chain = append(chain, next.Name+"."+next.Namespace)
		if seen[next.Key()] {
			return chain, loops
		}
		seen[next.Key()] = true
		it, ok := c.v.Get(next)
		if !ok {
			if presence, _ := c.v.Presence(next); presence == index.Missing {
				return chain, dead
			}
			return chain, outside
		}
		o, ok := it.Object.(*corev1.Service)
		if !ok || !isExternal(o) {
			return chain, reaches
		}
		svc = o
	}
	return chain, loops
}

// isAddress: what looks like an address is taken for a name all the same
// (core/v1, ServiceSpec.ExternalName; kubernetes.io/docs, ExternalName caveat).
func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.TrimSuffix(name, "."))
	return err == nil
}

// inCluster reads x.ns.svc, with or without the cluster's domain behind it.
func inCluster(name string) (object.Ref, bool) {
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(name), "."), ".")
	if len(parts) < 3 || parts[2] != "svc" || parts[0] == "" || parts[1] == "" {
		return object.Ref{}, false
	}
	return object.Ref{Version: "v1", Kind: "Service", Namespace: parts[1], Name: parts[0]}, true
}

func target(title string) object.Ref {
	name, namespace, _ := strings.Cut(title, ".")
	return object.Ref{Version: "v1", Kind: "Service", Namespace: namespace, Name: name}
}

// namesake is the namespace of a Service of the same name, of those that were read.
func (w *world) namesake(r object.Ref) (namespace string, found bool) {
	for _, ns := range w.namespaces() {
		if ns != r.Namespace && slices.ContainsFunc(w.byNS[ns].services, func(s *corev1.Service) bool { return s.Name == r.Name }) {
			return ns, true
		}
	}
	return "", false
}

// elsewhereNamed says where a Service of that name is.
func (w *world) elsewhereNamed(r object.Ref) finding.Fix {
	if ns, ok := w.namesake(r); ok {
		return manual("a Service of that name is in namespace %s", ns)
	}
	for _, s := range w.place(r.Namespace).services {
		if misspelt(r.Name, s.Name) {
			return manual("Service/%s is there, and is spelt a little differently", s.Name)
		}
	}
	return manual("create the Service, or correct the name")
}
