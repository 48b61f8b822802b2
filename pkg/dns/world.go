package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

var (
	serviceKind   = schema.GroupKind{Kind: "Service"}
	podKind       = schema.GroupKind{Kind: "Pod"}
	configMapKind = schema.GroupKind{Kind: "ConfigMap"}
	namespaceKind = schema.GroupKind{Kind: "Namespace"}
	eventKind     = schema.GroupKind{Kind: "Event"}
	sliceKind     = schema.GroupKind{Group: discoveryv1.GroupName, Kind: "EndpointSlice"}
)

const (
	systemNamespace = "kube-system"
	openshiftDNS    = "openshift-dns"
	gkeCloudDNS     = "169.254.169.254"
	defaultDomain   = "cluster.local"
	dnsLabel        = "k8s-app"
)

// world is all that one judgement knows.
type world struct {
	v    *index.View
	ask  Ask
	seen Observations
	name Name

	client    *corev1.Pod
	template  bool // no pod of the workload is there: the client is what its template would make
	namespace string

	kubelet    Kubelet // observed, or from the ConfigMap; empty where neither
	kubeletWhy string
	domain     report.Known

	predicted Prediction
	conf      ResolvConf
	confClaim report.Claim

	dnsService *corev1.Service
	serverWhy  string // how the Service was found
	replicas   []*corev1.Pod
	nodeLocal  []*corev1.Pod
	core       *Corefile               // that of most replicas
	cores      map[types.UID]*Corefile // by replica, as far as they were asked for
	managed    string                  // what answers where it cannot be seen: "GKE Cloud DNS"
	outside    bool                    // the client asks servers that are not the cluster's
	notes      []string

	libcs    []Libc
	libcHow  report.Known
	expected map[Question]Expected
	ladders  []ladder
	found    []finding.Finding
}

func newWorld(v *index.View, ask Ask, seen Observations) (*world, error) {
	name, err := ParseName(ask.Name)
	if err != nil {
		return nil, err
	}
	w := &world{v: v, ask: ask, seen: seen, name: name, expected: map[Question]Expected{}, cores: map[types.UID]*Corefile{}}
	w.client, w.template = clientOf(v, ask)
	w.namespace = cmp.Or(ask.Namespace, ask.From.Namespace, "default")
	if w.client != nil {
		w.namespace = w.client.Namespace
		if seen.Pod != "" && seen.Pod != w.client.UID {
			w.seen.ResolvConf, w.seen.Hosts, w.seen.Getent, w.seen.Nslookup, w.seen.Libc = nil, nil, nil, nil, ""
		}
	}
	w.readKubelet()
	w.findServers()
	w.readCorefile()
	w.findDomain()
	w.readResolvConf()
	w.outside = w.leadsOutside()
	w.heed()
	w.chooseLibc()
	w.silentClient()
	w.debugged()
	return w, nil
}

// readKubelet prefers what the node's kubelet says of itself to the ConfigMap
// that kubeadm keeps for all kubelets.
func (w *world) readKubelet() {
	if w.seen.Kubelet != nil {
		w.kubelet, w.kubeletWhy = *w.seen.Kubelet, "configz of the client's kubelet"
		return
	}
	it, ok := w.v.Get(object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: systemNamespace, Name: "kubelet-config"})
	if cm, typed := it.Object.(*corev1.ConfigMap); ok && typed {
		w.kubelet, w.kubeletWhy = parseKubelet(cm.Data["kubelet"]), "ConfigMap kubelet-config"
	}
}

// findDomain finds the cluster domain, by the best of what is known.
func (w *world) findDomain() {
	if text, ok := w.seen.ResolvConf.said(); ok {
		for _, s := range ParseResolvConf(text).Search {
			if d, ok := strings.CutPrefix(s, w.namespace+".svc."); ok {
				w.domain = report.Known{Value: d, Claim: report.Observed, Why: "the search list in the pod's resolv.conf"}
				return
			}
		}
	}
	for _, a := range w.seen.Answers {
		for _, r := range a.Records {
			if d, ok := strings.CutPrefix(r.Data, "kubernetes.default.svc."); ok && a.Question.Type == PTR {
				w.domain = report.Known{Value: strings.TrimSuffix(d, "."), Claim: report.Observed, Why: "the PTR record of the API server's address"}
				return
			}
		}
	}
	if zone, d := w.corefileDomain(); d != nil {
		w.domain = report.Known{Value: zone, Claim: report.Computed, Why: fmt.Sprintf("the kubernetes directive in the Corefile, line %d", d.Line)}
		return
	}
	if w.kubelet.ClusterDomain != "" {
		w.domain = report.Known{Value: strings.TrimSuffix(w.kubelet.ClusterDomain, "."), Claim: report.Computed, Why: w.kubeletWhy}
		return
	}
	w.domain = report.Known{Value: defaultDomain, Claim: report.Unproven, Why: "the usual one; nothing that was seen says otherwise"}
}

// corefileDomain is the first forward zone of a kubernetes directive.
func (w *world) corefileDomain() (string, *Directive) {
	if w.core == nil {
		return "", nil
	}
	for i := range w.core.Blocks {
		b := &w.core.Blocks[i]
		d := b.plugin("kubernetes")
		if d == nil {
			continue
		}
		for _, z := range b.origins(d.Args) {
			if z != "." && !strings.HasSuffix(z, ".arpa.") {
				return strings.TrimSuffix(z, "."), d
			}
		}
	}
	return "", nil
}

func (w *world) readResolvConf() {
	node := Node{ClusterDNS: w.kubelet.ClusterDNS, ClusterDomain: cmp.Or(w.kubelet.ClusterDomain, w.domain.Value)}
	if len(node.ClusterDNS) == 0 && w.dnsService != nil && w.seen.Kubelet == nil {
		node.ClusterDNS = clusterIPs(w.dnsService)[:min(1, len(clusterIPs(w.dnsService)))]
	}
	if text, ok := w.seen.NodeConf.said(); ok {
		host := ParseResolvConf(text)
		node.Host = &host
	}
	spec := &corev1.PodSpec{}
	if w.client != nil {
		spec = &w.client.Spec
	}
	if len(node.ClusterDNS) == 0 && w.seen.Kubelet == nil {
		node.ClusterDNS = []string{""} // unknown is not none: the cluster's rules still hold
	}
	w.predicted = Predict(spec, w.namespace, node)
	w.predicted.Conf.Nameservers = slices.DeleteFunc(w.predicted.Conf.Nameservers, func(s string) bool { return s == "" })
	w.conf, w.confClaim = w.predicted.Conf, report.Computed
	if w.predicted.HostPart && w.predicted.Policy == "Default" {
		w.confClaim = report.Unproven
	}
	if text, ok := w.seen.ResolvConf.said(); ok {
		w.conf, w.confClaim = ParseResolvConf(text), report.Observed
	}
}

// chooseLibc goes by what was asked for, then by what was observed, then by
// the image, and else shows all.
func (w *world) chooseLibc() {
	switch l := w.ask.Libc; {
	case l == All:
		w.libcs, w.libcHow = Libcs(), report.Known{Value: string(Glibc), Claim: report.Unproven, Why: "all resolvers are shown"}
	case l != "" && l != Auto:
		w.libcs, w.libcHow = []Libc{l}, report.Known{Value: string(l), Claim: report.Unproven, Why: "as asked for"}
	case onWindows(w.client):
		w.libcs, w.libcHow = []Libc{Windows}, report.Known{Value: string(Windows), Claim: report.Computed, Why: "the pod runs on Windows"}
	case w.seen.Libc != "":
		w.libcs, w.libcHow = []Libc{w.seen.Libc}, report.Known{Value: string(w.seen.Libc), Claim: report.Observed, Why: w.seen.LibcWhy}
	case strings.Contains(w.image(), "alpine"):
		w.libcs, w.libcHow = []Libc{Musl}, report.Known{Value: string(Musl), Claim: report.Unproven, Why: "the image's name says alpine"}
	default:
		w.libcs, w.libcHow = []Libc{Glibc}, report.Known{Value: string(Glibc), Claim: report.Unproven, Why: "the usual one; --libc names another, or all"}
	}
}

func (w *world) image() string {
	if w.client == nil {
		return ""
	}
	for _, c := range w.client.Spec.Containers {
		if w.ask.Container == "" || c.Name == w.ask.Container {
			return c.Image
		}
	}
	return ""
}

// debugged says what was added to the client, and that it stays.
func (w *world) debugged() {
	d := w.seen.Debugger
	switch {
	case d == nil:
	case d.Needless:
		w.note("No debug container was added: the pod's own image has a shell.")
	case d.Container == "":
		w.note("No debug container was added: %s.", d.Err)
	default:
		text := fmt.Sprintf("The ephemeral container %s (%s) was added to the pod: it printed the pod's files, looked the name up, and ended. It cannot be removed; it stays listed until the pod is deleted.", d.Container, d.Image)
		if d.Err != "" {
			text = fmt.Sprintf("The ephemeral container %s (%s) was added to the pod, and told nothing: %s. It cannot be removed; it stays listed until the pod is deleted.", d.Container, d.Image, d.Err)
		}
		w.note("%s", text)
	}
}
