package dns

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Plan is what is worth asking live, given what the view holds: the plugin
// asks it, fills in Observations, and judges again.
type Plan struct {
	Client    object.Ref // the pod to exec in; zero where there is none that runs
	UID       types.UID
	Container string
	Node      string     // whose kubelet's configz may be read
	Servers   []Server   // every DNS replica, NodeLocal DNSCache's pod of the client's node last
	Questions []Question // for every server, in this order
}

// Server is one DNS replica that can be asked through a port-forward.
type Server struct {
	Pod       object.Ref
	UID       types.UID
	Container string // whose log holds the config hash
	Port      int32  // the container's DNS port, TCP
	Metrics   int32  // 0 where none is known
	Ready     int32  // of the ready plugin; 0 where there is none
	Health    int32  // of the health plugin; 0 where there is none
	NodeLocal bool
}

// maxQuestions bounds what every replica is asked.
const maxQuestions = 24

// Live says what to ask. Observations that are already known (such as the
// resolv.conf) make it better: it may be called again with them.
func Live(v *index.View, ask Ask, seen Observations) Plan {
	w, err := newWorld(v, ask, seen)
	if err != nil {
		return Plan{}
	}
	p := Plan{}
	if c := w.client; c != nil {
		p.Node = c.Spec.NodeName
		if c.Status.Phase == corev1.PodRunning && c.DeletionTimestamp == nil && len(c.Spec.Containers) > 0 {
			p.Client, p.UID, p.Container = podRef(c), c.UID, ask.Container
			if p.Container == "" {
				p.Container = c.Spec.Containers[0].Name
			}
		}
	}
	for _, r := range w.replicas {
		if s, ok := w.server(r); ok {
			p.Servers = append(p.Servers, s)
		}
	}
	for _, r := range w.nodeLocal {
		if s, ok := w.server(r); ok && r.Spec.NodeName == p.Node && p.Node != "" && !r.Spec.HostNetwork {
			s.NodeLocal = true
			p.Servers = append(p.Servers, s)
		}
	}
	p.Questions = w.questions()
	return p
}

func (w *world) server(pod *corev1.Pod) (Server, bool) {
	if pod.Status.Phase != corev1.PodRunning || len(pod.Spec.Containers) == 0 {
		return Server{}, false
	}
	s := Server{Pod: podRef(pod), UID: pod.UID, Container: pod.Spec.Containers[0].Name, Port: 53}
	for _, c := range pod.Spec.Containers {
		for _, port := range c.Ports {
			switch {
			case port.Name == "dns-tcp" || port.ContainerPort == 53 && port.Protocol == corev1.ProtocolTCP:
				s.Port, s.Container = port.ContainerPort, c.Name
			case port.Name == "metrics" || port.ContainerPort == 9153:
				s.Metrics = port.ContainerPort
			}
		}
		if c.Name == s.Container {
			s.Ready, s.Health = probePort(&c, c.ReadinessProbe), probePort(&c, c.LivenessProbe)
		}
	}
	return s, true
}

func probePort(c *corev1.Container, p *corev1.Probe) int32 {
	if p == nil || p.HTTPGet == nil {
		return 0
	}
	if n := p.HTTPGet.Port.IntVal; n > 0 {
		return n
	}
	at := slices.IndexFunc(c.Ports, func(port corev1.ContainerPort) bool { return port.Name == p.HTTPGet.Port.StrVal })
	if at < 0 {
		return 0
	}
	return c.Ports[at].ContainerPort
}

// questions are those that the resolvers shown would send up to the rung that
// is expected to answer. Where an answer cannot be computed, all that follow.
func (w *world) questions() []Question {
	var out []Question
	for _, l := range w.climb() {
		for _, s := range l.steps {
			if s.State == NotAsked {
				continue
			}
			for _, t := range w.types() {
				if q := (Question{Name: s.Name, Type: t}).key(); !slices.Contains(out, q) && len(out) < maxQuestions {
					out = append(out, q)
				}
			}
		}
	}
	return out
}
