package relation

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// resolver is a relation that a path cannot say. edges reads it off the view;
// wants says which reads would bring its targets in, where that is not a LIST
// of the target kind.
type resolver struct {
	edges func(t *Table, v *index.View, it index.Item, row *Row) []Edge
	wants func(it index.Item) []source.Query
}

// resolvers are the rules that rows of the table name. The map is only read.
var resolvers = map[string]resolver{
	"external-name":      {edges: externalName},
	"statefulset-claims": {edges: statefulSetClaims},
	"env-service":        {edges: envServices},
	"whole-namespace":    {edges: wholeNamespace, wants: wantNamespacePods},
	"rbac-subjects":      {edges: rbacSubjects},
	"claim-slices":       {edges: claimSlices, wants: wantSlices},
	"network-peers":      {edges: networkPeers, wants: wantPeers},
	"node-lease":         {edges: nodeLease},
	"lease-holder":       {edges: leaseHolder, wants: wantHolder},
	"crd-instances":      {edges: crdInstances, wants: wantInstances},
	"namespace-content":  {edges: namespaceContent},
	"helm-release":       {edges: helmRelease, wants: wantHelm},
	"argocd-application": {edges: argoApplication, wants: wantArgo},
	"flux-kustomization": {edges: flux("kustomize.toolkit.fluxcd.io"), wants: wantFlux("kustomize.toolkit.fluxcd.io", "Kustomization")},
	"flux-helmrelease":   {edges: flux("helm.toolkit.fluxcd.io"), wants: wantFlux("helm.toolkit.fluxcd.io", "HelmRelease")},
	"custom-references":  {edges: customReferences},
}

// externalName follows an ExternalName that points back into the cluster:
// NAME.NAMESPACE.svc[.ZONE].
func externalName(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	s, ok := it.Object.(*corev1.Service)
	if !ok || s.Spec.Type != corev1.ServiceTypeExternalName {
		return nil
	}
	parts := strings.Split(strings.TrimSuffix(s.Spec.ExternalName, "."), ".")
	if len(parts) < 3 || parts[2] != "svc" {
		return nil
	}
	e := t.edge(it, row, rootOf(s), object.Ref{Kind: "Service", Namespace: parts[1], Name: parts[0]})
	e.Field = "spec.externalName"
	return []Edge{e}
}

// statefulSetClaims matches TEMPLATE-SET-ORDINAL whole, so that data-web-0 is
// web's and data-web-extra-0 is not (pkg/controller/statefulset, getPersistentVolumeClaimName).
func statefulSetClaims(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	set, ok := it.Object.(*appsv1.StatefulSet)
	if !ok {
		return nil
	}
	var edges []Edge
	for i := range set.Spec.VolumeClaimTemplates {
		template := set.Spec.VolumeClaimTemplates[i].Name
		claim := regexp.MustCompile("^" + regexp.QuoteMeta(template+"-"+set.Name+"-") + `(0|[1-9][0-9]*)$`)
		for _, found := range v.List(schema.GroupKind{Kind: "PersistentVolumeClaim"}, set.Namespace) {
			if !claim.MatchString(found.Ref.Name) {
				continue
			}
			e := t.edge(it, row, rootOf(set), found.Ref)
			e.Field = "spec.volumeClaimTemplates[" + itoa(i) + "].metadata.name"
			e.Why = "from template " + template + claimRetention(set)
			edges = append(edges, e)
		}
	}
	return edges
}

func claimRetention(set *appsv1.StatefulSet) string {
	p := set.Spec.PersistentVolumeClaimRetentionPolicy
	if p != nil && p.WhenDeleted == appsv1.DeletePersistentVolumeClaimRetentionPolicyType {
		return ", deleted with the set"
	}
	return ", outlives the set"
}

var hostInValue = regexp.MustCompile(`^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?([a-z][a-z0-9-]{0,62})(\.[a-z0-9-]+)?(?:\.svc(?:\.[a-z0-9.-]+)?)?(?::[0-9]{1,5}|/|$)`)

// envServices guesses: an env value such as redis:6379 or http://backend/ that
// names a Service of the namespace. Only Services that exist are named.
func envServices(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	spec := PodSpecPath(it.Ref.GroupKind())
	var edges []Edge
	seen := map[string]bool{}
	for _, env := range t.walk.find(rootOf(it.Object), spec+".containers[].env[]") {
		text := t.walk.first(env, "value")
		m := hostInValue.FindStringSubmatch(text)
		if m == nil || seen[text] || !strings.ContainsAny(text, ":./") && m[1] != text {
			continue
		}
		namespace := it.Ref.Namespace
		if m[2] != "" {
			namespace = m[2][1:]
		}
		service := object.Ref{Kind: "Service", Namespace: namespace, Name: m[1]}
		if _, ok := v.Get(service); !ok {
			continue
		}
		seen[text] = true
		e := t.edge(it, row, env, service)
		e.Field = env.path + ".value"
		e.Why = "env " + t.walk.first(env, "name") + " names it"
		edges = append(edges, e)
	}
	return edges
}

// wholeNamespace relates quotas and limit ranges to every pod beside them.
func wholeNamespace(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	var edges []Edge
	to, _ := row.Target()
	for _, found := range v.List(to, it.Ref.Namespace) {
		e := t.edge(it, row, rootOf(it.Object), found.Ref)
		e.Field = "metadata.namespace"
		edges = append(edges, e)
	}
	return edges
}

func wantNamespacePods(it index.Item) []source.Query {
	return []source.Query{{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: it.Ref.Namespace}}
}

// rbacSubjects relates a binding to the ServiceAccounts that it names, one by
// one or through the groups system:serviceaccounts[:NAMESPACE].
func rbacSubjects(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	var edges []Edge
	for i, s := range subjectsOf(it.Object) {
		field := "subjects[" + itoa(i) + "]"
		for _, account := range accountsOf(v, s, it.Ref.Namespace) {
			e := t.edge(it, row, rootOf(it.Object), account)
			e.Field = field
			if s.Kind == rbacv1.GroupKind {
				e.Why = "grants rights to group " + s.Name
			}
			edges = append(edges, e)
		}
	}
	return edges
}

func subjectsOf(o source.Object) []rbacv1.Subject {
	switch o := o.(type) {
	case *rbacv1.RoleBinding:
		return o.Subjects
	case *rbacv1.ClusterRoleBinding:
		return o.Subjects
	}
	return nil
}

func accountsOf(v *index.View, s rbacv1.Subject, namespace string) []object.Ref {
	kind := schema.GroupKind{Kind: "ServiceAccount"}
	if s.Kind == rbacv1.ServiceAccountKind {
		if s.Namespace != "" {
			namespace = s.Namespace
		}
		return []object.Ref{{Kind: kind.Kind, Namespace: namespace, Name: s.Name}}
	}
	group, ok := strings.CutPrefix(s.Name, "system:serviceaccounts")
	if s.Kind != rbacv1.GroupKind || !ok || group != "" && !strings.HasPrefix(group, ":") {
		return nil
	}
	var accounts []object.Ref
	for _, it := range v.List(kind, strings.TrimPrefix(group, ":")) {
		accounts = append(accounts, it.Ref)
	}
	return accounts
}

// claimSlices relates an allocated claim to the slices of the pool that it was
// allocated from.
func claimSlices(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	claim, ok := it.Object.(*resourcev1.ResourceClaim)
	if !ok || claim.Status.Allocation == nil {
		return nil
	}
	var edges []Edge
	for i, r := range claim.Status.Allocation.Devices.Results {
		for _, found := range v.List(schema.GroupKind{Group: "resource.k8s.io", Kind: "ResourceSlice"}, "") {
			if s, ok := found.Object.(*resourcev1.ResourceSlice); ok && s.Spec.Pool.Name == r.Pool && s.Spec.Driver == r.Driver {
				e := t.edge(it, row, rootOf(claim), found.Ref)
				e.Field = "status.allocation.devices.results[" + itoa(i) + "].pool"
				edges = append(edges, e)
			}
		}
	}
	return edges
}

func wantSlices(index.Item) []source.Query {
	return []source.Query{{Kind: schema.GroupKind{Group: "resource.k8s.io", Kind: "ResourceSlice"}}}
}

// networkPeers relates a policy to the pods of its namespace that its rules
// name; peers in other namespaces are counted by pkg/netpol, not drawn.
func networkPeers(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	p, ok := it.Object.(*networkingv1.NetworkPolicy)
	if !ok {
		return nil
	}
	var edges []Edge
	for _, peer := range peersOf(p) {
		sel, err := metav1.LabelSelectorAsSelector(peer.selector)
		if err != nil {
			continue
		}
		for _, found := range v.Select(schema.GroupKind{Kind: "Pod"}, p.Namespace, sel) {
			e := t.edge(it, row, rootOf(p), found.Ref)
			e.Field = peer.field
			edges = append(edges, e)
		}
	}
	return edges
}

type peerAt struct {
	selector *metav1.LabelSelector
	field    string
}

func peersOf(p *networkingv1.NetworkPolicy) []peerAt {
	var peers []peerAt
	take := func(list []networkingv1.NetworkPolicyPeer, field string) {
		for i, peer := range list {
			if peer.PodSelector != nil && peer.NamespaceSelector == nil {
				peers = append(peers, peerAt{peer.PodSelector, field + "[" + itoa(i) + "].podSelector"})
			}
		}
	}
	for i, rule := range p.Spec.Ingress {
		take(rule.From, "spec.ingress["+itoa(i)+"].from")
	}
	for i, rule := range p.Spec.Egress {
		take(rule.To, "spec.egress["+itoa(i)+"].to")
	}
	return peers
}

func wantPeers(it index.Item) []source.Query {
	p, ok := it.Object.(*networkingv1.NetworkPolicy)
	if !ok {
		return nil
	}
	var qs []source.Query
	for _, peer := range peersOf(p) {
		qs = append(qs, source.Query{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: p.Namespace, Labels: metav1.FormatLabelSelector(peer.selector)})
	}
	for i := range qs {
		if qs[i].Labels == "<none>" {
			qs[i].Labels = ""
		}
	}
	return qs
}

func nodeLease(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	if it.Ref.Namespace != corev1.NamespaceNodeLease {
		return nil
	}
	e := t.edge(it, row, rootOf(it.Object), object.Ref{Kind: "Node", Name: it.Ref.Name})
	e.Field = "metadata.name"
	return []Edge{e}
}

// leaseHolder reads "POD_uuid", the identity of client-go's leader election.
func leaseHolder(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	lease, ok := it.Object.(*coordinationv1.Lease)
	if !ok || lease.Spec.HolderIdentity == nil {
		return nil
	}
	pod := object.Ref{Kind: "Pod", Namespace: it.Ref.Namespace, Name: holderOf(lease)}
	if _, ok := v.Get(pod); !ok {
		return nil
	}
	e := t.edge(it, row, rootOf(lease), pod)
	e.Field = "spec.holderIdentity"
	return []Edge{e}
}

func holderOf(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	name, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
	return name
}

func wantHolder(it index.Item) []source.Query {
	lease, ok := it.Object.(*coordinationv1.Lease)
	if !ok || holderOf(lease) == "" || it.Ref.Namespace == corev1.NamespaceNodeLease {
		return nil
	}
	return []source.Query{{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: it.Ref.Namespace, Name: holderOf(lease)}}
}

func crdInstances(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	gk, ok := definedKind(it.Object)
	if !ok {
		return nil
	}
	var edges []Edge
	for _, found := range v.List(gk, "") {
		e := t.edge(it, row, rootOf(it.Object), found.Ref)
		e.Field = "spec.names.kind"
		edges = append(edges, e)
	}
	return edges
}

func definedKind(o source.Object) (schema.GroupKind, bool) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return schema.GroupKind{}, false
	}
	group, _, _ := unstructured.NestedString(u.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(u.Object, "spec", "names", "kind")
	return schema.GroupKind{Group: group, Kind: kind}, kind != ""
}

func wantInstances(it index.Item) []source.Query {
	gk, ok := definedKind(it.Object)
	if !ok {
		return nil
	}
	return []source.Query{{Kind: gk, Metadata: true}}
}

// namespaceContent draws what stands on its own in a namespace: everything
// that no other object of the view owns.
func namespaceContent(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	var edges []Edge
	for _, found := range v.Every() {
		if found.Ref.Namespace != it.Ref.Name || found.Ref.Kind == "Event" || len(found.Object.GetOwnerReferences()) > 0 {
			continue
		}
		e := t.edge(it, row, rootOf(it.Object), found.Ref)
		e.Field = "metadata.namespace"
		edges = append(edges, e)
	}
	return edges
}

// helmRelease finds the newest release Secret of the release that marked the
// object (helm v3: type helm.sh/release.v1, labels owner, name, version).
func helmRelease(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	secrets := schema.GroupKind{Kind: "Secret"}
	for _, q := range wantHelm(it) {
		sel, err := labels.Parse(q.Labels)
		if err != nil {
			continue
		}
		found := v.Select(secrets, q.Namespace, sel)
		if len(found) == 0 {
			continue
		}
		newest := slices.MaxFunc(found, func(a, b index.Item) int {
			return a.Object.GetCreationTimestamp().Compare(b.Object.GetCreationTimestamp().Time)
		})
		e := t.edge(it, row, rootOf(it.Object), newest.Ref)
		e.Field = `metadata.annotations."meta.helm.sh/release-name"`
		e.Why = "Helm release " + it.Object.GetAnnotations()["meta.helm.sh/release-name"]
		return []Edge{e}
	}
	return nil
}

func wantHelm(it index.Item) []source.Query {
	a := it.Object.GetAnnotations()
	release, namespace := a["meta.helm.sh/release-name"], a["meta.helm.sh/release-namespace"]
	if release == "" {
		return nil
	}
	if namespace == "" {
		namespace = it.Ref.Namespace
	}
	set := labels.Set{"owner": "helm", "name": release}
	return []source.Query{{Kind: schema.GroupKind{Kind: "Secret"}, Namespace: namespace, Labels: set.String(), Metadata: true}}
}

// argoApplication reads the tracking id APPLICATION:GROUP/KIND:NAMESPACE/NAME.
func argoApplication(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	name, _, ok := strings.Cut(it.Object.GetAnnotations()["argocd.argoproj.io/tracking-id"], ":")
	if !ok {
		return nil
	}
	to, _ := row.Target()
	for _, found := range v.List(to, "") {
		if found.Ref.Name == name {
			e := t.edge(it, row, rootOf(it.Object), found.Ref)
			e.Field = `metadata.annotations."argocd.argoproj.io/tracking-id"`
			return []Edge{e}
		}
	}
	return nil
}

func wantArgo(it index.Item) []source.Query {
	if it.Object.GetAnnotations()["argocd.argoproj.io/tracking-id"] == "" {
		return nil
	}
	return []source.Query{{Kind: schema.GroupKind{Group: "argoproj.io", Kind: "Application"}}}
}

// flux reads the labels GROUP/name and GROUP/namespace that Flux's controllers set.
func flux(group string) func(*Table, *index.View, index.Item, *Row) []Edge {
	return func(t *Table, v *index.View, it index.Item, row *Row) []Edge {
		l := it.Object.GetLabels()
		if l[group+"/name"] == "" {
			return nil
		}
		to, _ := row.Target()
		e := t.edge(it, row, rootOf(it.Object), object.Ref{Group: to.Group, Kind: to.Kind, Namespace: l[group+"/namespace"], Name: l[group+"/name"]})
		e.Field = `metadata.labels."` + group + `/name"`
		return []Edge{e}
	}
}

func wantFlux(group, kind string) func(index.Item) []source.Query {
	return func(it index.Item) []source.Query {
		l := it.Object.GetLabels()
		if l[group+"/name"] == "" {
			return nil
		}
		return []source.Query{{Kind: schema.GroupKind{Group: group, Kind: kind}, Namespace: l[group+"/namespace"], Name: l[group+"/name"]}}
	}
}

// customReferences guesses: fields of a custom object's spec whose name ends in
// Ref and whose content has a name and a kind.
func customReferences(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	u, ok := it.Object.(*unstructured.Unstructured)
	if !ok {
		return nil
	}
	spec, _ := u.Object["spec"].(map[string]any)
	var edges []Edge
	for _, key := range slices.Sorted(maps.Keys(spec)) {
		ref, ok := spec[key].(map[string]any)
		if !ok || !strings.HasSuffix(key, "Ref") {
			continue
		}
		name, _ := ref["name"].(string)
		kind, _ := ref["kind"].(string)
		if name == "" || kind == "" {
			continue
		}
		apiVersion, _ := ref["apiVersion"].(string)
		to := object.New(apiVersion, kind, it.Ref.Namespace, name)
		if ns, ok := ref["namespace"].(string); ok && ns != "" {
			to.Namespace = ns
		}
		if group, ok := ref["group"].(string); ok {
			to.Group = group
		}
		if clusterScoped(v, to) {
			to.Namespace = ""
		}
		e := t.edge(it, row, rootOf(u), to)
		e.Field, e.Why = "spec."+key, "spec."+key
		edges = append(edges, e)
	}
	return edges
}
