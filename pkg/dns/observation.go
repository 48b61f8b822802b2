package dns

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Observations are the answers to live questions, asked before judgement. All
// other claims are computed from what the API server stores. A zero value
// means that nothing was asked. They can be kept beside a snapshot as JSON.
type Observations struct {
	Pod        types.UID `json:"pod,omitempty"`        // the client whose files these are
	ResolvConf *Text     `json:"resolvConf,omitempty"` // cat /etc/resolv.conf in the client
	Hosts      *Text     `json:"hosts,omitempty"`      // cat /etc/hosts in the client
	Libc       Libc      `json:"libc,omitempty"`       // told from the container's files; "" where it could not be told
	LibcWhy    string    `json:"libcWhy,omitempty"`    // "/lib/ld-musl-x86_64.so.1 is there"
	Getent     *Text     `json:"getent,omitempty"`     // getent ahosts NAME in the client
	Nslookup   *Text     `json:"nslookup,omitempty"`   // nslookup NAME in the client
	Kubelet    *Kubelet  `json:"kubelet,omitempty"`    // from the node's configz
	NodeConf   *Text     `json:"nodeConf,omitempty"`   // the node's resolv.conf, where it can be read
	Replicas   []Replica `json:"replicas,omitempty"`
	Answers    []Answer  `json:"answers,omitempty"`

	Debugger *Debugger `json:"debugger,omitempty"` // whose files and lookups these are, where the client has no tools

	Coming bool `json:"-"` // the questions will be asked yet: what they may tell need not be read before
}

// Text is what a file or a program said, or why it said nothing.
type Text struct {
	Text     string `json:"text"`
	ExitCode int    `json:"exitCode,omitempty"`
	Err      string `json:"err,omitempty"` // "forbidden", "no such program": then Text proves nothing
}

// said is the text, where there is one.
func (t *Text) said() (string, bool) {
	if t == nil || t.Err != "" {
		return "", false
	}
	return t.Text, true
}

// Debugger is the ephemeral container that was added to the client, by request.
type Debugger struct {
	Container string `json:"container,omitempty"`
	Image     string `json:"image"`
	Err       string `json:"err,omitempty"` // why it told nothing
	Needless  bool   `json:"needless,omitempty"`
}

// Kubelet is what the node's kubelet is configured with.
type Kubelet struct {
	ClusterDomain string   `json:"clusterDomain"`
	ClusterDNS    []string `json:"clusterDNS"`
	ResolvConf    string   `json:"resolvConf"` // path on the node
}

// Replica is what one DNS pod says of itself.
type Replica struct {
	Pod        object.Ref `json:"pod"`
	UID        types.UID  `json:"uid"`
	Healthy    *bool      `json:"healthy,omitempty"`    // :8080/health; nil where it was not asked
	Ready      *bool      `json:"ready,omitempty"`      // :8181/ready
	ReadyText  string     `json:"readyText,omitempty"`  // the plugins that are not ready
	Version    string     `json:"version,omitempty"`    // coredns_build_info
	ConfigHash string     `json:"configHash,omitempty"` // sha512 in hex: coredns_reload_version_info, or the log
	MaxReject  float64    `json:"maxReject,omitempty"`  // coredns_forward_max_concurrent_rejects_total
	Upstream   float64    `json:"upstream,omitempty"`   // coredns_forward_healthcheck_broken_total
	Log        []string   `json:"log,omitempty"`        // lines of its log that were read
	Err        string     `json:"err,omitempty"`        // why it could not be asked at all: "forbidden", "connection refused"
	Told       bool       `json:"told,omitempty"`       // its readiness and metrics were asked for
	LogRead    bool       `json:"logRead,omitempty"`    // the beginning of its log was read
}

// Answer is what one replica (or, with a zero Pod, the path through the
// Service from inside the client) answered to one question.
type Answer struct {
	Pod       object.Ref    `json:"pod"`
	UID       types.UID     `json:"uid"`
	Question  Question      `json:"question"`
	Rcode     Rcode         `json:"rcode,omitempty"`
	Records   []Record      `json:"records,omitempty"` // of the answer section
	SOA       string        `json:"soa,omitempty"`     // owner of the SOA in the authority section
	Truncated bool          `json:"truncated,omitempty"`
	Took      time.Duration `json:"took,omitempty"`  // nanoseconds
	Again     bool          `json:"again,omitempty"` // asked again after the TTL; the last counts
	Err       string        `json:"err,omitempty"`   // "timed out", "malformed packet", "connection refused": then Rcode is empty
}

// Rcode is a response code by its name. NoData stands for NOERROR without an
// answer, and Timeout for no response.
type Rcode string

// The response codes.
const (
	NoError  Rcode = "NOERROR"
	NoData   Rcode = "NODATA"
	NXDomain Rcode = "NXDOMAIN"
	ServFail Rcode = "SERVFAIL"
	Refused  Rcode = "REFUSED"
	FormErr  Rcode = "FORMERR"
	NotImp   Rcode = "NOTIMP"
	Timeout  Rcode = "TIMEOUT"
)

// Record is one resource record. Data is its presentation form:
// "10.97.34.93", "db.example.com.", "0 100 6379 redis.shop.svc.cluster.local.".
type Record struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
	TTL  uint32 `json:"ttl,omitempty"`
	Data string `json:"data"`
}
