// Package scheme knows the built-in kinds: their Go types, and the names and
// scope under which every API server serves them. With it, "deploy/web" needs
// no discovery.
package scheme

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// New is a runtime.Scheme with the Go types of every kind in Kinds that has
// one. It is smaller than client-go's, which registers every version ever served.
func New() *runtime.Scheme {
	s := runtime.NewScheme()
	metav1.AddToGroupVersion(s, schema.GroupVersion{Version: "v1"})
	utilruntime.Must(metav1.AddMetaToScheme(s))
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, autoscalingv2.AddToScheme,
		networkingv1.AddToScheme, policyv1.AddToScheme, discoveryv1.AddToScheme, storagev1.AddToScheme,
		rbacv1.AddToScheme, coordinationv1.AddToScheme, schedulingv1.AddToScheme, nodev1.AddToScheme,
		admissionv1.AddToScheme, resourcev1.AddToScheme,
	} {
		utilruntime.Must(add(s))
	}
	return s
}

// Kinds are the built-in kinds, in the order in which a short name is resolved.
func Kinds() []source.Kind {
	var kinds []source.Kind
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) == 6 {
			kinds = append(kinds, parse(f))
		}
	}
	return kinds
}

func parse(f []string) source.Kind {
	gv, err := schema.ParseGroupVersion(f[0])
	utilruntime.Must(err)
	k := source.Kind{
		Group: gv.Group, Version: gv.Version, Kind: f[1], Resource: f[2], Singular: strings.ToLower(f[1]),
		Namespaced: f[4] == "ns", Listable: f[5] == "list",
	}
	if f[3] != "-" {
		k.Short = strings.Split(f[3], ",")
	}
	return k
}

// Typed says whether the kind is decoded into a Go type of the scheme rather
// than into unstructured content.
func Typed(gk schema.GroupKind) bool {
	return gk.Group != "apiextensions.k8s.io" && gk.Group != "apiregistration.k8s.io" &&
		slices.ContainsFunc(Kinds(), func(k source.Kind) bool { return k.GroupKind() == gk })
}

// Columns: apiVersion, kind, resource, short names, scope, listable.
const table = `
v1 Pod pods po ns list
v1 Service services svc ns list
v1 ConfigMap configmaps cm ns list
v1 Secret secrets - ns list
v1 Namespace namespaces ns cluster list
v1 Node nodes no cluster list
v1 PersistentVolumeClaim persistentvolumeclaims pvc ns list
v1 PersistentVolume persistentvolumes pv cluster list
v1 ServiceAccount serviceaccounts sa ns list
v1 ReplicationController replicationcontrollers rc ns list
v1 ResourceQuota resourcequotas quota ns list
v1 LimitRange limitranges limits ns list
v1 Endpoints endpoints ep ns list
v1 Event events ev ns list
v1 PodTemplate podtemplates - ns list
apps/v1 Deployment deployments deploy ns list
apps/v1 ReplicaSet replicasets rs ns list
apps/v1 StatefulSet statefulsets sts ns list
apps/v1 DaemonSet daemonsets ds ns list
apps/v1 ControllerRevision controllerrevisions - ns list
batch/v1 Job jobs - ns list
batch/v1 CronJob cronjobs cj ns list
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers hpa ns list
policy/v1 PodDisruptionBudget poddisruptionbudgets pdb ns list
networking.k8s.io/v1 Ingress ingresses ing ns list
networking.k8s.io/v1 IngressClass ingressclasses - cluster list
networking.k8s.io/v1 NetworkPolicy networkpolicies netpol ns list
discovery.k8s.io/v1 EndpointSlice endpointslices - ns list
storage.k8s.io/v1 StorageClass storageclasses sc cluster list
storage.k8s.io/v1 VolumeAttachment volumeattachments - cluster list
storage.k8s.io/v1 CSIDriver csidrivers - cluster list
storage.k8s.io/v1 CSINode csinodes - cluster list
storage.k8s.io/v1 VolumeAttributesClass volumeattributesclasses vac cluster list
rbac.authorization.k8s.io/v1 Role roles - ns list
rbac.authorization.k8s.io/v1 RoleBinding rolebindings - ns list
rbac.authorization.k8s.io/v1 ClusterRole clusterroles - cluster list
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings - cluster list
coordination.k8s.io/v1 Lease leases - ns list
scheduling.k8s.io/v1 PriorityClass priorityclasses pc cluster list
node.k8s.io/v1 RuntimeClass runtimeclasses - cluster list
resource.k8s.io/v1 ResourceClaim resourceclaims - ns list
resource.k8s.io/v1 ResourceClaimTemplate resourceclaimtemplates - ns list
resource.k8s.io/v1 ResourceSlice resourceslices - cluster list
resource.k8s.io/v1 DeviceClass deviceclasses - cluster list
admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration validatingwebhookconfigurations - cluster list
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration mutatingwebhookconfigurations - cluster list
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy validatingadmissionpolicies - cluster list
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings - cluster list
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions crd,crds cluster list
apiregistration.k8s.io/v1 APIService apiservices - cluster list
`
