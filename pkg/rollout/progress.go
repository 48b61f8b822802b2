package rollout

import (
	"time"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// sample is how many pods of the new revision were available at a moment.
type sample struct {
	at        time.Time
	available int
}

// basis is how many pods must have become available, one after the other,
// before a rate can be told.
const basis = 2

// sample keeps the moments at which more pods became available. Fewer is no
// progress, and begins the count anew.
func (t *target) sample(v *index.View, wl *workload.Workload) {
	available := 0
	for _, p := range wl.Pods {
		if p.New && p.AvailableAt(v.Now, wl.MinReady) {
			available++
		}
	}
	if n := len(t.progress); n > 0 && t.progress[n-1].available == available {
		return
	} else if n > 0 && t.progress[n-1].available > available {
		t.progress = t.progress[:0]
	}
	t.progress = append(t.progress, sample{v.Now, available})
}

// eta is how many seconds it takes at the rate seen so far.
func (t *target) eta(v *index.View, wl *workload.Workload, c report.Counts) *float64 {
	if len(t.progress) == 0 || t.phase != report.PhaseRolling || wl.Paused {
		return nil
	}
	first, last := t.progress[0], t.progress[len(t.progress)-1]
	gained, took := last.available-first.available, last.at.Sub(first.at).Seconds()
	left := c.Desired - last.available
	if gained < basis || took <= 0 || left <= 0 {
		return nil
	}
	each := took / float64(gained)
	seconds := each*float64(left) - v.Now.Sub(last.at).Seconds()
	if seconds < 0 { // it takes longer than the ones before: there is no basis any more
		return nil
	}
	return &seconds
}
