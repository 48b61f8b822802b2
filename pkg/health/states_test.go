package health

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

func TestTheStateOfAnObjectInWords(t *testing.T) {
	labelled := func(p *corev1.Pod) { p.Labels = map[string]string{"app": "web"} }
	service := func(change func(*corev1.Service)) *corev1.Service {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", CreationTimestamp: ago(time.Hour)}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}}
		change(s)
		return s
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "web-x", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}, {Addresses: []string{"10.0.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: new(false)}}},
	}
	rolling := func(d *appsv1.Deployment) { d.Status.UpdatedReplicas, d.Status.Replicas = 1, 3 }
	scaled := func(d *appsv1.Deployment) {
		d.Spec.Replicas, d.Status = new(int32(0)), appsv1.DeploymentStatus{ObservedGeneration: 3}
	}
	warming := func(d *appsv1.Deployment) { d.Spec.MinReadySeconds, d.Status.AvailableReplicas = 60, 1 }
	onDelete := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db", Namespace: "shop"},
		Spec:       appsv1.StatefulSetSpec{Replicas: new(int32(3)), UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}},
		Status:     appsv1.StatefulSetStatus{Replicas: 3, ReadyReplicas: 3, AvailableReplicas: 3, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "b"},
	}
	partitioned := onDelete.DeepCopy()
	partitioned.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}}
	rollingSet := onDelete.DeepCopy()
	rollingSet.Spec.UpdateStrategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
	cordoned := node(corev1.ConditionTrue)
	cordoned.Spec.Unschedulable = true
	wfc := claim(corev1.ClaimPending)
	wfc.Spec.StorageClassName = new("local")
	autoscaler := func(kind autoscalingv2.HorizontalPodAutoscalerConditionType, reason string) *autoscalingv2.HorizontalPodAutoscaler {
		return &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 5},
			Status: autoscalingv2.HorizontalPodAutoscalerStatus{Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: kind, Status: corev1.ConditionFalse, Reason: reason}}}}
	}
	budget := func(expected, allowed int32) *policyv1.PodDisruptionBudget {
		return &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}, Status: policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, ExpectedPods: expected, CurrentHealthy: expected, DisruptionsAllowed: allowed}}
	}
	failedRun := pod(func(p *corev1.Pod) {
		ended("Error", 1, 0)(p)
		p.Status.Phase = corev1.PodFailed
		p.Status.ContainerStatuses[0].State = p.Status.ContainerStatuses[0].LastTerminationState
		own(p, job(batchv1.JobComplete, ""), "batch/v1", "Job")
	})
	d := deployment()
	for _, c := range []struct {
		name   string
		scene  scene
		level  Level
		ready  string
		status string
	}{
		{"a ready pod is ok", of(pod()), OK, "1/1", "Running"},
		{"a completed pod is ok", of(pod(func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })), OK, "", "Completed"},
		{"a pod that is being created is progressing", of(pod(waits("ContainerCreating", ""))), Progressing, "0/1", "ContainerCreating"},
		{"an OOM kill outranks its back-off", of(pod(ended("OOMKilled", 137, 4))), Broken, "0/1", "OOMKilled"},
		{"a failed pod of a Job that succeeded is history", of(failedRun, job(batchv1.JobComplete, "")), OK, "0/1", "Error"},
		{"a bare pod that its node rejected is broken", of(pod(func(p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfcpu"}
		})), Broken, "0/1", "OutOfcpu"},
		{"a pod without status is unknown", of(pod(func(p *corev1.Pod) { p.Status = corev1.PodStatus{} })), Unknown, "0/1", "no status"},
		{"an available deployment", of(deployment()), OK, "2/2", "available"},
		{"a deployment scaled to zero is ok", of(deployment(scaled)), OK, "0/0", "scaled to 0"},
		{"a rollout under way is not broken", of(deployment(rolling)), Progressing, "2/2", "rolling out 1/2"},
		{"minReadySeconds are no failure", of(deployment(warming)), Progressing, "2/2", "waiting minReadySeconds"},
		{"an old revision still serves", of(replicaSet("web-1", "1", "a", 1), d, replicaSet("web-2", "2", "b", 1)), OK, "1/1", "old, still serving"},
		{"a statefulset rolls", of(rollingSet), Progressing, "3/3", "rolling out 1/3"},
		{"a partition is done at replicas − partition", of(partitioned), OK, "3/3", "ready"},
		{"OnDelete rolls nothing by itself", of(onDelete), OK, "3/3", "ready, 2 to be deleted"},
		{"a daemonset that no node wants is done", of(&appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "log", Namespace: "shop"}}), OK, "0/0", "no node selected"},
		{"a job that runs", of(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "j", Namespace: "shop"}, Status: batchv1.JobStatus{Active: 1}}), Progressing, "0/1", "running"},
		{"a suspended cronjob waits for ever", of(&batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "shop"}, Spec: batchv1.CronJobSpec{Suspend: new(true)}}), Warning, "", "suspended"},
		{"a service with ready pods", of(service(func(*corev1.Service) {}), pod(labelled)), OK, "1/1", "1/1 ready"},
		{"a service whose only pod crashes", of(service(func(*corev1.Service) {}), pod(ended("Error", 1, 5), labelled)), Broken, "0/1", "0/1 ready"},
		{"a service whose pods start is progressing", of(service(func(*corev1.Service) {}), pod(waits("ContainerCreating", ""), labelled)), Progressing, "0/1", "0/1 ready"},
		{"a selector that matches nothing", of(service(func(*corev1.Service) {})).covers(podKind), Warning, "0/0", "selects no pod"},
		{"pods that were not read are unknown, not missing", of(service(func(*corev1.Service) {})), Unknown, "", "pods not seen"},
		{"a nil selector matches nothing", of(service(func(s *corev1.Service) { s.Spec.Selector = nil }), pod(labelled)).covers(sliceKind), Warning, "", "no endpoints"},
		{"a service without selector lives from slices", of(service(func(s *corev1.Service) { s.Spec.Selector = nil }), slice), OK, "1/2", "1/2 ready"},
		{"an ExternalName needs no pods", of(service(func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName })), OK, "", "ExternalName"},
		{"a load balancer that never comes", of(service(func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeLoadBalancer }), pod(labelled)), Warning, "1/1", "no external address yet"},
		{"an endpoint slice", of(slice), OK, "1/2", "1/2 ready"},
		{"an ingress without address proves nothing", of(&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "i", Namespace: "shop", CreationTimestamp: ago(time.Hour)}}), None, "", "no address reported"},
		{"a silent node is broken", of(node(corev1.ConditionUnknown)), Broken, "", "NotReady"},
		{"a cordoned node", of(cordoned), Warning, "", "cordoned"},
		{"a ready node whose lease is old", of(node(corev1.ConditionTrue), &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "node-1", Namespace: "kube-node-lease"}, Spec: coordinationv1.LeaseSpec{RenewTime: &metav1.MicroTime{Time: now.Add(-65 * time.Second)}}}), Warning, "", "lease 65 s old"},
		{"a claim that waits for its first consumer is normal", of(wfc, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "local"}, VolumeBindingMode: new(storagev1.VolumeBindingWaitForFirstConsumer)}), OK, "", "waits for first consumer"},
		{"a lost claim", of(claim(corev1.ClaimLost)), Broken, "", "Lost"},
		{"a released volume", of(&corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv"}, Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeReleased}}), Warning, "", "Released"},
		{"a volume that cannot be attached", of(&storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: storagev1.VolumeAttachmentStatus{AttachError: &storagev1.VolumeError{Message: "no"}}}), Broken, "", "cannot attach"},
		{"an autoscaler without metrics", of(autoscaler(autoscalingv2.ScalingActive, "FailedGetResourceMetric")), Warning, "", "FailedGetResourceMetric"},
		{"an autoscaler of nothing is off on purpose", of(autoscaler(autoscalingv2.ScalingActive, "ScalingDisabled")), OK, "", "off: target has 0 replicas"},
		{"a budget that allows no disruption", of(budget(2, 0)), Warning, "2/2", "no disruption allowed"},
		{"a budget without pods", of(budget(0, 0)), Warning, "0/0", "no pods match"},
		{"a full quota", of(&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q", Namespace: "shop"}, Status: corev1.ResourceQuotaStatus{
			Hard: corev1.ResourceList{"pods": resource.MustParse("4"), "cpu": resource.MustParse("2")}, Used: corev1.ResourceList{"pods": resource.MustParse("4")}}}), Warning, "", "full: pods 4/4"},
		{"an active namespace", of(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}), OK, "", "Active"},
		{"a config map cannot be unwell", of(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "shop"}}), None, "", ""},
		{"a custom object that is ready", of(custom("Ready", "True", "", 0)), OK, "", "Ready"},
		{"a custom object that reconciles", of(custom("Reconciling", "True", "Updating", 0)), Progressing, "", "Updating"},
		{"a custom object that stalls", of(custom("Stalled", "True", "BadSpec", 0)), Broken, "", "BadSpec"},
		{"a custom object of unknown conditions says nothing", of(custom("Frobbed", "False", "", 0)), None, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.scene.state(t)
			if diff := cmp.Diff([]string{string(c.level), c.ready, c.status}, []string{string(got.Level), got.Ready, got.Status}); diff != "" {
				t.Error(diff)
			}
			if utf8.RuneCountInString(got.Status) > 30 {
				t.Errorf("%q is too long for a row", got.Status)
			}
		})
	}
}

func TestContainersInTheOrderOfTheKubelet(t *testing.T) {
	p := pod(ended("OOMKilled", 137, 4))
	done := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}
	p.Spec.InitContainers = []corev1.Container{{Name: "setup"}, {Name: "proxy", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}}
	p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "proxy", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}, {Name: "setup", State: done}}
	v, _ := of(p).view(t)
	want := []Container{
		{Name: "setup", Type: InitContainer, Level: OK, Status: "completed"},
		{Name: "proxy", Type: SidecarContainer, Ready: true, Level: OK, Status: "running"},
		{Name: "app", Type: AppContainer, Image: "nginx:1.2525", Restarts: 4, Level: Broken, Status: "OOMKilled (limit 64Mi)"},
	}
	if diff := cmp.Diff(want, Containers(v, p)); diff != "" {
		t.Error(diff)
	}
}

func TestFixesAreCompleteCommandsForTheOwner(t *testing.T) {
	good, bad := replicaSet("web-1", "1", "nginx:1.25", 1), replicaSet("web-2", "2", "nginx:1.2525", 0)
	image := of(pod(waits("ImagePullBackOff", backOff+"not found"), ownedBy(bad, "ReplicaSet")), good, bad, deployment())
	memory := of(pod(ended("OOMKilled", 137, 4), ownedBy(bad, "ReplicaSet")), good, bad, deployment())
	crash := of(pod(ended("Error", 1, 4), named("web;rm")))
	for want, s := range map[string]scene{
		"kubectl -n shop set image deployment/web app=nginx:1.25":                   image,
		"kubectl -n shop set resources deployment/web -c app --limits=memory=128Mi": memory,
		"kubectl -n shop logs 'web;rm' -c app":                                      crash,
	} {
		if got := s.state(t).Problems[0].Fix[0].Command; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestASuspicionIsAWarning(t *testing.T) {
	for name, s := range map[string]scene{
		"the first pull":           of(pod(waits("ErrImagePull", "not found"), begun(3*time.Second))),
		"the first crash":          of(pod(ended("Error", 1, 1))),
		"a missing read":           of(pod(waits("CreateContainerConfigError", `secret "s" not found`))),
		"the scheduler's first no": of(pod(unscheduled(nodes+"3 Insufficient cpu.", 5*time.Second))),
	} {
		t.Run(name, func(t *testing.T) {
			ps := s.state(t).Problems
			if len(ps) != 1 || ps[0].Severity != finding.Warning || ps[0].Terminal {
				t.Errorf("got %+v", ps)
			}
		})
	}
	first, second := pod(ended("Error", 1, 1), named("a")), pod(ended("Error", 1, 1), named("b"))
	rs := replicaSet("web-1", "1", "a", 0)
	own(first, rs, "apps/v1", "ReplicaSet")
	own(second, rs, "apps/v1", "ReplicaSet")
	if ps := of(first, second, rs).state(t).Problems; len(ps) != 1 || !ps[0].Terminal {
		t.Errorf("a crash of all pods is certain, got %+v", ps)
	}
}

func TestTheAccountOfARateLimitIsNotShown(t *testing.T) {
	s := pulled("ErrImagePull", "toomanyrequests: You have reached your pull rate limit as 'jdoe': dckr_jti_x. You may increase it").state(t)
	text, err := json.Marshal(s)
	if err != nil || strings.Contains(string(text), "jdoe") || strings.Contains(string(text), "dckr_jti") {
		t.Errorf("%s, %v", text, err)
	}
}

func FuzzAnyPodIsJudgedWithoutPanicAndTheSameTwice(f *testing.F) {
	for _, fault := range faults() {
		if text, err := json.Marshal(fault.fires.objects[0]); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p corev1.Pod
		if json.Unmarshal(data, &p) != nil {
			return
		}
		p.TypeMeta = metav1.TypeMeta{}
		s := of(&p, node(corev1.ConditionFalse), claim(corev1.ClaimPending), event(&p, "FailedMount", "x", time.Minute, 1))
		v, it := s.view(t)
		if diff := cmp.Diff(Of(v, it), Of(v, it)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(PodProblems(v, &p), PodProblems(v, &p)); diff != "" {
			t.Error(diff)
		}
		Containers(v, &p)
	})
}
