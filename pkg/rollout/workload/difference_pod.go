package workload

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// restartedAt is what kubectl rollout restart writes (kubectl
// pkg/polymorphichelpers, defaultObjectRestarter).
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// pod compares what belongs to the pod rather than to one container.
func (d *differ) pod(old, new *corev1.PodTemplateSpec) {
	a, b := &old.Spec, &new.Spec
	if after := new.Annotations[restartedAt]; after != "" && after != old.Annotations[restartedAt] {
		d.add("restarted")
	}
	for _, t := range []*corev1.PodTemplateSpec{old, new} { // both are copies
		if new.Annotations[restartedAt] != "" {
			delete(t.Annotations, restartedAt)
		}
	}
	if a.Resources != nil || b.Resources != nil {
		d.add(resources("pod ", orEmpty(a.Resources), orEmpty(b.Resources))...)
	}
	d.add(changedNames("volume", byName(a.Volumes, volumeName), byName(b.Volumes, volumeName))...)
	d.add(pairs("label", old.Labels, new.Labels)...)
	d.add(changedNames("annotation", old.Annotations, new.Annotations)...) // values may be anything
	d.add(one("service account", a.ServiceAccountName, b.ServiceAccountName)...)
	d.add(pairs("node selector", a.NodeSelector, b.NodeSelector)...)
	d.add(differs("tolerations", a.Tolerations, b.Tolerations)...)
	d.add(differs("affinity", a.Affinity, b.Affinity)...)
	d.add(differs("topology spread", a.TopologySpreadConstraints, b.TopologySpreadConstraints)...)
	d.add(one("priority class", a.PriorityClassName, b.PriorityClassName)...)
	d.add(one("grace period", seconds(a.TerminationGracePeriodSeconds), seconds(b.TerminationGracePeriodSeconds))...)
	d.add(differs("pod security context", a.SecurityContext, b.SecurityContext)...)
	d.add(differs("image pull secrets", a.ImagePullSecrets, b.ImagePullSecrets)...)
}

func orEmpty(r *corev1.ResourceRequirements) corev1.ResourceRequirements {
	if r == nil {
		return corev1.ResourceRequirements{}
	}
	return *r
}

func volumeName(v corev1.Volume) string { return v.Name }

func seconds(n *int64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%d s", *n)
}

// one is a single value before and after.
func one(what, old, new string) []string {
	if old == new {
		return nil
	}
	return []string{fmt.Sprintf("%s %s → %s", what, cmp.Or(clip(old, 40), "none"), cmp.Or(clip(new, 40), "none"))}
}

func differs(what string, old, new any) []string {
	if equality.Semantic.DeepEqual(old, new) {
		return nil
	}
	return []string{what + " changed"}
}

// changedNames names what was added, removed or changed, without its content.
func changedNames[T any](what string, before, after map[string]T) []string {
	names := differing(before, after)
	if len(names) > 2 {
		return []string{fmt.Sprintf("%d %ss (%s)", len(names), what, clip(strings.Join(names, ", "), 40))}
	}
	var words []string
	for _, name := range names {
		_, had := before[name]
		_, has := after[name]
		words = append(words, fmt.Sprintf("%s %s %s", what, clip(name, 50), verb(had, has)))
	}
	return words
}

func verb(had, has bool) string {
	switch {
	case !had:
		return "added"
	case !has:
		return "removed"
	}
	return "changed"
}

// pairs are labels and their like: what they hold is no secret.
func pairs(what string, before, after map[string]string) []string {
	names := differing(before, after)
	if len(names) > 2 {
		return changedNames(what, before, after)
	}
	var words []string
	for _, name := range names {
		old, had := before[name]
		new, has := after[name]
		switch {
		case had && has:
			words = append(words, fmt.Sprintf("%s %s %s → %s", what, clip(name, 40), shown(old), shown(new)))
		case has:
			words = append(words, fmt.Sprintf("%s %s=%s added", what, clip(name, 40), shown(new)))
		default:
			words = append(words, fmt.Sprintf("%s %s removed", what, clip(name, 40)))
		}
	}
	return words
}

func resources(prefix string, old, new corev1.ResourceRequirements) []string {
	words := quantities(prefix, "request", old.Requests, new.Requests)
	words = append(words, quantities(prefix, "limit", old.Limits, new.Limits)...)
	return append(words, differs(prefix+"resource claims", old.Claims, new.Claims)...)
}

func quantities(prefix, what string, old, new corev1.ResourceList) []string {
	names := map[corev1.ResourceName]bool{}
	for _, list := range []corev1.ResourceList{old, new} {
		for name := range list {
			names[name] = true
		}
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, had := old[name]
		after, has := new[name]
		if had == has && before.Cmp(after) == 0 {
			continue
		}
		words = append(words, one(prefix+string(name)+" "+what, amount(had, before.String()), amount(has, after.String()))...)
	}
	return words
}

func amount(is bool, s string) string {
	if !is {
		return ""
	}
	return s
}

// probe names the numbers that differ; another way of asking is told as such.
func probe(kind string, old, new *corev1.Probe) []string {
	what := kind + " probe"
	switch {
	case equality.Semantic.DeepEqual(old, new):
		return nil
	case old == nil:
		return []string{what + " added"}
	case new == nil:
		return []string{what + " removed"}
	}
	var words []string
	if !equality.Semantic.DeepEqual(old.ProbeHandler, new.ProbeHandler) {
		words = append(words, handler(old, new))
	}
	for _, n := range []struct {
		name     string
		old, new int32
	}{
		{"initial delay", old.InitialDelaySeconds, new.InitialDelaySeconds},
		{"period", old.PeriodSeconds, new.PeriodSeconds},
		{"timeout", old.TimeoutSeconds, new.TimeoutSeconds},
	} {
		if n.old != n.new {
			words = append(words, fmt.Sprintf("%s %d s → %d s", n.name, n.old, n.new))
		}
	}
	if old.FailureThreshold != new.FailureThreshold {
		words = append(words, fmt.Sprintf("failures %d → %d", old.FailureThreshold, new.FailureThreshold))
	}
	if len(words) != 1 {
		return []string{what + " changed"}
	}
	return []string{what + " " + words[0]}
}

func handler(old, new *corev1.Probe) string {
	a, b := old.HTTPGet, new.HTTPGet
	switch {
	case a == nil || b == nil:
		return "changed"
	case a.Path != b.Path && a.Port == b.Port:
		return fmt.Sprintf("path %s → %s", shown(a.Path), shown(b.Path))
	case a.Path == b.Path && a.Port != b.Port:
		return fmt.Sprintf("port %s → %s", shown(a.Port.String()), shown(b.Port.String()))
	}
	return "changed"
}

// command shows one argument that differs and is no secret.
func command(what string, old, new []string) []string {
	if slices.Equal(old, new) {
		return nil
	}
	if len(old) != len(new) {
		return []string{what + " changed"}
	}
	at := -1
	for i := range old {
		switch {
		case old[i] == new[i]:
		case at >= 0:
			return []string{what + " changed"}
		default:
			at = i
		}
	}
	flag := ""
	if at > 0 {
		flag = old[at-1] // of "--password VALUE"
	}
	if secret(flag, old[at]) || secret(old[at], "") || secret(flag, new[at]) || secret(new[at], "") || len(old[at]) > 40 || len(new[at]) > 40 {
		return []string{what + " changed"}
	}
	return []string{fmt.Sprintf("%s %s → %s", what, shown(old[at]), shown(new[at]))}
}

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
