package proof

import (
	"time"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// curvePoint is how many endpoints served from a moment on.
type curvePoint struct {
	at       time.Time
	old, new int
}

func (p curvePoint) sum() int { return p.old + p.new }

// mostPoints bounds a curve as it is reported.
const mostPoints = 240

// thin leaves of a curve its first and last point and, of each stretch of it
// between them, the lowest and the last one: no dip is lost, and neither is the
// way from one to the next.
func thin(curve []curvePoint) []report.CurvePoint {
	kept := make([]report.CurvePoint, 0, min(len(curve), mostPoints))
	keep := func(p curvePoint) { kept = append(kept, report.CurvePoint{At: p.at, Old: p.old, New: p.new}) }
	if len(curve) <= mostPoints {
		for _, p := range curve {
			keep(p)
		}
		return kept
	}
	keep(curve[0])
	between := curve[1 : len(curve)-1]
	const stretches = (mostPoints - 2) / 2
	for i := range stretches {
		stretch := between[i*len(between)/stretches : (i+1)*len(between)/stretches]
		lowest := 0
		for j, p := range stretch {
			if p.sum() < stretch[lowest].sum() {
				lowest = j
			}
		}
		keep(stretch[lowest])
		if last := len(stretch) - 1; last > lowest {
			keep(stretch[last])
		}
	}
	keep(curve[len(curve)-1])
	return kept
}
