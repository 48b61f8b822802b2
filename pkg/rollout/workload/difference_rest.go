package workload

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// erase takes out of two copies what has been told already.
func erase(old, new *corev1.PodTemplateSpec) {
	for _, t := range []*corev1.PodTemplateSpec{old, new} {
		t.Labels, t.Annotations = nil, nil
		s := &t.Spec
		s.Volumes, s.NodeSelector, s.Tolerations, s.Affinity, s.TopologySpreadConstraints = nil, nil, nil, nil, nil
		s.ServiceAccountName, s.DeprecatedServiceAccount, s.PriorityClassName = "", "", ""
		s.TerminationGracePeriodSeconds, s.SecurityContext, s.ImagePullSecrets, s.Resources = nil, nil, nil, nil
	}
	eraseContainers(&old.Spec.Containers, &new.Spec.Containers)
	eraseContainers(&old.Spec.InitContainers, &new.Spec.InitContainers)
}

// eraseContainers leaves the containers that are in both, by name, without
// what has been compared.
func eraseContainers(old, new *[]corev1.Container) {
	common := func(list, other []corev1.Container) []corev1.Container {
		var out []corev1.Container
		for _, c := range list {
			if !slices.ContainsFunc(other, func(o corev1.Container) bool { return o.Name == c.Name }) {
				continue
			}
			c.Image, c.Env, c.EnvFrom, c.Resources = "", nil, nil, corev1.ResourceRequirements{}
			c.ReadinessProbe, c.LivenessProbe, c.StartupProbe = nil, nil, nil
			c.Command, c.Args, c.Ports, c.VolumeMounts = nil, nil, nil, nil
			c.ImagePullPolicy, c.Lifecycle, c.SecurityContext, c.WorkingDir = "", nil, nil, ""
			out = append(out, c)
		}
		slices.SortStableFunc(out, func(a, b corev1.Container) int { return cmp.Compare(a.Name, b.Name) })
		return out
	}
	a, b := common(*old, *new), common(*new, *old)
	*old, *new = a, b
}

// leftovers name the paths of the fields that differ and have no words of
// their own, so that no difference is lost.
func leftovers(old, new *corev1.PodTemplateSpec) []string {
	var paths []string
	walk("", content(old), content(new), &paths)
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(paths) > 3 {
		return []string{fmt.Sprintf("%d more fields (%s)", len(paths), clip(strings.Join(paths, ", "), 60))}
	}
	for i, p := range paths {
		paths[i] = clip(p, 60) + " changed"
	}
	return paths
}

func content(t *corev1.PodTemplateSpec) any {
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(t)
	if err != nil {
		return nil
	}
	unstructured.RemoveNestedField(m, "metadata", "creationTimestamp")
	return m
}

func walk(path string, old, new any, paths *[]string) {
	a, isMap := old.(map[string]any)
	b, alsoMap := new.(map[string]any)
	if isMap && alsoMap {
		for key := range differingKeys(a, b) {
			walk(strings.TrimPrefix(path+"."+key, "."), a[key], b[key], paths)
		}
		return
	}
	l, isList := old.([]any)
	r, alsoList := new.([]any)
	if isList && alsoList && len(l) == len(r) {
		for i := range l {
			walk(path+"["+strconv.Itoa(i)+"]", l[i], r[i], paths)
		}
		return
	}
	before, _ := json.Marshal(old)
	after, _ := json.Marshal(new)
	if string(before) != string(after) {
		*paths = append(*paths, path)
	}
}

func differingKeys(a, b map[string]any) map[string]bool {
	keys := map[string]bool{}
	for _, m := range []map[string]any{a, b} {
		for k := range m {
			keys[k] = true
		}
	}
	return keys
}
