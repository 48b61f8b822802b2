package tree

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
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

var update = flag.Bool("update", false, "write the golden files")

func ref(name string) object.Ref {
	kind, name, _ := strings.Cut(name, "/")
	return object.Ref{Version: "v1", Kind: kind, Namespace: "default", Name: name}
}

func node(title string, health report.Health, ready, status, age, why string, children ...*report.Node) *report.Node {
	return &report.Node{Object: ref(title), Title: title, Health: health, Ready: ready, Status: status, Age: age, Why: why, Children: children}
}

// stuck is the rollout of the documentation.
func stuck() *report.Report {
	container := node("container nginx", report.Failing, "", "image not found", "", "nginx:1.2525")
	container.Object = ref("Pod/frontend-7d4b9-xk2lp")
	pod := node("Pod/frontend-7d4b9-xk2lp", report.Failing, "0/1", "ImagePullBackOff", "2m", "lab-n1", container)
	pod.Wide, pod.Codes = "10.0.1.7 on lab-n1", []string{"tree/image-not-found"}
	redis := node("Service/redis", report.Healthy, "1/1", "", "3d", "env REDIS_URL=redis:6379")
	redis.Guessed = true
	pod.Children = append(pod.Children, redis)
	deployment := node("Deployment/frontend", report.Failing, "2/2", "rollout stuck", "3d", "revision 3",
		node("ReplicaSet/frontend-7d4b9", report.Failing, "0/1", "", "2m", "revision 3, current", pod),
		node("ReplicaSet/frontend-59f5c", report.Healthy, "2/2", "ok, still serving", "23m", "revision 2",
			node("Pod/frontend-59f5c-aaaaa", report.Healthy, "1/1", "Running", "23m", "lab-n1"),
			node("Pod/frontend-59f5c-bbbbb", report.Healthy, "1/1", "Running", "23m", "lab-n2")))
	deployment.Asked = true
	deployment.Learn = "A Deployment keeps a number of equal pods running and replaces them step by step when their template changes."
	again := node("Service/nginx", report.Healthy, "2/2", "", "3d", "scales nothing")
	again.Above = true
	return &report.Report{
		APIVersion: report.APIVersion,
		Kind:       "ExplainTree",
		Target:     "Deployment/frontend",
		Verdict:    report.Broken,
		Summary:    "Deployment/frontend cannot finish its rollout: image nginx:1.2525 does not exist. The old revision still serves (2/2).",
		Findings: []finding.Finding{
			{
				Code: "tree/image-not-found", Severity: finding.Error, Object: ref("Pod/frontend-7d4b9-xk2lp"), Message: "image nginx:1.2525 does not exist",
				Evidence: []finding.Evidence{
					{Object: ref("Pod/frontend-7d4b9-xk2lp"), Field: "status.containerStatuses[nginx].state.waiting.reason", Value: "ImagePullBackOff"},
					{Object: ref("Pod/frontend-7d4b9-xk2lp"), Field: "status.containerStatuses[nginx].state.waiting.message", Value: "rpc error: code = NotFound desc = failed to pull and unpack image: docker.io/library/nginx:1.2525: not found"},
				},
				Fix: []finding.Fix{{Description: "revision 2: nginx:1.25, 2/2 ready", Command: "kubectl -n default rollout undo deployment/frontend --to-revision=2"}},
			},
			{Code: "tree/pdb-unused", Severity: finding.Warning, Object: ref("PodDisruptionBudget/old"), Message: "selects no pod",
				Evidence: []finding.Evidence{{Object: ref("PodDisruptionBudget/old"), Field: "spec.selector", Value: "app=gone"}, {Object: ref("Pod/x"), Field: "metadata.labels.app", Value: "web"}},
				Fix:      []finding.Fix{{Description: "delete it, or correct its selector"}}},
			{Code: "tree/orphan", Severity: finding.Info, Object: ref("Pod/a"), Message: "has no owner"},
			{Code: "tree/orphan", Severity: finding.Info, Object: ref("Pod/b"), Message: "has no owner"},
			{Code: "tree/rollout-stuck", Severity: finding.Error, Object: ref("Deployment/frontend"), Message: "makes no progress",
				CausedBy: &finding.Cause{Code: "tree/image-not-found", Object: ref("Pod/frontend-7d4b9-xk2lp")}},
		},
		Gaps:   []report.Gap{{Resource: "secrets", Namespace: "default", Reason: "forbidden"}},
		Budget: report.Budget{Requests: 14, Bytes: 91_000, Seconds: 0.123},
		Tree: []*report.Node{
			node("Ingress/shop", report.NoHealth, "", "", "3d", "/ → Service/nginx:80",
				node("Service/nginx", report.Healthy, "2/2", "", "3d", "selects app=web,service=nginx", deployment)),
			node("HorizontalPodAutoscaler/frontend", report.Unseen, "", "", "3d", "", again),
		},
	}
}

func folded() *report.Report {
	r := stuck()
	r.Tree = report.Fold(r.Tree, false)
	return r
}

func hostile() *report.Report {
	evil := "web\x1b[2J\x1b]0;x\a\u202egnp\n└─ Pod/fake\u200b\xff"
	r := stuck()
	r.Summary, r.Target = evil+" is broken", evil
	n := node("Pod/"+evil, report.Failing, evil, evil, evil, evil)
	n.Learn, n.Wide, n.Asked = evil, evil, true
	r.Tree = []*report.Node{n}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Message, f.Object.Name, f.Code = evil, evil, evil
		f.Evidence = []finding.Evidence{{Object: f.Object, Field: evil, Value: evil}}
		f.Fix = []finding.Fix{{Description: evil, Command: evil}, {Description: evil}}
	}
	r.Gaps = []report.Gap{{Resource: evil, Namespace: evil, Name: evil, Reason: evil}, {}}
	return r
}

func live() *report.Report {
	r := stuck()
	before := r.Tree
	r = stuck()
	serving := r.Tree[0].Children[0].Children[0].Children[1]
	serving.Ready = "1/2"
	serving.Children = append(serving.Children[:1:1], node("Pod/frontend-59f5c-ccccc", report.InProgress, "0/1", "ContainerCreating", "1s", "lab-n1"))
	r.Tree = report.Mark(before, r.Tree)
	return r
}

func many() *report.Report {
	r := stuck()
	r.Verdict, r.Summary = report.OK, "Deployment/frontend is fine."
	r.Findings = nil
	for i := range 14 {
		r.Findings = append(r.Findings, finding.Finding{Code: "tree/orphan", Severity: finding.Warning, Object: ref(fmt.Sprintf("Pod/p%d", i)), Message: fmt.Sprintf("trouble %d", i/2)})
	}
	for i := range 12 {
		r.Gaps = append(r.Gaps, report.Gap{Resource: fmt.Sprintf("kind%d", i), Namespace: "other", Reason: "timed out"})
	}
	r.Budget = report.Budget{Snapshot: true}
	r.Tree = r.Tree[1:]
	return r
}

func targets() *report.Report {
	r := stuck()
	fine := node("Deployment/front", report.Healthy, "1/1", "", "3d", "")
	fine.Asked, fine.Object.Namespace = true, "default"
	r.Tree = append(r.Tree[:1], fine)
	r.Summary = "Deployment/front is fine: 1 of 1 ready.\nDeployment/frontend cannot finish its rollout: image nginx:1.2525 does not exist."
	r.Findings = r.Findings[:1]
	r.Findings[0].Evidence[1].Value = "line one\n\tline two\x1b[0m\n"
	return r
}

func TestGolden(t *testing.T) {
	unicode80, unicode200 := term.Style{Unicode: true, Width: 80}, term.Style{Unicode: true, Width: 200}
	for name, c := range map[string]struct {
		report  *report.Report
		options Options
		style   term.Style
	}{
		"stuck-80":         {folded(), Options{}, unicode80},
		"stuck-200":        {folded(), Options{}, unicode200},
		"stuck-200-wide":   {stuck(), Options{Wide: true}, unicode200},
		"stuck-50":         {stuck(), Options{}, term.Style{Unicode: true, Width: 50}},
		"stuck-80-color":   {folded(), Options{}, term.Style{Unicode: true, Width: 80, Color: true}},
		"stuck-80-ascii":   {folded(), Options{NoHeaders: true}, term.Style{Width: 80}},
		"stuck-piped":      {folded(), Options{}, term.Style{Unicode: true}},
		"hostile-80":       {hostile(), Options{Wide: true}, unicode80},
		"hostile-ascii":    {hostile(), Options{Wide: true}, term.Style{}},
		"live-120":         {live(), Options{}, term.Style{Unicode: true, Width: 120}},
		"many-120":         {many(), Options{}, term.Style{Unicode: true, Width: 120}},
		"many-120-all":     {many(), Options{All: true}, term.Style{Unicode: true, Width: 120}},
		"two-targets":      {targets(), Options{}, term.Style{Unicode: true, Width: 120}},
		"nothing-to-tell":  {&report.Report{Verdict: report.Unknown, Budget: report.Budget{Requests: 1}}, Options{}, unicode80},
		"asked-and-folded": {&report.Report{Verdict: report.Progressing, Summary: "Rolling.", Tree: report.Depth(stuck().Tree, 0)}, Options{}, unicode80},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := c.options.Render(&b, c.report, c.style); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestHostileTextReachesNoTerminal(t *testing.T) {
	for _, style := range []term.Style{{}, {Unicode: true}, {Unicode: true, Width: 80}, {Unicode: true, Width: 7}} {
		var b bytes.Buffer
		if err := (Options{Wide: true, All: true}).Render(&b, hostile(), style); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar) {
				t.Errorf("%+v lets %U through", style, r)
			}
		}
	}
}

func TestNoTreeRowIsWiderThanTheScreen(t *testing.T) {
	for width := 1; width < 130; width++ {
		style := term.Style{Unicode: true, Width: width}
		var b bytes.Buffer
		if err := (Options{Wide: true}).table(stuck().Tree, style).Write(&b, style); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(b.String(), "\n") {
			if got := term.Width(line); got > width {
				t.Errorf("%d wide on a screen of %d: %q", got, width, line)
			}
		}
	}
}

func BenchmarkTenThousandRows(b *testing.B) {
	r := &report.Report{Summary: "Fine."}
	for i := range 100 {
		root := node(fmt.Sprintf("ReplicaSet/web-%d", i), report.Healthy, "99/99", "", "3d", "revision 1")
		for j := range 99 {
			root.Children = append(root.Children, node(fmt.Sprintf("Pod/web-%d-%d", i, j), report.Failing, "0/1", "ImagePullBackOff", "2m", "lab-n1"))
		}
		r.Tree = append(r.Tree, root)
	}
	for b.Loop() {
		if err := (Options{}).Render(io.Discard, r, term.Style{Unicode: true, Color: true, Width: 80}); err != nil {
			b.Fatal(err)
		}
	}
}
