package health

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// fault is one name of the catalogue: where it must be told, and what resembles
// it and must not be.
type fault struct {
	name     string
	terminal bool
	says     string // part of the message
	fires    scene
	but      string
	silent   scene
}

func TestEveryFaultIsToldAndItsLookAlikeIsNot(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			problems := f.fires.state(t).Problems
			i := slices.Index(names(problems), f.name)
			if i < 0 {
				t.Fatalf("got %v", names(problems))
			}
			p := problems[i]
			if p.Terminal != f.terminal || p.Terminal && p.Severity != finding.Error {
				t.Errorf("terminal = %v, severity = %s", p.Terminal, p.Severity)
			}
			if f.says == "" || !strings.Contains(p.Message, f.says) {
				t.Errorf("message %q does not say %q", p.Message, f.says)
			}
			if len(p.Evidence) == 0 || len(p.Fix) == 0 {
				t.Errorf("evidence %v, fix %v", p.Evidence, p.Fix)
			}
			for _, e := range p.Evidence {
				if e.Object.IsZero() || e.Field == "" {
					t.Errorf("evidence without a place: %+v", e)
				}
			}
		})
		t.Run(f.name+" but "+f.but, func(t *testing.T) {
			if got := names(f.silent.state(t).Problems); slices.Contains(got, f.name) {
				t.Errorf("told all the same: %v", got)
			}
		})
	}
}

func TestEveryDocumentedNameHasAFaultAndALookAlike(t *testing.T) {
	tested := map[string]bool{}
	for _, f := range faults() {
		tested[f.name] = len(f.fires.objects) > 0 && len(f.silent.objects) > 0 && f.but != ""
	}
	seen := map[string]bool{}
	for _, d := range Docs() {
		if !tested[d.Code] {
			t.Errorf("%s has no fixture", d.Code)
		}
		if seen[d.Code] || d.Title == "" || d.Means == "" || d.Told == "" || d.Fix == "" || d.Source == "" || d.Severity == "" {
			t.Errorf("the page of %s is not whole: %+v", d.Code, d)
		}
		seen[d.Code] = true
	}
	for name := range tested {
		if !seen[name] {
			t.Errorf("%s has no page", name)
		}
	}
}

func faults() []fault {
	return slices.Concat(imageFaults(), startFaults(), scheduleFaults(), creationFaults(), workloadFaults())
}

const backOff = `Back-off pulling image "nginx:1.2525": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.2525": failed to resolve reference "docker.io/library/nginx:1.2525": `

func pulled(reason, words string, options ...podOption) scene {
	p := pod(append([]podOption{waits(reason, words), begun(time.Minute)}, options...)...)
	return of(p)
}

func imageFaults() []fault {
	image := func(name string) podOption { return func(p *corev1.Pod) { p.Spec.Containers[0].Image = name } }
	notFound := pulled("ImagePullBackOff", backOff+"docker.io/library/nginx:1.2525: not found")
	denied := backOff + "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"
	down := backOff + `failed to do request: Head "https://registry.shop/v2/": dial tcp: lookup registry.shop: no such host`
	return []fault{
		{"image-invalid", true, "not a valid image name", pulled("InvalidImageName", `Failed to apply default image tag "A:B:C"`), "the image is not found", notFound},
		{"image-not-found", true, `image "nginx:1.2525" does not exist in its registry`, notFound, "the name of the image says so and the registry another thing", pulled("ErrImagePull", "image shop/not found:1: 401 Unauthorized", image("shop/not found:1"))},
		{"image-auth", true, "does not say which", pulled("ImagePullBackOff", denied), "only the image's name says denied", pulled("ErrImagePull", "shop/denied:401: not found", image("shop/denied:401"))},
		{"image-rate-limit", false, "rate limit", pulled("ErrImagePull", "429 Too Many Requests - toomanyrequests: You have reached your pull rate limit as 'jdoe': dckr_jti_x. You may"), "the registry denies", pulled("ErrImagePull", denied)},
		{"image-registry-down", false, "cannot be reached", pulled("ErrImagePull", down), "the image is not found", notFound},
		{"image-never-pull", true, "not on the node", pulled("ErrImageNeverPull", `Container image "x" is not present with pull policy of Never`), "the image is pulled", pulled("ContainerCreating", "")},
		{"image-signature", true, "signature", pulled("SignatureValidationFailed", "image pull failed for x because the signature validation failed"), "the registry is down", pulled("RegistryUnavailable", "image pull failed for x because the registry is unavailable")},
		{"image-pull", false, "cannot be pulled", pulled("ErrImagePull", "unpack: disk quota"), "the image is not found", notFound},
	}
}

func startFaults() []fault {
	app := func(change func(*corev1.Container)) podOption {
		return func(p *corev1.Pod) { change(&p.Spec.Containers[0]) }
	}
	running := func(d time.Duration, ready bool) podOption {
		return func(p *corev1.Pod) {
			if !ready {
				notReadyPod(p)
			}
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(d)}}
		}
	}
	probed := app(func(c *corev1.Container) { c.ReadinessProbe = &corev1.Probe{} })
	gate := func(p *corev1.Pod) {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "shop.example/attached"}}
		p.Status.Conditions[0].Status = corev1.ConditionFalse
	}
	opened := func(p *corev1.Pod) {
		gate(p)
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: "shop.example/attached", Status: corev1.ConditionTrue})
	}
	creating := pod(waits("ContainerCreating", ""), begun(3*time.Minute))
	crashed, exit137 := pod(ended("Error", 1, 3)), pod(ended("Error", 137, 3))
	killing := event(exit137, "Killing", "Container app failed liveness probe, will be restarted", 30*time.Second, 3)
	throttled := event(exit137, "Killing", "Container app failed liveness probe, will be restarted", 30*time.Minute, 3)
	throttledCrash := event(crashed, "Killing", "Container app failed liveness probe, will be restarted", 30*time.Minute, 3)
	starting := event(exit137, "Killing", "Container app failed startup probe, will be restarted", 30*time.Second, 3)
	hook := event(exit137, "FailedPostStartHook", "PostStartHook failed", 30*time.Second, 3)
	unhealthy := event(exit137, "Unhealthy", "Liveness probe failed: connection refused", 30*time.Second, 3)
	configWait := pod(waits("CreateContainerConfigError", `configmap "web-config" not found`))
	keyWait := pod(waits("CreateContainerConfigError", "couldn't find key color in ConfigMap shop/web-config"))
	mount := event(creating, "FailedMount", `MountVolume.SetUp failed for volume "cfg" : configmap "web-config" not found`, time.Minute, 4)
	driver := event(creating, "FailedMount", `MountVolume.MountDevice failed for volume "data" : driver name x not found in the list of registered CSI drivers`, time.Minute, 4)
	tooEarly := event(creating, "FailedMount", `MountVolume.SetUp failed for volume "kube-api-access-ntscs" : failed to fetch token: serviceaccounts "default" is forbidden: node requested token bound to a pod scheduled on a different node`, time.Second, 1)
	sandbox := event(creating, "FailedCreatePodSandBox", "Failed to create pod sandbox: plugin type=bridge failed", time.Minute, 4)
	pulling := event(creating, "Pulling", "Pulling image", 10*time.Second, 1)
	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web-config", Namespace: "shop"}}
	onFailure := func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }
	return []fault{
		{"config-object-missing", true, `ConfigMap "web-config"`, of(configWait).covers(gk("", "ConfigMap")), "it was created since", of(configWait, configMap)},
		{"config-key-missing", true, `has no key "color"`, of(keyWait), "the whole object is missing", of(configWait)},
		{"mount-object-missing", true, `ConfigMap "web-config"`, of(creating, mount).covers(gk("", "ConfigMap")), "it was created since", of(creating, mount, configMap)},
		{"mount-failed", false, "cannot be mounted", of(creating, driver), "a container is being pulled since", of(creating, driver, pulling)},
		{"mount-failed", false, "cannot be mounted", of(creating, driver), "the kubelet asks for a token before the API server knows of the binding", of(creating, tooEarly)},
		{"run-error", true, "does not exist in its image", of(pod(ended("StartError", 128, 3), func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].LastTerminationState.Terminated.Message = `exec: "serve": executable file not found in $PATH`
		})), "the program itself ends", of(crashed)},
		{"crash-app", true, `its log ends with "Error: REDIS_URL is not set"`, of(crashed).log(crashed, "app", "starting\nError: REDIS_URL is not set\n", true), "it has run calmly since", of(pod(ended("Error", 1, 9), longAgo))},
		{"crash-exit0", true, "runs nothing that stays", of(pod(ended("Completed", 0, 3))), "it may end", of(pod(ended("Completed", 0, 3), onFailure))},
		{"oom", true, "its limit of 64Mi", of(pod(ended("OOMKilled", 137, 1))), "another signal killed it", of(exit137)},
		{"init-crash", true, `init container "setup" exits with code 3`, of(pod(ended("Error", 3, 4), asInit(false))), "it has succeeded", of(pod(func(p *corev1.Pod) {
			asInit(false)(p)
			p.Status.InitContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}
		}))},
		{"init-slow", false, "has been running for 60 min", of(pod(asInit(false))), "it is a sidecar", of(pod(asInit(true)))},
		{"sidecar-crash", true, `sidecar "setup"`, of(pod(ended("Error", 1, 4), asInit(true))), "it is an init container", of(pod(ended("Error", 1, 4), asInit(false)))},
		{"liveness-kill", true, "connection refused", of(exit137, killing, unhealthy), "there are only Unhealthy events", of(exit137, unhealthy)},
		{"liveness-kill", true, "again and again", of(exit137, throttled), "it crashed in a later life", of(crashed, throttledCrash)},
		{"startup-kill", true, "startup probe fails", of(exit137, starting), "the liveness probe killed it", of(exit137, killing)},
		{"poststart-hook", true, "postStart hook", of(exit137, hook), "the program ends by itself", of(crashed)},
		{"readiness-failing", false, "readiness probe fails", of(pod(probed, running(time.Hour, false))), "it has only just started", func() scene {
			young := pod(probed, running(5*time.Second, false))
			return of(young, event(young, "Unhealthy", "Readiness probe failed: 503", time.Second, 1))
		}()},
		{"readiness-gate", false, `"shop.example/attached"`, of(pod(gate)), "the gate is passed", of(pod(opened))},
		{"sandbox", false, "plugin type=bridge", of(creating, sandbox), "the image is pulled since", of(creating, sandbox, pulling)},
	}
}

const nodes = "0/3 nodes are available: "

func scheduleFaults() []fault {
	waiting := func(message string) scene { return of(pod(unscheduled(nodes+message, time.Minute))) }
	resources := waiting("1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.")
	taint := waiting("1 node(s) were unschedulable, 2 node(s) had untolerated taint(s).")
	gated := pod(unscheduled("", time.Minute), func(p *corev1.Pod) {
		p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue.x-k8s.io/admission"}}
		p.Status.Conditions[0].Reason = corev1.PodReasonSchedulingGated
	})
	pending, waitingClaim := claim(corev1.ClaimPending), claim(corev1.ClaimPending)
	noClass := event(pending, "ProvisioningFailed", `storageclass.storage.k8s.io "fast" not found`, time.Minute, 5)
	consumer := event(waitingClaim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding", time.Minute, 5)
	gone := func(reason string) podOption {
		return func(p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: reason, Message: "The node was low on resource: memory."}
		}
	}
	preempted := func(p *corev1.Pod) {
		gone("")(p)
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler}}
	}
	deleted := func(d time.Duration, o source.Object) source.Object {
		at := ago(d)
		o.SetDeletionTimestamp(&at)
		return o
	}
	d, oldSet, newSet := deployment(), replicaSet("web-1", "1", "redis:7", 1), replicaSet("web-2", "2", "redis:8", 0)
	holder := pod(named("old"), claims("data"), ownedBy(oldSet, "ReplicaSet"))
	leaving := deleted(-10*time.Second, pod(named("old"), claims("data"), ownedBy(oldSet, "ReplicaSet")))
	attaching := pod(named("new"), claims("data"), ownedBy(newSet, "ReplicaSet"), waits("ContainerCreating", ""), begun(time.Minute))
	multi := event(attaching, "FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) old`, time.Minute, 1)
	held := widget([]string{"shop.example/keep"})
	return []fault{
		{"unsched-resources", true, "enough free cpu", resources, "the nodes are tainted", taint},
		{"unsched-taint", true, "taint", taint, "one node is merely full", resources},
		{"unsched-affinity", true, "no node has the labels", waiting("3 node(s) didn't match Pod's node affinity/selector."), "the nodes are tainted", taint},
		{"unsched-scheduler", true, `"volcano"`, of(pod(overlooked("volcano"))), "the scheduler found no node", resources},
		{"unsched-hostport", true, "host port", waiting("3 node(s) didn't have free ports for the requested pod ports."), "the nodes are full", resources},
		{"sched-gated", false, "kueue.x-k8s.io/admission", of(gated), "no gate is set", resources},
		{"pvc-pending", true, `"fast" not found`, of(pending, noClass).covers(gk("storage.k8s.io", "StorageClass")), "it waits for its first consumer", of(waitingClaim, consumer)},
		{"pv-zone", true, "volume", waiting("1 node(s) had untolerated taint(s), 2 node(s) didn't match PersistentVolume's node affinity."), "the claim is not bound at all", waiting("pod has unbound immediate PersistentVolumeClaims.")},
		{"rwo-deadlock", true, `held by pod "old"`, of(attaching, multi, holder, d, oldSet, newSet), "another driver's mount fails", of(attaching, event(attaching, "FailedMount", "no route to host", time.Minute, 2), leaving, d, oldSet, newSet)},
		{"evicted", true, "low on resource", of(pod(gone("Evicted"))), "the pod ran too long", of(pod(gone("DeadlineExceeded")))},
		{"preempted", true, "more important", of(pod(preempted)), "its node evicted it", of(pod(gone("Evicted")))},
		{"node-notready", false, `node "node-1" does not report`, of(pod(notReadyPod), node(corev1.ConditionUnknown)), "the node is well", of(pod(notReadyPod), node(corev1.ConditionTrue))},
		{"terminating-stuck", false, `kubelet of node "node-1"`, of(deleted(5*time.Minute, pod())), "it is within its grace", of(deleted(-20*time.Second, pod()))},
		{"stuck-terminating", false, "owns the prefix shop.example", of(deleted(5*time.Minute, held)), "it was deleted just now", of(deleted(10*time.Second, widget([]string{"shop.example/keep"})))},
	}
}

func widget(finalizers []string) source.Object {
	w := custom("Ready", "True", "", time.Hour)
	w.SetFinalizers(finalizers)
	return w
}

func creationFaults() []fault {
	const forbidden = `pods "web-1-" is forbidden: `
	messages := map[string]string{
		"quota":                 forbidden + "exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4",
		"limitrange":            forbidden + "maximum memory usage per Container is 1Gi, but limit is 2Gi",
		"webhook-denied":        `admission webhook "check.policy.example" denied the request: no latest tag`,
		"webhook-unreachable":   `Internal error occurred: failed calling webhook "check.policy.example": connection refused`,
		"podsecurity":           forbidden + `violates PodSecurity "restricted:latest": runAsNonRoot != true`,
		"sa-missing":            forbidden + `error looking up service account shop/robot: serviceaccount "robot" not found`,
		"priorityclass-missing": forbidden + "no PriorityClass with name urgent was found",
		"rs-create-error":       "etcdserver: request is too large",
	}
	says := map[string]string{"quota": `"small" is used up`, "limitrange": "maximum memory usage", "webhook-denied": "no latest tag", "webhook-unreachable": "does not answer",
		"podsecurity": "runAsNonRoot", "sa-missing": `"robot"`, "priorityclass-missing": `"urgent"`, "rs-create-error": "too large"}
	transient := []string{"quota", "webhook-unreachable", "rs-create-error"}
	var fs []fault
	for name, message := range messages {
		fs = append(fs, fault{name, !slices.Contains(transient, name), says[name], of(refusedSet(message, 0)), "no replica is lacking any more", of(refusedSet(message, 1))})
	}
	slices.SortFunc(fs, func(a, b fault) int { return strings.Compare(a.name, b.name) })
	return fs
}

func workloadFaults() []fault {
	deadline := func(reason string) *appsv1.Deployment {
		return deployment(func(d *appsv1.Deployment) {
			d.Status.UpdatedReplicas = 1
			d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Reason: reason, Message: "ReplicaSet \"web-2\" has timed out progressing."}}
		})
	}
	written := func(d time.Duration) *appsv1.Deployment {
		return deployment(func(dep *appsv1.Deployment) {
			dep.Generation = 4
			dep.ManagedFields = []metav1.ManagedFieldsEntry{{Time: new(ago(d))}}
		})
	}
	return []fault{
		{"observed-lag", false, "generation 4, seen 3", of(written(time.Minute)), "the spec was written just now", of(written(5 * time.Second))},
		{"progress-deadline", true, "no progress for 600 s", of(deadline("ProgressDeadlineExceeded")), "it still moves", of(deadline("ReplicaSetUpdated"))},
		{"paused", false, "paused", of(deployment(func(d *appsv1.Deployment) { d.Spec.Paused = true })), "it was resumed", of(deployment())},
		{"schedule-never-due", false, "day 31 of month 2", of(cron("0 0 31 2 *")), "February 29 comes in leap years", of(cron("0 0 29 2 *"))},
		{"job-failed", true, "gave up after 2 failed pods", of(job(batchv1.JobFailed, "BackoffLimitExceeded")), "it succeeded after failures", of(job(batchv1.JobComplete, "CompletionsReached"))},
		{"condition", false, "Ready=False: no such size", of(custom("Ready", "False", "BadSize", time.Hour)), "it became not ready just now", of(custom("Ready", "False", "Creating", time.Minute))},
	}
}
