package cause

import (
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
)

// Docs are the pages of all causes. What a pod, or its creation, suffers from
// is told as everywhere; what a rollout adds to it is said in its own words.
func Docs() []finding.Doc {
	own := ownDocs()
	var docs []finding.Doc
	for _, d := range health.Docs() {
		if !slices.Contains(elsewhere, d.Code) && !slices.ContainsFunc(own, func(o finding.Doc) bool { return o.Code == domain+d.Code }) {
			d.Code = domain + d.Code
			docs = append(docs, d)
		}
	}
	return append(docs, own...)
}

// elsewhere are names of objects that are no part of a rollout.
var elsewhere = []string{"job-failed", "schedule-never-due", "condition", "stuck-terminating"}

func page(name string, severity finding.Severity, title, means, told, fix, source string) finding.Doc {
	return finding.Doc{Code: domain + name, Severity: severity, Title: title, Means: means, Told: told, Fix: fix, Source: source}
}

func ownDocs() []finding.Doc {
	const deployment, statefulSet, daemonSet = "kubernetes pkg/controller/deployment", "kubernetes pkg/controller/statefulset, stateful_set_control.go", "kubernetes pkg/controller/daemon"
	const scheduler = "kubernetes pkg/scheduler/framework/plugins, "
	const certain = "PodScheduled=False in the scheduler's own words; of several reasons the one of the last filter counts. Certain after 15 s, but not while the autoscaler brings nodes (TriggeredScaleUp), other pods of the rollout still come or go, or a node that would do is cordoned or not ready."
	return []finding.Doc{
		page("progress-deadline", finding.Error, "The rollout makes no progress", "The Deployment itself has given the rollout up; it does not go back by itself.", "Progressing with ProgressDeadlineExceeded for the observed generation, written since the rollout began. What kept it from progress is named as its cause.", "Mend the cause that is named, or go back.", deployment+"/util, DeploymentTimedOut"),
		page("stale-deadline", finding.Info, "The deadline of an earlier rollout is still shown", "It says nothing of this rollout: the verdict is on the one before, and goes with the first progress of this one.", "ProgressDeadlineExceeded whose lastUpdateTime is older than the rollout. After an undo to a ReplicaSet that exists it stands for about 0.2 s.", "Wait.", deployment+", syncRolloutStatus"),
		page("deadline-never-fires", finding.Error, "The new pods become ready and fail again", "Every time a pod becomes ready the Deployment's own deadline starts anew, so it never comes.", "For progressDeadlineSeconds (10 minutes where there is none) no more new pods were available at once than before, though pods became ready and failed again or containers were restarted.", "Mend what makes the pods fail after they became ready, or go back.", deployment+"/util, DeploymentProgressing"),
		page("observed-lag", finding.Error, "The controller has not acted on the newest spec", "A change was accepted, but nobody carries it out. It passes as soon as the controller is back.", "metadata.generation is ahead of status.observedGeneration more than 30 s after the last write.", "See that the controller manager runs.", "apimachinery pkg/apis/meta/v1, ObjectMeta.Generation"),
		page("paused", finding.Warning, "The rollout is paused", "Nothing more is rolled out, for ever, until it is resumed.", "spec.paused is true while pods of the new revision are missing or old ones remain: said at once.", "kubectl rollout resume.", deployment+", sync"),
		page("sts-partition", finding.Info, "A partition keeps pods on the old revision", "The rollout is done when the pods from the partition on are of the new revision.", "spec.updateStrategy.rollingUpdate.partition is above 0 and old pods remain below it.", "Lower the partition to roll out the rest.", statefulSet),
		page("ondelete", finding.Info, "OnDelete rolls nothing out by itself", "Old pods stay until somebody deletes them.", "spec.updateStrategy.type is OnDelete and old pods remain.", "Delete them one by one.", statefulSet+"; pkg/controller/daemon"),
		page("sts-trap", finding.Error, "A pod of the old revision is in the way of its own replacement", "An ordered StatefulSet replaces no pod before those below it are ready. One that never becomes ready by itself is never replaced, also not by a rollback.", "podManagementPolicy OrderedReady, and the lowest pod that is not ready is not of updateRevision. Certain where that pod fails for certain or has used up its readiness probe's time; a pod that merely starts, or whose node is down, is a warning.", "Delete that pod.", statefulSet+", processReplica"),
		page("ds-node-down", finding.Warning, "A node is out of service, so its pod is not available", "The rollout cannot be complete on that node. Where such nodes use up maxUnavailable, no other pod is replaced meanwhile either.", "An unavailable pod of the DaemonSet is on, or made for, a node that is not ready or cordoned.", "Bring the node back, or delete its Node object.", daemonSet+", updateDaemonSetStatus"),
		page("ds-zero-desired", finding.Info, "The DaemonSet selects no node", "There is nothing to roll out: it is done.", "status.desiredNumberScheduled is 0 for the observed generation.", "Correct nodeSelector, affinity or tolerations if it should run somewhere.", daemonSet),
		page("recreate-blocked", finding.Info, "Recreate waits for the old pods to go", "No new pod is made before the last old one is gone; nobody serves meanwhile.", "Strategy Recreate, no new pod yet, and old pods are still there; a warning where one of them does not go.", "Wait, or see what holds the old pod.", deployment+", rolloutRecreate"),
		page("minready-wait", finding.Info, "Pods are ready and not yet available", "They must stay ready for minReadySeconds. That is no failure.", "Ready for less than minReadySeconds.", "Wait.", "kubernetes pkg/api/v1/pod, IsPodAvailable"),
		page("old-revision-failing", finding.Info, "Pods of the old revision are unwell", "It does not fail this rollout, which may be the way out of it.", "A live pod of an older revision has a problem. A warning where a partition keeps that pod and an ordered StatefulSet waits for it.", "Nothing, unless the pod is to stay.", deployment+", cleanupUnhealthyReplicas"),
		page("selector-overlap", finding.Warning, "Two workloads select each other's pods", "Each pod is kept by its ownerReference, so the rollout goes on; but what goes by labels alone counts the pods of both.", "The selector of one workload matches the template labels of another of the same namespace.", "Give each a label of its own.", "kubernetes pkg/controller/controller_ref_manager.go"),
		page("hash-collision", finding.Info, "The template's hash was taken", "A ReplicaSet is named by the hash of its pod template. Another one had that name already; the controller mixes in a counter and takes the next name.", "status.collisionCount has grown since the rollout began.", "Nothing.", deployment+", getNewReplicaSet"),
		page("node-notready", finding.Warning, "The node of a new pod is not ready", "What the pod's status says is out of date. Its controller makes another pod elsewhere once the node is given up.", "The Ready condition of the node is False or Unknown and the pod is not ready. It never fails a rollout by itself.", "Bring the node back.", "kubernetes pkg/controller/nodelifecycle"),
		page("quota", finding.Error, "The namespace's quota stops the new pods", "No more pods are created until there is room in the quota.", "\"exceeded quota\" or \"failed quota\" in ReplicaFailure of the new ReplicaSet; StatefulSets and DaemonSets say it in events alone. Room may come as old pods go: certain after 30 s in which nothing of the rollout moved, while the quota is still full.", "Raise the quota, or use less.", "apiserver pkg/admission/plugin/resourcequota"),
		page("unsched-resources", finding.Error, "No node has enough free room", "The pod asks for more than any suitable node has left.", certain, "Lower the requests, or add room.", scheduler+"noderesources"),
		page("unsched-taint", finding.Error, "Every node has a taint, or is cordoned", "The nodes refuse pods that do not tolerate their taints.", certain, "Add a toleration, remove the taint, or uncordon a node.", scheduler+"tainttoleration, nodeunschedulable"),
		page("unsched-affinity", finding.Error, "No node satisfies the pod's affinity", "nodeSelector, affinity or spread constraints leave no node, or nodeName names one that does not exist.", certain, "Correct them, or label a node.", scheduler+"nodeaffinity, interpodaffinity, podtopologyspread"),
		page("unsched-scheduler", finding.Error, "No scheduler looks at the new pods", "schedulerName names a scheduler that does not run, or the cluster's own is down.", "Pending without a node, without the condition PodScheduled and without an event, for 15 s; certain after a minute where the pods name a scheduler of their own.", "Start that scheduler, or remove schedulerName.", "kubernetes pkg/scheduler/eventhandlers.go, responsibleForPod"),
		page("unsched-hostport", finding.Error, "The host port is taken", "Only one pod a node can have that host port, and old pods may hold it.", certain, "Remove hostPort, or let old pods go first (maxSurge 0, maxUnavailable 1).", scheduler+"nodeports"),
		page("pvc-pending", finding.Error, "A claim is not bound", "The pod waits for its storage.", "The scheduler's words and the claim's own state: certain where its StorageClass does not exist, a warning while it is merely being provisioned. A claim that waits for its first consumer is as it should be.", "Name a StorageClass that exists, or provide a volume.", scheduler+"volumebinding; pkg/controller/volume/persistentvolume"),
		page("rwo-deadlock", finding.Error, "Old and new pod wait for each other's volume", "The volume may be used in one place only, and the old pod keeps it until the new one is ready.", "Multi-Attach, or ReadWriteOncePod in the scheduler's words. Certain where the holder is an old pod of this Deployment that its maxUnavailable keeps; a holder that goes lets go by itself.", "Use strategy Recreate or a StatefulSet.", scheduler+"volumerestrictions; pkg/controller/volume/attachdetach/reconciler, reportMultiAttachError"),
		page("evicted", finding.Warning, "The node ended the pod", "The node ran out of memory, disk or processes, was shut down, or did not admit the pod. Its controller makes another.", "phase Failed with reason Evicted, Terminated, NodeAffinity, OutOfcpu and the like. It fails a rollout only where the template is to blame (it uses more than its own limit, or asks for what the kubelet does not admit) and three pods ended so, each made after the one before it.", "Correct the limit or what the kubelet does not admit; else set requests to what the pod uses, or look at the node.", "kubernetes pkg/kubelet/eviction; pkg/kubelet/nodeshutdown; pkg/kubelet/lifecycle"),
		page("crash-app", finding.Error, "The program ends with an error", "The container starts, and its program ends with a code other than 0.", "A suspicion at the first end; certain at two restarts, or once all new pods (two or more) have ended so. A container that has since been ready for longer than it lived before has recovered. OOM kills and failed probes have names of their own, and pods of the old revision never count.", "Read its last words: kubectl logs --previous.", "kubernetes pkg/kubelet, convertToAPIContainerStatuses"),
		page("readiness-failing", finding.Warning, "The readiness probe fails", "The container runs, but gets no traffic, so the rollout does not go on.", "Not ready after startup budget + initialDelay + period × threshold: a warning. Certain at the progress deadline (10 minutes where there is none). Healthy pods emit Unhealthy events while they start.", "Make the program answer the probe, or correct the probe.", "kubernetes pkg/kubelet/prober, probe"),
	}
}
