package rollout

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func render(t *testing.T, o Options, r *report.Report, style term.Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := o.Render(&b, r, style); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unicodeStyle(width int) term.Style { return term.Style{Unicode: true, Width: width} }

func TestPictures(t *testing.T) {
	live := Options{Live: true}
	warns := finding.Finding{Code: "preflight/single-replica", Severity: finding.Warning, Object: ref("Deployment", "web"), Message: "there is one replica, and it goes before its successor comes",
		Fix: []finding.Fix{{Description: "let the new pod come first", Command: "kubectl -n shop patch deployment web --type=merge -p x"}}}
	for name, c := range map[string]struct {
		report  *report.Report
		options Options
		style   term.Style
	}{
		"frame-40":           {failing(rolling()), live, unicodeStyle(40)},
		"frame-80":           {failing(rolling()), live, unicodeStyle(80)},
		"frame-200":          {failing(rolling()), live, unicodeStyle(200)},
		"frame-ascii-80":     {failing(rolling()), live, term.Style{Width: 80}},
		"frame-color-100":    {failing(rolling()), live, term.Style{Unicode: true, Color: true, Width: 100}},
		"frame-all-100":      {failing(rolling()), Options{Live: true, Wide: true, Events: true, Logs: true, Diff: true}, unicodeStyle(100)},
		"starting-80":        {envelope(report.Progressing, starting()), live, unicodeStyle(80)},
		"starting-120":       {envelope(report.Progressing, starting()), live, unicodeStyle(120)},
		"failed-80":          {failing(failed()), Options{Learn: true}, unicodeStyle(80)},
		"failed-120":         {failing(failed()), Options{}, unicodeStyle(120)},
		"failed-piped":       {failing(failed()), Options{Events: true}, term.Style{}},
		"complete-80":        {envelope(report.OK, complete("web")), Options{}, unicodeStyle(80)},
		"broken-80":          {envelope(report.Broken, broken()), Options{}, unicodeStyle(80)},
		"broken-wide":        {envelope(report.Broken, broken()), Options{Wide: true}, unicodeStyle(160)},
		"broken-ascii-80":    {envelope(report.Broken, broken()), Options{}, term.Style{Width: 80}},
		"preflight-80":       {preflight(), Options{}, unicodeStyle(80)},
		"preflight-warns-80": {preflight(warns), Options{Diff: true}, unicodeStyle(80)},
		"few-80":             {few(), Options{Live: true, Selected: ref("StatefulSet", "db")}, unicodeStyle(80)},
		"few-final-120":      {few(), Options{}, unicodeStyle(120)},
		"fleet-80x24":        {fleet(), Options{Live: true, Height: 24}, unicodeStyle(80)},
		"fleet-40x15":        {fleet(), Options{Live: true, Height: 15, Selected: ref("Deployment", "service-44")}, unicodeStyle(40)},
		"fleet-200x70":       {fleet(), Options{Live: true, Height: 70}, unicodeStyle(200)},
		"fleet-final-100":    {fleet(), Options{}, unicodeStyle(100)},
		"fleet-ascii-80x24":  {fleet(), Options{Live: true, Height: 24}, term.Style{Width: 80}},
		"nothing":            {&report.Report{Verdict: report.OK, Summary: "There is no Deployment in namespace shop."}, Options{}, unicodeStyle(80)},
		"hostile-100":        {hostile(), Options{Wide: true, Events: true, Logs: true, Diff: true, Learn: true}, unicodeStyle(100)},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, render(t, c.options, c.report, c.style)) })
	}
}

func TestLimitsOfManyProofsAreNotAllTold(t *testing.T) {
	r := envelope(report.OK, complete("web"))
	pr := &r.Rollouts[0].Proof[0]
	pr.Limits = nil
	for i := range mostLimits + 3 {
		pr.Limits = append(pr.Limits, fmt.Sprintf("limit %d", i))
	}
	for _, c := range []struct {
		o          Options
		has, lacks string
	}{
		{Options{}, "limit 7 · and 3 more: -o wide or -o json", "limit 8"},
		{Options{Wide: true}, "limit 9 · limit 10", "more:"},
	} {
		if got := render(t, c.o, r, term.Style{Unicode: true}); !strings.Contains(got, c.has) || strings.Contains(got, c.lacks) {
			t.Errorf("%q has not %q, or %q", got, c.has, c.lacks)
		}
	}
}

func TestHostileTextReachesNoTerminal(t *testing.T) {
	two := hostile()
	two.Rollouts = append(two.Rollouts, rolling())
	two.Summary = ""
	for _, style := range []term.Style{{}, {Unicode: true}, unicodeStyle(80), {Width: 40}, unicodeStyle(7), unicodeStyle(1)} {
		for _, r := range []*report.Report{hostile(), two} {
			for _, o := range []Options{{Wide: true, Events: true, Logs: true, Diff: true, Learn: true}, {Live: true, Events: true}, {Live: true, Height: 5}} {
				harmless(t, render(t, o, r, style), style.Unicode)
			}
		}
	}
}

func harmless(t *testing.T, text string, unicodeToo bool) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || !unicodeToo && r > 0x7e) {
			t.Fatalf("%U gets through", r)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "::error::b") {
			t.Errorf("a CI system would read a command in %q", line)
		}
	}
}

func TestNoFrameIsWiderOrHigherThanTheScreen(t *testing.T) {
	long := rolling()
	long.Object.Name = strings.Repeat("very-long-name-", 20)
	long.To.Changes = []string{strings.Repeat("image registry.example.com/", 8)}
	for name, r := range map[string]*report.Report{"one": failing(rolling()), "long": failing(long), "broken": envelope(report.Broken, broken()), "few": few(), "fleet": fleet(), "hostile": hostile()} {
		for width := 30; width < 220; width += 3 {
			o := Options{Live: true, Events: true, Logs: true, Selected: r.Rollouts[len(r.Rollouts)/2].Object}
			if len(r.Rollouts) > 1 {
				o.Height = width / 4
			}
			for _, style := range []term.Style{{Width: width}, unicodeStyle(width)} {
				rows := strings.Split(strings.TrimSuffix(render(t, o, r, style), "\n"), "\n")
				for _, row := range rows {
					if got := term.Width(row); got > width {
						t.Errorf("%s: %d wide on a screen of %d: %q", name, got, width, row)
					}
				}
				if o.Height > 3 && len(rows) > o.Height {
					t.Errorf("%s at width %d: %d rows on a screen of %d:\n%s", name, width, len(rows), o.Height, strings.Join(rows, "\n"))
				}
			}
		}
	}
}

func TestASparklineShowsEveryDip(t *testing.T) {
	style := unicodeStyle(80)
	for name, c := range map[string]struct {
		proof report.Proof
		want  string
	}{
		"nothing was recorded":  {report.Proof{}, ""},
		"one point is constant": {report.Proof{Floor: 1, Max: 2, Curve: []report.CurvePoint{{At: noon, Old: 2}}}, "████████████"},
		"a short dip between samples is drawn": {report.Proof{Floor: 2, Max: 2, Curve: []report.CurvePoint{
			{At: noon, Old: 2}, {At: after(60.1), Old: 1}, {At: after(60.2), Old: 2}, {At: after(120), New: 2}}}, "██████!█████"},
		"what was not observed is not drawn": {report.Proof{Floor: 2, Max: 2, Unseen: []report.Interval{{From: after(60), To: at(80)}},
			Curve: []report.CurvePoint{{At: noon, Old: 2}, {At: after(120), New: 2}}}, "██████??████"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := spark(c.proof, style, 12); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0 s", 0.4: "0.4 s", 3: "3 s", 12.3: "12 s", 60: "1 min", 200: "3 min 20 s", 7500: "2 h 5 min", -1: "0 s"} {
		if got := duration(seconds); got != want {
			t.Errorf("duration(%v) = %q, want %q", seconds, got, want)
		}
	}
	for seconds, want := range map[float64]string{0: "00:00", 41.9: "00:41", 3723: "1:02:03", -5: "00:00"} {
		if got := clock(seconds); got != want {
			t.Errorf("clock(%v) = %q, want %q", seconds, got, want)
		}
	}
}

// A frame of 50 rollouts with 5,000 pods is drawn up to ten times a second.
func BenchmarkFrameOfFiftyRollouts(b *testing.B) {
	r := fleet()
	for _, ro := range r.Rollouts {
		for i := range 100 {
			ro.Pods = append(ro.Pods, pod(fmt.Sprintf("%s-7f9c-%d", ro.Object.Name, i), report.PodAvailable, true, ""))
		}
	}
	o, style := Options{Live: true, Height: 50, Selected: r.Rollouts[0].Object}, term.Style{Unicode: true, Color: true, Width: 160}
	b.ReportAllocs()
	for b.Loop() {
		if err := o.Render(io.Discard, r, style); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewsOfFiftyRollouts(b *testing.B) {
	r := fleet()
	for _, ro := range r.Rollouts {
		for i := range 100 {
			ro.Pods = append(ro.Pods, pod(fmt.Sprintf("%s-7f9c-%d", ro.Object.Name, i), report.PodAvailable, true, ""))
		}
	}
	l := NewLines(io.Discard, term.Style{})
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Frame(r, noon); err != nil {
			b.Fatal(err)
		}
	}
}
