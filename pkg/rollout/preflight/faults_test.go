package preflight

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

type fault struct {
	name   string
	change []func(*scene)
	want   []string // beside "info nothing-to-roll", which is said of a spec that is rolled out
	says   string   // in the first finding
}

func try(t *testing.T, faults []fault) {
	t.Helper()
	documented := map[string]bool{}
	for _, d := range Docs() {
		documented[d.Code] = true
	}
	for _, f := range faults {
		s := healthy()
		for _, c := range f.change {
			c(s)
		}
		found := s.judge(t)
		got := codes(found)
		if n := len(got); n > 0 && got[n-1] == "info nothing-to-roll" && s.opts.Next == nil {
			got = got[:n-1]
		}
		if diff := cmp.Diff(f.want, got); diff != "" && len(f.want)+len(got) > 0 {
			t.Errorf("%s: %s%v", f.name, diff, found)
			continue
		}
		if f.says != "" && !strings.Contains(found[0].Message, f.says) {
			t.Errorf("%s: says %q", f.name, found[0].Message)
		}
		for _, one := range found {
			if len(one.Evidence) == 0 || !documented[one.Code] {
				t.Errorf("%s: %s has no evidence, or no page", f.name, one.Code)
			}
		}
	}
}

func the(changes ...func(*scene)) []func(*scene) { return changes }

func TestAHealthyWorkloadHasNothingToRoll(t *testing.T) {
	for name, change := range map[string]func(*scene){"Deployment": func(*scene) {}, "StatefulSet": (*scene).asStatefulSet, "DaemonSet": (*scene).asDaemonSet} {
		s := healthy()
		change(s)
		if diff := cmp.Diff([]string{"info nothing-to-roll"}, codes(s.judge(t))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		s = healthy()
		change(s)
		s.next(newer)
		if got := codes(s.judge(t)); len(got) != 0 {
			t.Errorf("%s with a new image: %v", name, got)
		}
	}
}

func TestATemplateThatLeavesItsService(t *testing.T) {
	named := func(s *scene) { s.svc.Spec.Ports[0].TargetPort = intstr.FromString("http") }
	ports := func(ports ...corev1.ContainerPort) func(*scene) {
		return func(s *scene) {
			s.next(func(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Ports = ports })
		}
	}
	label := func(key, value string) func(*scene) {
		return func(s *scene) {
			s.next(func(t *corev1.PodTemplateSpec) { t.Labels = map[string]string{"app": "web", key: value} })
		}
	}
	byTier := func(s *scene) {
		s.dep.Spec.Template.Labels = map[string]string{"app": "web", "tier": "front"}
		s.svc.Spec.Selector = map[string]string{"app": "web", "tier": "front"}
	}
	leaves := []string{"warning leaves-service"}
	try(t, []fault{
		{"a label that the Service selects by is gone", the(byTier, label("track", "new")), leaves, "selects the old pods and not the new ones"},
		{"it has another value", the(byTier, label("tier", "back")), leaves, ""},
		{"a label by which no Service selects", the(label("track", "new")), nil, ""},
		{"a named port is gone", the(named, ports(corev1.ContainerPort{Name: "web", ContainerPort: 8080})), leaves, "none of them becomes an endpoint"},
		{"a numbered port moved", the(ports(corev1.ContainerPort{Name: "http", ContainerPort: 9090})), leaves, "leads to port 8080"},
		{"the port got another name, and the Service leads to its number", the(ports(corev1.ContainerPort{Name: "web", ContainerPort: 8080})), nil, ""},
		{"no port is declared any more, which none need be", the(ports()), nil, ""},
	})
}

func TestServing(t *testing.T) {
	noProbe := app(func(c *corev1.Container) { c.ReadinessProbe = nil })
	recreate := func(s *scene) { s.dep.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }
	noService := func(s *scene) { s.svc = nil }
	grace := func(n int64) func(*scene) {
		return func(s *scene) { s.dep.Spec.Template.Spec.TerminationGracePeriodSeconds = &n }
	}
	hook := func(command ...string) func(*scene) {
		return app(func(c *corev1.Container) {
			c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: command}}}
		})
	}
	try(t, []fault{
		{"no readiness probe", the(noProbe), []string{"warning no-readiness-probe"}, `Service "web"`},
		{"a startup probe speaks first", the(noProbe, app(func(c *corev1.Container) { c.StartupProbe = &corev1.Probe{} })), nil, ""},
		{"a gate speaks first", the(noProbe, func(s *scene) {
			s.dep.Spec.Template.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "lb"}}
			s.run()
		}), nil, ""},
		{"a worker behind no Service", the(noProbe, noService), nil, ""},
		{"Services that may not be seen", the(noProbe, hidden("Service")), nil, ""},
		{"a sidecar that serves nothing", the(func(s *scene) {
			s.dep.Spec.Template.Spec.Containers = append(s.dep.Spec.Template.Spec.Containers, corev1.Container{Name: "log", Image: "netapp:v1"})
		}), nil, ""},
		{"peers that find each other before they are ready", the(noProbe, func(s *scene) { s.svc.Spec.PublishNotReadyAddresses = true }), nil, ""},

		{"one replica that is taken away", the(replicas(1), unavailable(1)), []string{"warning single-replica"}, "may be stopped before"},
		{"one replica by percentages: the new one first", the(replicas(1), func(s *scene) { s.dep.Spec.Strategy.RollingUpdate = nil }), []string{"info single-replica"}, "a drain"},
		{"one replica of a StatefulSet", the(func(s *scene) { s.asStatefulSet(); s.sts.Spec.Replicas = new(int32(1)) }), []string{"warning single-replica"}, "the only pod is stopped"},
		{"one worker", the(replicas(1), unavailable(1), noService), nil, ""},
		{"two replicas", the(replicas(2)), nil, ""},

		{"Recreate", the(recreate), []string{"warning recreate-downtime"}, "stops every pod"},
		{"Recreate of a worker", the(recreate, noService), nil, ""},
		{"Recreate of nothing", the(recreate, replicas(0)), nil, ""},

		{"a hook as long as the grace", the(grace(30), hook("/bin/sh", "-c", "echo bye; sleep 30")), []string{"warning drain-gap"}, "killed before it is told"},
		{"a hook by its path", the(grace(10), hook("/bin/sleep", "15")), []string{"warning drain-gap"}, "15 s"},
		{"the kubelet's own sleep", the(grace(10), app(func(c *corev1.Container) {
			c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 10}}}
		})), []string{"warning drain-gap"}, ""},
		{"a hook with time to spare", the(grace(30), hook("sleep", "5")), nil, ""},
		{"a hook that says no time", the(grace(30), hook("/drain.sh", "--asleep", "99")), nil, ""},
		{"hardly any grace", the(grace(1)), []string{"warning drain-gap"}, "may be cut off"},
		{"hardly any grace for a worker", the(grace(1), noService), nil, ""},
		{"the usual grace", the(grace(30)), nil, ""},

		{"probes that grant more than the deadline", the(func(s *scene) { s.dep.Spec.ProgressDeadlineSeconds = new(int32(600)); s.dep.Spec.MinReadySeconds = 30 },
			app(func(c *corev1.Container) { c.StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 57} })), []string{"warning probe-budget"}, "600 s"},
		{"probes within the deadline", the(app(func(c *corev1.Container) { c.StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 30} })), nil, ""},
		{"no deadline at all", the(func(s *scene) { s.dep.Spec.ProgressDeadlineSeconds = new(int32(1<<31 - 1)) },
			app(func(c *corev1.Container) { c.StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 900} })), nil, ""},
	})
}

func TestRoomForOneMore(t *testing.T) {
	port := app(func(c *corev1.Container) { c.Ports[0].HostPort = 8080 })
	apart := func(key string, revision bool) func(*scene) {
		return func(s *scene) {
			term := corev1.PodAffinityTerm{LabelSelector: webSelector, TopologyKey: key}
			if revision {
				term.MatchLabelKeys = []string{"pod-template-hash"}
			}
			s.dep.Spec.Template.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{term}}}
		}
	}
	zone := func(s *scene) {
		for _, n := range s.nodes {
			n.Labels["zone"] = "a"
		}
	}
	cordon := func(i int) func(*scene) { return func(s *scene) { s.nodes[i].Spec.Unschedulable = true } }
	surging := func(s *scene) {
		s.asDaemonSet()
		s.ds.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0))}
	}
	try(t, []fault{
		{"a host port on every node", the(port), []string{"error no-room-to-surge"}, "all 3 nodes that it may use have host port 8080/TCP"},
		{"a host port with a node to spare", the(port, replicas(2)), nil, ""},
		{"a host port, and the spare node is cordoned", the(port, replicas(2), cordon(2)), []string{"error no-room-to-surge"}, "all 2 nodes"},
		{"a host port, and the spare node has a taint", the(port, replicas(2), func(s *scene) {
			s.nodes[2].Spec.Taints = []corev1.Taint{{Key: "x", Effect: corev1.TaintEffectNoSchedule}}
		}), []string{"error no-room-to-surge"}, ""},
		{"a host port, and the taint is tolerated", the(port, replicas(2), func(s *scene) {
			s.nodes[2].Spec.Taints = []corev1.Taint{{Key: "x", Effect: corev1.TaintEffectNoSchedule}}
			s.dep.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
		}), nil, ""},
		{"a host port, one may go first", the(port, unavailable(1)), nil, ""},
		{"the node's own network", the(func(s *scene) { s.dep.Spec.Template.Spec.HostNetwork = true }), []string{"error no-room-to-surge"}, "host port 8080"},
		{"an autoscaler may help", the(port, with(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "cluster-autoscaler-status"}})), []string{"warning no-room-to-surge"}, "node is added"},
		{"an autoscaler that may not be seen", the(port, hidden("ConfigMap")), []string{"warning no-room-to-surge"}, ""},
		{"nodes that may not be seen", the(port, hidden("Node")), []string{"info no-room-to-surge"}, "could not be seen"},
		{"the new template gives the port up", the(port, func(s *scene) { s.next(func(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Ports[0].HostPort = 0 }) }), nil, ""},
		{"the new template asks for the port", the(func(s *scene) {
			s.next(func(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Ports[0].HostPort = 8080 })
		}), nil, ""},
		{"a host port, and the roll has begun", the(port, replicas(2), func(s *scene) {
			s.run()
			set := s.set.DeepCopy()
			set.Name, set.UID, set.Spec.Template.Spec.Containers[0].Image = "web-0", "rs0", "netapp:v0"
			set.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "zero"
			s.more = append(s.more, set)
			own(s.pods[0], "ReplicaSet", "rs0")
			own(s.pods[1], "ReplicaSet", "rs0")
			s.pods = append(s.pods, s.pod("web-1-2", 2, "ReplicaSet", "rs1", &s.dep.Spec.Template))
		}), nil, ""},
		{"one pod a node", the(apart(corev1.LabelHostname, false)), []string{"error no-room-to-surge"}, "keep away from"},
		{"one pod a node of each revision", the(apart(corev1.LabelHostname, true)), nil, ""},
		{"one pod a zone", the(apart("zone", false), zone, replicas(1)), []string{"error no-room-to-surge", "info single-replica"}, "zone"},
		{"nodes in no zone", the(apart("zone", false)), nil, ""},
		{"a node to spare", the(apart(corev1.LabelHostname, false), replicas(2)), nil, ""},
		{"a DaemonSet beside itself", the(port, surging), []string{"error no-room-to-surge"}, "beside the old one on its node"},
		{"a DaemonSet without a port", the(surging), nil, ""},
	})
}

func pvc(mode corev1.PersistentVolumeAccessMode) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: meta("data", "pvc"), Spec: corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{mode}, VolumeName: "pv"}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound}}
}

func pv(nodes ...string) *corev1.PersistentVolume {
	p := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv", UID: "pv"}}
	if len(nodes) > 0 {
		p.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: nodes}}}}}}
	}
	return p
}

func mounts(s *scene) {
	s.dep.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
}

func TestVolumesOfOneNode(t *testing.T) {
	const rwo, rwop, rwx = corev1.ReadWriteOnce, corev1.ReadWriteOncePod, corev1.ReadWriteMany
	one := replicas(1)
	try(t, []fault{
		{"RWO, any node", the(mounts, one, with(pvc(rwo), pv())), []string{"warning rwo-rolling-update", "info single-replica"}, "another node"},
		{"RWO, its one node", the(mounts, one, with(pvc(rwo), pv("n1"))), []string{"info single-replica"}, ""},
		{"RWX", the(mounts, one, with(pvc(rwx), pv())), []string{"info single-replica"}, ""},
		{"RWO, and none need stay", the(mounts, one, unavailable(1), with(pvc(rwo), pv())), []string{"warning single-replica"}, ""},
		{"RWO that several nodes use as it is", the(mounts, with(pvc(rwo), pv())), nil, ""},
		{"RWO, a volume that may not be seen", the(mounts, one, with(pvc(rwo), pv()), hidden("PersistentVolume")), []string{"info single-replica", "info rwo-rolling-update"}, ""},
		{"RWO, one node only", the(mounts, one, with(pvc(rwo), pv()), func(s *scene) { s.nodes = s.nodes[:1] }), []string{"info single-replica"}, ""},
		{"RWO and Recreate", the(mounts, one, with(pvc(rwo), pv()), func(s *scene) { s.dep.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }), []string{"warning recreate-downtime"}, `claim "data"`},
		{"RWOP", the(mounts, one, with(pvc(rwop), pv())), []string{"error no-room-to-surge", "info single-replica"}, "one pod alone may use claim"},
		{"RWOP, and none need stay", the(mounts, one, unavailable(1), with(pvc(rwop), pv())), []string{"warning single-replica"}, ""},
		{"a claim that is not there", the(mounts, one), []string{"error reference-missing", "info single-replica"}, `PersistentVolumeClaim "data"`},
		{"a claim that may not be seen", the(mounts, one, hidden("PersistentVolumeClaim")), []string{"info single-replica"}, ""},
	})
}

func TestImages(t *testing.T) {
	image := func(name string) func(*scene) { return app(func(c *corev1.Container) { c.Image = name }) }
	ids := func(ids ...string) func(*scene) {
		return func(s *scene) {
			s.run()
			for i, id := range ids {
				s.pods[i].Status.ContainerStatuses[0].ImageID = id
			}
		}
	}
	platforms := func(s *scene) { s.nodes[1].Status.NodeInfo.Architecture = "arm64" }
	try(t, []fault{
		{"latest, all the same now", the(image("netapp:latest")), []string{"info mutable-tag"}, "tomorrow"},
		{"no tag, in a registry with a port", the(image("reg:5000/netapp")), []string{"info mutable-tag"}, ""},
		{"latest that nobody runs yet", the(func(s *scene) {
			s.next(func(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Image = "netapp:latest" })
		}), []string{"warning mutable-tag"}, ""},
		{"a tag that was moved", the(ids("x@sha256:1", "x@sha256:2", "x@sha256:1")), []string{"warning mutable-tag"}, "2 different images"},
		{"one image on two platforms", the(platforms, ids("x@sha256:1", "x@sha256:2", "x@sha256:1")), nil, ""},
		{"one image pulled and loaded", the(ids("x@sha256:1", "sha256:2", "x@sha256:1")), nil, ""},
		{"one image from two registries", the(ids("a/x@sha256:1", "b/x@sha256:1", "a/x@sha256:1")), nil, ""},
		{"a version", the(image("netapp:v1")), nil, ""},
		{"a digest", the(image("netapp@sha256:1")), nil, ""},
	})
	s := healthy()
	image("reg:5000/netapp:latest")(s)
	if got := s.judge(t)[0].Fix[0].Command; got != "kubectl -n shop set image deployment/web app=reg:5000/netapp@sha256:1111" {
		t.Errorf("the fix is %q", got)
	}
}

func TestNeighbours(t *testing.T) {
	applied := func(text string) func(*scene) {
		return func(s *scene) {
			s.dep.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: text}
		}
	}
	other := func(selector map[string]string) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: meta("other", "other"), Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: selector}}}
		return d
	}
	scales := func(s *scene) {
		s.next(newer)
		s.opts.Next.(*appsv1.Deployment).Spec.Replicas = new(int32(2))
	}
	two := budget("two", "1")
	try(t, []fault{
		{"a manifest that scales against the autoscaler", the(with(autoscalerOf("web", 2, 9)), scales), []string{"warning hpa-conflict"}, "sets replicas to 2"},
		{"a manifest that leaves replicas alone", the(with(autoscalerOf("web", 2, 9)), func(s *scene) { s.next(newer) }), nil, ""},
		{"a manifest that scales, without an autoscaler", the(scales), nil, ""},
		{"replicas in what was applied", the(with(autoscalerOf("web", 2, 9)), applied(`{"spec":{"replicas":3}}`)), []string{"warning hpa-conflict"}, "every apply"},
		{"no replicas in what was applied", the(with(autoscalerOf("web", 2, 9)), applied(`{"spec":{}}`)), nil, ""},
		{"what was applied is no JSON", the(with(autoscalerOf("web", 2, 9)), applied(`{`)), nil, ""},
		{"two autoscalers", the(with(autoscalerOf("a", 2, 9), autoscalerOf("b", 2, 9))), []string{"warning hpa-conflict"}, `"a" and "b"`},
		{"an autoscaler that scales nothing", the(with(autoscalerOf("web", 3, 3)), applied(`{"spec":{"replicas":3}}`)), nil, ""},

		{"another Deployment of the same selector", the(with(other(map[string]string{"app": "web"}))), []string{"warning selector-overlap"}, "Deployment/other"},
		{"a canary of its own track", the(with(other(map[string]string{"app": "web", "track": "canary"}))), nil, ""},

		{"a budget that lets none go", the(with(budget("web", "3"))), []string{"warning pdb-blocks-drain"}, "3 of 3 must stay"},
		{"all of them, in percent", the(with(budget("web", "100%"))), []string{"warning pdb-blocks-drain"}, "not held up"},
		{"a percentage rounds up", the(with(budget("web", "70%"))), []string{"warning pdb-blocks-drain"}, ""},
		{"a budget that lets one go", the(with(budget("web", "2"))), nil, ""},
		{"a budget that allows none only now", the(with(two), func(s *scene) { two.Status.ExpectedPods = 3 }), nil, ""},
		{"two budgets", the(with(budget("a", "1"), budget("b", "1"))), []string{"warning pdb-blocks-drain"}, "2 PodDisruptionBudgets"},
		{"budgets that may not be seen", the(with(budget("web", "3")), hidden("PodDisruptionBudget")), nil, ""},
	})
}

func TestReferences(t *testing.T) {
	env := func(name string, f *corev1.EnvVarSource) func(*scene) {
		return app(func(c *corev1.Container) { c.Env = append(c.Env, corev1.EnvVar{Name: name, ValueFrom: f}) })
	}
	key := func(name, key string, optional bool) func(*scene) {
		return env("A", &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key, Optional: &optional}})
	}
	secret := env("B", &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "login"}, Key: "pw"}})
	conf := &corev1.ConfigMap{ObjectMeta: meta("conf", "cm"), Data: map[string]string{"level": "1"}}
	account := func(name string) func(*scene) {
		return func(s *scene) { s.dep.Spec.Template.Spec.ServiceAccountName = name }
	}
	class := func(name string) func(*scene) {
		return func(s *scene) { s.dep.Spec.Template.Spec.PriorityClassName = name }
	}
	try(t, []fault{
		{"a ConfigMap", the(key("conf", "level", false)), []string{"error reference-missing"}, `ConfigMap "conf", which does not exist`},
		{"one of a close name", the(key("conff", "level", false), with(conf)), []string{"error reference-missing"}, "there is conf"},
		{"an optional one", the(key("conf", "level", true)), nil, ""},
		{"one that is there", the(key("conf", "level", false), with(conf)), nil, ""},
		{"a key", the(key("conf", "levels", false), with(conf)), []string{"error reference-missing"}, "there is level"},
		{"one that may not be seen", the(key("conf", "level", false), hidden("ConfigMap")), nil, ""},
		{"one that is applied along", the(key("conf", "level", false), func(s *scene) { s.opts.Along = []object.Ref{object.New("v1", "ConfigMap", "shop", "conf")} }), nil, ""},
		{"a Secret", the(secret), []string{"error reference-missing"}, `Secret "login"`},
		{"a Secret that may not be seen", the(secret, hidden("Secret")), nil, ""},
		{"a ServiceAccount", the(account("robot")), []string{"error reference-missing"}, `ServiceAccount "robot"`},
		{"the default ServiceAccount", the(account("default")), nil, ""},
		{"a PriorityClass", the(class("vip")), []string{"error reference-missing"}, `PriorityClass "vip"`},
		{"a PriorityClass of the system", the(class("system-node-critical")), nil, ""},
		{"no pods, no need", the(secret, replicas(0)), nil, ""},
	})
}

func TestHowThingsStand(t *testing.T) {
	crash := func(i int) func(*scene) {
		return func(s *scene) {
			s.run()
			p := s.pods[i]
			p.Status.Conditions[0].Status = corev1.ConditionFalse
			p.Status.ContainerStatuses[0].Ready = false
			p.Status.ContainerStatuses[0].RestartCount = 5
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
			p.Status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: ago(time.Minute), FinishedAt: ago(50 * time.Second)}}
			if s.dep != nil {
				s.dep.Status.ReadyReplicas, s.dep.Status.AvailableReplicas = 2, 2
			} else {
				s.sts.Status.ReadyReplicas, s.sts.Status.AvailableReplicas = 2, 2
			}
		}
	}
	next := func(s *scene) { s.next(newer) }
	halfway := func(s *scene) {
		s.run()
		set := s.set.DeepCopy()
		set.Name, set.UID, set.Spec.Template.Spec.Containers[0].Image = "web-0", "rs0", "netapp:v0"
		set.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "zero"
		s.more = append(s.more, set)
		own(s.pods[2], "ReplicaSet", "rs0")
		s.dep.Status.UpdatedReplicas = 2
	}
	try(t, []fault{
		{"the current revision fails", the(crash(0)), []string{"error already-broken"}, "cannot finish"},
		{"a new template replaces what fails", the(crash(0), next), []string{"warning already-broken"}, "fails"},
		{"a StatefulSet does not replace what fails", the((*scene).asStatefulSet, crash(0), next), []string{"error already-broken"}, "waits for it to be ready"},
		{"a parallel one does", the((*scene).asStatefulSet, func(s *scene) { s.sts.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }, crash(0), next), []string{"warning already-broken"}, ""},
		{"an old pod is unwell", the(halfway, crash(2)), []string{"warning already-broken"}, "old pod"},
		{"under way", the(halfway), nil, ""},
		{"under way, and the next comes", the(halfway, next), []string{"warning already-broken"}, "still under way"},
		{"paused", the(func(s *scene) { s.dep.Spec.Paused = true }), []string{"warning already-broken"}, "paused"},
		{"paused, and the manifest resumes it", the(func(s *scene) {
			s.dep.Spec.Paused = true
			s.next(newer)
			s.opts.Next.(*appsv1.Deployment).Spec.Paused = false
		}), nil, ""},
		{"no way back", the(func(s *scene) { s.dep.Spec.RevisionHistoryLimit = new(int32(0)) }), []string{"warning already-broken"}, "no way back"},
		{"the deadline has passed", the(func(s *scene) {
			s.dep.Status.UpdatedReplicas = 1
			s.dep.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}}
		}), []string{"error already-broken"}, "has failed"},
	})
}

func TestNothingToRoll(t *testing.T) {
	onDelete := func(s *scene) {
		s.asStatefulSet()
		s.sts.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
	}
	partition := func(n int32) func(*scene) {
		return func(s *scene) {
			s.asStatefulSet()
			s.sts.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &n}
		}
	}
	hashed := func(s *scene) {
		s.next(func(t *corev1.PodTemplateSpec) { t.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "x" })
	}
	next := func(s *scene) { s.next(newer) }
	for _, tc := range []struct {
		name   string
		change []func(*scene)
		says   string // "": it is not said
	}{
		{"all is rolled out", the(), "is rolled out already"},
		{"the hash is no difference", the(hashed), "is the one that runs"},
		{"replicas alone", the(hashed, func(s *scene) { s.opts.Next.(*appsv1.Deployment).Spec.Replicas = new(int32(5)) }), "replicas 3 → 5"},
		{"a new image", the(next), ""},
		{"no pods", the(replicas(0)), "no pods"},
		{"OnDelete", the(onDelete, next), "OnDelete"},
		{"a partition that keeps all", the(partition(3), next), "keeps all 3 pods"},
		{"a partition that keeps some", the(partition(2), next), ""},
		{"while a rollout is under way", the(func(s *scene) { s.dep.Status.UpdatedReplicas = 1 }), ""},
	} {
		s := healthy()
		for _, c := range tc.change {
			c(s)
		}
		said := ""
		for _, f := range s.judge(t) {
			if f.Code == "preflight/nothing-to-roll" {
				said = f.Message
			}
		}
		if (tc.says == "") != (said == "") || !strings.Contains(said, tc.says) {
			t.Errorf("%s: %q", tc.name, said)
		}
	}
}
