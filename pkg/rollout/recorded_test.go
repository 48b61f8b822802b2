package rollout_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// course is how a recorded rollout must be told.
type course struct {
	phases  []report.Phase // in their order, of the first target
	first   string         // code of the first finding; "" where only advice was found
	summary string         // of the whole
	verdict report.Verdict
	proof   report.ProofVerdict // of the first Service
}

// These are recordings of a real cluster, each made with --record while what
// its name says was done to a workload.
func recorded() map[string]course {
	const (
		awaited, rolling, settling = report.PhaseAwaited, report.PhaseRolling, report.PhaseSettling
		complete, failed           = report.PhaseComplete, report.PhaseFailed
	)
	whole := []report.Phase{awaited, rolling, settling, complete}
	broke := []report.Phase{awaited, rolling, failed}
	return map[string]course{
		"held":       {phases: whole, verdict: report.OK, proof: report.Held, summary: "Deployment/web rolled out revision 2 in 5.9 s: 3 of 3 pods available; service was held"},
		"ten":        {phases: whole, verdict: report.OK, proof: report.Held, summary: "10 of 10 pods available; service was held"},
		"scaled":     {phases: whole, verdict: report.OK, proof: report.Held, summary: "5 of 5 pods available; service was held", first: "rollout/scaled-midway"},
		"minready":   {phases: whole, verdict: report.OK, proof: report.Held, summary: "2 of 2 pods available; service was held"},
		"daemon":     {phases: whole, verdict: report.OK, proof: report.Held, summary: "DaemonSet/agent rolled out revision 2"},
		"nginx":      {phases: whole, verdict: report.OK, proof: report.NotProvable, summary: "2 of 2 pods available; whether service was kept cannot be proven", first: "rollout/not-provable"},
		"ondelete":   {phases: whole, verdict: report.OK, proof: report.Held, summary: "rolls nothing by itself (OnDelete): 2 pods stay of an older revision", first: "rollout/ondelete"},
		"recreate":   {phases: whole, verdict: report.Broken, proof: report.BrokenProof, summary: "rolled out revision 2 in 7.7 s: 2 of 2 pods available; service was lost: nothing served Service/web, below its floor for 6.3 s", first: "rollout/availability-broken"},
		"badimage":   {phases: broke, verdict: report.Broken, proof: report.Held, summary: `cannot finish rolling out revision 2: image "busybox:22" does not exist in its registry; service was held`, first: "rollout/image-not-found"},
		"frontend":   {phases: broke, verdict: report.Broken, proof: report.Held, summary: `image "netapp:v22" does not exist in its registry (2 of 2 new pods); service was held`, first: "rollout/image-not-found"},
		"crash":      {phases: broke, verdict: report.Broken, proof: report.BrokenProof, summary: `its log ends with "2026/11/22 03:19:01 cannot reach database payments-db:5432"`, first: "rollout/crash-app"},
		"rwo":        {phases: []report.Phase{awaited, failed}, verdict: report.Broken, proof: report.NotProvable, summary: `claim "redis-data" is held by pod "redis-5fbd7fc8f8-2hpmc"`, first: "rollout/rwo-deadlock"},
		"after":      {phases: []report.Phase{awaited, rolling, settling, rolling, settling, rolling, settling, rolling, failed}, verdict: report.Broken, proof: report.BrokenProof, summary: `lost the lease`, first: "rollout/crash-app"},
		"paused":     {phases: []report.Phase{awaited, failed}, verdict: report.Broken, proof: report.Held, summary: "cannot finish rolling out its new template: the rollout is paused", first: "rollout/paused"},
		"stsquota":   {phases: []report.Phase{awaited, rolling, report.PhaseTimedOut}, verdict: report.Broken, proof: report.Held, summary: `did not finish rolling out revision 2 in time: pods are not created: ResourceQuota "small" is used up`, first: "rollout/quota"},
		"superseded": {phases: []report.Phase{rolling, report.PhaseSuperseded}, verdict: report.Broken, proof: report.Held, summary: "got another template while it was rolling out revision 2", first: "rollout/superseded"},
		"deleted":    {phases: []report.Phase{rolling, report.PhaseDeleted}, verdict: report.Broken, proof: report.Held, summary: "was deleted while it was watched", first: "rollout/deleted"},
		"recreated":  {phases: []report.Phase{rolling, report.PhaseDeleted}, verdict: report.Broken, proof: report.Held, summary: "was deleted and created anew", first: "rollout/recreated"},
		"rollback":   {phases: []report.Phase{awaited, rolling, failed, report.PhaseReturned}, verdict: report.Broken, proof: report.Held, summary: `was rolled back to revision 1, now revision 3; the rollout had failed: image "netapp:v99" does not exist`, first: "rollout/image-not-found"},
		"forbidden":  {phases: []report.Phase{awaited, rolling, failed, report.PhaseLost}, verdict: report.Broken, proof: report.Held, summary: `could not be brought back: deployment/web: you may not do that: it needs the permission "patch deployments.apps"`, first: "rollout/image-not-found"},
		"two":        {phases: whole, verdict: report.Broken, proof: report.Held, summary: `Deployment/web cannot finish rolling out revision 2: image "netapp:v99" does not exist`, first: "rollout/image-not-found"},
	}
}

func TestRecordedRolloutsAreToldAsTheyWent(t *testing.T) {
	for name, c := range recorded() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var phases []report.Phase
			r := recording(t, name).asWatched(func(r *report.Report) {
				if phase := r.Rollouts[0].Phase; len(phases) == 0 || phases[len(phases)-1] != phase {
					phases = append(phases, phase)
				}
			})
			if diff := cmp.Diff(c.phases, phases); diff != "" {
				t.Errorf("phases (-want +got)\n%s", diff)
			}
			c.judge(t, r)
			if strings.Contains(r.Summary, "\n") || strings.HasSuffix(r.Summary, ".") {
				t.Errorf("no sentence: %q", r.Summary)
			}
		})
	}
}

func (c course) judge(t *testing.T, r *report.Report) {
	t.Helper()
	if !strings.Contains(r.Summary, c.summary) {
		t.Errorf("%q does not say %q", r.Summary, c.summary)
	}
	if r.Verdict != c.verdict {
		t.Errorf("verdict %s, not %s", r.Verdict, c.verdict)
	}
	first := ""
	if len(r.Findings) > 0 && !strings.HasPrefix(r.Findings[0].Code, "preflight/") {
		first = r.Findings[0].Code
	}
	if c.first != first && !(strings.HasPrefix(c.first, "rollout/") && first == "" && r.Verdict == report.OK && said(r, c.first)) {
		t.Errorf("the first finding is %q, not %q", first, c.first)
	}
	if proof := r.Rollouts[0].Proof; len(proof) == 0 || proof[0].Verdict != c.proof {
		t.Errorf("the proof is not %s: %+v", c.proof, proof)
	}
}

func said(r *report.Report, code string) bool {
	for _, f := range r.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// What is said depends on what happened, not on how often one looks.
func TestTheEndDoesNotDependOnWhenItIsJudged(t *testing.T) {
	for name, c := range recorded() {
		if name == "after" {
			continue // whether a crash is seen once or twice before the next start is a matter of the look
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, settle := range []time.Duration{7 * time.Millisecond, 350 * time.Millisecond} {
				j := recording(t, name)
				j.on = 10 * time.Second
				c.summary, _, _ = strings.Cut(c.summary, " in ")
				c.judge(t, j.end(settle, time.Second, nil))
			}
		})
	}
}

func TestTheSameRecordingGivesTheSameBytes(t *testing.T) {
	for _, name := range []string{"crash", "two", "rollback"} {
		j := recording(t, name)
		var all [2][]byte
		for i := range all {
			j.asWatched(func(r *report.Report) {
				text, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				all[i] = append(append(all[i], text...), '\n')
			})
		}
		if diff := cmp.Diff(string(all[0]), string(all[1])); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// The lines of a log that a crash leaves are kept, also when the next run has none.
func TestTheLogOfACrashIsQuoted(t *testing.T) {
	r := recording(t, "crash").asWatched(nil)
	logs := r.Rollouts[0].Logs
	if len(logs) == 0 || !strings.Contains(strings.Join(logs[0].Lines, "\n"), "cannot reach database payments-db:5432") {
		t.Errorf("%+v", logs)
	}
}

// What took the place of what was watched must not be told as if it were it.
func TestWhatIsGoneIsToldAsItWasLastSeen(t *testing.T) {
	for _, name := range []string{"deleted", "recreated", "superseded"} {
		r := recording(t, name).asWatched(nil).Rollouts[0]
		if r.Counts.Desired != 2 || r.Counts.OldReady != 2 || r.Counts.Old != 2 {
			t.Errorf("%s: %+v", name, r.Counts)
		}
		if r.To == nil || r.To.Number != 2 || len(r.To.Changes) != 1 {
			t.Errorf("%s: to %+v", name, r.To)
		}
	}
}

// Before the controller has made the new revision it has no number, and is not
// mistaken for the one before.
func TestANewTemplateIsNotTakenForTheOldRevision(t *testing.T) {
	for _, name := range []string{"recreate", "stsquota", "paused", "held"} {
		recording(t, name).asWatched(func(r *report.Report) {
			ro := r.Rollouts[0]
			if ro.Phase != report.PhaseAwaited && (ro.From == nil || ro.From.Number != 1 || ro.To == nil || ro.To.Number == 1 || len(ro.To.Changes) == 0) {
				t.Errorf("%s, %s: from %+v to %+v", name, ro.Phase, ro.From, ro.To)
			}
		})
	}
}

func TestProbesAreCountedWithTheProof(t *testing.T) {
	r := recording(t, "held").asWatched(nil).Rollouts[0]
	if len(r.Probes) != 1 || r.Probes[0].Failed != 0 || r.Probes[0].Sent < 20 {
		t.Errorf("%+v", r.Probes)
	}
}

// There is an ETA only once pods became available one after the other.
func TestTheTimeLeftIsToldOnceThereIsABasis(t *testing.T) {
	told := 0
	recording(t, "ten").asWatched(func(r *report.Report) {
		ro := r.Rollouts[0]
		if ro.ETA == nil {
			return
		}
		told++
		if ro.Counts.Available < 2 || *ro.ETA < 0 || *ro.ETA > 60 {
			t.Errorf("%d available, ETA %.1f s", ro.Counts.Available, *ro.ETA)
		}
	})
	if told == 0 {
		t.Error("never")
	}
}
