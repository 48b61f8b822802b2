package cause

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// fault is one code: where it must be told, and what resembles it and must not be.
type fault struct {
	name     string
	terminal bool
	class    Class
	says     string
	fires    scene
	but      string
	silent   scene
}

func TestEveryCauseIsToldAndItsLookAlikeIsNot(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			causes := f.fires.judge(t)
			c := find(causes, f.name)
			if c == nil {
				t.Fatalf("got %v", codes(causes))
			}
			checkTold(t, *c, f)
		})
		t.Run(f.name+" but "+f.but, func(t *testing.T) {
			if c := find(f.silent.judge(t), f.name); c != nil {
				t.Errorf("told all the same: %s", c.Message)
			}
		})
	}
}

func checkTold(t *testing.T, c Cause, f fault) {
	t.Helper()
	if c.Terminal != f.terminal || c.Terminal && c.Severity != finding.Error {
		t.Errorf("terminal = %v, severity = %s: %s", c.Terminal, c.Severity, c.Message)
	}
	if f.class != "" && c.Class != f.class {
		t.Errorf("class = %q, want %q", c.Class, f.class)
	}
	if f.says == "" || !strings.Contains(c.Message, f.says) {
		t.Errorf("message %q does not say %q", c.Message, f.says)
	}
	if len(c.Evidence) == 0 || c.Since.IsZero() || c.Object.IsZero() || c.Severity != finding.Info && len(c.Fix) == 0 {
		t.Errorf("evidence %v, since %v, object %v, fix %v", c.Evidence, c.Since, c.Object, c.Fix)
	}
	for _, e := range c.Evidence {
		if e.Object.IsZero() || e.Field == "" {
			t.Errorf("evidence without a place: %+v", e)
		}
	}
}

// told in other tests, since they take more than one look.
var remembered = []string{"rollout/hash-collision", "rollout/deadline-never-fires", "rollout/quota"}

func TestEveryDocumentedCodeHasAFixture(t *testing.T) {
	tested := map[string]bool{}
	for _, name := range remembered {
		tested[name] = true
	}
	for _, f := range faults() {
		tested[domain+f.name] = len(f.fires.objects) > 0 && len(f.silent.objects) > 0 && f.but != ""
	}
	documented := map[string]bool{}
	for _, d := range Docs() {
		if !tested[d.Code] {
			t.Errorf("%s has no fixture", d.Code)
		}
		if documented[d.Code] || d.Title == "" || strings.HasSuffix(d.Title, ".") || d.Means == "" || d.Told == "" || d.Fix == "" || d.Source == "" || d.Severity == "" {
			t.Errorf("the page of %s is not whole: %+v", d.Code, d)
		}
		documented[d.Code] = true
	}
	for name := range tested {
		if !documented[name] {
			t.Errorf("%s has no page", name)
		}
	}
	for _, name := range ranks {
		if !documented[domain+name] {
			t.Errorf("%s has a rank and no page", name)
		}
	}
}

func faults() []fault {
	return slices.Concat(imageFaults(), startFaults(), scheduleFaults(), creationFaults(), stateFaults(), kindFaults())
}

const backOff = `Back-off pulling image "netapp:v2": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/netapp:v2": failed to resolve reference "docker.io/library/netapp:v2": `

func imageFaults() []fault {
	pulled := func(reason, message string) scene { return rolling(pod("web-2-x", 2, waits(reason, message))) }
	notFound := pulled("ImagePullBackOff", backOff+"docker.io/library/netapp:v2: not found")
	denied := backOff + "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"
	limited := "429 Too Many Requests - toomanyrequests: You have reached your pull rate limit as 'jdoe': dckr_jti_x. You may"
	down := backOff + `failed to do request: Head "https://registry.shop/v2/": dial tcp: lookup registry.shop: no such host`
	oldBad := of(deployment(), replicaSet(1, 2), replicaSet(2, 1), pod("web-1-a", 1, waits("ImagePullBackOff", backOff+": not found")), pod("web-2-x", 2))
	return []fault{
		{"image-invalid", true, OfRevision, "not a valid image name", pulled("InvalidImageName", "Failed to apply default image tag"), "the image is not found", notFound},
		{"image-not-found", true, OfRevision, `image "netapp:v2" does not exist`, notFound, "it is an old pod that fails", oldBad},
		{"image-auth", true, OfRevision, "does not say which", pulled("ImagePullBackOff", denied), "the image is not found", notFound},
		{"image-rate-limit", false, Passing, "rate limit", pulled("ErrImagePull", limited), "the registry denies", pulled("ErrImagePull", denied)},
		{"image-registry-down", false, Passing, "cannot be reached", pulled("ErrImagePull", down), "the image is not found", notFound},
		{"image-never-pull", true, OfRevision, "not on the node", pulled("ErrImageNeverPull", `Container image "x" is not present with pull policy of Never`), "it is being created", pulled("ContainerCreating", "")},
		{"image-signature", true, OfRevision, "signature", pulled("SignatureValidationFailed", "the signature validation failed"), "the registry is down", pulled("RegistryUnavailable", "the registry is unavailable")},
		{"image-pull", false, Passing, "cannot be pulled", pulled("ErrImagePull", "layer is corrupt"), "the image is not found", notFound},
	}
}

func startFaults() []fault {
	crashing := pod("web-2-x", 2, ended("Error", 1, 2))
	config := func(message string) *corev1.Pod {
		return pod("web-2-x", 2, waits("CreateContainerConfigError", message))
	}
	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web-config", Namespace: "shop", UID: "cm"}, Data: map[string]string{"other": "1"}}
	kinds := []schema.GroupKind{{Kind: "ConfigMap"}, {Kind: "Secret"}}
	absent := rolling(config(`configmap "web-config" not found`)).covers(kinds...)
	key := rolling(config(`couldn't find key mode in ConfigMap shop/web-config`)).with(configMap)
	hasKey := configMap.DeepCopy()
	hasKey.Data["mode"] = "fast"
	creating := pod("web-2-x", 2, waits("ContainerCreating", ""))
	mount := event(creating, "FailedMount", `MountVolume.SetUp failed for volume "c" : configmap "web-config" not found`, 5*time.Second, 4)
	driver := event(creating, "FailedMount", `MountVolume.SetUp failed for volume "d" : rpc error: no route to host`, 5*time.Second, 4)
	sandbox := event(creating, "FailedCreatePodSandBox", `plugin type="bridge" failed (add)`, 5*time.Second, 3)
	pulling := event(creating, "Pulling", "Pulling image", time.Second, 1)
	exit137 := pod("web-2-x", 2, ended("Error", 137, 2))
	killing := event(exit137, "Killing", "Container app failed liveness probe, will be restarted", 16*time.Second, 2)
	starting := event(exit137, "Killing", "Container app failed startup probe, will be restarted", 16*time.Second, 2)
	hook := event(exit137, "FailedPostStartHook", "PostStartHook failed", 18*time.Second, 2)
	probed := func(p *corev1.Pod) {
		p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 2, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/readyz"}}}
	}
	gate := func(p *corev1.Pod) {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "shop.example/attached"}}
		p.Status.Conditions[0].Status = corev1.ConditionFalse
	}
	asInit := func(sidecar bool, status corev1.ContainerStatus) podOption {
		return func(p *corev1.Pod) {
			unready(p)
			p.Status.Phase = corev1.PodPending
			c := corev1.Container{Name: "setup", Image: "busybox"}
			if sidecar {
				c.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
			}
			status.Name = "setup"
			p.Spec.InitContainers, p.Status.InitContainerStatuses = []corev1.Container{c}, []corev1.ContainerStatus{status}
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}
		}
	}
	crashed := corev1.ContainerStatus{RestartCount: 2, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", FinishedAt: ago(5 * time.Second), StartedAt: ago(6 * time.Second)}}}
	running := func(d time.Duration) corev1.ContainerStatus {
		return corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(d)}}}
	}
	ready := rolling(pod("web-2-x", 2))
	oldCrashes := of(deployment(), replicaSet(1, 2), replicaSet(2, 1), pod("web-1-a", 1, ended("Error", 1, 9)), pod("web-2-x", 2))
	return []fault{
		{"config-object-missing", true, OfRevision, `ConfigMap "web-config"`, absent, "it was created since", rolling(config(`configmap "web-config" not found`)).with(configMap)},
		{"config-key-missing", true, OfRevision, `no key "mode"`, key, "the object is missing", absent},
		{"mount-object-missing", true, OfRevision, `ConfigMap "web-config"`, rolling(creating).with(mount).covers(kinds...), "it was created since", rolling(creating).with(mount, configMap)},
		{"mount-failed", false, Passing, "no route to host", rolling(creating).with(driver), "the image is pulled since", rolling(creating).with(driver, pulling)},
		{"run-error", true, OfRevision, "does not exist in its image", rolling(pod("web-2-x", 2, ended("StartError", 128, 2), func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].LastTerminationState.Terminated.Message = `exec: "serve": executable file not found in $PATH`
		})), "the program itself ends", rolling(crashing)},
		{"crash-app", true, OfRevision, `its log ends with "panic: no database"`, rolling(crashing).log(crashing, "starting\npanic: no database\n"), "old pods crash", oldCrashes},
		{"crash-exit0", true, OfRevision, "runs nothing that stays", rolling(pod("web-2-x", 2, ended("Completed", 0, 2))), "it ends with an error", rolling(crashing)},
		{"oom", true, OfRevision, "more memory", rolling(pod("web-2-x", 2, ended("OOMKilled", 137, 1))), "another signal killed it", rolling(exit137)},
		{"init-crash", true, OfRevision, `init container "setup" exits with code 3`, rolling(pod("web-2-x", 2, asInit(false, crashed))), "it still runs", rolling(pod("web-2-x", 2, asInit(false, running(time.Minute))))},
		{"init-slow", false, OfRevision, "has been running for", rolling(pod("web-2-x", 2, asInit(false, running(10*time.Minute)))), "it has only just begun", rolling(pod("web-2-x", 2, asInit(false, running(time.Minute))))},
		{"sidecar-crash", true, OfRevision, `sidecar "setup"`, rolling(pod("web-2-x", 2, asInit(true, crashed))), "it is an init container", rolling(pod("web-2-x", 2, asInit(false, crashed)))},
		{"liveness-kill", true, OfRevision, "liveness probe fails", rolling(exit137).with(killing), "no event says so", rolling(exit137)},
		{"startup-kill", true, OfRevision, "startup probe fails", rolling(exit137).with(starting), "the liveness probe killed it", rolling(exit137).with(killing)},
		{"poststart-hook", true, OfRevision, "postStart hook", rolling(exit137).with(hook), "the program ends by itself", rolling(crashing)},
		{"readiness-failing", false, OfRevision, "readiness probe fails", rolling(pod("web-2-x", 2, probed, unready)), "its time is not over", rolling(pod("web-2-x", 2, probed, unready, func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State.Running.StartedAt = ago(8 * time.Second)
		}))},
		{"readiness-gate", false, OfRevision, `"shop.example/attached"`, rolling(pod("web-2-x", 2, gate)), "the pod is ready", ready},
		{"sandbox", false, OfNode, "plugin type=", rolling(creating).with(sandbox), "the image is pulled since", rolling(creating).with(sandbox, pulling)},
		{"node-notready", false, OfNode, `node "node-1"`, rolling(pod("web-2-x", 2, unready)).with(nodeNamed("node-1", corev1.ConditionUnknown)), "the node is well", rolling(pod("web-2-x", 2, unready)).with(nodeNamed("node-1", corev1.ConditionTrue))},
	}
}

const nodesAvailable = "0/3 nodes are available: "

func scheduleFaults() []fault {
	waiting := func(message string) scene {
		return rolling(pod("web-2-x", 2, unscheduled(nodesAvailable+message, time.Minute)))
	}
	resources := waiting("3 Insufficient cpu.")
	taint := waiting("3 node(s) had untolerated taint(s).")
	gated := rolling(pod("web-2-x", 2, unscheduled("", time.Minute), func(p *corev1.Pod) {
		p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue.x-k8s.io/admission"}}
		p.Status.Conditions[0].Reason = corev1.PodReasonSchedulingGated
	}))
	claims := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: meta("data", "pvc-data"), Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: new("fast")}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}}
	unbound := rolling(pod("web-2-x", 2, unscheduled(nodesAvailable+"pod has unbound immediate PersistentVolumeClaims.", time.Minute), claims)).with(claim)
	gone := func(reason string) podOption {
		return func(p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: reason, Message: "The node was low on resource: memory."}
		}
	}
	preempted := func(p *corev1.Pod) {
		gone("")(p)
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler}}
	}
	holder, attaching := pod("web-1-a", 1, claims), pod("web-2-x", 2, claims, waits("ContainerCreating", ""))
	multi := event(attaching, "FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-1-a`, 10*time.Second, 1)
	deadlock := of(deployment(func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(1)) }), replicaSet(1, 1), replicaSet(2, 1), holder, attaching, multi)
	return []fault{
		{"unsched-resources", true, OfCapacity, "enough free cpu", resources, "the nodes are tainted", taint},
		{"unsched-taint", true, OfNode, "taint", taint, "one node is merely full", resources},
		{"unsched-affinity", true, OfNode, "no node has the labels", waiting("3 node(s) didn't match Pod's node affinity/selector."), "the nodes are tainted", taint},
		{"unsched-scheduler", true, OfRevision, `"volcano"`, rolling(pod("web-2-x", 2, overlooked("volcano", 2*time.Minute))), "it was made just now", rolling(pod("web-2-x", 2, overlooked("volcano", 5*time.Second)))},
		{"unsched-hostport", true, OfCapacity, "host port", waiting("3 node(s) didn't have free ports for the requested pod ports."), "the nodes are full", resources},
		{"sched-gated", false, Held, "kueue.x-k8s.io/admission", gated, "no gate is set", resources},
		{"pvc-pending", true, OfRevision, `"fast" does not exist`, unbound.covers(schema.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}), "the nodes are full", resources},
		{"pv-zone", true, OfNode, "volume", waiting("3 node(s) didn't match PersistentVolume's node affinity."), "the claim is not bound", unbound},
		{"rwo-deadlock", true, OfRevision, `held by pod "web-1-a"`, deadlock, "another driver fails", rolling(attaching).with(event(attaching, "FailedMount", "no route to host", time.Minute, 2))},
		{"evicted", false, OfNode, "low on resource", rolling(pod("web-2-x", 2, gone("Evicted"))), "another needed its place", rolling(pod("web-2-x", 2, preempted))},
		{"preempted", false, OfCapacity, "more important", rolling(pod("web-2-x", 2, preempted)), "its node evicted it", rolling(pod("web-2-x", 2, gone("Evicted")))},
		{"terminating-stuck", false, OfNode, `kubelet of node "node-1"`, rolling(pod("web-2-x", 2)).with(pod("web-1-c", 1, leaving(5*time.Minute))), "it is within its grace", rolling(pod("web-2-x", 2)).with(pod("web-1-c", 1, leaving(-20*time.Second)))},
	}
}

// refusal is the Deployment whose set of this revision may not make pods.
func refusal(revision int, message string) scene {
	failure := func(rs *appsv1.ReplicaSet) {
		rs.Status.Replicas = 0
		rs.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastTransitionTime: ago(2 * time.Minute)}}
	}
	sets := []*appsv1.ReplicaSet{replicaSet(1, 2), replicaSet(2, 1)}
	failure(sets[revision-1])
	return of(deployment(), sets[0], sets[1], pod("web-1-a", 1), pod("web-1-b", 1))
}

const overQuota = `pods "web-2-" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4`

func creationFaults() []fault {
	const forbidden = `pods "web-2-" is forbidden: `
	fs := []fault{
		{name: "limitrange", terminal: true, class: OfRevision, says: "maximum memory", fires: refusal(2, forbidden+"maximum memory usage per Container is 1Gi, but limit is 2Gi")},
		{name: "webhook-denied", terminal: true, class: OfRevision, says: "no latest tag", fires: refusal(2, `admission webhook "check.policy.example" denied the request: no latest tag`)},
		{name: "webhook-unreachable", class: Passing, says: "does not answer", fires: refusal(2, `Internal error occurred: failed calling webhook "check.policy.example": connection refused`)},
		{name: "podsecurity", terminal: true, class: OfRevision, says: "runAsNonRoot", fires: refusal(2, forbidden+`violates PodSecurity "restricted:latest": runAsNonRoot != true`)},
		{name: "sa-missing", terminal: true, class: OfRevision, says: `"robot"`, fires: refusal(2, forbidden+`error looking up service account shop/robot: serviceaccount "robot" not found`).covers(schema.GroupKind{Kind: "ServiceAccount"})},
		{name: "priorityclass-missing", terminal: true, class: OfRevision, says: `"urgent"`, fires: refusal(2, forbidden+"no PriorityClass with name urgent was found")},
		{name: "rs-create-error", terminal: true, class: OfRevision, says: "requests", fires: refusal(2, `Pod "web-2-" is invalid: spec.containers[0].resources.requests: Invalid value: must be less than or equal to cpu limit`)},
	}
	for i := range fs { // the look-alike: an old set is refused in the same words
		same := fs[i].fires.objects[2].(*appsv1.ReplicaSet).Status.Conditions[0].Message
		fs[i].but, fs[i].silent = "an old set is refused", refusal(1, same)
	}
	return fs
}
