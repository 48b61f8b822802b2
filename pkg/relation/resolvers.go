package relation

import (
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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
	"ephemeral-claims":   {edges: ephemeralClaims, wants: wantEphemeralClaims},
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
		prefix := template + "-" + set.Name + "-"
		for _, found := range v.Named(schema.GroupKind{Kind: "PersistentVolumeClaim"}, set.Namespace, prefix) {
			if !ordinal.MatchString(strings.TrimPrefix(found.Ref.Name, prefix)) {
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

var ordinal = regexp.MustCompile("^(0|[1-9][0-9]*)$")

func claimRetention(set *appsv1.StatefulSet) string {
	p := set.Spec.PersistentVolumeClaimRetentionPolicy
	if p != nil && p.WhenDeleted == appsv1.DeletePersistentVolumeClaimRetentionPolicyType {
		return ", deleted with the set"
	}
	return ", outlives the set"
}

// ephemeralClaims are the claims that ephemeral volumes of the pod ask for, but for
// those that were made for it: it owns them.
func ephemeralClaims(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	pod, ok := it.Object.(*corev1.Pod)
	if !ok {
		return nil
	}
	var edges []Edge
	for i, volume := range pod.Spec.Volumes {
		if volume.Ephemeral == nil {
			continue
		}
		claim := ephemeralClaim(pod, volume)
		if found, ok := v.Get(claim); !ok || !metav1.IsControlledBy(found.Object, pod) {
			e := t.edge(it, row, rootOf(pod), claim)
			e.Field = "spec.volumes[" + itoa(i) + "].ephemeral"
			e.Why = "for volume " + volume.Name
			edges = append(edges, e)
		}
	}
	return edges
}

func wantEphemeralClaims(it index.Item) []source.Query {
	pod, ok := it.Object.(*corev1.Pod)
	if !ok {
		return nil
	}
	var wanted []source.Query
	for _, volume := range pod.Spec.Volumes {
		if volume.Ephemeral != nil {
			claim := ephemeralClaim(pod, volume)
			wanted = append(wanted, source.Query{Kind: claim.GroupKind(), Namespace: claim.Namespace, Name: claim.Name})
		}
	}
	return wanted
}

func ephemeralClaim(pod *corev1.Pod, volume corev1.Volume) object.Ref {
	return object.Ref{Kind: "PersistentVolumeClaim", Namespace: pod.Namespace, Name: index.ClaimOf(pod, volume)}
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
