package relation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// edges are all relations of a dump, as "relation: From → To (why)".
func edges(t *testing.T, dump string) []string {
	t.Helper()
	store, gaps, err := snapshot.Read([]string{"-"}, strings.NewReader(dump), snapshot.Options{Now: time.Unix(0, 0)})
	if err != nil || len(gaps) > 0 {
		t.Fatalf("%v %v", err, gaps)
	}
	table, err := relation.NewTable()
	if err != nil {
		t.Fatal(err)
	}
	v := index.New(store.Contents())
	g := relation.Build(v, table, relation.Choice{All: true}, relation.Said{})
	var out []string
	for _, it := range v.Every() {
		for _, e := range g.From(it.Ref) {
			out = append(out, e.Row.Name+": "+e.From.String()+" → "+e.To.Long()+" ("+e.Why+")")
		}
	}
	slices.Sort(out)
	return out
}

func list(items ...string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: List\nitems:\n")
	for _, it := range items {
		b.WriteString("- " + it + "\n")
	}
	return b.String()
}

func TestWhatLooksLikeARelationAndIsNone(t *testing.T) {
	for _, tc := range []struct {
		name string
		dump string
		want []string
	}{
		{"a Service without a selector selects nothing", list(
			`{apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default}, spec: {ports: [{port: 443}]}}`,
			`{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: default, labels: {app: web}}, spec: {serviceAccountName: default}}`,
		), []string{"service-account-default: Pod/p → default/ServiceAccount/default (runs as)"}},
		{"a NetworkPolicy with an empty selector selects every pod of its namespace", list(
			`{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: shop}, spec: {podSelector: {}}}`,
			`{apiVersion: v1, kind: Pod, metadata: {name: in, namespace: shop}}`,
			`{apiVersion: v1, kind: Pod, metadata: {name: out, namespace: else}}`,
		), []string{
			"networkpolicy-pod: NetworkPolicy/deny → shop/Pod/in (filters traffic)",
			"service-account-default: Pod/in → shop/ServiceAccount/default (runs as)",
			"service-account-default: Pod/out → else/ServiceAccount/default (runs as)",
		}},
		{"a StatefulSet claims by the whole name, so sw-broker has not the claims of sw-broker-internal", list(
			`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: sw-broker, namespace: shop}, spec: {volumeClaimTemplates: [{metadata: {name: data}}]}}`,
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data-sw-broker-0, namespace: shop}, spec: {storageClassName: ""}}`,
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data-sw-broker-internal-0, namespace: shop}, spec: {storageClassName: ""}}`,
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data-sw-broker-00, namespace: shop}, spec: {storageClassName: ""}}`,
		), []string{
			"service-account-default: StatefulSet/sw-broker → shop/ServiceAccount/default (runs as)",
			"statefulset-claim: StatefulSet/sw-broker → shop/PersistentVolumeClaim/data-sw-broker-0 (from template data, outlives the set)",
		}},
		{"an unset class is the default one, an empty one is none", list(
			`{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}}`,
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: unset, namespace: shop}, spec: {}}`,
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: none, namespace: shop}, spec: {storageClassName: ""}}`,
		), []string{"claim-class: PersistentVolumeClaim/unset → StorageClass/standard (class (default))"}},
		{"a PersistentVolume's claim is found in the claim's namespace", list(
			`{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {claimRef: {namespace: shop, name: data}}}`,
		), []string{"volume-claimref: PersistentVolume/pv → shop/PersistentVolumeClaim/data (reserved for it)"}},
		{"an env value names a Service only where one of that name exists", list(
			`{apiVersion: v1, kind: Service, metadata: {name: redis, namespace: shop}}`,
			`{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {serviceAccountName: sa, containers: [{name: c, env: [{name: A, value: "redis:6379"}, {name: B, value: "mongo:27017"}, {name: C, value: redis-ish}, {name: D, value: "http://user@redis.shop.svc.cluster.local/x"}]}]}}`,
		), []string{
			"env-service: Pod/p → shop/Service/redis (env A names it)",
			"env-service: Pod/p → shop/Service/redis (env D names it)",
			"service-account-default: Pod/p → shop/ServiceAccount/sa (runs as)",
			"service-account: Pod/p → shop/ServiceAccount/sa (runs as)",
		}},
		{"a binding of the group of a namespace reaches its ServiceAccounts only", list(
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts:shop"}]}`,
			`{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: shop}}`,
			`{apiVersion: v1, kind: ServiceAccount, metadata: {name: b, namespace: else}}`,
		), []string{
			"rolebinding-role: ClusterRoleBinding/b → ClusterRole/view (the rights of)",
			"rolebinding-subject: ClusterRoleBinding/b → shop/ServiceAccount/a (grants rights to group system:serviceaccounts:shop)",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, edges(t, tc.dump)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAUsersOwnRelationIsDrawnLikeTheBuiltInOnes(t *testing.T) {
	table, err := relation.NewTable([]byte(`relations: [{name: backup-claim, from: [Backup.example.com], to: PersistentVolumeClaim, side: needs, required: true, at: [spec], ref: claim, why: "saves {claim}"}]`))
	if err != nil {
		t.Fatal(err)
	}
	store, _, err := snapshot.Read([]string{"-"}, strings.NewReader(list(
		`{apiVersion: example.com/v1, kind: Backup, metadata: {name: nightly, namespace: shop}, spec: {claim: data}}`)), snapshot.Options{Now: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	v := index.New(store.Contents())
	g := relation.Build(v, table, relation.Choice{All: true}, relation.Said{})
	var got []string
	for _, it := range v.Every() {
		for _, e := range g.From(it.Ref) {
			got = append(got, e.Row.Name+" "+e.To.Long()+" "+e.Why+" "+e.Field)
		}
	}
	if diff := cmp.Diff([]string{"backup-claim shop/PersistentVolumeClaim/data saves data spec.claim"}, got); diff != "" {
		t.Error(diff)
	}
}
