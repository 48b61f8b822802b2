package preflight

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// played is how far the roll comes.
type played struct {
	reached, goal int
	stuck         bool
	late          bool // no new pod fits before an old one has gone
	blocked       int  // the ledger that stopped it first; -1: none
	lacks         corev1.ResourceName
}

// mostPods is where a roll is taken to come to its end.
const mostPods = 20_000

// play creates new pods while the strategy and the quotas allow it, and takes
// old ones away while the strategy allows that, until nothing moves.
func (s *subject) play(ledgers []*ledger) played {
	var old []workload.Pod
	have := 0
	goes := map[*corev1.Pod]bool{}
	for _, p := range s.old() {
		goes[p.Pod] = true
	}
	for _, p := range s.w.Pods {
		switch {
		case p.DeletionTimestamp != nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed:
			s.give(ledgers, &p.Spec)
		case goes[p.Pod]:
			old = append(old, p)
		case p.Live():
			have++
		}
	}
	r := played{blocked: -1, goal: s.w.Replicas}
	if s.is("StatefulSet") && !s.w.OnDelete() && s.live != nil {
		r.goal = s.w.Goal
	}
	keep := max(0, s.w.Replicas-r.goal)
	if s.w.Strategy.Type == "Recreate" {
		for _, p := range old {
			s.give(ledgers, &p.Spec)
		}
		old = nil
	}
	floor, ceiling := s.w.Floor(), s.w.Replicas+s.w.Strategy.Surge
	first := true
	for moved := true; moved; {
		moved = false
		for have < r.goal && len(old)+have < ceiling {
			if have > mostPods {
				return played{blocked: -1}
			}
			i, name := short(ledgers)
			if i >= 0 {
				if r.blocked < 0 {
					r.blocked, r.lacks = i, name
				}
				r.late = r.late || first && len(old) > 0
				break
			}
			for _, l := range ledgers {
				l.change(l.takes, -1)
			}
			have++
			moved, first = true, false
		}
		for len(old) > keep && len(old)+have-1 >= floor {
			s.give(ledgers, &old[len(old)-1].Spec)
			old = old[:len(old)-1]
			moved = true
		}
	}
	r.reached, r.stuck = have, have < r.goal
	return r
}

func short(ledgers []*ledger) (int, corev1.ResourceName) {
	for i, l := range ledgers {
		if name, lacks := l.lacks(); lacks {
			return i, name
		}
	}
	return -1, ""
}

// give returns to the quotas what a pod that goes took of them.
func (s *subject) give(ledgers []*ledger, spec *corev1.PodSpec) {
	back := usage(podRequests(spec), podLimits(spec))
	for _, l := range ledgers {
		if s.inScope(l.quota, spec) {
			l.change(back, 1)
		}
	}
}
