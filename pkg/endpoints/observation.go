package endpoints

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Observation is the answer to one live question, asked before judgement. All
// other claims are computed from what the API server stores; those that rest
// on an Observation say so.
type Observation struct {
	Service  object.Ref
	Port     string     // name or number of the Service port, as in report.Endpoint.ServicePort
	Pod      object.Ref // the server; zero where a path through the Service's own address was tried
	PodUID   types.UID
	Number   int32 // container port that was tried
	Protocol corev1.Protocol
	Probe    Probe
	From     object.Ref // the client pod of a Path probe
	Outcome  Outcome
	Detail   string     // the words that came back
	Listens  []Listener // of a Listeners probe
	When     time.Time
}

// Probe is a way of asking.
type Probe string

// The probes. What each can prove is in the table of combine.
const (
	Proxy     Probe = "proxy"     // API server → podIP:port through pods/proxy, HTTP only
	Forward   Probe = "forward"   // kubelet → localhost inside the pod, TCP only; bypasses Service, CNI and policy
	Listeners Probe = "listeners" // /proc/net/tcp and tcp6, read inside the server pod
	Path      Probe = "path"      // the real path, from a client pod
)

// Outcome is how a probe ended.
type Outcome string

// The outcomes.
const (
	Answered    Outcome = "answered"       // any answer, even HTTP 500, proves that something listens
	AnsweredTLS Outcome = "speaks TLS"     // plain text was refused by something that speaks TLS
	Refused     Outcome = "refused"        // nothing is there
	TimedOut    Outcome = "timed out"      // lost on the way: a route or a policy
	NotAllowed  Outcome = "not allowed"    // RBAC or admission refused the probe: it says nothing
	NoMeans     Outcome = "no means"       // a distroless pod, a missing tool: it says nothing
	Failed      Outcome = "probe failed"   // the probe itself broke: it says nothing
	Listed      Outcome = "listeners read" // of a Listeners probe
)

// Listener is one listening socket of a pod.
type Listener struct {
	Address string // "0.0.0.0", "127.0.0.1", "::", a pod IP
	Port    int32
}
