package tracedns

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// wanted are the kinds that a judgement of DNS can ask for.
func wanted() []schema.GroupKind {
	return []schema.GroupKind{
		{Kind: "Service"}, {Kind: "Pod"}, {Kind: "Endpoints"}, {Kind: "Node"}, {Kind: "Namespace"}, {Kind: "ConfigMap"}, {Kind: "Event"},
		{Kind: "ReplicationController"},
		{Group: "discovery.k8s.io", Kind: "EndpointSlice"},
		{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "ReplicaSet"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"},
		{Group: "batch", Kind: "Job"}, {Group: "batch", Kind: "CronJob"},
		{Group: "networking.k8s.io", Kind: "NetworkPolicy"},
	}
}

// printRBAC asks for what the judgement reads. What is asked live stands in
// rules of its own, to be left out where it is not wanted: the trace then says
// what it could not see. A debug container has its rule only where one is asked for.
func printRBAC(env *cli.Env, debug bool) error {
	all := wanted()
	var kinds []source.Kind
	for _, k := range scheme.Kinds() {
		if slices.Contains(all, k.GroupKind()) {
			kinds = append(kinds, k)
		}
	}
	live := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"nodes/proxy", "pods/log", "pods/proxy"}, Verbs: []string{"get"}},
		{APIGroups: []string{""}, Resources: []string{"pods/exec", "pods/portforward"}, Verbs: []string{"create", "get"}},
	}
	if debug {
		live = append(live, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/ephemeralcontainers"}, Verbs: []string{"patch"}})
	}
	return env.PrintRBAC("leadsman-trace-dns", kinds, true, live...)
}
