package dns

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// kubernetes answers as CoreDNS' kubernetes plugin does (coredns
// plugin/kubernetes and plugin/backend_lookup.go, v1.15; DNS specification 1.1).
type kubernetes struct {
	w            *world
	d            *Directive // nil where no Corefile was seen
	zones        []string
	pods         string // "disabled", "insecure", "verified"
	podNames     bool   // endpoint_pod_names
	noEndpoints  bool
	ignoreEmpty  bool
	namespaces   []string
	selector     labels.Selector
	nsSelector   labels.Selector
	multicluster bool
	zonal        bool
}

func (w *world) kubernetesAt(b *Block, d *Directive) *kubernetes {
	k := &kubernetes{w: w, d: d, zones: b.origins(d.Args), pods: "disabled"}
	for _, p := range d.Sub {
		args := p.Args[1:]
		switch p.Args[0] {
		case "pods":
			if len(args) == 1 {
				k.pods = args[0]
			}
		case "endpoint_pod_names":
			k.podNames = true
		case "noendpoints":
			k.noEndpoints = true
		case "ignore":
			k.ignoreEmpty = slices.Contains(args, "empty_service")
		case "namespaces":
			k.namespaces = append(k.namespaces, args...)
		case "labels":
			k.selector = parseSelector(args)
		case "namespace_labels":
			k.nsSelector = parseSelector(args)
		case "multicluster":
			k.multicluster = true
		case "zonal":
			k.zonal = true
		}
	}
	return k
}

func parseSelector(args []string) labels.Selector {
	s, err := labels.Parse(strings.Join(args, " "))
	if err != nil {
		return nil
	}
	return s
}

func (k *kubernetes) through(name string) bool { return k.d != nil && fallsThrough(k.d, name) }

// parsed is a name below a zone, by its parts.
type parsed struct {
	port, protocol, endpoint, service, namespace string
	kind                                         string // "svc", "pod"; "" is the apex
}

// parseRequest follows coredns plugin/kubernetes/parse.go. false: a shape that
// nothing has.
func parseRequest(name, zone string) (parsed, bool) {
	base := strings.TrimSuffix(strings.TrimSuffix(name, zone), ".")
	if base == "" || base == "svc" || base == "pod" {
		return parsed{}, true
	}
	l := strings.Split(base, ".")
	p := parsed{kind: l[len(l)-1]}
	if p.kind != "svc" && p.kind != "pod" {
		return p, false
	}
	part := func(i int) string {
		if at := len(l) - 1 - i; at >= 0 {
			return l[at]
		}
		return ""
	}
	p.namespace, p.service = part(1), part(2)
	switch len(l) {
	case 1, 2, 3:
	case 4:
		p.endpoint = part(3)
	case 5:
		p.protocol, p.port = strings.TrimPrefix(part(3), "_"), strings.TrimPrefix(part(4), "_")
	default:
		return p, false
	}
	return p, true
}

// host is one address or target that stands behind a name.
type host struct {
	ip, target string // one of them
	name       string // whose record it is, for SRV
	port       int32
	object     object.Ref
	field      string
}

func (k *kubernetes) answer(q Question) Expected {
	zone := longest(k.zones, q.Name)
	if q.Type == PTR {
		if addr, ok := reversedAddress(q.Name); ok {
			return k.reverse(q, addr)
		}
	}
	base := strings.TrimSuffix(strings.TrimSuffix(q.Name, zone), ".")
	switch {
	case zone == "":
		return Expected{Why: "outside of the cluster's zones"}
	case q.Type == TXT && base == "dns-version":
		return Expected{Rcode: NoError, Records: []Record{{Name: q.Name, Type: TXT, Data: `"1.1.0"`}}, Why: "the version of the DNS specification"}
	case base == "" && (q.Type == SOA || q.Type == NS):
		return Expected{Rcode: NoError, Why: "the zone's own record"}
	case base == "ns.dns" && (q.Type == A || q.Type == AAAA):
		return Expected{Why: "the server's own address"}
	case strings.HasSuffix(zone, ".arpa."):
		return Expected{Rcode: NXDomain, Why: "not the whole of an address"}
	}
	e := k.lookup(q, zone, 0)
	return e
}

// lookup finds what stands behind a name and makes records of it.
func (k *kubernetes) lookup(q Question, zone string, depth int) Expected {
	hosts, e := k.behind(q, zone)
	if e.Rcode != "" || len(hosts) == 0 {
		return e
	}
	if q.Type == TXT {
		e.Rcode = NXDomain
		if len(hosts) > 0 {
			e.Rcode = NoData
		}
		return e
	}
	e.Object, e.Field = hosts[0].object, hosts[0].field
	if q.Type == SRV {
		return srv(q, hosts, e)
	}
	return k.addresses(q, zone, hosts, e, depth)
}

// maxChain is coredns plugin/backend_lookup.go, maxCnameChainLength.
const maxChain = 10

func (k *kubernetes) addresses(q Question, zone string, hosts []host, e Expected, depth int) Expected {
	for _, h := range hosts {
		if h.target != "" {
			return k.follow(q, zone, h, e, depth)
		}
		six := strings.Contains(h.ip, ":")
		if (q.Type == A && !six || q.Type == AAAA && six) && !slices.ContainsFunc(e.Records, func(r Record) bool { return r.Data == h.ip }) {
			if len(e.Records) == 0 {
				e.Object, e.Field = h.object, h.field
			}
			e.Records = append(e.Records, Record{Name: q.Name, Type: q.Type, Data: h.ip})
		}
	}
	e.Rcode = NoError
	if len(e.Records) == 0 {
		e.Rcode = NoData
		if q.Type == A || q.Type == AAAA {
			e.Why = "there is no address of this family"
			e.Cause = "family-missing"
		}
	}
	return e
}

// follow is a CNAME: in the zone it is answered only if its target is, outside
// of it the upstream is asked, and what it says is added.
func (k *kubernetes) follow(q Question, zone string, h host, e Expected, depth int) Expected {
	target := strings.ToLower(fqdn(h.target))
	cname := Record{Name: q.Name, Type: CNAME, Data: fqdn(h.target)}
	if q.Type == CNAME {
		e.Rcode, e.Records = NoError, []Record{cname}
		return e
	}
	if q.Type != A && q.Type != AAAA {
		e.Rcode = NoData
		return e
	}
	if !within(zone, target) {
		up := k.w.expect(Question{Name: target, Type: q.Type})
		e.Records, e.Why = []Record{cname}, "an ExternalName: the answer for "+target+" is added"
		if up.Rcode != "" {
			e.Rcode = NoError
			e.Records = append(e.Records, up.Records...)
		}
		return e
	}
	if within(target, q.Name) || depth >= maxChain {
		e.Rcode, e.Why, e.Cause = NoData, "the ExternalName leads back to itself", "externalname-dangling"
		return e
	}
	next := k.lookup(Question{Name: target, Type: q.Type}, zone, depth+1)
	switch {
	case next.Rcode == "":
		e.Records, e.Why = []Record{cname}, next.Why
	case len(next.Records) > 0:
		e.Rcode, e.Records = NoError, append([]Record{cname}, next.Records...)
	default:
		e.Rcode, e.Cause = NoData, "externalname-internal-missing"
		if next.Cause == "externalname-dangling" {
			e.Cause, e.Why = next.Cause, "the ExternalNames lead in a circle"
			return e
		}
		e.Why = fmt.Sprintf("the target %s of the ExternalName has no such record", target)
		if next.Cause == "family-missing" {
			e.Cause = next.Cause
		}
	}
	return e
}

func srv(q Question, hosts []host, e Expected) Expected {
	hosts = slices.DeleteFunc(slices.Clone(hosts), func(h host) bool { return h.target != "" || h.port < 0 })
	e.Rcode = NoData
	weight := 0
	if len(hosts) > 0 {
		e.Rcode = NoError
		weight = max(1, int(math.Floor(100/float64(100*len(hosts))*100)))
	}
	for _, h := range hosts {
		r := Record{Name: q.Name, Type: SRV, Data: fmt.Sprintf("0 %d %d %s", weight, h.port, h.name)}
		if !slices.Contains(e.Records, r) {
			e.Records = append(e.Records, r)
		}
	}
	return e
}

// exposed says whether the plugin serves a namespace.
func (k *kubernetes) exposed(namespace string) (index.Presence, string) {
	if len(k.namespaces) > 0 && !slices.Contains(k.namespaces, namespace) {
		return index.Missing, "namespace-or-label-filter"
	}
	presence := k.w.seenNamespace(namespace)
	if presence == index.Present && k.nsSelector != nil {
		it, ok := k.w.v.Get(object.Ref{Version: "v1", Kind: "Namespace", Name: namespace})
		switch {
		case !ok:
			return index.Unknown, ""
		case !k.nsSelector.Matches(labels.Set(it.Object.GetLabels())):
			return index.Missing, "namespace-or-label-filter"
		}
	}
	return presence, ""
}

// behind finds the hosts of a name. An Expected with an Rcode is the answer
// already; one without, and no hosts, means that it is not known.
func (k *kubernetes) behind(q Question, zone string) ([]host, Expected) {
	r, ok := parseRequest(q.Name, zone)
	switch {
	case !ok && k.zonal && strings.Contains(q.Name, "._zone."):
		return nil, Expected{Why: "a zone-scoped name"}
	case !ok:
		return nil, Expected{Rcode: NXDomain, Why: "no record has this shape"}
	case r.kind == "":
		return nil, Expected{Rcode: NoData, Why: "the zone exists, without an address of its own"}
	case r.kind == "svc" && k.multicluster && strings.Contains(zone, "clusterset"):
		return nil, Expected{Why: "a name of the cluster set"}
	}
	if r.namespace == "" {
		return nil, Expected{Rcode: NoData}
	}
	presence, cause := k.exposed(r.namespace)
	ns := object.Ref{Version: "v1", Kind: "Namespace", Name: r.namespace}
	switch {
	case presence == index.Missing:
		return nil, Expected{Rcode: NXDomain, Object: ns, Cause: cause, Why: fmt.Sprintf("there is no namespace %s", r.namespace) + map[bool]string{true: " that the Corefile exposes"}[cause != ""]}
	case presence == index.Unknown && (r.service == "" || r.kind == "pod"):
		return nil, Expected{Why: fmt.Sprintf("whether there is a namespace %s was not seen", r.namespace)}
	case r.service == "":
		return nil, Expected{Rcode: NoData, Object: ns, Field: "metadata.name", Why: fmt.Sprintf("namespace %s exists, so its name does, without an address", r.namespace)}
	case r.kind == "pod":
		return k.pod(q, r)
	}
	return k.service(q, zone, r)
}
