package preflight

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

func itoa[T ~int | ~int32 | ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// services are those that lead traffic to the workload's pods. What could not
// be listed is not there: a check that needs a Service then says nothing.
func (s *subject) services() []*corev1.Service {
	var found []*corev1.Service
	for _, svc := range index.Typed[*corev1.Service](s.v, core("Service"), s.ref.Namespace) {
		if len(svc.Spec.Selector) > 0 && svc.Spec.Type != corev1.ServiceTypeExternalName &&
			labels.SelectorFromSet(svc.Spec.Selector).Matches(labels.Set(s.w.Template.Labels)) {
			found = append(found, svc)
		}
	}
	return found
}

// alone are the services behind which no other workload serves meanwhile, as the
// stable pods beside a canary do.
func (s *subject) alone() []*corev1.Service {
	return slices.DeleteFunc(s.services(), func(svc *corev1.Service) bool {
		selector := labels.SelectorFromSet(svc.Spec.Selector)
		for _, gk := range workload.Kinds {
			for _, it := range s.v.List(schema.GroupKind{Group: "apps", Kind: gk}, s.ref.Namespace) {
				if it.Ref.Key() == s.ref.Key() {
					continue
				}
				if other, ok := workload.Of(s.v, it.Ref); ok && other.Floor() > 0 && selector.Matches(labels.Set(other.Template.Labels)) {
					return true
				}
			}
		}
		return false
	})
}

func (s *subject) selected(svc *corev1.Service) finding.Evidence {
	return fact(coreRef("Service", svc.Namespace, svc.Name), "spec.selector", labels.SelectorFromSet(svc.Spec.Selector).String())
}

// serving is a container that answers for a Service.
type serving struct {
	container *corev1.Container
	field     string
	service   *corev1.Service
}

// containersOf are the containers of the template that run beside each other,
// with the path of each.
func containersOf(spec *corev1.PodSpec) (list []*corev1.Container, fields []string) {
	for i := range spec.Containers {
		list, fields = append(list, &spec.Containers[i]), append(fields, fmt.Sprintf("spec.template.spec.containers[%d]", i))
	}
	for i := range spec.InitContainers {
		if restartable(&spec.InitContainers[i]) {
			list, fields = append(list, &spec.InitContainers[i]), append(fields, fmt.Sprintf("spec.template.spec.initContainers[%d]", i))
		}
	}
	return list, fields
}

func restartable(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// served are the containers to which Services lead: each port's by the port's
// declaration, and the only container whatever it declares.
func (s *subject) served() []serving {
	list, fields := containersOf(s.spec)
	var out []serving
	for _, svc := range s.services() {
		for _, port := range svc.Spec.Ports {
			for i, c := range list {
				mine := declares(c, port) || len(list) == 1 && port.TargetPort.Type == intstr.Int
				if mine && !slices.ContainsFunc(out, func(o serving) bool { return o.container == c }) {
					out = append(out, serving{c, fields[i], svc})
				}
			}
		}
	}
	return out
}

func declares(c *corev1.Container, port corev1.ServicePort) bool {
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
		if cmp.Or(p.Protocol, corev1.ProtocolTCP) != cmp.Or(port.Protocol, corev1.ProtocolTCP) {
			return false
		}
		if port.TargetPort.Type == intstr.String {
			return p.Name == port.TargetPort.StrVal
		}
		return p.ContainerPort == cmp.Or(port.TargetPort.IntVal, port.Port)
	})
}

// probes: a container without a probe counts as ready as soon as it runs. One
// with a startup probe does not, and a readiness gate is somebody else's word.
func (s *subject) probes() {
	if len(s.spec.ReadinessGates) > 0 || s.w.Replicas == 0 {
		return
	}
	for _, c := range s.served() {
		if c.container.ReadinessProbe != nil || c.container.StartupProbe != nil || c.service.Spec.PublishNotReadyAddresses {
			continue
		}
		s.say("no-readiness-probe", finding.Warning,
			fmt.Sprintf("container %q has no readiness probe: Service %q sends it requests, and the roll takes the next old pod away, as soon as its process runs", c.container.Name, c.service.Name),
			[]finding.Evidence{s.fact(c.field+".readinessProbe", "not set"), s.selected(c.service)},
			manual(fmt.Sprintf("give container %q a readinessProbe that answers only when it can serve", c.container.Name)))
	}
}

// single: with one replica, the floor is 1 only if maxUnavailable resolves to 0.
func (s *subject) single() {
	if s.w.Replicas != 1 || s.is("DaemonSet") || !s.rolls() {
		return
	}
	services := s.alone()
	if len(services) == 0 {
		return
	}
	evidence := []finding.Evidence{s.fact("spec.replicas", "1"), s.selected(services[0])}
	more := s.run("run two", "scale", s.ref.Arg(), "--replicas=2")
	if s.opts.Next != nil {
		more = manual("run two: replicas: 2 in the manifest")
	}
	if s.is("Deployment") && slices.ContainsFunc(s.claims(), claim.once) { // a second pod could not use its volume
		more = manual("two pods cannot share its volume: a StatefulSet gives each one of its own")
	}
	if s.w.Floor() == 1 {
		s.say("single-replica", finding.Info, fmt.Sprintf("there is one pod: the roll is to start the new one first, but a drain of its node, or its failure, leaves Service %q without an endpoint", services[0].Name), evidence, more)
		return
	}
	if s.is("StatefulSet") {
		s.say("single-replica", finding.Warning, fmt.Sprintf("the only pod is stopped before the new one starts: Service %q has no endpoint until that one is ready", services[0].Name), evidence, more)
		return
	}
	evidence = append(evidence, s.maxUnavailable())
	s.say("single-replica", finding.Warning, fmt.Sprintf("the only pod may be stopped before the new one is ready: Service %q then has no endpoint", services[0].Name), evidence,
		s.patch("start the new pod first", `{"spec":{"strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}`), more)
}

// recreates: Recreate stops all before it starts any.
func (s *subject) recreates() {
	services := s.alone()
	if s.w.Strategy.Type != "Recreate" || s.w.Replicas == 0 || len(services) == 0 || s.live == nil {
		return
	}
	evidence := []finding.Evidence{s.fact("spec.strategy.type", "Recreate"), s.selected(services[0])}
	message := fmt.Sprintf("strategy Recreate stops every pod before the first new one starts: Service %q has no endpoint until then", services[0].Name)
	for _, c := range s.claims() {
		if c.once() {
			s.say("recreate-downtime", finding.Warning, message+fmt.Sprintf("; its claim %q, which one node at a time may use, asks for that", c.name),
				append(evidence, fact(c.ref, "spec.accessModes", c.modes())), manual("roll when nobody needs it, or move the data to a volume that several nodes may use (ReadWriteMany)"))
			return
		}
	}
	s.say("recreate-downtime", finding.Warning, message, evidence,
		s.patch("replace the pods one after another, if two versions may run beside each other", `{"spec":{"strategy":{"type":"RollingUpdate"}}}`))
}

var sleeps = regexp.MustCompile(`(?:^|[\s;&(])sleep\s+(\d{1,5})(?:s)?(?:$|[\s;&)])`)

// preStop is how long a hook keeps the container from being told to end, as
// far as it says so itself.
func preStop(c *corev1.Container) (time.Duration, string) {
	if c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
		return 0, ""
	}
	hook := c.Lifecycle.PreStop
	if hook.Sleep != nil {
		return time.Duration(hook.Sleep.Seconds) * time.Second, ".lifecycle.preStop.sleep.seconds"
	}
	if hook.Exec == nil {
		return 0, ""
	}
	line := strings.Join(hook.Exec.Command, " ")
	if first := hook.Exec.Command; len(first) > 0 && strings.HasSuffix(first[0], "/sleep") {
		line = strings.TrimPrefix(line, first[0][:len(first[0])-len("sleep")])
	}
	m := sleeps.FindStringSubmatch(line)
	if m == nil {
		return 0, ""
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, ""
	}
	return time.Duration(n) * time.Second, ".lifecycle.preStop.exec.command"
}

// shortGrace is too short for kube-proxy on all nodes to learn that a pod goes.
const shortGrace = 5

// drains: a pod is told to end at the moment when its endpoint begins to be
// taken out; the two take place side by side (kubelet pkg/kubelet/kuberuntime,
// killContainer: the hook's time counts against the grace, and 2 s remain).
func (s *subject) drains() {
	if s.w.Replicas == 0 {
		return
	}
	grace := int64(30)
	if g := s.spec.TerminationGracePeriodSeconds; g != nil {
		grace = *g
	}
	graceFact := s.fact("spec.template.spec.terminationGracePeriodSeconds", itoa(grace))
	list, fields := containersOf(s.spec)
	for i, c := range list {
		if hook, field := preStop(c); field != "" && hook >= time.Duration(grace)*time.Second {
			s.say("drain-gap", finding.Warning,
				fmt.Sprintf("container %q is killed before it is told to end: its preStop hook takes %d s, and the pod has %d s in all", c.Name, int(hook.Seconds()), grace),
				[]finding.Evidence{graceFact, s.fact(fields[i]+field, itoa(int64(hook/time.Second))+" s")},
				s.patch("allow the hook's time and what the program needs to end", fmt.Sprintf(`{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":%d}}}}`, int(hook.Seconds())+30)))
			return
		}
	}
	for _, c := range s.served() {
		if grace < shortGrace && (c.container.Lifecycle == nil || c.container.Lifecycle.PreStop == nil) {
			s.say("drain-gap", finding.Warning,
				fmt.Sprintf("requests may be cut off: container %q is killed %d s after it is told to end, and the nodes may send it requests of Service %q for longer", c.container.Name, grace, c.service.Name),
				[]finding.Evidence{graceFact, s.fact(c.field+".lifecycle.preStop", "not set"), s.selected(c.service)},
				s.patch("allow it time to finish", `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":30}}}}`),
				manual("and let it serve on for a few seconds first: lifecycle: {preStop: {sleep: {seconds: 5}}}"))
			return
		}
	}
}

// probeBudget: a pod that uses all the time that its own probes grant it is
// later than the Deployment's deadline. Each pod that becomes available starts
// the deadline anew (pkg/controller/deployment/util, DeploymentTimedOut).
func (s *subject) probeBudget() {
	if s.w.Deadline == 0 || !s.is("Deployment") {
		return
	}
	list, fields := containersOf(s.spec)
	var longest time.Duration
	var evidence []finding.Evidence
	for i, c := range list {
		var takes time.Duration
		var facts []finding.Evidence
		if p := c.StartupProbe; p != nil {
			takes = time.Duration(p.InitialDelaySeconds+cmp.Or(p.PeriodSeconds, 10)*cmp.Or(p.FailureThreshold, 3)) * time.Second
			facts = append(facts, s.fact(fields[i]+".startupProbe", fmt.Sprintf("initialDelaySeconds %d, periodSeconds %d, failureThreshold %d", p.InitialDelaySeconds, cmp.Or(p.PeriodSeconds, 10), cmp.Or(p.FailureThreshold, 3))))
		}
		if p := c.ReadinessProbe; p != nil && time.Duration(p.InitialDelaySeconds)*time.Second > takes {
			takes = time.Duration(p.InitialDelaySeconds) * time.Second
			facts = append(facts, s.fact(fields[i]+".readinessProbe.initialDelaySeconds", itoa(p.InitialDelaySeconds)))
		}
		if takes > longest {
			longest, evidence = takes, facts
		}
	}
	if longest == 0 || longest+s.w.MinReady < s.w.Deadline {
		return
	}
	message := fmt.Sprintf("a pod may take %d s to become available, and the Deployment gives the roll up after %d s without progress", int((longest + s.w.MinReady).Seconds()), int(s.w.Deadline.Seconds()))
	if s.w.MinReady > 0 {
		evidence = append(evidence, s.fact("spec.minReadySeconds", itoa(int64(s.w.MinReady.Seconds()))))
	}
	evidence = append(evidence, s.fact("spec.progressDeadlineSeconds", itoa(int64(s.w.Deadline.Seconds()))))
	s.say("probe-budget", finding.Warning, message, evidence,
		s.patch("give it the time that its probes grant", fmt.Sprintf(`{"spec":{"progressDeadlineSeconds":%d}}`, int((longest+s.w.MinReady).Seconds())+60)))
}
