package health

import (
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// Docs are the pages of all problem names, under their bare names: each plugin
// puts its own domain in front.
func Docs() []finding.Doc {
	return slices.Concat(imageDocs(), startDocs(), scheduleDocs(), creationDocs(), workloadDocs())
}

// page is one doc: every part is said, so the order of the fields serves for names.
func page(code string, severity finding.Severity, title, means, told, fix, source string) finding.Doc {
	return finding.Doc{Code: code, Severity: severity, Title: title, Means: means, Told: told, Fix: fix, Source: source}
}

func imageDocs() []finding.Doc {
	const source = "kubernetes pkg/kubelet/images, EnsureImageExists"
	return []finding.Doc{
		page("image-invalid", finding.Error, "The image name is not valid", "The container can never start, because its image's name cannot be read.", "The container waits with InvalidImageName: certain at once.", "Correct the image in the pod template: lower case, registry/name:tag.", source),
		page("image-not-found", finding.Error, "The image does not exist", "The registry answers, but has no such image or tag.", "ErrImagePull or ImagePullBackOff with \"not found\" or \"manifest unknown\"; certain on the second attempt, since a push may be racing the first. A refusal that may be a missing login is image-auth.", "Set an image that exists, or go back to the one that works.", source),
		page("image-auth", finding.Error, "The registry denies the image", "The registry does not let this pod pull the image, or hides that it does not exist.", "unauthorized, denied, 401 or 403, read without the image's own name; certain on the second attempt.", "Name a Secret with a login in imagePullSecrets of the pod template or its ServiceAccount, or correct the image's name.", source),
		page("image-rate-limit", finding.Warning, "The registry's rate limit is reached", "The registry serves no more images for now. It passes by itself.", "toomanyrequests or 429. The account's name in the message is not shown.", "Wait, pull with a login, or use a mirror.", source),
		page("image-registry-down", finding.Warning, "The registry cannot be reached", "The node does not reach the registry: its name, the network, its certificate or the registry itself.", "RegistryUnavailable, DNS errors, time-outs, refused connections, TLS errors and 5xx; an error after five minutes.", "Check from the node that the registry answers; the kubelet tries again by itself.", source+", evalCRIPullErr"),
		page("image-never-pull", finding.Error, "The image is not on the node and may not be pulled", "imagePullPolicy is Never, and nobody has put the image on this node.", "The container waits with ErrImageNeverPull: certain at once.", "Put the image on the node, or let the kubelet pull it.", source),
		page("image-signature", finding.Error, "The image's signature is not accepted", "The node's policy refuses the image.", "SignatureValidationFailed: certain at once.", "Use an image signed by an accepted key, or correct the node's policy.", source+", evalCRIPullErr"),
		page("image-pull", finding.Warning, "The image cannot be pulled", "The pull fails for a reason that has no name here; the kubelet's message says it.", "ErrImagePull, ImagePullBackOff or ImageInspectError with words that fit no other page.", "Follow the message.", source),
	}
}

func startDocs() []finding.Doc {
	const env, runtime, probes = "kubernetes pkg/kubelet, makeEnvironmentVariables", "kubernetes pkg/kubelet/kuberuntime, startContainer", "kubernetes pkg/kubelet/kuberuntime, computePodActions"
	const crash = "kubernetes pkg/kubelet, status of containers (convertToAPIContainerStatuses)"
	return []finding.Doc{
		page("config-object-missing", finding.Error, "A ConfigMap or Secret of the environment does not exist", "The container waits until the object that its environment is read from exists.", "CreateContainerConfigError naming it, confirmed by a read, after 30 s. A kubelet that has not filled its cache (\"failed to sync\") is no proof, and an object created since is no problem.", "Create the object, or correct its name in the pod template.", env),
		page("config-key-missing", finding.Error, "A key of a ConfigMap or Secret does not exist", "The object is there, the key that the container reads is not.", "\"couldn't find key\" or \"references non-existent key\": at once.", "Add the key, or correct its name in the pod template.", env),
		page("mount-object-missing", finding.Error, "An object that the pod mounts does not exist", "The pod waits for a ConfigMap, Secret or claim before its first container starts.", "Event FailedMount, or the scheduler's message, naming it; certain once a read confirms that it is missing, and silent once it was created.", "Create the object, or correct its name in the pod template.", "kubernetes pkg/kubelet/volumemanager; pkg/scheduler/framework/plugins/volumebinding"),
		page("mount-failed", finding.Warning, "A volume cannot be mounted", "The volume's driver or storage fails; the message says how. The kubelet tries again.", "A recent event FailedMount, FailedAttachVolume or FailedMapVolume with no success after it; an error after two minutes.", "See that the driver runs on the node and that the storage answers.", "kubernetes pkg/kubelet/volumemanager"),
		page("run-error", finding.Error, "The container runtime cannot start the container", "The program was never run: its command does not exist, may not be run, or the runtime fails.", "RunContainerError, CreateContainerError, ContainerCannotRun or StartError. Exit code 128 may be the node's fault.", "Correct command, args or the image.", runtime),
		page("crash-app", finding.Error, "The program ends with an error", "The container starts, and its program ends with a code other than 0.", "A suspicion at the first end; certain at two restarts, on all pods of the owner, or where nothing starts it again. A restart from long ago is history. OOM kills and failed probes have names of their own.", "Read its last words: kubectl logs --previous.", crash),
		page("crash-exit0", finding.Error, "The program ends by itself", "The image has no program that stays: it ends with code 0 and is started again for ever.", "Restarts with exit code 0 under restartPolicy Always; an init container or a Job's pod that ends is done.", "Give it a command that stays in the foreground, or make it a Job.", crash),
		page("oom", finding.Error, "The container used more memory than its limit", "The kernel killed the program. It outranks the crash loop that it causes.", "terminated.reason OOMKilled; certain on the second. Exit code 137 alone is any SIGKILL, also a failed probe's.", "Raise resources.limits.memory, or make the program use less.", crash),
		page("init-crash", finding.Error, "An init container fails", "The containers of the application are never started, because an init container does not succeed.", "initContainerStatuses with an exit code other than 0; certain at two restarts.", "Read its log: kubectl logs -c NAME.", crash),
		page("init-slow", finding.Warning, "An init container does not end", "The pod waits for it. It often waits for something else in turn.", "Running for more than five minutes. A sidecar (restartPolicy Always) is meant to stay.", "Read its log for what it waits for.", crash),
		page("sidecar-crash", finding.Error, "A sidecar ends again and again", "An init container with restartPolicy Always does not stay up.", "Its exit, whatever the code; certain at two restarts.", "Read its log: kubectl logs -c NAME --previous.", crash),
		page("liveness-kill", finding.Error, "The liveness probe kills the container", "The program runs, but does not answer its liveness probe, so the kubelet restarts it.", "Event Killing \"failed liveness probe\" of this life of the container; certain on the second. An Unhealthy event alone proves nothing.", "Make the program answer, correct the probe, or give slow starters a startupProbe.", probes),
		page("startup-kill", finding.Error, "The startup probe kills the container", "The program does not start within failureThreshold × periodSeconds.", "Event Killing \"failed startup probe\"; certain on the second.", "Make it start faster, or give the probe a larger failureThreshold.", probes),
		page("poststart-hook", finding.Error, "The postStart hook fails", "The kubelet kills the container because its hook failed.", "Event FailedPostStartHook, or waiting with PostStartHookError.", "Correct or remove lifecycle.postStart.", runtime),
		page("readiness-failing", finding.Warning, "The readiness probe fails", "The container runs, but gets no traffic.", "Not ready after startup budget + initialDelay + period × threshold; an error at the progress deadline. Healthy pods emit Unhealthy events while they start.", "Make the program answer the probe, or correct the probe.", "kubernetes pkg/kubelet/prober, probe"),
		page("readiness-gate", finding.Warning, "A readiness gate is not passed", "All containers are ready, but a controller has not approved of the pod.", "ContainersReady=True and Ready=False for 30 s; the gate is named.", "Look at the controller that sets that condition.", "kubernetes pkg/kubelet/status, GeneratePodReadyCondition"),
		page("sandbox", finding.Warning, "The node cannot set up the pod's sandbox", "Network or runtime of the node fail before any container starts.", "A recent event FailedCreatePodSandBox or NetworkNotReady with nothing started since; transient for about 60 s.", "Repair the network plugin or the runtime of the node.", "kubernetes pkg/kubelet/kuberuntime, createPodSandbox"),
	}
}

func scheduleDocs() []finding.Doc {
	const filter = "kubernetes pkg/scheduler/framework/plugins, "
	const told = "PodScheduled=False with the scheduler's own words; of several reasons the one of the last filter counts, since those nodes came closest. Certain after 15 s unless the autoscaler brings nodes (TriggeredScaleUp)."
	return []finding.Doc{
		page("unsched-resources", finding.Error, "No node has enough free room", "The pod asks for more than any suitable node has left.", told, "Lower the requests, or add room.", filter+"noderesources"),
		page("unsched-taint", finding.Error, "Every node has a taint, or is cordoned", "The nodes refuse pods that do not tolerate their taints.", told, "Add a toleration, remove the taint, or uncordon a node.", filter+"tainttoleration, nodeunschedulable"),
		page("unsched-affinity", finding.Error, "No node satisfies the pod's affinity", "nodeSelector, affinity or spread constraints leave no node, or nodeName names one that does not exist.", told, "Correct them, or label a node.", filter+"nodeaffinity, interpodaffinity, podtopologyspread"),
		page("unsched-scheduler", finding.Error, "No scheduler looks at the pod", "schedulerName names a scheduler that does not run, or the cluster's own is down.", "Pending without a node, without the condition PodScheduled and without an event, for 15 s; certain after a minute where the pod names a scheduler of its own.", "Start that scheduler, or remove schedulerName.", "kubernetes pkg/scheduler/eventhandlers.go, responsibleForPod"),
		page("unsched-hostport", finding.Error, "The host port is taken", "Only one pod a node can have that host port.", told, "Remove hostPort, or run fewer pods.", filter+"nodeports"),
		page("sched-gated", finding.Warning, "The pod is held back by a scheduling gate", "Somebody set the gate on purpose and must remove it.", "PodScheduled=False with SchedulingGated; the gate is named.", "Look at the controller that set the gate.", filter+"schedulinggates"),
		page("pvc-pending", finding.Error, "A claim is not bound", "The pod waits for its storage.", "The scheduler's words and the claim's own events. A claim that waits for its first consumer is as it should be.", "Name a StorageClass that exists, or provide a volume.", filter+"volumebinding; pkg/controller/volume/persistentvolume"),
		page("pv-zone", finding.Error, "The volume is where the pod cannot run", "A volume is bound to a zone or node in which no node can take the pod.", told, "Let the pod run where its volume is.", filter+"volumezone, volumebinding"),
		page("rwo-deadlock", finding.Error, "Pods wait for one volume", "The volume may be used in one place only, and another pod keeps it: an old one until the new one is ready, or another replica of the same revision.", "Multi-Attach, or ReadWriteOncePod in the scheduler's words. Terminal where the holder is a pod of the same rolling Deployment, or one of the same ReplicaSet that holds a ReadWriteOncePod claim; a holder that is being deleted lets go by itself.", "Use strategy Recreate, one replica, or a StatefulSet with a claim for each pod.", filter+"volumerestrictions; pkg/controller/volume/attachdetach/reconciler, reportMultiAttachError"),
		page("evicted", finding.Warning, "The node ended the pod", "The node ran out of memory, disk or processes and chose this pod, was shut down, or did not admit it.", "phase Failed with reason Evicted, Terminated, NodeShutdown, NodeAffinity, OutOfcpu and the like. Transient where a controller replaces the pod; an error for a bare one, and where three pods of a controller in a row are not admitted for what its template asks.", "Set requests to what the pod uses, or free the node.", "kubernetes pkg/kubelet/eviction; pkg/kubelet/nodeshutdown; pkg/kubelet/lifecycle"),
		page("preempted", finding.Warning, "The pod made room for a more important one", "A pod of higher priority took its place.", "DisruptionTarget with PreemptionByScheduler, or reason Preempting. Transient where a controller replaces the pod.", "Raise the priority, or add room.", "kubernetes pkg/scheduler/framework/preemption"),
		page("node-notready", finding.Error, "The node is not ready", "The node, or its kubelet, has failed; what its pods' status says is out of date.", "The Ready condition of the node is False or Unknown and the pod is not ready. It outranks the symptoms of the pods.", "Bring the node back.", "kubernetes pkg/controller/nodelifecycle"),
		page("terminating-stuck", finding.Warning, "The pod does not end", "A pod that is deleted stays until its node says that its containers have ended, and until every finalizer is taken off. This one should have ended more than a minute ago.", "deletionTimestamp, which includes the grace, is more than 60 s past: finalizers and node are named. Within the grace it is merely Terminating.", "Bring the node back, or find the finalizer's controller.", "kubernetes pkg/kubelet, pod_workers.go; apiserver pkg/registry/rest, BeforeDelete"),
		page("stuck-terminating", finding.Warning, "The object is not deleted", "An object that is deleted stays until each finalizer is taken off by the controller that set it, and nobody does.", "deletionTimestamp is more than 60 s past; each finalizer is named with its controller.", "Find out why that controller does not do its work.", "apiserver pkg/registry/generic/registry, deletionFinalizersForGarbageCollection"),
	}
}

func creationDocs() []finding.Doc {
	const source = "kubernetes pkg/controller, CreatePods; "
	const told = " It is read from ReplicaFailure or the newest FailedCreate event, and only while replicas are lacking."
	return []finding.Doc{
		page("quota", finding.Error, "The namespace's quota stops pods", "No more pods are created until there is room in the quota.", "\"exceeded quota\" or \"failed quota\"; may clear as old pods go."+told, "Raise the quota, or use less.", source+"apiserver pkg/admission/plugin/resourcequota"),
		page("limitrange", finding.Error, "A LimitRange forbids the pods", "The pod template asks for less or more than the namespace allows.", "\"maximum … usage per\", \"minimum … usage per\" or a ratio."+told, "Correct resources in the pod template.", source+"plugin/pkg/admission/limitranger"),
		page("webhook-denied", finding.Error, "An admission webhook denies the pods", "A policy of the cluster refuses the pod template.", "\"admission webhook … denied the request\"."+told, "Do what its message asks.", source+"apiserver pkg/admission/plugin/webhook/errors"),
		page("webhook-unreachable", finding.Warning, "An admission webhook does not answer", "The webhook must approve of each pod and is down.", "\"failed calling webhook\": transient, an error after a minute."+told, "Repair the webhook's Service and pods.", source+"apiserver pkg/util/webhook"),
		page("podsecurity", finding.Error, "Pod Security forbids the pods", "The namespace enforces a level that the pod template violates.", "\"violates PodSecurity\"; a warning to the user alone does not stop pods."+told, "Set the securityContext that the message asks for.", source+"pod-security-admission/admission"),
		page("sa-missing", finding.Error, "The ServiceAccount does not exist", "No pod is created before it does.", "\"error looking up service account … not found\"; a warning if it was created since."+told, "Create it, or correct serviceAccountName.", source+"plugin/pkg/admission/serviceaccount"),
		page("priorityclass-missing", finding.Error, "The PriorityClass does not exist", "No pod is created before it does.", "\"no PriorityClass with name\"; a warning if it was created since."+told, "Create it, or correct priorityClassName.", source+"plugin/pkg/admission/priority"),
		page("rs-create-error", finding.Error, "Pods or the ReplicaSet cannot be created", "The API server refuses what the controller creates, for a reason that has no page of its own.", "Progressing with ReplicaSetCreateError, or other words of FailedCreate."+told, "Correct what the message names.", source+"pkg/controller/deployment, getNewReplicaSet"),
	}
}

func workloadDocs() []finding.Doc {
	return []finding.Doc{
		page("observed-lag", finding.Error, "The controller has not acted on the newest spec", "A change was accepted, but nobody carries it out.", "metadata.generation is ahead of status.observedGeneration more than 30 s after the last write.", "See that the controller runs.", "apimachinery pkg/apis/meta/v1, ObjectMeta.Generation"),
		page("progress-deadline", finding.Error, "The rollout makes no progress", "The Deployment itself has given the rollout up; it does not go back by itself.", "Progressing with ProgressDeadlineExceeded for the observed generation. A rollout within its deadline is merely in progress.", "Mend the new pods, or go back.", "kubernetes pkg/controller/deployment/util, DeploymentTimedOut"),
		page("paused", finding.Warning, "The rollout is paused", "Changes of the template wait for ever.", "spec.paused is true.", "kubectl rollout resume.", "kubernetes pkg/controller/deployment, sync"),
		page("job-failed", finding.Error, "The Job has failed", "It has used up its tries (backoffLimit) or its time (activeDeadlineSeconds), and does not try again.", "Condition Failed or FailureTarget, with how its last pod ended. A Job whose pods failed on the way may still succeed.", "Mend the cause, delete the Job and create it anew.", "kubernetes pkg/controller/job, syncJob"),
		page("schedule-never-due", finding.Warning, "The CronJob's schedule never comes due", "Its schedule names only days that its months do not have, such as February 31. The API server accepts it, and no Job is ever started.", "The day of the month is after the end of each month that spec.schedule names, and the day of the week is not restricted. February 29 comes in leap years; a suspended CronJob is not judged.", "Name a day that exists; if the Job is only meant to be started by hand, set spec.suspend.", "kubernetes pkg/controller/cronjob, nextScheduleTimeDuration; robfig/cron spec.go, SpecSchedule.Next"),
		page("condition", finding.Error, "The object's own conditions say that it is unwell", "Whoever looks after it writes into status.conditions how it is, and reports a failure there.", "A condition that is bad when True (Stalled, Failed, Degraded), or good and False for five minutes (Ready, Available); Reconciling, a young False and ScalingDisabled are no failure.", "Correct what its message names.", "sigs.k8s.io/cli-utils/pkg/kstatus/status, checkGenericProperties"),
	}
}
