// Package back decides whether a rollout that failed is gone back from, to
// which revision, and how: only to one that was seen in full health, never
// against whoever owns the object, and never where going back mends nothing.
package back

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// Start is what was recorded when the watch of a workload began, and which of
// its revisions were seen in full health since.
type Start struct {
	UID        types.UID
	Generation int64
	Number     int64  // of the revision that was current then; 0 where there was none yet
	Hash, Name string // likewise

	healthy map[string]bool // by hash
}

// Begin records how things stand when the watch begins.
func Begin(v *index.View, w *workload.Workload) Start {
	s := Start{UID: w.Object.GetUID(), Generation: w.Generation, healthy: map[string]bool{}}
	if w.Current != nil {
		s.Number, s.Hash, s.Name = w.Current.Number, w.Current.Hash, w.Current.Object.Ref.Name
	}
	s.See(v, w)
	return s
}

// See remembers which revisions are in full health now.
func (s *Start) See(v *index.View, w *workload.Workload) {
	if w.Object.GetUID() != s.UID || w.Replicas == 0 {
		return
	}
	healthy := maps.Clone(s.healthy)
	if healthy == nil {
		healthy = map[string]bool{}
	}
	for _, r := range w.Revisions {
		if r.Hash != "" && inHealth(v, w, r) {
			healthy[r.Hash] = true
		}
	}
	s.healthy = healthy
}

// Healthy says whether the revision was seen fully available at any time.
func (s Start) Healthy(hash string) bool { return s.healthy[hash] }

// inHealth: all pods of the revision are available, and there are as many as
// are wanted. Of a revision that is being replaced the strategy itself takes
// some away: there, as many as it keeps available are enough.
func inHealth(v *index.View, w *workload.Workload, r workload.Revision) bool {
	want := w.Replicas
	if w.Current == nil || r.Hash != w.Current.Hash {
		want = max(1, w.Floor())
	}
	down := cause.DownNodes(v, w)
	available := 0
	for _, p := range w.Pods {
		if p.Hash != r.Hash || !p.Live() {
			continue
		}
		switch {
		case p.AvailableAt(v.Now, w.MinReady):
			available++
		case slices.Contains(down, p.Spec.NodeName):
			want-- // no fault of the revision: some node of many always is
		default:
			return false
		}
	}
	return available >= max(1, want)
}
