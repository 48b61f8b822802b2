package cause

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// What passes by itself must not end a rollout.
func TestWhatMayPassIsNotCertain(t *testing.T) {
	once := pod("web-2-x", 2, ended("Error", 1, 1))
	resources := unscheduled(nodesAvailable+"3 Insufficient cpu.", time.Minute)
	scaling := pod("web-2-x", 2, resources)
	tainted := unscheduled(nodesAvailable+"1 node(s) were unschedulable, 1 node(s) had untolerated taint(s).", time.Minute)
	pull := pod("web-2-x", 2, waits("ErrImagePull", "rpc error: netapp:v2: not found"))
	beginning := func(p *corev1.Pod) {
		notReady := ago(5 * time.Second)
		p.Spec.NodeName, p.Status.ContainerStatuses = "node-1", nil
		p.Status.Conditions[0].Status, p.Status.Conditions[0].LastTransitionTime = corev1.ConditionFalse, notReady
	}
	shutdown := func(p *corev1.Pod) {
		ended("Error", 137, 0)(p)
		p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Terminated", "Pod was terminated in response to imminent node shutdown."
		p.Status.ContainerStatuses[0].State = p.Status.ContainerStatuses[0].LastTerminationState
	}
	tests := map[string]struct {
		scene scene
		name  string // the cause that is told; "" where none is
	}{
		"a program that ended once while another pod is well":      {rolling(once, pod("web-2-y", 2)), "crash-app"},
		"a container that has been ready for longer than it lived": {rolling(pod("web-2-x", 2, ended("Error", 1, 3), upAgain(40*time.Second))), "crash-app"},
		"no room while the autoscaler brings a node":               {rolling(scaling).with(event(scaling, "TriggeredScaleUp", "pod triggered scale-up", time.Second, 1)), "unsched-resources"},
		"no room while an old pod is ending":                       {rolling(pod("web-2-x", 2, resources)).with(pod("web-1-c", 1, leaving(-20*time.Second))), "unsched-resources"},
		"no room while another new pod starts":                     {rolling(pod("web-2-x", 2, resources), pod("web-2-y", 2, beginning)), "unsched-resources"},
		"no room, and an old pod may go":                           {eager(pod("web-2-x", 2, resources)), "unsched-resources"},
		"cordoned nodes":                                           {rolling(pod("web-2-x", 2, tainted)).with(nodeNamed("n1", corev1.ConditionTrue, cordoned, large)), "unsched-taint"},
		"a node that reboots":                                      {rolling(pod("web-2-x", 2, tainted)).with(nodeNamed("n1", corev1.ConditionUnknown, large)), "unsched-taint"},
		"the scheduler's first word":                               {rolling(pod("web-2-x", 2, unscheduled(nodesAvailable+"3 Insufficient cpu.", 5*time.Second))), "unsched-resources"},
		"the first pull, which may race a push":                    {rolling(pull).with(event(pull, "Failed", `Failed to pull image "netapp:v2": not found`, 3*time.Second, 1)), "image-not-found"},
		"containers that went with their node":                     {rolling(pod("web-2-x", 2, ended("Unknown", 255, 1)), pod("web-2-y", 2, ended("Unknown", 255, 1))), ""},
		"a pod that its node shut down under":                      {rolling(pod("web-2-x", 2, shutdown)), "evicted"},
		"a quota that the controller has merely not tried again":   {refusal(2, overQuota).with(quota("small", "5", "4")), "quota"},
		"a quota while an old pod is ending":                       {refusal(2, overQuota).with(pod("web-1-c", 1, leaving(-20*time.Second))), "quota"},
		"a ServiceAccount that is created a moment after":          {refusedNow(`pods "web-2-" is forbidden: error looking up service account shop/robot: serviceaccount "robot" not found`), "sa-missing"},
		"a set that cannot be created while a webhook does not answer": {of(deployment(func(d *appsv1.Deployment) {
			d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ReplicaSetCreateError", Message: `failed calling webhook "a.b": connection refused`, LastUpdateTime: ago(time.Minute)}}
		}), replicaSet(1, 2)), "rs-create-error"},
		"a claim that is being provisioned": {rolling(pod("web-2-x", 2, unscheduled(nodesAvailable+"pod has unbound immediate PersistentVolumeClaims.", time.Minute))), "pvc-pending"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			causes := test.scene.judge(t)
			if test.name != "" && find(causes, test.name) == nil {
				t.Errorf("got %v", codes(causes))
			}
			for _, c := range causes {
				if c.Terminal {
					t.Errorf("%s is certain: %s", c.Code, c.Message)
				}
				if test.name == "" && c.Severity != finding.Info {
					t.Errorf("told %s: %s", c.Code, c.Message)
				}
			}
		})
	}
}

func quota(name, hard, used string) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{ObjectMeta: meta(name, "quota"), Status: corev1.ResourceQuotaStatus{
		Hard: corev1.ResourceList{"pods": resource.MustParse(hard)}, Used: corev1.ResourceList{"pods": resource.MustParse(used)}}}
}

func refusedNow(message string) scene {
	s := refusal(2, message)
	s.objects[2].(*appsv1.ReplicaSet).Status.Conditions[0].LastTransitionTime = ago(time.Second)
	return s
}

func TestAQuotaIsCertainOnceNothingMovesThatMakesRoom(t *testing.T) {
	c := find(refusal(2, overQuota).with(quota("small", "4", "4")).judge(t), "quota")
	if c == nil || !c.Terminal || c.Class != OfCapacity || c.Object.Name != "web-2" {
		t.Errorf("got %+v", c)
	}
	if c := find(refusal(1, overQuota).judge(t), "quota"); c != nil {
		t.Errorf("an old set is refused, and it is told: %s", c.Message)
	}
}

func TestAStatefulSetAndADaemonSetAreRefusedInEventsAlone(t *testing.T) {
	const over = `create Pod db-1 in StatefulSet db failed error: pods "db-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4`
	db := statefulSet(func(s *appsv1.StatefulSet) { s.Status.Replicas = 1 })
	refused := event(db, "FailedCreate", over, time.Second, 8)
	if c := find(ordered(db, dbPod("db-0", 1)).with(refused).judge(t), "quota"); c == nil || !c.Terminal {
		t.Errorf("got %+v", c)
	}
	made := event(db, "SuccessfulCreate", "create Pod db-1 in StatefulSet db successful", 0, 1)
	if c := find(ordered(db, dbPod("db-0", 1)).with(refused, made).judge(t), "quota"); c != nil {
		t.Errorf("it was created since, and it is told: %s", c.Message)
	}
	ds := daemonSet(2)
	ds.Status.CurrentNumberScheduled = 1
	denied := event(ds, "FailedCreate", `Error creating: admission webhook "check" denied the request: no`, time.Second, 2)
	if c := find(everywhere(ds, agent("agent-a", 1)).with(denied).judge(t), "webhook-denied"); c == nil || !c.Terminal {
		t.Errorf("got %+v", c)
	}
}

func TestAllNewPodsThatCrashedOnceAreCertain(t *testing.T) {
	d := daemonSet(2)
	all := everywhere(d, agent("agent-a", 2, ended("Error", 1, 1)), agent("agent-b", 2, ended("Error", 1, 1), onNode("node-2")))
	c := find(all.judge(t), "crash-app")
	if c == nil || !c.Terminal || len(c.Pods) != 2 || !strings.Contains(c.Message, "(2 of 2 new pods)") {
		t.Errorf("got %+v", c)
	}
}

func TestOldPodsThatFailAlikeLeaveItUndetermined(t *testing.T) {
	both := of(deployment(), replicaSet(1, 2), replicaSet(2, 1), pod("web-1-a", 1, ended("Error", 1, 5)), pod("web-2-x", 2, ended("Error", 1, 2)))
	if c := find(both.judge(t), "crash-app"); c == nil || !c.Terminal || c.Class != Undetermined {
		t.Errorf("got %+v", c)
	}
}

func TestTheAccountsNameIsNotTold(t *testing.T) {
	limited := rolling(pod("web-2-x", 2, waits("ErrImagePull", "toomanyrequests: You have reached your pull rate limit as 'jdoe': dckr_jti_x. You may")))
	for _, c := range limited.judge(t) {
		for _, e := range c.Evidence {
			if strings.Contains(e.Value+c.Message, "jdoe") || strings.Contains(e.Value, "dckr_jti") {
				t.Errorf("%s: %s", e.Field, e.Value)
			}
		}
	}
}

func TestABudgetIsNeverAccused(t *testing.T) {
	pdb := &policyv1.PodDisruptionBudget{ObjectMeta: meta("web", "pdb"), Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector, MinAvailable: new(intstr.FromInt32(2))}}
	for _, c := range rolling(pod("web-2-x", 2, unready)).with(pdb).judge(t) {
		if strings.Contains(c.Message, "PodDisruptionBudget") || c.Object.Kind == "PodDisruptionBudget" {
			t.Errorf("%s: %s", c.Code, c.Message)
		}
	}
}

func TestADeadlineFollowsFromItsCauseAndIsOfItsClass(t *testing.T) {
	s := rolling(pod("web-2-x", 2, waits("ErrImagePull", "dial tcp: i/o timeout")))
	s.objects[0] = deployment(exceededAt(time.Minute, "web-2"))
	causes := s.judge(t)
	c := find(causes, "progress-deadline")
	if c == nil || !c.Terminal || c.CausedBy == nil || c.CausedBy.Code != "rollout/image-registry-down" || c.Class != Passing {
		t.Fatalf("got %+v", c)
	}
	if causes[0].Code != "rollout/image-registry-down" {
		t.Errorf("the root does not come first: %v", codes(causes))
	}
}

func TestAReadinessProbeFailsForCertainAtTheDeadline(t *testing.T) {
	probed := func(p *corev1.Pod) {
		p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, FailureThreshold: 2}
	}
	s := rolling(pod("web-2-x", 2, probed, unready))
	s.objects[0] = deployment(exceededAt(time.Second, "web-2"))
	causes := s.judge(t)
	if causes[0].Code != "rollout/readiness-failing" || !causes[0].Terminal {
		t.Errorf("got %v, %+v", codes(causes), causes[0])
	}
}

func TestADeadlineFromBeforeTheWatchCountsOnceItStays(t *testing.T) {
	s := rolling(pod("web-2-x", 2, unready))
	s.objects[0] = deployment(exceededAt(20*time.Minute, "web-2"))
	if c := find(s.judge(t), "progress-deadline"); c != nil {
		t.Errorf("at first sight: %+v", c)
	}
	if c := find(seen(t, 3*time.Second, s, s), "progress-deadline"); c == nil || !c.Terminal {
		t.Errorf("after 3 s: %+v", c)
	}
}

func TestADeadlineOfAnotherReplicaSetIsStaleHoweverYoung(t *testing.T) {
	s := rolling(pod("web-2-x", 2))
	s.objects[0] = deployment(exceededAt(time.Second, "web-1"))
	causes := seen(t, 3*time.Second, s, s)
	if find(causes, "progress-deadline") != nil || find(causes, "stale-deadline") == nil {
		t.Errorf("got %v", codes(causes))
	}
}

func TestFlappingTurnsNoClockBack(t *testing.T) {
	up, down := rolling(pod("web-2-x", 2)), rolling(pod("web-2-x", 2, unready))
	if c := find(seen(t, 3*time.Minute, up, down, up, down), "deadline-never-fires"); c != nil {
		t.Errorf("after 9 minutes: %+v", c)
	}
	c := find(seen(t, 3*time.Minute, up, down, up, down, up), "deadline-never-fires")
	if c == nil || !c.Terminal || !strings.Contains(c.Message, "no more than 1 of 2") {
		t.Errorf("after 12 minutes: %+v", c)
	}
	probed := func(p *corev1.Pod) {
		unready(p)
		p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1}
	}
	failing := rolling(pod("web-2-x", 2, probed))
	c = find(seen(t, 3*time.Minute, up, failing, up, failing, up), "deadline-never-fires")
	if c == nil || c.CausedBy == nil || c.CausedBy.Code != "rollout/readiness-failing" || c.Class != OfRevision {
		t.Errorf("what it suffers from at other moments is not its cause: %+v", c)
	}
	if c := find(seen(t, 3*time.Minute, down, down, down, down, down), "deadline-never-fires"); c != nil {
		t.Errorf("nothing flaps: %+v", c)
	}
	both := rolling(pod("web-2-x", 2), pod("web-2-y", 2))
	if c := find(seen(t, 3*time.Minute, up, down, up, both, down, up), "deadline-never-fires"); c != nil {
		t.Errorf("a second pod came since: %+v", c)
	}
}

func TestACollisionIsNewsOnlyWhenItIsNew(t *testing.T) {
	collided := func(n int32) scene {
		s := rolling(pod("web-2-x", 2))
		s.objects[0] = deployment(func(d *appsv1.Deployment) { d.Status.CollisionCount = new(n) })
		return s
	}
	if c := find(seen(t, time.Second, collided(0), collided(1)), "hash-collision"); c == nil || c.Severity != finding.Info {
		t.Errorf("got %+v", c)
	}
	if c := find(collided(1).judge(t), "hash-collision"); c != nil {
		t.Errorf("it is history: %+v", c)
	}
}

func TestLastWordsAreKeptWhenTheLogIsGone(t *testing.T) {
	crashing := pod("web-2-x", 2, ended("Error", 1, 2))
	causes := seen(t, time.Second, rolling(crashing).log(crashing, "panic: no database\n"), rolling(crashing))
	if c := find(causes, "crash-app"); c == nil || !strings.Contains(c.Message, "panic: no database") {
		t.Errorf("got %+v", c)
	}
}

func TestEvidenceIsAsOldAsItsSource(t *testing.T) {
	crashing := rolling(pod("web-2-x", 2, ended("Error", 1, 2)))
	if c := find(seen(t, time.Minute, crashing, crashing), "crash-app"); !c.Since.Equal(now.Add(-15 * time.Second)) {
		t.Errorf("since %s", c.Since)
	}
	pending := rolling(pod("web-2-x", 2, unscheduled(nodesAvailable+"3 Insufficient cpu.", time.Minute)))
	if c := find(pending.judge(t), "unsched-resources"); !c.Since.Equal(now.Add(-45 * time.Second)) {
		t.Errorf("since %s", c.Since)
	}
}

func TestWhoTookTheRoomIsSaid(t *testing.T) {
	full := rolling(pod("web-2-x", 2, unscheduled(nodesAvailable+"3 Insufficient cpu.", time.Minute)))
	preempted := func(name string, at time.Duration) *corev1.Event {
		return event(pod(name, 1), "Preempted", "Preempted by pod 71fa37ee on node n1", at, 1)
	}
	tests := map[string]struct {
		scene scene
		words string
	}{
		"two that are gone":          {full.with(preempted("web-1-c", 20*time.Second), preempted("web-1-d", 20*time.Second)), "2 pods of this workload had to make room"},
		"one that is gone":           {full.with(preempted("web-2-c", 20*time.Second)), "a pod of this workload had to make room"},
		"another workload's":         {full.with(preempted("webshop-1-c", 20*time.Second), preempted("web-1-c-d", 20*time.Second)), ""},
		"before the rollout began":   {full.with(preempted("web-1-c", 24*time.Hour)), ""},
		"something else that ended":  {full.with(event(pod("web-1-c", 1), "Killing", "Stopping container app", 20*time.Second, 1)), ""},
		"of no name that can be cut": {full.with(preempted("web", 20*time.Second)), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := find(test.scene.judge(t), "unsched-resources")
			if c == nil || !c.Terminal || strings.Contains(c.Message, "make room") != (test.words != "") || !strings.Contains(c.Message, test.words) {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestATrapIsCertainOnlyWhenThePodCannotRecover(t *testing.T) {
	starting := ordered(statefulSet(), dbPod("db-0", 1), dbPod("db-1", 1, unready))
	if c := find(starting.judge(t), "sts-trap"); c == nil || c.Terminal {
		t.Errorf("it merely starts: %+v", c)
	}
	reboot := ordered(statefulSet(), dbPod("db-0", 1), dbPod("db-1", 1, unready)).with(nodeNamed("node-1", corev1.ConditionUnknown))
	if c := find(reboot.judge(t), "sts-trap"); c == nil || c.Terminal {
		t.Errorf("its node reboots: %+v", c)
	}
	crash := ordered(statefulSet(), dbPod("db-0", 1), dbPod("db-1", 1, ended("Error", 1, 4)))
	c := find(crash.judge(t), "sts-trap")
	if c == nil || !c.Terminal || c.Fix[0].Command != "kubectl -n shop delete pod db-1" {
		t.Errorf("got %+v", c)
	}
	parallel := ordered(statefulSet(func(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }), dbPod("db-0", 1), dbPod("db-1", 1, ended("Error", 1, 4)))
	if c := find(parallel.judge(t), "sts-trap"); c != nil {
		t.Errorf("it is not ordered: %+v", c)
	}
	below := ordered(statefulSet(func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(1))}
	}), dbPod("db-0", 1, ended("Error", 1, 4)), dbPod("db-1", 1))
	causes := below.judge(t)
	if c := find(causes, "old-revision-failing"); find(causes, "sts-trap") != nil || c == nil || c.Severity != finding.Warning {
		t.Errorf("its deletion brings back the same: %v", codes(causes))
	}
}

func TestADaemonSetIsNotJudgedByNodesThatAreDown(t *testing.T) {
	d := daemonSet(2)
	s := everywhere(d, agent("agent-a", 2), agent("agent-b", 2, onNode("node-b"), ended("Error", 1, 7))).with(nodeNamed("node-b", corev1.ConditionTrue, cordoned))
	causes := s.judge(t)
	if find(causes, "crash-app") != nil || find(causes, "ds-node-down") == nil {
		t.Errorf("got %v", codes(causes))
	}
	v, w := s.view(t, now)
	held := everywhere(d, agent("agent-a", 1), agent("agent-b", 1, onNode("node-b"), unready)).with(nodeNamed("node-b", corev1.ConditionUnknown))
	if c := find(held.judge(t), "ds-node-down"); c == nil || !strings.Contains(c.Message, "uses up maxUnavailable (1)") || len(c.Fix) != 3 {
		t.Errorf("got %+v", c)
	}
	seat := everywhere(d, agent("agent-a", 2), agent("agent-b", 2, unscheduled(nodesAvailable+"1 Too many pods.", time.Minute), func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{
			{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"node-b"}}}}}}}}
	})).with(nodeNamed("node-b", corev1.ConditionUnknown))
	if causes := seat.judge(t); find(causes, "unsched-resources") != nil || find(causes, "ds-node-down") == nil {
		t.Errorf("it is made for a node that is down: %v", codes(causes))
	}
	if got := DownNodes(v, w); !slices.Equal(got, []string{"node-b"}) {
		t.Errorf("down: %v", got)
	}
}

func TestLagWithoutManagersTakesAClockOfItsOwn(t *testing.T) {
	s := rolling()
	s.objects[0] = deployment(func(d *appsv1.Deployment) { d.Generation = 3 })
	if c := find(s.judge(t), "observed-lag"); c != nil {
		t.Errorf("at first sight: %+v", c)
	}
	if c := find(seen(t, 31*time.Second, s, s), "observed-lag"); c == nil {
		t.Error("after 31 s it is not told")
	}
}

func TestRoomForARolloutThatDeadlocksIsNotAwaited(t *testing.T) {
	claims := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	}
	attaching := pod("web-2-x", 2, claims, waits("ContainerCreating", ""))
	multi := event(attaching, "FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-1-a`, 10*time.Second, 1)
	s := eager(attaching).with(multi)
	s.objects[3] = pod("web-1-a", 1, claims)
	if c := find(s.judge(t), "rwo-deadlock"); c == nil || c.Terminal {
		t.Errorf("its holder may be taken away: %+v", c)
	}
}

func TestANodeThatIsAwayHoldsNoVerdictUpForEver(t *testing.T) {
	full := unscheduled(nodesAvailable+"1 node(s) were unschedulable, 2 Insufficient cpu.", time.Minute)
	since := func(d time.Duration) func(*corev1.Node) {
		return func(n *corev1.Node) { n.Status.Conditions[0].LastTransitionTime = ago(d) }
	}
	if c := find(rolling(pod("web-2-x", 2, full)).with(nodeNamed("n1", corev1.ConditionUnknown, large, since(time.Minute))).judge(t), "unsched-resources"); c == nil || c.Terminal || c.Class != OfNode {
		t.Errorf("it went a minute ago: %+v", c)
	}
	if c := find(rolling(pod("web-2-x", 2, full)).with(nodeNamed("n1", corev1.ConditionUnknown, large, since(time.Hour))).judge(t), "unsched-resources"); c == nil || !c.Terminal {
		t.Errorf("it went an hour ago: %+v", c)
	}
	huge := func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100")}
	}
	if c := find(rolling(pod("web-2-x", 2, full, huge)).with(nodeNamed("n1", corev1.ConditionUnknown, large)).judge(t), "unsched-resources"); c == nil || !c.Terminal {
		t.Errorf("it is too small anyway: %+v", c)
	}
}
