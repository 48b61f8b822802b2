package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/test/faults"
)

// score sums up a plugin's cases.
type score struct {
	faults, rooted  int
	healthy, silent int
	ran, mended     int
	leftToYou       int
	verdicts        []time.Duration
}

func sum(results []result, plugin string) score {
	var s score
	for _, r := range results {
		if r.Plugin != plugin {
			continue
		}
		right := r.err() == nil
		if r.Healthy {
			s.healthy++
			s.silent += one(right)
			continue
		}
		s.faults++
		s.rooted += one(right)
		if r.Beside != "" {
			s.healthy++
			s.silent += one(right)
		}
		s.ran, s.mended = s.ran+r.ran, s.mended+r.mended
		s.leftToYou += one(right && r.mended == 0)
		if right {
			s.verdicts = append(s.verdicts, r.verdict)
		}
	}
	slices.Sort(s.verdicts)
	return s
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// scores are the sums of all plugins, as a table.
func scores(results []result) string {
	var b bytes.Buffer
	fmt.Fprintln(&b, "| plugin | faults | root cause first | healthy look-alikes | silent | printed commands run | after which it was gone | left to a person | time to verdict: median | longest |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|---|---|---|")
	for _, plugin := range faults.Plugins() {
		s := sum(results, plugin)
		if s.faults+s.healthy == 0 {
			continue
		}
		median, longest := "-", "-"
		if n := len(s.verdicts); n > 0 {
			median, longest = seconds(s.verdicts[n/2]), seconds(s.verdicts[n-1])
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %s | %s |\n", plugin, s.faults, s.rooted, s.healthy, s.silent, s.ran, s.mended, s.leftToYou, median, longest)
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// writePage writes what the corpus proves.
func writePage(file string, results []result, everyFix bool) error {
	run := "The first printed command"
	if everyFix {
		run = "Every printed command"
	}
	var b bytes.Buffer
	b.WriteString(`# Accuracy

<!-- Written by ` + "`make accuracy`" + `; do not edit. -->

Each row below is a folder of [test/faults](../test/faults): a fault that was provoked on a real two-node cluster, or something
healthy that looks broken. A fault counts when its root cause is the first finding, with evidence and a way out, and when
nothing else was called an error before it was certain; a look-alike counts when nothing is said of it as an error or a warning.
` + run + ` was run. Unless it only looks, the finding was gone afterwards; where a person must decide, the row says
so in the words that were printed, or says why.

The time to the verdict runs from the last step of the scene to the first right answer. It includes what the cluster itself
needs: a crash must happen twice, a kubelet tries an image again after ten seconds.
Of a rollout that fails, the page also says how long the verdict came after the newest time that a kubelet, a controller or an
event's source wrote into its evidence. Those times are whole seconds, rounded down, and the kubelet reports a container's end up
to a second after it: about a second of it is theirs. Where nothing may happen for a while before it is certain, that while is
not counted.

`)
	b.WriteString(scores(results))
	for _, plugin := range faults.Plugins() {
		fmt.Fprintf(&b, "\n## %s\n\n| case | what is wrong | first finding | after | its fix |\n|---|---|---|---|---|\n", plugin)
		for _, r := range results {
			if r.Plugin == plugin && !r.Healthy {
				fmt.Fprintf(&b, "| [%s](../test/faults/%s) | %s | `%s` | %s | %s |\n", r.Name, r.Folder(), cell(r.Story), r.First, r.after(), cell(r.fixed()))
			}
		}
		fmt.Fprintf(&b, "\n| healthy look-alike | | |\n|---|---|---|\n")
		for _, r := range results {
			if r.Plugin == plugin && r.Healthy {
				fmt.Fprintf(&b, "| [%s](../test/faults/%s) | %s | %s |\n", r.Name, r.Folder(), cell(r.Story), r.outcome("silent"))
			}
		}
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

func (r result) after() string {
	words := seconds(r.verdict)
	if r.lag.known {
		words += fmt.Sprintf(", %s behind its evidence", seconds(r.lag.stamped))
	}
	if r.again {
		words += ", at the second try"
	}
	return r.outcome(words)
}

func (r result) outcome(right string) string {
	if r.err() != nil {
		return "**missed**"
	}
	return right
}

// fixed says what became of the fault, or in the words that were printed why
// that is a person's to decide.
func (r result) fixed() string {
	switch {
	case r.err() != nil || len(r.answer.Findings) == 0:
		return "-"
	case r.mended == 1:
		return "run: gone"
	case r.mended > 1:
		return fmt.Sprintf("%d run: gone each time", r.mended)
	case r.Decide != "":
		return "a person decides: " + r.Decide
	case len(r.answer.Findings[0].Fix) > 0:
		return "a person decides: " + r.answer.Findings[0].Fix[0].Description
	}
	return "nothing is to be done"
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`).Replace(text)
}
