package rollout

import (
	"fmt"
	"math"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

const hourMinuteSecond = "15:04:05"

// clock is 00:41, and 1:02:03 where it takes hours.
func clock(seconds float64) string {
	s := int(max(0, min(seconds, math.MaxInt32)))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// duration is "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
func duration(seconds float64) string {
	switch s := int(max(0, min(math.Round(seconds), math.MaxInt32))); {
	case seconds > 0 && seconds < 9.95:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", seconds), ".0") + " s"
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return strings.TrimSuffix(fmt.Sprintf("%d min %d s", s/60, s%60), " 0 s")
	default:
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", s/3600, s/60%60), " 0 min")
	}
}

// phaseWord is empty for what goes without saying.
func phaseWord(ph report.Phase) string {
	switch ph {
	case report.PhaseRolling:
		return ""
	case report.PhaseBefore:
		return "preflight"
	case report.PhaseAwaited:
		return "awaited: nothing rolls yet"
	case report.PhaseSettling:
		return "rolled out, settling"
	case report.PhaseBack:
		return "going back"
	case report.PhaseTimedOut:
		return "timed out"
	case report.PhaseReturned:
		return "rolled back"
	case report.PhaseLost:
		return "rollback failed"
	}
	return string(ph)
}

func phaseTone(ph report.Phase) term.Tone {
	switch ph {
	case report.PhaseComplete, report.PhaseSettling:
		return term.Good
	case report.PhaseFailed, report.PhaseTimedOut, report.PhaseLost:
		return term.Bad
	case report.PhaseRolling, report.PhaseBefore, report.PhaseAwaited:
		return term.Busy
	}
	return term.Warn
}

// sign is the mark of a rollout in a list, one cell wide.
func sign(ro *report.Rollout, style term.Style) (string, term.Tone) {
	switch {
	case ro.Verdict == report.Broken || ro.Counts.Failing > 0:
		return style.Sign("✗", "x"), term.Bad
	case ro.Phase == report.PhasePaused || ro.Phase == report.PhaseBack || ro.Phase == report.PhaseReturned || ro.Phase == report.PhaseSuperseded || ro.Phase == report.PhaseDeleted:
		return "!", term.Warn
	case ro.Verdict == report.Unknown:
		return "?", term.Warn
	case ro.Verdict == report.OK:
		return style.Sign("✓", "+"), term.Good
	}
	return style.Sign("…", "~"), term.Busy
}

// urgency orders rollouts: what fails first, what is done last.
func urgency(ro *report.Rollout) int {
	switch {
	case ro.Verdict == report.Broken:
		return 0
	case ro.Counts.Failing > 0:
		return 1
	case ro.Phase == report.PhaseBack, ro.Phase == report.PhaseReturned:
		return 2
	case ro.Phase == report.PhaseSuperseded, ro.Phase == report.PhaseDeleted, ro.Verdict == report.Unknown:
		return 3
	case ro.Phase == report.PhasePaused:
		return 4
	case ro.Phase == report.PhaseComplete || ro.Verdict == report.OK:
		return 6
	}
	return 5
}

// troubled is a rollout that is opened in a list without being asked for.
func troubled(ro *report.Rollout) bool { return urgency(ro) < 2 }

// stateWords are a rollout in a few words, for a list.
func stateWords(p prose.Writer, r *report.Report, ro *report.Rollout) string {
	word := phaseWord(ro.Phase)
	var about []finding.Finding
	if troubled(ro) {
		about = About(r, ro)
	}
	switch {
	case len(about) > 0 && ro.Phase.Final():
		return word + ": " + claim(p, about[:1])
	case len(about) > 0:
		return claim(p, about[:1])
	case ro.Phase.Final():
		if ro.Summary != "" && ro.Phase != report.PhaseComplete {
			return word + ": " + ro.Summary
		}
		return word + " in " + duration(ro.Elapsed)
	case ro.Waiting != "" && word != "":
		return word + ", waits for " + ro.Waiting
	case ro.Waiting != "":
		return "waits for " + ro.Waiting
	case word != "":
		return word
	}
	return "rolling"
}
