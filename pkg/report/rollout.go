package report

import (
	"time"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Rollout is one workload under watch: guard-rollout's own part of the document.
type Rollout struct {
	Object   object.Ref   `json:"object"`
	Phase    Phase        `json:"phase"`
	Verdict  Verdict      `json:"verdict"`
	Summary  string       `json:"summary"`            // one plain sentence
	Strategy string       `json:"strategy,omitempty"` // "RollingUpdate, at most 1 more, 0 fewer"
	Started  *time.Time   `json:"started,omitempty"`  // when the watch, or the rollout that it saw begin, started
	Elapsed  float64      `json:"elapsedSeconds"`
	ETA      *float64     `json:"etaSeconds,omitempty"` // only once there is a basis for it
	From     *Revision    `json:"from,omitempty"`       // the revision that is replaced; nil on a first deploy
	To       *Revision    `json:"to,omitempty"`
	Counts   Counts       `json:"counts"`
	Waiting  string       `json:"waitingFor,omitempty"` // in words, while it goes on
	Pods     []RolloutPod `json:"pods,omitempty"`       // new revision first; failing ones first in each
	Proof    []Proof      `json:"availability,omitempty"`
	Probes   []LiveProbe  `json:"probes,omitempty"`
	Events   []Happened   `json:"events,omitempty"` // folded, newest last
	Logs     []LogTail    `json:"logs,omitempty"`
	Back     *WayBack     `json:"wayBack,omitempty"`
	Codes    []string     `json:"findings,omitempty"` // codes of the findings about this rollout
	Learn    []Lesson     `json:"learn,omitempty"`
}

// Phase is where a rollout stands.
type Phase string

// The phases. Those from Complete on are final.
const (
	PhaseBefore     Phase = "before"     // only looked at: --preflight
	PhaseAwaited    Phase = "awaited"    // nothing rolls yet, and the next rollout is waited for
	PhaseRolling    Phase = "rolling"    //
	PhasePaused     Phase = "paused"     //
	PhaseSettling   Phase = "settling"   // complete, watched for --stable-for or until old pods are gone
	PhaseBack       Phase = "going-back" // a rollback is under way
	PhaseComplete   Phase = "complete"   //
	PhaseFailed     Phase = "failed"     // a terminal cause
	PhaseTimedOut   Phase = "timed-out"  //
	PhaseSuperseded Phase = "superseded" // another rollout took its place
	PhaseDeleted    Phase = "deleted"    // or deleted and created anew
	PhaseReturned   Phase = "rolled-back"
	PhaseLost       Phase = "rollback-failed"
	PhaseUnknown    Phase = "unknown" // not enough could be seen
)

// Final says whether nothing more is waited for.
func (p Phase) Final() bool {
	switch p {
	case PhaseComplete, PhaseFailed, PhaseTimedOut, PhaseSuperseded, PhaseDeleted, PhaseReturned, PhaseLost, PhaseUnknown:
		return true
	}
	return false
}

// Revision is one version of a pod template.
type Revision struct {
	Number  int64    `json:"number,omitempty"` // 0 where the controller has not numbered it yet
	Name    string   `json:"name,omitempty"`   // of the ReplicaSet or ControllerRevision
	Hash    string   `json:"hash,omitempty"`
	Images  []string `json:"images,omitempty"`
	Changes []string `json:"changes,omitempty"` // of To: what sets it apart from From, "image netapp:v1 → v2"
}

// Lost says whether service was lost, as far as was seen.
func (r *Rollout) Lost() bool {
	for _, p := range r.Proof {
		if p.Verdict == BrokenProof {
			return true
		}
	}
	for _, p := range r.Probes {
		if p.Failed > 0 {
			return true
		}
	}
	return false
}

// Counts are pods.
type Counts struct {
	Desired        int `json:"desired"` // of the new revision in the end: partitions and nodes count
	Updated        int `json:"updated"` // of the new revision
	Ready          int `json:"ready"`   // of those
	Available      int `json:"available"`
	Failing        int `json:"failing"` // of the new revision, with a problem
	Old            int `json:"old"`     // of any older revision, not terminating
	OldReady       int `json:"oldReady"`
	OldTerminating int `json:"oldTerminating"`
	Floor          int `json:"floor"` // available pods that the strategy promises at every moment
}

// RolloutPod is one pod and what it waits for.
type RolloutPod struct {
	Object      object.Ref `json:"object"`
	New         bool       `json:"new"`
	Revision    string     `json:"revision,omitempty"` // hash
	State       PodState   `json:"state"`
	Waiting     string     `json:"waitingFor,omitempty"` // "readiness probe, 4 s of ~6 s"
	Problem     string     `json:"problem,omitempty"`    // code of the finding that it shows
	Restarts    int        `json:"restarts,omitempty"`
	Node        string     `json:"node,omitempty"`
	Since       *time.Time `json:"since,omitempty"` // when it came into this state, as far as is recorded
	Unavailable bool       `json:"-"`
}

// PodState is a pod's way from creation to service and back.
type PodState string

// The states.
const (
	PodPending     PodState = "pending"  // not scheduled
	PodStarting    PodState = "starting" // scheduled, not ready
	PodReady       PodState = "ready"    // ready, minReadySeconds not yet over
	PodAvailable   PodState = "available"
	PodFailing     PodState = "failing"
	PodTerminating PodState = "terminating"
	PodEnded       PodState = "ended"
)

// ProofVerdict is what was proven of a Service's availability.
type ProofVerdict string

// The verdicts, best first.
const (
	Held         ProofVerdict = "held"
	HeldWithGaps ProofVerdict = "held-with-gaps"
	BrokenProof  ProofVerdict = "broken"
	NotProvable  ProofVerdict = "not-provable"
)

// Proof is how many endpoints of one Service served while the rollout went on.
type Proof struct {
	Service object.Ref   `json:"service"`
	Port    string       `json:"port,omitempty"`   // name or number, where a Service's ports differ
	Family  string       `json:"family,omitempty"` // "IPv4", "IPv6", where both are
	Verdict ProofVerdict `json:"verdict"`
	Summary string       `json:"summary"`       // "served by 9 to 12, floor 8"
	Why     string       `json:"why,omitempty"` // of not-provable, and of broken where it was not the pods' doing
	Floor   int          `json:"floor"`
	Now     int          `json:"now"`
	Min     int          `json:"min"`
	Max     int          `json:"max"`
	MinAt   *time.Time   `json:"minAt,omitempty"`
	Below   float64      `json:"belowFloorSeconds"`         // for how long in all
	Area    float64      `json:"belowFloorEndpointSeconds"` // missing endpoints times seconds
	Broken  []Interval   `json:"belowFloor,omitempty"`      // each time below the floor
	Unseen  []Interval   `json:"unobserved,omitempty"`      // while the watch was lost
	Gaps    float64      `json:"unobservedSeconds"`         // their sum
	Curve   []CurvePoint `json:"curve,omitempty"`           // thinned out, first and last kept
	Limits  []string     `json:"limits,omitempty"`          // what this proof does not show
}

// Interval is a span of time.
type Interval struct {
	From time.Time  `json:"from"`
	To   *time.Time `json:"to,omitempty"` // nil: it goes on
	Min  int        `json:"min"`          // the fewest serving endpoints in it
}

// CurvePoint is how many endpoints served from this moment on.
type CurvePoint struct {
	At  time.Time `json:"at"`
	Old int       `json:"old"`
	New int       `json:"new"`
}

// LiveProbe is a stream of requests that was sent while the rollout went on.
type LiveProbe struct {
	Target  string     `json:"target"` // the URL, or "svc/web:80/healthz"
	Sent    int        `json:"sent"`
	Failed  int        `json:"failed"`
	Unasked int        `json:"notAsked,omitempty"` // could not be sent: it says nothing about the Service
	P50     float64    `json:"p50Milliseconds"`
	P99     float64    `json:"p99Milliseconds"`
	Max     float64    `json:"maxMilliseconds"`
	First   *time.Time `json:"firstFailure,omitempty"`
	Last    *time.Time `json:"lastFailure,omitempty"`
	Words   string     `json:"lastError,omitempty"`
}

// Happened is one event, or several alike folded into one.
type Happened struct {
	At      time.Time  `json:"at"`
	Object  object.Ref `json:"object"`
	Type    string     `json:"type"` // "Normal", "Warning"
	Reason  string     `json:"reason"`
	Message string     `json:"message"`
	Times   int        `json:"times"`
	Objects int        `json:"objects"` // how many objects it is about
}

// LogTail is the end of a failing container's log.
type LogTail struct {
	Pod       object.Ref `json:"pod"`
	Container string     `json:"container"`
	Previous  bool       `json:"previous,omitempty"` // of the run before this one
	Lines     []string   `json:"lines"`
}

// WayBack is what can be done about a rollout that failed, or what was done.
type WayBack struct {
	To      *Revision `json:"to,omitempty"`      // the revision that one would go back to
	Why     string    `json:"why,omitempty"`     // why that one: "it was fully available when this rollout began"
	Diff    []string  `json:"diff,omitempty"`    // what going back changes
	Refused string    `json:"refused,omitempty"` // why this program does not go back, with what to do instead
	Command string    `json:"command,omitempty"` // the right command
	Done    string    `json:"done,omitempty"`    // what was done: "paused", "rolled back to revision 4"
	Needs   string    `json:"needs,omitempty"`   // the permission: "patch deployments.apps"
}
