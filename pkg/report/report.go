// Package report is what a plugin has to say, free of presentation: the
// versioned model that every renderer reads and that -o json prints.
package report

import (
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// APIVersion is the version of the documents that -o json and -o yaml print.
const APIVersion = "leadsman.dev/v1alpha1"

// Verdict is the answer in one word.
type Verdict string

// The verdicts.
const (
	OK          Verdict = "ok"
	Progressing Verdict = "progressing"
	Broken      Verdict = "broken"
	Unknown     Verdict = "unknown"
)

// Report is the envelope that all plugins share, with the plugin's own part
// beside it. The first finding is the root cause.
type Report struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"` // "ExplainTree", "CheckEndpoints", …
	Target     string            `json:"target"`
	Verdict    Verdict           `json:"verdict"`
	Summary    string            `json:"summary"` // one plain sentence, or one a target
	Findings   []finding.Finding `json:"findings"`
	Gaps       []Gap             `json:"gaps"`
	Budget     Budget            `json:"budget"`
	Tree       []*Node           `json:"tree,omitempty"`
	Services   []*Service        `json:"services,omitempty"`
	Trace      *Trace            `json:"trace,omitempty"`
	Rollouts   []*Rollout        `json:"rollouts,omitempty"`
}

// Gap is something that could not be seen.
type Gap struct {
	Resource  string `json:"resource"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Reason    string `json:"reason"`
	Detail    string `json:"detail,omitempty"`
}

// Budget is what the answer cost. A snapshot costs no requests.
type Budget struct {
	Requests int     `json:"requests"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	Snapshot bool    `json:"snapshot,omitempty"` // answered from a dump, not a cluster
	Recorded bool    `json:"recorded,omitempty"` // the dump is a recording that was shown again
}

// Health is the state of one node of a tree.
type Health string

// The states. None is for objects that cannot be unwell, such as a ConfigMap.
const (
	Healthy    Health = "ok"
	InProgress Health = "progressing"
	Failing    Health = "broken"
	Warned     Health = "warning"
	Unseen     Health = "unknown"
	NoHealth   Health = "none"
)

// Node is one row of a tree.
type Node struct {
	Object   object.Ref `json:"object"`
	Title    string     `json:"title"`              // "Deployment/web", "container nginx"
	Relation string     `json:"relation,omitempty"` // name of the relation to the node above
	Why      string     `json:"why,omitempty"`
	Ready    string     `json:"ready,omitempty"` // "1/2"
	Health   Health     `json:"health"`
	Status   string     `json:"status,omitempty"` // in words: "ImagePullBackOff"
	Created  *time.Time `json:"created,omitempty"`
	Age      string     `json:"-"` // "23m"; derived from Created, so not in documents
	Asked    bool       `json:"asked,omitempty"`
	Above    bool       `json:"shownAbove,omitempty"` // printed earlier; its children are there
	Guessed  bool       `json:"guessed,omitempty"`    // the relation is read from an env value or a name
	Learn    string     `json:"learn,omitempty"`
	Codes    []string   `json:"findings,omitempty"` // codes of the findings about this node
	Wide     string     `json:"detail,omitempty"`   // what -o wide adds: IP, node, image id
	Children []*Node    `json:"children,omitempty"`

	Folded int    `json:"-"` // >0: this row stands for that many equal siblings
	Change Change `json:"-"` // what a live view marks
}

// Change is how a node differs from the previous frame of a live view.
type Change string

// The changes.
const (
	Same    Change = ""
	Added   Change = "new"
	Altered Change = "changed"
	Removed Change = "gone"
)

// Walk calls visit for each node of the forest, parents first.
func Walk(forest []*Node, visit func(n *Node, depth int)) {
	var walk func(ns []*Node, depth int)
	walk = func(ns []*Node, depth int) {
		for _, n := range ns {
			visit(n, depth)
			walk(n.Children, depth+1)
		}
	}
	walk(forest, 0)
}
