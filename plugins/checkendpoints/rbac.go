package checkendpoints

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// wanted are the kinds that a judgement of endpoints can ask for.
func wanted() []schema.GroupKind {
	return []schema.GroupKind{
		{Kind: "Service"}, {Kind: "Pod"}, {Kind: "Endpoints"}, {Kind: "Node"}, {Kind: "Namespace"}, {Kind: "Event"},
		{Group: "discovery.k8s.io", Kind: "EndpointSlice"},
		{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "ReplicaSet"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"},
		{Group: "batch", Kind: "Job"}, {Group: "batch", Kind: "CronJob"},
		{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"},
		{Group: "networking.k8s.io", Kind: "NetworkPolicy"}, {Group: "networking.k8s.io", Kind: "Ingress"}, {Group: "networking.k8s.io", Kind: "IngressClass"},
		{Group: "coordination.k8s.io", Kind: "Lease"},
		{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}, {Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"},
		{Group: "apiregistration.k8s.io", Kind: "APIService"},
	}
}

// printRBAC asks for what the judgement reads, routes of the Gateway API among
// it. What --probe does beyond reading stands in rules of its own, to be left
// out where it is not wanted.
func printRBAC(env *cli.Env) error {
	all := wanted()
	var kinds []source.Kind
	for _, k := range scheme.Kinds() {
		if slices.Contains(all, k.GroupKind()) {
			kinds = append(kinds, k)
		}
	}
	read := []string{"get", "list", "watch"}
	return env.PrintRBAC("leadsman-check-endpoints", kinds, true,
		rbacv1.PolicyRule{APIGroups: []string{"gateway.networking.k8s.io"}, Resources: []string{"gatewayclasses", "gateways", "grpcroutes", "httproutes", "referencegrants", "tcproutes", "tlsroutes", "udproutes"}, Verbs: read},
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/proxy"}, Verbs: []string{"get"}},
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/exec", "pods/portforward"}, Verbs: []string{"create", "get"}},
	)
}
