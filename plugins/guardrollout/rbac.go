package guardrollout

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// wanted are the kinds that a judgement of rollouts can ask for.
func wanted() []schema.GroupKind {
	return []schema.GroupKind{
		{Kind: "Service"}, {Kind: "Pod"}, {Kind: "Event"}, {Kind: "Node"}, {Kind: "ConfigMap"}, {Kind: "Secret"}, {Kind: "ServiceAccount"},
		{Kind: "PersistentVolumeClaim"}, {Kind: "PersistentVolume"}, {Kind: "ResourceQuota"}, {Kind: "LimitRange"},
		{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "ReplicaSet"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"}, {Group: "apps", Kind: "ControllerRevision"},
		{Group: "discovery.k8s.io", Kind: "EndpointSlice"},
		{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"},
		{Group: "policy", Kind: "PodDisruptionBudget"},
		{Group: "scheduling.k8s.io", Kind: "PriorityClass"},
		{Group: "storage.k8s.io", Kind: "StorageClass"}, {Group: "storage.k8s.io", Kind: "CSIDriver"}, {Group: "storage.k8s.io", Kind: "CSINode"},
	}
}

// printRBAC asks for what the judgement reads. What changes something stands in
// rules of its own, to be left out where it is not wanted.
func printRBAC(env *cli.Env) error {
	all := wanted()
	var kinds []source.Kind
	for _, k := range scheme.Kinds() {
		if slices.Contains(all, k.GroupKind()) {
			kinds = append(kinds, k)
		}
	}
	return env.PrintRBAC("leadsman-guard-rollout", kinds, true,
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/log", "services/proxy"}, Verbs: []string{"get"}},
		rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"deployments", "statefulsets", "daemonsets"}, Verbs: []string{"patch"}},
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"delete"}},
	)
}
