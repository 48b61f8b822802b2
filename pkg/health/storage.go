package health

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// ofClaim: a claim that waits for its first consumer is as it should be.
func ofClaim(v *index.View, c *corev1.PersistentVolumeClaim) State {
	ref := core("PersistentVolumeClaim", c.Namespace, c.Name)
	switch c.Status.Phase {
	case corev1.ClaimBound:
		size := c.Status.Capacity[corev1.ResourceStorage]
		return State{Level: OK, Status: "Bound", Detail: strings.TrimSpace(c.Spec.VolumeName + " " + size.String())}
	case corev1.ClaimLost:
		return State{Level: Broken, Status: "Lost", Problems: []Problem{Problem{
			Name:     "condition",
			Message:  fmt.Sprintf("the claim has lost its volume %q: the PersistentVolume no longer exists", c.Spec.VolumeName),
			Evidence: []finding.Evidence{fact(ref, "status.phase", "Lost"), fact(ref, "spec.volumeName", c.Spec.VolumeName)},
			Fix:      []finding.Fix{manual("restore the PersistentVolume under that name, or restore the data from a backup into a new claim")},
		}.certain(true)}}
	case corev1.ClaimPending:
		return pendingClaim(v, ref, c)
	}
	return State{Level: Unknown, Status: "no phase"}
}

func pendingClaim(v *index.View, ref object.Ref, c *corev1.PersistentVolumeClaim) State {
	failed := lastEvent(v, c, reasonIs("ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ClaimMisbound"))
	waits := lastEvent(v, c, reasonIs("WaitForFirstConsumer", "WaitForPodScheduled"))
	// WaitForPodScheduled follows each attempt of the scheduler, and says nothing of
	// how the one before it ended.
	if failed != nil && waits != nil && index.EventTime(waits).After(index.EventTime(failed)) && (waits.Reason == "WaitForFirstConsumer" || index.EventCount(failed) < 2) {
		failed = nil
	}
	class, classKnown := storageClass(v, c)
	pv := released(v, c)
	switch {
	case pv != nil:
		about, was := core("PersistentVolume", "", pv.Name), pv.Spec.ClaimRef
		problem := pendingProblem(ref, fmt.Sprintf("the claim is not bound: its volume %q is kept for claim %s/%s, which was deleted", pv.Name, was.Namespace, was.Name)).certain(true)
		problem.Evidence = append(problem.Evidence, fact(about, "status.phase", string(pv.Status.Phase)), fact(about, "spec.claimRef.uid", string(was.UID)))
		problem.Fix = []finding.Fix{run("give it free for the new claim, with the data that is on it", "", "patch", "persistentvolume", pv.Name, "--type=json", "-p", `[{"op":"remove","path":"/spec/claimRef"}]`)}
		return State{Level: Broken, Status: "Pending", Problems: []Problem{problem}}
	case failed != nil:
		problem := pendingProblem(ref, "the claim is not bound: "+clip(failed.Message, 200)).lasting(true)
		problem.Evidence = append(problem.Evidence, eventFact(failed))
		if m := classAbsent.FindStringSubmatch(failed.Message); m != nil {
			problem.Missing = object.New("storage.k8s.io/v1", "StorageClass", "", m[1])
			presence, _ := v.Presence(problem.Missing)
			problem = problem.certain(presence != index.Present)
		}
		return State{Level: levelOf([]Problem{problem}, Warning), Status: "Pending", Problems: []Problem{problem}}
	case waits != nil || class != nil && class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer:
		return State{Level: OK, Status: "waits for first consumer"}
	case classKnown && class == nil && since(v, c.CreationTimestamp.Time) > 30*time.Second:
		problem := pendingProblem(ref, fmt.Sprintf("the claim is not bound: StorageClass %q does not exist, and no volume of that class is free", *c.Spec.StorageClassName)).certain(true)
		problem.Evidence = append(problem.Evidence, fact(ref, "spec.storageClassName", *c.Spec.StorageClassName))
		problem.Missing = object.New("storage.k8s.io/v1", "StorageClass", "", *c.Spec.StorageClassName)
		return State{Level: Broken, Status: "Pending", Problems: []Problem{problem}}
	case since(v, c.CreationTimestamp.Time) > 2*time.Minute:
		problem := pendingProblem(ref, "the claim is not bound after "+roughly(since(v, c.CreationTimestamp.Time))+", and nobody says why: the provisioner is silent")
		return State{Level: Warning, Status: "Pending", Problems: []Problem{problem}}
	}
	return State{Level: Progressing, Status: "Pending"}
}

// released is the volume that a claim asks for by name, where it still belongs to
// a claim that is gone: Retain keeps it so until somebody decides.
func released(v *index.View, c *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	it, ok := v.Get(core("PersistentVolume", "", c.Spec.VolumeName))
	pv, typed := it.Object.(*corev1.PersistentVolume)
	if !ok || !typed || pv.Status.Phase != corev1.VolumeReleased || pv.Spec.ClaimRef == nil || pv.Spec.ClaimRef.UID == c.UID {
		return nil
	}
	return pv
}

var classAbsent = regexp.MustCompile(`storageclass(?:\.storage\.k8s\.io)? "([^"]+)" not found`)

func pendingProblem(ref object.Ref, message string) Problem {
	return Problem{
		Name: "pvc-pending", Severity: finding.Warning, Message: message,
		Evidence: []finding.Evidence{fact(ref, "status.phase", "Pending")},
		Fix:      []finding.Fix{manual("name a StorageClass that exists, see that its provisioner runs, or create a PersistentVolume that fits size, access mode and class"), run("see the classes", "", "get", "storageclass")},
	}
}

// storageClass is the claim's class. known is true where it was looked for and
// either found or missing.
func storageClass(v *index.View, c *corev1.PersistentVolumeClaim) (class *storagev1.StorageClass, known bool) {
	if c.Spec.StorageClassName == nil || *c.Spec.StorageClassName == "" {
		return nil, false
	}
	ref := object.New("storage.k8s.io/v1", "StorageClass", "", *c.Spec.StorageClassName)
	if it, ok := v.Get(ref); ok {
		class, typed := it.Object.(*storagev1.StorageClass)
		return class, typed
	}
	presence, _ := v.Presence(ref)
	return nil, presence == index.Missing
}

func ofVolume(pv *corev1.PersistentVolume) State {
	ref := core("PersistentVolume", "", pv.Name)
	size := pv.Spec.Capacity[corev1.ResourceStorage]
	s := State{Level: OK, Status: string(pv.Status.Phase), Detail: strings.TrimSpace(fmt.Sprintf("%s %s", size.String(), pv.Spec.PersistentVolumeReclaimPolicy))}
	switch pv.Status.Phase {
	case corev1.VolumeReleased:
		s.Level = Warning // its claim is gone, and under Retain nobody else may use it
	case corev1.VolumeFailed:
		s.Level = Broken
		s.Problems = []Problem{{
			Name: "condition", Severity: finding.Error, Message: "the volume could not be reclaimed: " + clip(pv.Status.Message, 200),
			Evidence: []finding.Evidence{fact(ref, "status.message", pv.Status.Message)},
			Fix:      []finding.Fix{manual("remove the storage by hand where the message says, then delete the PersistentVolume")},
		}}
	case corev1.VolumePending:
		s.Level = Progressing
	case "":
		s.Level, s.Status = Unknown, "no phase"
	}
	return s
}

func ofAttachment(a *storagev1.VolumeAttachment) State {
	ref := object.New("storage.k8s.io/v1", "VolumeAttachment", "", a.Name)
	failure := func(doing, field string, e *storagev1.VolumeError, level Level, severity finding.Severity) State {
		return State{Level: level, Status: "cannot " + doing, Detail: "node " + a.Spec.NodeName, Problems: []Problem{{
			Name: "condition", Severity: severity, Node: a.Spec.NodeName,
			Message:  fmt.Sprintf("driver %s cannot %s the volume at node %q: %s", a.Spec.Attacher, doing, a.Spec.NodeName, clip(e.Message, 200)),
			Evidence: []finding.Evidence{fact(ref, field, e.Message)},
			Fix:      []finding.Fix{manual("see the log of the CSI driver's controller; it tries again by itself")},
		}}}
	}
	switch {
	case a.Status.AttachError != nil && !a.Status.Attached:
		return failure("attach", "status.attachError.message", a.Status.AttachError, Broken, finding.Error)
	case a.Status.DetachError != nil:
		return failure("detach", "status.detachError.message", a.Status.DetachError, Warning, finding.Warning)
	case a.Status.Attached:
		return State{Level: OK, Status: "attached", Detail: "node " + a.Spec.NodeName}
	}
	return State{Level: Progressing, Status: "attaching", Detail: "node " + a.Spec.NodeName}
}

func ofResourceClaim(c *resourcev1.ResourceClaim) State {
	switch {
	case c.Status.Allocation == nil:
		return State{Level: Progressing, Status: "not allocated"}
	case len(c.Status.ReservedFor) == 0:
		return State{Level: OK, Status: "allocated"}
	}
	return State{Level: OK, Status: fmt.Sprintf("allocated, used by %d", len(c.Status.ReservedFor))}
}
