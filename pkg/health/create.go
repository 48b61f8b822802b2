package health

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// refusal is the API server's answer to a controller that wanted to create a
// pod, and where it is written.
type refusal struct {
	text     string
	evidence finding.Evidence
	first    time.Time // since when it is refused
}

// refused is the newest refusal of an owner that lacks pods. ReplicaSets say it
// in the condition ReplicaFailure; StatefulSets, DaemonSets and Jobs in events
// alone, where a pod created since makes it history.
func refused(v *index.View, o metav1.Object) (refusal, bool) {
	failed := lastEvent(v, o, reasonIs("FailedCreate"))
	if failed == nil {
		return refusal{}, false
	}
	if ok := lastEvent(v, o, reasonIs("SuccessfulCreate")); ok != nil && index.EventTime(ok).After(index.EventTime(failed)) {
		return refusal{}, false
	}
	first := failed.FirstTimestamp.Time
	if first.IsZero() {
		first = index.EventTime(failed)
	}
	return refusal{failed.Message, eventFact(failed), first}, true
}

// creation tells why pods of an owner are not created.
func creation(v *index.View, r refusal, ref object.Ref) Problem {
	problem := Problem{Severity: finding.Warning, Evidence: []finding.Evidence{r.evidence}}
	lasted := since(v, r.first) > time.Minute
	text := r.text
	switch {
	case strings.Contains(text, "exceeded quota") || strings.Contains(text, "failed quota"):
		return quota(problem, text, ref)
	case deniedBy.MatchString(text):
		m := deniedBy.FindStringSubmatch(text)
		problem.Name, problem.Message = "webhook-denied", fmt.Sprintf("pods are not created: admission webhook %q denies them%s", m[1], reasonAfter(text, "denied the request"))
		problem.Fix = []finding.Fix{manual("correct the pod template as the webhook's message asks, or ask who runs the webhook")}
		return problem.certain(true)
	case deniedByPolicy.MatchString(text):
		m := deniedByPolicy.FindStringSubmatch(text)
		problem.Name, problem.Message = "webhook-denied", fmt.Sprintf("pods are not created: admission policy %q denies them%s", m[1], reasonAfter(text, "denied request"))
		problem.Fix = []finding.Fix{manual("correct the pod template as the policy's message asks"), run("read the policy", "", "get", "validatingadmissionpolicy", m[1], "-o", "yaml")}
		return problem.certain(true)
	case callFailed.MatchString(text):
		m := callFailed.FindStringSubmatch(text)
		problem.Name, problem.Message = "webhook-unreachable", fmt.Sprintf("pods are not created: admission webhook %q does not answer", m[1])
		problem.Fix = []finding.Fix{manual("repair the Service and the pods behind the webhook; its failurePolicy Fail stops every pod until then"), run("find the webhook", "", "get", "validatingwebhookconfigurations,mutatingwebhookconfigurations")}
		return problem.lasting(lasted)
	case strings.Contains(text, "violates PodSecurity"):
		problem.Name, problem.Message = "podsecurity", "pods are not created: the namespace's Pod Security level forbids them"+reasonAfter(text, "violates PodSecurity")
		problem.Fix = []finding.Fix{manual(fmt.Sprintf("set the securityContext that the message asks for, or relax the label pod-security.kubernetes.io/enforce of namespace %s", ref.Namespace))}
		return problem.certain(true)
	case saMissing.MatchString(text):
		return saAbsent(v, problem, text, ref)
	case noPriority.MatchString(text):
		name := noPriority.FindStringSubmatch(text)[1]
		problem.Name, problem.Message = "priorityclass-missing", fmt.Sprintf("pods are not created: PriorityClass %q does not exist", name)
		problem.Missing = object.New("scheduling.k8s.io/v1", "PriorityClass", "", name)
		problem.Fix = []finding.Fix{manual(fmt.Sprintf("create PriorityClass %q, or correct priorityClassName in the pod template", name))}
		presence, _ := v.Presence(problem.Missing)
		return problem.certain(presence != index.Present)
	case noRuntime.MatchString(text):
		problem.Name, problem.Message = "rs-create-error", fmt.Sprintf("pods are not created: RuntimeClass %q does not exist", noRuntime.FindStringSubmatch(text)[1])
		problem.Missing = object.New("node.k8s.io/v1", "RuntimeClass", "", noRuntime.FindStringSubmatch(text)[1])
		problem.Fix = []finding.Fix{manual("create the RuntimeClass, or correct runtimeClassName in the pod template")}
		presence, _ := v.Presence(problem.Missing)
		return problem.certain(presence != index.Present)
	case limitRange.MatchString(text):
		problem.Name, problem.Message = "limitrange", "pods are not created: a LimitRange of the namespace forbids them: "+limitRange.FindString(text)
		problem.Fix = []finding.Fix{run("see the limits, then correct resources in the pod template", ref.Namespace, "describe", "limitrange")}
		return problem.certain(true)
	}
	problem.Name, problem.Message = "rs-create-error", "pods are not created: "+clip(text, 200)
	problem.Fix = []finding.Fix{manual("correct what the API server's message names")}
	return problem.lasting(lasted)
}

var (
	deniedBy = regexp.MustCompile(`admission webhook "([^"]*)" denied the request`)
	// apiserver pkg/admission/plugin/policy/validating, dispatcher
	deniedByPolicy = regexp.MustCompile(`ValidatingAdmissionPolicy '([^']*)' with binding '[^']*' denied request`)
	callFailed     = regexp.MustCompile(`failed calling webhook "([^"]*)"`)
	saMissing      = regexp.MustCompile(`error looking up service account ([^/\s]+)/([^:\s]+): .*not found`)
	noPriority     = regexp.MustCompile(`no PriorityClass with name (\S+) was found`)
	noRuntime      = regexp.MustCompile(`pod rejected: RuntimeClass "([^"]+)" not found`) // plugin/pkg/admission/runtimeclass
	limitRange     = regexp.MustCompile(`(maximum|minimum) \S+ usage per \w+ is .*|\S+ max limit to request ratio per \w+ is .*`)
	whichQuota     = regexp.MustCompile(`(?:exceeded|failed) quota: ([^,:\s]+)`)
)

// reasonAfter is what the server says behind the words that name the rule.
func reasonAfter(text, words string) string {
	_, after, _ := strings.Cut(text, words)
	if after = strings.TrimLeft(after, " :"); after == "" {
		return ""
	}
	return ": " + clip(after, 200)
}

// quota: room may come as old pods go, but a request that the quota demands and
// the template lacks never does.
func quota(problem Problem, text string, ref object.Ref) Problem {
	name := "of the namespace"
	if m := whichQuota.FindStringSubmatch(text); m != nil {
		name = fmt.Sprintf("%q", m[1])
		problem.Fix = []finding.Fix{run("see what is used", ref.Namespace, "describe", "resourcequota", m[1])}
	}
	problem.Name = "quota"
	problem.Message = fmt.Sprintf("pods are not created: ResourceQuota %s is used up%s", name, requested(text))
	problem.Fix = append(problem.Fix, manual("raise the quota, lower replicas or requests, or remove other pods of the namespace"))
	if strings.Contains(text, "failed quota") {
		problem.Message = fmt.Sprintf("pods are not created: ResourceQuota %s demands resources that the pod template does not set%s", name, reasonAfter(text, "must specify"))
		problem.Fix[len(problem.Fix)-1] = manual("set the requests and limits that the message names in the pod template, or give the namespace a LimitRange with defaults")
		return problem.certain(true)
	}
	return problem.lasting(true)
}

func requested(text string) string {
	if i := strings.Index(text, "requested: "); i >= 0 {
		return " (" + clip(text[i:], 160) + ")"
	}
	return ""
}

func saAbsent(v *index.View, problem Problem, text string, ref object.Ref) Problem {
	m := saMissing.FindStringSubmatch(text)
	problem.Name, problem.Message = "sa-missing", fmt.Sprintf("pods are not created: ServiceAccount %q does not exist", m[2])
	problem.Missing = core("ServiceAccount", m[1], m[2])
	problem.Fix = []finding.Fix{run("create it, or correct serviceAccountName in the pod template", m[1], "create", "serviceaccount", m[2])}
	presence, _ := v.Presence(problem.Missing)
	return problem.certain(presence != index.Present) // else the controller has not tried again yet
}

// replicaFailure reads the refusal out of a condition.
func replicaFailure(ref object.Ref, message, field string, at metav1.Time) refusal {
	return refusal{message, fact(ref, field+".message", message), at.Time}
}

// generationTime is when the spec was last written, as far as is recorded: the
// newest manager of the object itself, not of its status.
func generationTime(o metav1.Object) time.Time {
	written := o.GetCreationTimestamp().Time
	for _, m := range o.GetManagedFields() {
		if m.Subresource == "" && m.Time != nil {
			written = latest(written, m.Time.Time)
		}
	}
	return written
}

// lag is a controller that has not read the newest spec.
func lag(v *index.View, ref object.Ref, o metav1.Object, observed int64) []Problem {
	if observed == 0 && o.GetGeneration() <= 1 && since(v, o.GetCreationTimestamp().Time) <= 30*time.Second || o.GetGeneration() <= observed {
		return nil
	}
	if since(v, generationTime(o)) <= 30*time.Second {
		return nil
	}
	problem := Problem{
		Name: "observed-lag", Severity: finding.Error,
		Message: fmt.Sprintf("the controller has not acted on the newest spec (generation %d, seen %d): it is down or overloaded", o.GetGeneration(), observed),
		Evidence: []finding.Evidence{
			fact(ref, "metadata.generation", fmt.Sprint(o.GetGeneration())),
			fact(ref, "status.observedGeneration", fmt.Sprint(observed)),
		},
		Fix: []finding.Fix{run("see whether the controller manager holds its lease", "kube-system", "get", "lease", "kube-controller-manager", "-o", "yaml")},
	}
	return []Problem{problem}
}

// lagging says whether a rollout of a newer spec has yet to begin.
func lagging(o metav1.Object, observed int64) bool { return o.GetGeneration() > observed }
