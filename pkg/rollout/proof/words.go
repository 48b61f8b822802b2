package proof

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// summary is a proof in one sentence.
func (j *judge) summary(p report.Proof, c counted) string {
	var b strings.Builder
	b.WriteString(served(c.min, c.max) + floorWords(c))
	switch {
	case p.Verdict == report.BrokenProof:
		b.WriteString(j.brokenWords(p, c))
	case c.degraded && c.reached.IsZero() && c.max > 0:
		fmt.Fprintf(&b, "; only %d served when it began", c.start)
	case c.degraded && c.max > 0:
		fmt.Fprintf(&b, "; only %d served when it began, %d since %s", c.start, c.floor, Clock(c.reached))
	}
	if p.Gaps >= shortGap.Seconds() || p.Verdict == report.HeldWithGaps {
		fmt.Fprintf(&b, "; not watched for %s", Seconds(p.Gaps))
	}
	if p.Verdict == report.NotProvable {
		fmt.Fprintf(&b, "; that proves nothing: %s", p.Why)
	}
	return b.String()
}

func served(least, most int) string {
	switch {
	case most == 0:
		return "served by no endpoint"
	case most == 1 && least == 1:
		return "served by 1 endpoint"
	case least == most:
		return fmt.Sprintf("served by %d endpoints", most)
	}
	return fmt.Sprintf("served by %d to %d endpoints", least, most)
}

func floorWords(c counted) string {
	switch {
	case c.anyone:
		return ", at least 1 is needed"
	case c.firstFloor != c.floor:
		return fmt.Sprintf(", floor %d, later %d", c.firstFloor, c.floor)
	}
	return ", floor " + strconv.Itoa(c.floor)
}

func (j *judge) brokenWords(p report.Proof, c counted) string {
	what := "below it for "
	if c.min == 0 {
		what = "none at all for "
	}
	long := c.below
	if c.min == 0 {
		long = c.zero
	}
	words := "; " + what + Seconds(long.Seconds())
	if times := len(c.broken) + c.unlisted; times > 1 {
		words += fmt.Sprintf(" (%d times below)", times)
	}
	words += ", first at " + Clock(p.Broken[0].From)
	if c.fallback > 0 {
		words += "; for " + Seconds(c.fallback.Seconds()) + " of that, pods that were shutting down could still answer"
	}
	if j.w.Strategy.Type == string(appsv1.RecreateDeploymentStrategyType) {
		words += "; strategy Recreate ends all old pods before it starts new ones"
	}
	return words
}

// Clock is a moment of the day in UTC, to the millisecond.
func Clock(at time.Time) string { return at.UTC().Format("15:04:05.000") + " UTC" }

// Seconds is a duration in words: "20 ms", "4.2 s", "3 min 5 s".
func Seconds(s float64) string {
	d := time.Duration(s * float64(time.Second)).Round(time.Millisecond)
	switch {
	case d < time.Millisecond:
		return "less than 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', -1, 64) + " s"
	}
	d = d.Round(time.Second)
	if d < time.Hour {
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// limits is what a proof does not show.
func (j *judge) limits(svc *seenService, c counted) []string {
	limits := []string{
		"It is what the EndpointSlices said: the rules on each node follow a moment later, and that lag is not seen.",
		"Connections that a client keeps open to a pod that ends, and requests that such a pod cuts off, are not seen.",
		"An endpoint counts as serving while its readiness probe passes: whether its answers are right is not seen.",
	}
	say := func(format string, args ...any) { limits = append(limits, fmt.Sprintf(format, args...)) }
	spec := svc.Spec
	if spec.PublishNotReadyAddresses {
		say("The Service publishes pods that are not ready (publishNotReadyAddresses): clients are sent to those too; only ready ones are counted here.")
	}
	if spec.ClusterIP == corev1.ClusterIPNone {
		say("The Service is headless: clients find its pods by DNS, and may use an old answer until its time to live is over.")
	}
	if local := spec.InternalTrafficPolicy; local != nil && *local == corev1.ServiceInternalTrafficPolicyLocal {
		say("internalTrafficPolicy is Local: a client reaches only the pods on its own node; whether each node had one is not seen.")
	}
	if spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		say("externalTrafficPolicy is Local: traffic from outside reaches only the pods on the node where it arrives; whether each of those had one is not seen.")
	}
	if spec.TrafficDistribution != nil {
		say("trafficDistribution is %s: clients are sent to endpoints near them first; which those are is not seen.", *spec.TrafficDistribution)
	}
	if c.fallback > 0 {
		say("Zero is not always an outage: for %s of it, endpoints that were shutting down still passed their readiness probe, and kube-proxy sends to such where there is nothing else.", Seconds(c.fallback.Seconds()))
	}
	if c.degraded && c.reached.IsZero() {
		say("Only %d served when it began, fewer than the floor of %d: fewer than %d would have been a loss.", c.start, c.floor, c.start)
	} else if c.degraded {
		say("Only %d served when it began: the floor of %d counts from %s on, when it was first reached.", c.start, c.floor, Clock(c.reached))
	}
	if c.others > 0 {
		counts := "they are not counted"
		if c.anyone {
			counts = "they are counted, since the strategy promises no pod of its own"
		}
		say("Up to %d endpoints that are no pods of %s serve this Service too: %s.", c.others, j.w.Ref.Arg(), counts)
	}
	if len(j.single) > 0 {
		say("Services that select a single pod by name are not judged, since nothing can serve instead of it: %s.", list(j.single[:min(5, len(j.single))]))
	}
	if c.unlisted > 0 {
		say("It was below its floor %d more times than are listed.", c.unlisted)
	}
	return append(limits, j.changes(svc)...)
}

// changes is what became of the Service itself.
func (j *judge) changes(svc *seenService) []string {
	var limits []string
	for _, at := range svc.reselected {
		if at.After(j.since) && !at.After(j.until) {
			limits = append(limits, "The Service's selector was changed at "+Clock(at)+": that moves endpoints, whatever the rollout does.")
			break
		}
	}
	if !svc.deleted.IsZero() && svc.deleted.After(j.since) && !svc.deleted.After(j.until) {
		limits = append(limits, "The Service was deleted at "+Clock(svc.deleted)+".")
	}
	return limits
}

func wayWords(id lineID) string {
	switch id.port {
	case portless, "":
		return id.family
	}
	return fmt.Sprintf("port %s over %s", id.port, id.family)
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
