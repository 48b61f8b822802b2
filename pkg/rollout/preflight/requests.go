package preflight

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// podRequests are what a pod counts for with the scheduler and the quota: the
// larger of what its containers ask for together and what any init container
// asks for, sidecars in both, and overhead on top (component-helpers resource,
// PodRequests).
func podRequests(spec *corev1.PodSpec) corev1.ResourceList {
	list := aggregate(spec, func(r corev1.ResourceRequirements) corev1.ResourceList { return r.Requests })
	if spec.Resources != nil {
		podLevel(list, spec.Resources.Requests)
	}
	add(list, spec.Overhead)
	return list
}

// podLimits: overhead is added only to what is limited (PodLimits).
func podLimits(spec *corev1.PodSpec) corev1.ResourceList {
	list := aggregate(spec, func(r corev1.ResourceRequirements) corev1.ResourceList { return r.Limits })
	if spec.Resources != nil {
		podLevel(list, spec.Resources.Limits)
	}
	for name, q := range spec.Overhead {
		if have, ok := list[name]; ok && !have.IsZero() {
			have.Add(q)
			list[name] = have
		}
	}
	return list
}

func aggregate(spec *corev1.PodSpec, of func(corev1.ResourceRequirements) corev1.ResourceList) corev1.ResourceList {
	sum, sidecars, first := corev1.ResourceList{}, corev1.ResourceList{}, corev1.ResourceList{}
	for i := range spec.Containers {
		add(sum, of(spec.Containers[i].Resources))
	}
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		during := of(c.Resources).DeepCopy()
		if restartable(c) {
			add(sum, of(c.Resources))
			add(sidecars, of(c.Resources))
			during = sidecars
		} else if during != nil {
			add(during, sidecars)
		}
		atLeast(first, during)
	}
	atLeast(sum, first)
	return sum
}

func add(to, more corev1.ResourceList) {
	for name, q := range more {
		have, ok := to[name]
		if !ok {
			to[name] = q.DeepCopy()
			continue
		}
		have.Add(q)
		to[name] = have
	}
}

func atLeast(list, least corev1.ResourceList) {
	for name, q := range least {
		if have, ok := list[name]; !ok || have.Cmp(q) < 0 {
			list[name] = q.DeepCopy()
		}
	}
}

// podLevel: what is set for the whole pod stands in place of the containers' sum.
func podLevel(list, whole corev1.ResourceList) {
	for name, q := range whole {
		if name == corev1.ResourceCPU || name == corev1.ResourceMemory || strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix) {
			list[name] = q.DeepCopy()
		}
	}
}

// usage is what a pod counts for in a quota (pkg/quota/v1/evaluator/core,
// podComputeUsageHelper).
func usage(requests, limits corev1.ResourceList) corev1.ResourceList {
	out := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1"), "count/pods": resource.MustParse("1")}
	for name, q := range requests {
		prefixed := corev1.ResourceName(corev1.DefaultResourceRequestsPrefix + string(name))
		switch {
		case name == corev1.ResourceCPU, name == corev1.ResourceMemory, name == corev1.ResourceEphemeralStorage, strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix):
			out[name], out[prefixed] = q, q
		case strings.Contains(string(name), "/"):
			out[prefixed] = q
		}
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if q, ok := limits[name]; ok {
			out["limits."+name] = q
		}
	}
	return out
}

var limitRanges = core("LimitRange")

// newPod is the spec of a pod as admission makes it of the template. Where such
// a pod runs already, it is that pod's: admission may do more than is known here.
func (s *subject) newPod() *corev1.PodSpec {
	for i := range s.w.Pods {
		if p := &s.w.Pods[i]; p.New && p.Live() {
			return &p.Spec
		}
	}
	spec := s.spec.DeepCopy()
	for _, list := range [][]corev1.Container{spec.Containers, spec.InitContainers} {
		for i := range list {
			r := &list[i].Resources
			defaults(&r.Requests, r.Limits) // pkg/apis/core/v1, SetDefaults_Pod
			for _, lr := range index.Typed[*corev1.LimitRange](s.v, limitRanges, s.ref.Namespace) {
				for _, item := range lr.Spec.Limits {
					if item.Type == corev1.LimitTypeContainer { // plugin/pkg/admission/limitranger
						defaults(&r.Requests, item.DefaultRequest)
						defaults(&r.Limits, item.Default)
					}
				}
			}
		}
	}
	if len(spec.Overhead) == 0 && spec.RuntimeClassName != nil {
		if it, ok := s.v.Get(object.New("node.k8s.io/v1", "RuntimeClass", "", *spec.RuntimeClassName)); ok {
			if rc, ok := it.Object.(*nodev1.RuntimeClass); ok && rc.Overhead != nil {
				spec.Overhead = rc.Overhead.PodFixed
			}
		}
	}
	if spec.PriorityClassName == "" {
		for _, pc := range index.Typed[*schedulingv1.PriorityClass](s.v, priorityClasses, "") {
			if pc.GlobalDefault {
				spec.PriorityClassName = pc.Name
			}
		}
	}
	return spec
}

var priorityClasses = schema.GroupKind{Group: "scheduling.k8s.io", Kind: "PriorityClass"}

func defaults(list *corev1.ResourceList, from corev1.ResourceList) {
	for name, q := range from {
		if _, ok := (*list)[name]; !ok {
			if *list == nil {
				*list = corev1.ResourceList{}
			}
			(*list)[name] = q.DeepCopy()
		}
	}
}

// bestEffort is the quality of service of a pod that asks for nothing
// (pkg/apis/core/v1/helper/qos, ComputePodQOS).
func bestEffort(spec *corev1.PodSpec) bool {
	asks := func(r corev1.ResourceRequirements) bool {
		for _, list := range []corev1.ResourceList{r.Requests, r.Limits} {
			for name, q := range list {
				if (name == corev1.ResourceCPU || name == corev1.ResourceMemory) && q.Sign() > 0 {
					return true
				}
			}
		}
		return false
	}
	return !slices.ContainsFunc(slices.Concat(spec.Containers, spec.InitContainers), func(c corev1.Container) bool { return asks(c.Resources) }) &&
		(spec.Resources == nil || !asks(*spec.Resources))
}
