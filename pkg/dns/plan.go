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

	AskState bool // its readiness and metrics tell something that the objects do not
	ReadLog  bool // perhaps it runs another Corefile than the ConfigMap's
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
		if running(c) {
			p.Client, p.UID, p.Container = podRef(c), c.UID, ask.Container
			if p.Container == "" {
				p.Container = c.Spec.Containers[0].Name
			}
		}
	}
	p.Questions = w.questions()
	p.Servers = w.servers()
	for i := range p.Servers {
		w.doubt(&p.Servers[i], p.Questions)
	}
	return p
}

// running says whether something can be asked of a client.
func running(c *corev1.Pod) bool {
	return c != nil && c.Status.Phase == corev1.PodRunning && c.DeletionTimestamp == nil && len(c.Spec.Containers) > 0
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

// doubt decides what else a replica is asked. One that is ready, agrees with
// the others and was started with the Corefile of today has nothing to add.
func (w *world) doubt(s *Server, questions []Question) {
	at := slices.IndexFunc(w.seen.Replicas, func(r Replica) bool { return r.UID == s.UID })
	if at >= 0 && w.seen.Replicas[at].Told && w.seen.Replicas[at].LogRead {
		return
	}
	pod := w.replicaNamed(s.UID)
	odd := pod == nil || !podReady(pod) || at >= 0 && w.seen.Replicas[at].Err != "" || w.differs(s.UID)
	s.ReadLog = odd || w.startedOtherwise(pod)
	s.AskState = s.ReadLog || slices.ContainsFunc(questions, func(q Question) bool { return w.expect(q).By == "forward" }) // which counts what it rejects
}

func (w *world) replicaNamed(uid types.UID) *corev1.Pod {
	for _, p := range slices.Concat(w.replicas, w.nodeLocal) {
		if p.UID == uid {
			return p
		}
	}
	return nil
}

// differs says whether a replica answered otherwise than the others or than
// expected, or failed.
func (w *world) differs(uid types.UID) bool {
	for _, q := range w.askedQuestions() {
		e := w.expect(q)
		for _, a := range w.answers(q) {
			known := e.By == "kubernetes" && e.Rcode != ""
			if a.UID == uid && (a.Err != "" || a.Rcode == ServFail || a.Rcode == Refused || known && a.text() != answerText(e.Rcode, e.Records)) {
				return true
			}
		}
	}
	return false
}

// startedOtherwise says whether a replica may run another Corefile than the one
// that is stored: the kubelet mounts what a ConfigMap holds when the pod is
// made, so only a later change leaves a doubt.
func (w *world) startedOtherwise(pod *corev1.Pod) bool {
	if w.core == nil {
		return false // there is nothing to compare with
	}
	core := w.coreOf(pod)
	if core == nil {
		return true
	}
	it, ok := w.v.Get(core.Object)
	if !ok || len(it.Object.GetManagedFields()) == 0 {
		return true
	}
	made := it.Object.GetCreationTimestamp()
	for _, m := range it.Object.GetManagedFields() {
		if m.Time == nil || !m.Time.Equal(&made) && !m.Time.Before(&pod.CreationTimestamp) {
			return true
		}
	}
	return false
}
