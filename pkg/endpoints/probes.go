package endpoints

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// strayProbe is a probe that asks elsewhere than the application listens.
type strayProbe struct {
	kind, container string
	asks, but       string         // in words
	field, value    string         // where that is written
	instead         string         // in words, what it should ask
	change          map[string]any // of the probe; nil where there is more than one choice
}

// wrongProbe is a readiness or startup probe that fails on another host than
// the pod, or on a port which its container does not declare, though it declares
// others.
func (c *subject) wrongProbe(p *corev1.Pod) *strayProbe {
	for i := range p.Spec.Containers {
		k := &p.Spec.Containers[i]
		status := slices.IndexFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool {
			return s.Name == k.Name && !s.Ready && s.State.Running != nil
		})
		if status < 0 {
			continue
		}
		kind, probe := "readiness", k.ReadinessProbe
		if s := p.Status.ContainerStatuses[status]; k.StartupProbe != nil && s.Started != nil && !*s.Started {
			if c.starting(p, false) {
				continue // it may listen there in a moment
			}
			kind, probe = "startup", k.StartupProbe
		}
		stray := strays(p, k, probe)
		if stray == nil {
			continue
		}
		failing := slices.ContainsFunc(c.v.Events(p.UID), func(e *corev1.Event) bool {
			return e.Reason == "Unhealthy" && len(e.Message) > len(kind) && strings.EqualFold(e.Message[:len(kind)], kind)
		})
		if failing || len(c.v.Events(p.UID)) == 0 {
			stray.kind, stray.container, stray.field = kind, k.Name, fmt.Sprintf("spec.containers[%d].%sProbe.%s", i, kind, stray.field)
			return stray
		}
	}
	return nil
}

func strays(p *corev1.Pod, k *corev1.Container, probe *corev1.Probe) *strayProbe {
	if host, field := probeHost(probe); host != "" && !hasIP(p, host) {
		return &strayProbe{asks: "host " + host, but: "the kubelet asks it from the node, where that is not the pod", field: field + ".host", value: host,
			instead: "the pod, by naming no host", change: map[string]any{field: map[string]any{"host": nil}}}
	}
	port, field, ok := probePort(probe)
	if !ok || len(k.Ports) == 0 || slices.ContainsFunc(declared(p), func(d corev1.ContainerPort) bool {
		return port.Type == intstr.Int && d.ContainerPort == port.IntVal || port.Type == intstr.String && d.Name == port.StrVal
	}) {
		return nil
	}
	stray := &strayProbe{asks: "port " + port.String(), but: "the container declares " + portWords(k.Ports), field: field + ".port", value: port.String(),
		instead: "the port on which the application listens (" + portWords(k.Ports) + ")"}
	if len(k.Ports) == 1 && protocolOf(k.Ports[0].Protocol) == corev1.ProtocolTCP {
		stray.change = map[string]any{field: map[string]any{"port": k.Ports[0].ContainerPort}}
	}
	return stray
}

// fix changes the probe in the template of the workload, where that may be
// changed and there is no choice.
func (s *strayProbe) fix(root object.Ref) finding.Fix {
	description := fmt.Sprintf("let the %s probe ask %s", s.kind, s.instead)
	if s.change == nil || root.Group != "apps" || !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, root.Kind) {
		return manual("%s", description)
	}
	container := map[string]any{"name": s.container, s.kind + "Probe": s.change}
	patch := map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{container}}}}}
	return command(description, root.Namespace, "patch", strings.ToLower(root.Kind), root.Name, "-p", finding.JSON(patch))
}

// probeHost is another host than the pod's, if one is written.
func probeHost(p *corev1.Probe) (host, field string) {
	switch {
	case p == nil:
	case p.HTTPGet != nil:
		return p.HTTPGet.Host, "httpGet"
	case p.TCPSocket != nil:
		return p.TCPSocket.Host, "tcpSocket"
	}
	return "", ""
}

func probePort(p *corev1.Probe) (port intstr.IntOrString, field string, ok bool) {
	switch {
	case p == nil:
	case p.HTTPGet != nil:
		return p.HTTPGet.Port, "httpGet", true
	case p.TCPSocket != nil:
		return p.TCPSocket.Port, "tcpSocket", true
	case p.GRPC != nil:
		return intstr.FromInt32(p.GRPC.Port), "grpc", true
	}
	return intstr.IntOrString{}, "", false
}
