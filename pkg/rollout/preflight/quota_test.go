package preflight

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func TestEffectiveRequests(t *testing.T) {
	container := func(cpu, memory string) corev1.Container {
		return corev1.Container{Resources: corev1.ResourceRequirements{Requests: list("cpu", cpu, "memory", memory)}}
	}
	sidecar := container("100m", "10Mi")
	sidecar.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	for _, tc := range []struct {
		name   string
		spec   corev1.PodSpec
		cpu    string
		memory string
	}{
		{"the sum of the containers", corev1.PodSpec{Containers: []corev1.Container{container("1", "1Gi"), container("500m", "1Gi")}}, "1500m", "2Gi"},
		{"an init container that asks for more", corev1.PodSpec{InitContainers: []corev1.Container{container("3", "1Mi"), container("2", "1Mi")}, Containers: []corev1.Container{container("1", "1Gi")}}, "3", "1Gi"},
		{"a sidecar counts beside both", corev1.PodSpec{InitContainers: []corev1.Container{sidecar, container("3", "1Mi")}, Containers: []corev1.Container{container("1", "1Gi")}}, "3100m", "1034Mi"},
		{"a sidecar after the init container does not", corev1.PodSpec{InitContainers: []corev1.Container{container("3", "1Mi"), sidecar}, Containers: []corev1.Container{container("1", "1Gi")}}, "3", "1034Mi"},
		{"overhead on top", corev1.PodSpec{Containers: []corev1.Container{container("1", "1Gi")}, Overhead: list("memory", "50Mi")}, "1", "1074Mi"},
		{"what is set for the whole pod", corev1.PodSpec{Containers: []corev1.Container{container("1", "1Gi")}, Resources: &corev1.ResourceRequirements{Requests: list("cpu", "2")}}, "2", "1Gi"},
	} {
		got := podRequests(&tc.spec)
		cpu, memory := resource.MustParse(tc.cpu), resource.MustParse(tc.memory)
		if got.Cpu().Cmp(cpu) != 0 || got.Memory().Cmp(memory) != 0 {
			t.Errorf("%s: cpu %s, memory %s", tc.name, got.Cpu(), got.Memory())
		}
	}
}

func TestQuotas(t *testing.T) {
	small := asks(list("cpu", "100m", "memory", "64Mi"), list("memory", "128Mi"))
	pods := func(hard, used string) func(*scene) {
		return with(quota("small", list("pods", hard), list("pods", used)))
	}
	cpu := func(hard, used string) func(*scene) {
		return with(quota("cpu", list("requests.cpu", hard), list("requests.cpu", used)))
	}
	scoped := func(scope corev1.ResourceQuotaScope) func(*scene) {
		q := quota("scoped", list("pods", "3"), list("pods", "3"))
		q.Spec.Scopes = []corev1.ResourceQuotaScope{scope}
		return with(q)
	}
	class := func(operator corev1.ScopeSelectorOperator, values ...string) func(*scene) {
		q := quota("class", list("pods", "3"), list("pods", "3"))
		q.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{{ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: operator, Values: values}}}
		return with(q)
	}
	limitRange := &corev1.LimitRange{ObjectMeta: meta("defaults", "lr"), Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, DefaultRequest: list("cpu", "200m")}}}}
	heavier := func(amount string) func(*scene) {
		return func(s *scene) {
			s.next(func(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Resources.Requests = list("cpu", amount) })
		}
	}
	next := func(s *scene) { s.next(newer) }
	standard := with(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "standard", UID: "pc"}, GlobalDefault: true})
	fresh := func(s *scene) { s.opts.New, s.opts.Next = true, s.dep }
	try(t, []fault{
		{"no pod more", the(pods("3", "3")), []string{"error quota-headroom"}, "stops at 0 of 3 new pods"},
		{"one pod more", the(pods("4", "3")), nil, ""},
		{"no pod more, but one may go first", the(pods("3", "3"), unavailable(1)), []string{"info quota-headroom"}, "old pods go before"},
		{"no pod more, Recreate", the(pods("3", "3"), func(s *scene) { s.dep.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType; s.svc = nil }), nil, ""},
		{"no pod more, a StatefulSet", the((*scene).asStatefulSet, pods("3", "3")), nil, ""},
		{"no pod more, one that goes makes room", the(pods("3", "3"), func(s *scene) {
			s.run()
			s.pods = append(s.pods, s.pod("web-1-9", 0, "ReplicaSet", "rs1", &s.dep.Spec.Template))
			s.pods[3].DeletionTimestamp = new(ago(0))
		}), nil, ""},
		{"room for one at a time is enough", the(small, cpu("400m", "300m"), next), nil, ""},
		{"heavier pods come to a stop half way", the(small, cpu("800m", "300m"), heavier("300m")), []string{"error quota-headroom"}, "stops at 2 of 3"},
		{"heavier pods that fit", the(small, cpu("2", "300m"), heavier("300m")), nil, ""},
		{"a first deploy that does not fit", the(small, fresh, cpu("250m", "0")), []string{"error quota-headroom"}, "stops at 2 of 3"},
		{"a first deploy that fits", the(small, fresh, cpu("300m", "0")), nil, ""},
		{"the quota is of another resource", the(small, with(quota("gpu", list("requests.nvidia.com/gpu", "0"), list("requests.nvidia.com/gpu", "0")))), nil, ""},
		{"a quota that has not been counted yet", the(with(&corev1.ResourceQuota{ObjectMeta: meta("new", "q"), Spec: corev1.ResourceQuotaSpec{Hard: list("pods", "0")}})), nil, ""},
		{"quotas that may not be seen", the(pods("3", "3"), hidden("ResourceQuota")), nil, ""},

		{"pods that may not be seen", the(pods("3", "3"), hidden("Pod")), nil, ""},
		{"ReplicaSets that may not be seen", the(with(quota("sets", list("count/replicasets.apps", "1"), list("count/replicasets.apps", "1"))), next, hidden("ReplicaSet", "Pod")), nil, ""},

		{"a container that does not say what it asks for", the(cpu("9", "0"), next), []string{"error quota-headroom"}, `container "app" does not set it`},
		{"a LimitRange says it", the(cpu("9", "0"), next, with(limitRange)), nil, ""},
		{"what a LimitRange says counts", the(cpu("300m", "200m"), next, with(limitRange)), []string{"error quota-headroom"}, "takes 200m"},
		{"LimitRanges that may not be seen", the(cpu("9", "0"), next, hidden("LimitRange")), nil, ""},

		{"for best effort, which it is", the(scoped(corev1.ResourceQuotaScopeBestEffort)), []string{"error quota-headroom"}, "scoped"},
		{"for best effort, which it is not", the(small, scoped(corev1.ResourceQuotaScopeBestEffort)), nil, ""},
		{"for what is not best effort", the(small, scoped(corev1.ResourceQuotaScopeNotBestEffort)), []string{"error quota-headroom"}, ""},
		{"for pods with an end", the(scoped(corev1.ResourceQuotaScopeTerminating)), nil, ""},
		{"for pods without an end", the(scoped(corev1.ResourceQuotaScopeNotTerminating)), []string{"error quota-headroom"}, ""},
		{"for another priority", the(class(corev1.ScopeSelectorOpIn, "vip")), nil, ""},
		{"for every priority", the(class(corev1.ScopeSelectorOpExists)), nil, ""},
		{"for what has no priority", the(class(corev1.ScopeSelectorOpDoesNotExist)), []string{"error quota-headroom"}, ""},
		{"for the priority that the cluster gives", the(class(corev1.ScopeSelectorOpIn, "standard"), standard, next), []string{"error quota-headroom"}, ""},
		{"for a priority that may not be seen", the(class(corev1.ScopeSelectorOpIn, "standard"), standard, hidden("PriorityClass"), next), nil, ""},
		{"across namespaces", the(scoped(corev1.ResourceQuotaScopeCrossNamespacePodAffinity)), nil, ""},

		{"no ReplicaSet more", the(with(quota("sets", list("count/replicasets.apps", "1"), list("count/replicasets.apps", "1"))), next), []string{"error quota-headroom"}, "ReplicaSets"},
		{"no ReplicaSet more, and none is needed", the(with(quota("sets", list("count/replicasets.apps", "1"), list("count/replicasets.apps", "1")))), nil, ""},
	})
}

func TestRuntimeOverheadCountsInAQuota(t *testing.T) {
	gvisor := &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: "gvisor", UID: "rc"}, Overhead: &nodev1.Overhead{PodFixed: list("memory", "50Mi")}}
	full := func(hard string) []func(*scene) {
		return the(asks(list("memory", "64Mi"), nil), func(s *scene) { s.dep.Spec.Template.Spec.RuntimeClassName = new("gvisor") },
			with(gvisor, quota("memory", list("requests.memory", hard), list("requests.memory", "0"))), func(s *scene) { s.opts.New, s.opts.Next = true, s.dep })
	}
	try(t, []fault{{"with overhead it is too much", full("200Mi"), []string{"error quota-headroom"}, "114Mi"}, {"with overhead it fits", full("342Mi"), nil, ""}})
}

func TestRoomOnNodes(t *testing.T) {
	headroom := func(s *scene) { s.opts.Headroom = true }
	none := with(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "cluster-autoscaler-status"}})
	big := asks(list("cpu", "3"), nil)
	try(t, []fault{
		{"no node has room beside the old pods", the(headroom, big), []string{"warning node-headroom"}, "maxUnavailable is 0"},
		{"one may go first", the(headroom, big, unavailable(1)), nil, ""},
		{"a node is free", the(headroom, big, replicas(2)), nil, ""},
		{"nobody asked", the(big), nil, ""},
		{"an autoscaler", the(headroom, big, none), []string{"info node-headroom"}, "autoscaler"},
		{"nodes that may not be seen", the(headroom, big, hidden("Node")), nil, ""},
		{"pods of other namespaces that may not be seen", the(headroom, big, hidden("Pod")), nil, ""},
		{"too many pods", the(headroom, func(s *scene) {
			for _, n := range s.nodes {
				n.Status.Allocatable["pods"] = resource.MustParse("1")
			}
		}), []string{"warning node-headroom"}, ""},
		{"a DaemonSet that grows too large for a node", the(headroom, (*scene).asDaemonSet, func(s *scene) {
			s.nodes[1].Status.Allocatable = list("cpu", "1", "pods", "110")
			s.next(func(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Resources.Requests = list("cpu", "2") })
		}), []string{"warning node-headroom"}, "n2"},
	})
}

func TestNeedsAreFrugal(t *testing.T) {
	text := func(s *scene) []string {
		v, w := s.view(t)
		var out []string
		for _, q := range Needs(v, w, s.opts) {
			words := q.Kind.Kind
			if q.Name != "" {
				words += "/" + q.Name
			}
			if q.Metadata {
				words += " (metadata)"
			}
			if q.Namespace == "" {
				words += " (all)"
			}
			out = append(out, words)
		}
		return out
	}
	always := []string{"LimitRange", "ResourceQuota", "Service", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet", "HorizontalPodAutoscaler", "PodDisruptionBudget"}
	if diff := cmp.Diff(always, text(healthy())); diff != "" {
		t.Error(diff)
	}
	s := healthy()
	mounts(s)
	s.dep.Spec.Template.Spec.Containers[0].Ports[0].HostPort = 80
	s.dep.Spec.Template.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "login"}}},
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "conf"}}}}
	s.dep.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "conf"}, Key: "a"}}}}
	s.opts.Headroom = true
	with(pvc(corev1.ReadWriteOnce))(s)
	want := []string{"ConfigMap/cluster-autoscaler-status (metadata)", "ConfigMap/conf", "LimitRange", "Node (all)", "PersistentVolume/pv (all)", "PersistentVolumeClaim/data",
		"Pod (all)", "ResourceQuota", "Secret/login (metadata)", "Service", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet", "HorizontalPodAutoscaler", "PodDisruptionBudget"}
	if diff := cmp.Diff(want, text(s)); diff != "" {
		t.Error(diff)
	}
}

func TestChanges(t *testing.T) {
	s := healthy()
	s.next(func(t *corev1.PodTemplateSpec) {
		newer(t)
		t.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", Value: "1"}}
	})
	d := s.opts.Next.(*appsv1.Deployment)
	d.Spec.Replicas, d.Spec.MinReadySeconds, d.Spec.Paused = new(int32(5)), 10, true
	d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntVal = 1
	_, w := s.view(t)
	want := []string{"image netapp:v1 → v2", "env A added: 1", "replicas 3 → 5", "maxSurge 1, maxUnavailable 0 → maxSurge 1, maxUnavailable 1", "minReadySeconds 0 → 10", "paused"}
	if diff := cmp.Diff(want, Changes(w, s.opts)); diff != "" {
		t.Error(diff)
	}
	if got := Changes(w, Options{Next: s.dep}); got != nil {
		t.Errorf("nothing changes: %v", got)
	}
	if diff := cmp.Diff([]string{"created with image netapp:v1", "3 replicas"}, Changes(nil, Options{Next: s.dep, New: true})); diff != "" {
		t.Error(diff)
	}
	if got := Changes(w, Options{}); got != nil {
		t.Errorf("all is rolled out: %v", got)
	}
	set := healthy()
	set.asStatefulSet()
	if got := Changes(w, Options{Next: set.sts}); got != nil {
		t.Errorf("another kind: %v", got)
	}
}

func TestEveryCodeHasAPage(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Docs() {
		if d.Title == "" || strings.HasSuffix(d.Title, ".") || d.Means == "" || d.Told == "" || d.Fix == "" || d.Source == "" || seen[d.Code] {
			t.Errorf("%s: incomplete or twice", d.Code)
		}
		seen[d.Code] = true
	}
	all := []string{"reference-missing", "quota-headroom", "no-room-to-surge", "already-broken", "recreate-downtime", "single-replica", "rwo-rolling-update", "no-readiness-probe",
		"drain-gap", "probe-budget", "node-headroom", "mutable-tag", "hpa-conflict", "leaves-service", "selector-overlap", "pdb-blocks-drain", "nothing-to-roll"}
	for _, name := range all {
		if !seen[code(name)] {
			t.Errorf("%s has no page", name)
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d pages", len(seen))
	}
}

func TestAnObjectThatDoesNotExistYetIsJudged(t *testing.T) {
	s := healthy()
	s.opts.New, s.opts.Next = true, s.dep
	s.dep.Spec.Template.Spec.Containers[0].ReadinessProbe = nil
	found := s.judge(t)
	if diff := cmp.Diff([]string{"warning no-readiness-probe"}, codes(found)); diff != "" {
		t.Fatal(diff)
	}
	if found[0].Object != object.New("apps/v1", "Deployment", "shop", "web") {
		t.Errorf("of %v", found[0].Object)
	}
	v, _ := s.view(t)
	for _, next := range []source.Object{nil, &corev1.Pod{}} {
		if got := Judge(v, nil, Options{New: true, Next: next}); got != nil {
			t.Errorf("%v", got)
		}
	}
}

func TestOddInputIsJudgedWithoutHarm(t *testing.T) {
	empty := &appsv1.Deployment{ObjectMeta: meta("web", "d")}
	vast := func(s *scene) {
		s.run()
		s.dep.Spec.Replicas = new(int32(1<<31 - 1))
		s.more = append(s.more, quota("vast", list("pods", "1E", "requests.cpu", "1"), list("pods", "0")))
	}
	bare := func(s *scene) {
		s.more = append(s.more, quota("odd", list("pods", "-1"), list("pods", "-5")), &corev1.LimitRange{ObjectMeta: meta("x", "lr")}, budget("b", "x%"))
		s.dep.Spec = appsv1.DeploymentSpec{Replicas: new(int32(1))}
	}
	for name, change := range map[string]func(*scene){
		"vast": vast, "bare": bare, "negative": func(s *scene) { s.run(); s.dep.Spec.Replicas = new(int32(-3)) },
		"an empty manifest": func(s *scene) { s.opts.Next = empty }, "another kind": func(s *scene) { s.opts.Next = &appsv1.DaemonSet{} },
		"no container has the same name": func(s *scene) {
			s.next(func(t *corev1.PodTemplateSpec) { t.Spec.Containers = append(t.Spec.Containers, corev1.Container{}) })
		},
		"a selector that cannot be parsed": func(s *scene) {
			s.more = append(s.more, &appsv1.Deployment{ObjectMeta: meta("x", "x"), Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Operator: "Like"}}}}})
		},
	} {
		s := healthy()
		change(s)
		v, w := s.view(t)
		first, again := Judge(v, w, s.opts), Judge(v, w, s.opts)
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		Needs(v, w, s.opts)
		Changes(w, s.opts)
	}
}
