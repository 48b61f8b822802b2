package health

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

func batch(kind, namespace, name string) object.Ref {
	return object.Ref{Group: "batch", Version: "v1", Kind: kind, Namespace: namespace, Name: name}
}

func jobCondition(job *batchv1.Job, t batchv1.JobConditionType) *batchv1.JobCondition {
	i := slices.IndexFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool { return c.Type == t && c.Status == corev1.ConditionTrue })
	if i < 0 {
		return nil
	}
	return &job.Status.Conditions[i]
}

func ofJob(v *index.View, job *batchv1.Job) State {
	ref := batch("Job", job.Namespace, job.Name)
	want := deref(job.Spec.Completions, 1)
	s := State{Ready: count(job.Status.Succeeded, want)}
	switch {
	case jobCondition(job, batchv1.JobComplete) != nil || jobCondition(job, batchv1.JobSuccessCriteriaMet) != nil:
		s.Level, s.Status = OK, "completed"
	case jobCondition(job, batchv1.JobFailed) != nil:
		s.Level, s.Status = Broken, clip("failed: "+jobCondition(job, batchv1.JobFailed).Reason, 30)
		s.Problems = []Problem{jobFailed(v, ref, job, *jobCondition(job, batchv1.JobFailed))}
	case jobCondition(job, batchv1.JobFailureTarget) != nil:
		s.Level, s.Status = Broken, "failing"
		s.Problems = []Problem{jobFailed(v, ref, job, *jobCondition(job, batchv1.JobFailureTarget))}
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		s.Level, s.Status = Warning, "suspended"
	case job.Status.Failed > 0:
		s.Level, s.Status = Warning, fmt.Sprintf("running, failed %d×", job.Status.Failed)
	default:
		s.Level, s.Status = Progressing, "running"
		if crewOf(v, job).failing > 0 {
			s.Level = Warning
		}
	}
	if job.Status.Active == 0 && s.Level != OK && s.Level != Broken {
		s.Problems = append(s.Problems, eventFailures(v, ref, job)...)
	}
	s.Level = levelOf(s.Problems, s.Level)
	return s
}

// jobFailed says why the Job gave up, and how its last pod ended.
func jobFailed(v *index.View, ref object.Ref, job *batchv1.Job, c batchv1.JobCondition) Problem {
	field := fmt.Sprintf("status.conditions[%d]", slices.Index(job.Status.Conditions, c))
	message := map[string]string{
		batchv1.JobReasonBackoffLimitExceeded:     fmt.Sprintf("the Job gave up after %d failed pods (backoffLimit %d)", job.Status.Failed, deref(job.Spec.BackoffLimit, 6)),
		batchv1.JobReasonDeadlineExceeded:         "the Job was stopped, because it ran longer than its activeDeadlineSeconds",
		batchv1.JobReasonPodFailurePolicy:         "the Job gave up, because a pod failed in a way that its podFailurePolicy names",
		batchv1.JobReasonFailedIndexes:            "the Job failed, because some of its indexes did",
		batchv1.JobReasonMaxFailedIndexesExceeded: "the Job gave up after more failed indexes than maxFailedIndexes",
	}[c.Reason]
	if message == "" {
		message = "the Job failed: " + clip(c.Message, 160)
	}
	problem := Problem{Name: "job-failed", Evidence: []finding.Evidence{fact(ref, field+".reason", c.Reason), fact(ref, field+".message", c.Message)}}.certain(true)
	problem.Fix = []finding.Fix{manual("a Job cannot be started again: mend the cause, then delete it and create it anew")}
	if pod := lastFailedPod(v, job); pod != nil {
		if ps := PodProblems(v, pod); len(ps) > 0 {
			message += fmt.Sprintf("; its last pod %q: %s", pod.Name, ps[0].Message)
			problem.Evidence = append(problem.Evidence, ps[0].Evidence...)
		}
	} else {
		problem.Fix = append(problem.Fix, run("read what its pods said", job.Namespace, "logs", ref.Arg(), "--all-pods"))
	}
	problem.Message = message
	return problem
}

func lastFailedPod(v *index.View, job *batchv1.Job) *corev1.Pod {
	var last *corev1.Pod
	for _, pod := range podsOf(v, job) {
		if pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodSucceeded && (last == nil || pod.CreationTimestamp.After(last.CreationTimestamp.Time)) {
			last = pod
		}
	}
	return last
}

func ofCronJob(v *index.View, cron *batchv1.CronJob) State {
	s := State{Level: OK, Status: "has not run yet", Detail: cron.Spec.Schedule}
	if t := cron.Status.LastScheduleTime; t != nil {
		s.Status = "last run " + roughly(since(v, t.Time)) + " ago"
	}
	bad := lastEvent(v, cron, reasonIs("UnparseableSchedule", "UnParseableCronJobSchedule", "InvalidSchedule", "UnknownTimeZone", "TooManyMissedTimes", "FailedCreate"))
	last := lastRun(v, cron)
	never, isNever := neverDue(cron)
	switch {
	case cron.Spec.Suspend != nil && *cron.Spec.Suspend:
		s.Level, s.Status = Warning, "suspended"
	case isNever:
		s.Level, s.Status, s.Problems = Warning, "never due", []Problem{never}
	case bad != nil && (last == nil || index.EventTime(bad).After(last.CreationTimestamp.Time)):
		s.Level, s.Status = Warning, clip(bad.Reason, 30)
		s.Problems = []Problem{{Name: "condition", Severity: finding.Warning, Message: "the CronJob starts no Job: " + clip(bad.Message, 200), Evidence: []finding.Evidence{eventFact(bad)},
			Fix: []finding.Fix{manual("correct schedule, timeZone or startingDeadlineSeconds, as the message says")}}}
	case len(cron.Status.Active) > 0:
		s.Status = fmt.Sprintf("%d running", len(cron.Status.Active))
	case last != nil && jobCondition(last, batchv1.JobFailed) != nil:
		s.Level, s.Status = Warning, "last run failed"
	}
	return s
}

func lastRun(v *index.View, cron *batchv1.CronJob) *batchv1.Job {
	if cron.UID == "" {
		return nil
	}
	var last *batchv1.Job
	for it := range v.Owned(cron.UID) {
		if job, ok := it.Object.(*batchv1.Job); ok && (last == nil || job.CreationTimestamp.After(last.CreationTimestamp.Time)) {
			last = job
		}
	}
	return last
}
