package report

import (
	"time"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Service is one Service and what stands behind it: check-endpoints' own part
// of the document.
type Service struct {
	Object    object.Ref    `json:"object"`
	Verdict   Verdict       `json:"verdict"`
	Summary   string        `json:"summary"`        // one plain sentence
	Type      string        `json:"type,omitempty"` // "ClusterIP", "Headless", "NodePort", "LoadBalancer", "ExternalName"
	Addresses []string      `json:"addresses,omitempty"`
	Selector  string        `json:"selector,omitempty"` // "app=web,tier=front"; empty where there is none
	Ports     []ServicePort `json:"ports,omitempty"`
	Endpoints []Endpoint    `json:"endpoints,omitempty"`
	Codes     []string      `json:"findings,omitempty"` // codes of the findings about this Service
	Created   *time.Time    `json:"created,omitempty"`
	Age       string        `json:"-"` // "23m"; derived from Created, so not in documents
	Asked     bool          `json:"asked,omitempty"`
	Learn     []Lesson      `json:"learn,omitempty"`
}

// ServicePort is one port of a Service, and how many endpoints can serve it.
type ServicePort struct {
	Name       string `json:"name,omitempty"`
	Port       int32  `json:"port"`
	TargetPort string `json:"targetPort,omitempty"` // as written: "8080" or "http"
	Resolved   string `json:"resolved,omitempty"`   // the container ports that it leads to: "8080", "8080,9090"
	NodePort   int32  `json:"nodePort,omitempty"`
	Protocol   string `json:"protocol"`
	Ready      int    `json:"ready"` // endpoints that traffic is sent to
	Total      int    `json:"total"` // endpoints that there should be
}

// EndpointState says how a slice and the pods agree about one endpoint.
type EndpointState string

// The states of an endpoint.
const (
	EndpointMatched EndpointState = "matched" // slice and pod agree
	EndpointMissing EndpointState = "missing" // the pod belongs here, and no slice lists it
	EndpointStale   EndpointState = "stale"   // listed, but the pod is gone, replaced, ended or has another address
	EndpointForeign EndpointState = "foreign" // a hand-made address that belongs to another app's pod
	EndpointManual  EndpointState = "manual"  // a hand-made address
	EndpointNoPort  EndpointState = "no-port" // listed without the port: the targetPort resolves to nothing in this pod
	EndpointUnseen  EndpointState = "unseen"  // the slices or the pods could not be seen
)

// Endpoint is one row of the two columns that are held side by side: what the
// slice says, and what the pod says. One pod has a row for each Service port.
type Endpoint struct {
	ServicePort string        `json:"servicePort,omitempty"` // name or number of the Service port
	Address     string        `json:"address,omitempty"`     // as the slice has it; empty where it is missing
	Port        int32         `json:"port,omitempty"`        // the container's
	Protocol    string        `json:"protocol,omitempty"`
	Pod         *object.Ref   `json:"pod,omitempty"`
	PodIP       string        `json:"podIP,omitempty"` // as the pod has it
	Ready       bool          `json:"ready"`
	Serving     bool          `json:"serving"`
	Terminating bool          `json:"terminating,omitempty"`
	Node        string        `json:"node,omitempty"`
	Zone        string        `json:"zone,omitempty"`
	Slice       string        `json:"slice,omitempty"`
	State       EndpointState `json:"state"`
	Why         string        `json:"why,omitempty"`      // why it is not matched, or not ready
	Observed    string        `json:"observed,omitempty"` // what a live probe saw: "answers", "refused"
}

// Lesson is one plain sentence about a term, for --learn.
type Lesson struct {
	Term string `json:"term"` // "selector", "EndpointSlice", "readiness", "targetPort", …
	Text string `json:"text"`
}
