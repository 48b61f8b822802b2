package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// row builds a node; "Pod/web-1" is its object and title.
func row(title string, health Health, children ...*Node) *Node {
	kind, name, _ := strings.Cut(title, "/")
	n := &Node{Object: object.Ref{Kind: kind, Namespace: "shop", Name: name}, Title: title, Health: health, Children: children}
	if kind == "Pod" && health == Healthy {
		n.Ready = "1/1"
	}
	return n
}

func with(n *Node, change func(*Node)) *Node {
	change(n)
	return n
}

func status(s string) func(*Node) { return func(n *Node) { n.Status = s } }
func codes(c ...string) func(*Node) {
	return func(n *Node) { n.Codes = c }
}
func asked(n *Node) { n.Asked = true }
func above(n *Node) { n.Above = true }

func outline(forest []*Node) string {
	var b strings.Builder
	Walk(forest, func(n *Node, depth int) {
		fmt.Fprintf(&b, "%s%s", strings.Repeat("  ", depth), n.Title)
		if n.Above {
			b.WriteString(" ↑")
		}
		if n.Change != Same {
			fmt.Fprintf(&b, " (%s)", n.Change)
		}
		b.WriteString("\n")
	})
	return b.String()
}

func check(t *testing.T, got []*Node, want string) {
	t.Helper()
	want = strings.ReplaceAll(strings.TrimPrefix(want, "\n"), "\t", "")
	if diff := cmp.Diff(want, outline(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func copyOf(forest []*Node) []*Node {
	var copied []*Node
	for _, n := range forest {
		c := *n
		c.Children = copyOf(n.Children)
		copied = append(copied, &c)
	}
	return copied
}

func TestFold(t *testing.T) {
	for name, c := range map[string]struct {
		forest []*Node
		want   string
	}{
		"healthy pods become a number, after the pod that is not": {
			[]*Node{row("ReplicaSet/web", Failing, row("Pod/a", Healthy), row("Pod/b", Failing), row("Pod/c", Healthy))},
			"\nReplicaSet/web\n  Pod/b\n  … 2 pods ready\n",
		},
		"a single one stays": {
			[]*Node{row("ReplicaSet/web", Healthy, row("Pod/a", Healthy), row("ConfigMap/b", NoHealth))},
			"\nReplicaSet/web\n  Pod/a\n  ConfigMap/b\n",
		},
		"replica sets fold by what they are kept for": {
			[]*Node{row("Deployment/web", Healthy,
				with(row("ReplicaSet/c", Healthy), status("current")),
				with(row("ReplicaSet/b", NoHealth), status("kept for rollback")),
				with(row("ReplicaSet/a", NoHealth), status("kept for rollback")))},
			"\nDeployment/web\n  ReplicaSet/c\n  … 2 ReplicaSets kept for rollback\n",
		},
		"things that only have a name keep it": {
			[]*Node{row("Pod/web", Healthy, row("ConfigMap/a", NoHealth), row("ConfigMap/b", NoHealth), row("ConfigMap/c", NoHealth))},
			"\nPod/web\n  ConfigMap/a\n  ConfigMap/b\n  ConfigMap/c\n",
		},
		"containers of a pod are not pods": {
			[]*Node{row("Pod/web", Healthy,
				with(row("Pod/web", Healthy), func(n *Node) { n.Title = "container a" }),
				with(row("Pod/web", Healthy), func(n *Node) { n.Title = "container b" }))},
			"\nPod/web\n  container a\n  container b\n",
		},
		"objects with names of their own fold only when they are many": {
			[]*Node{
				row("Ingress/a", Healthy, row("Service/a", Healthy), row("Service/b", Healthy), row("Service/c", Healthy)),
				row("Ingress/b", Healthy, row("Service/d", Healthy), row("Service/e", Healthy), row("Service/f", Healthy), row("Service/g", Healthy)),
			},
			"\nIngress/a\n  Service/a\n  Service/b\n  Service/c\nIngress/b\n  … 4 services ok\n",
		},
		"what was asked for stays": {
			[]*Node{row("ReplicaSet/web", Healthy, with(row("Pod/a", Healthy), asked), row("Pod/b", Healthy), row("Pod/c", Healthy))},
			"\nReplicaSet/web\n  Pod/a\n  … 2 pods ready\n",
		},
		"what changed stays": {
			[]*Node{row("ReplicaSet/web", Healthy, with(row("Pod/a", Healthy), func(n *Node) { n.Change = Added }), row("Pod/b", Healthy), row("Pod/c", Healthy))},
			"\nReplicaSet/web\n  Pod/a (new)\n  … 2 pods ready\n",
		},
		"a finding on a healthy pod keeps it": {
			[]*Node{row("ReplicaSet/web", Healthy, with(row("Pod/a", Healthy), codes("tree/orphan")), row("Pod/b", Healthy), row("Pod/c", Healthy))},
			"\nReplicaSet/web\n  Pod/a\n  … 2 pods ready\n",
		},
		"trouble below a healthy one keeps it": {
			[]*Node{row("ReplicaSet/web", Healthy, row("Pod/a", Healthy, row("ConfigMap/x", Failing)), row("Pod/b", Healthy), row("Pod/c", Healthy))},
			"\nReplicaSet/web\n  Pod/a\n    ConfigMap/x\n  … 2 pods ready\n",
		},
		"of the same trouble the first stays": {
			[]*Node{row("ReplicaSet/web", Failing,
				with(row("Pod/a", Failing, row("ConfigMap/x", Failing)), status("Pending")),
				with(row("Pod/b", Failing, row("ConfigMap/x", Failing)), status("Pending")),
				with(row("Pod/c", Failing, row("ConfigMap/x", Failing)), status("Pending")),
				with(row("Pod/d", Failing), status("OOMKilled")))},
			"\nReplicaSet/web\n  Pod/a\n    ConfigMap/x\n  … 2 more pods like it\n  Pod/d\n",
		},
		"the same status with other findings is other trouble": {
			[]*Node{row("ReplicaSet/web", Failing,
				with(row("Pod/a", Failing), codes("tree/oom")), with(row("Pod/b", Failing), codes("tree/oom")), with(row("Pod/c", Failing), codes("tree/crash-app")))},
			"\nReplicaSet/web\n  Pod/a\n  Pod/b\n  Pod/c\n",
		},
		"what a folded pod hid is shown where it said shown above": {
			[]*Node{
				row("ReplicaSet/web", Healthy, row("Pod/a", Healthy, row("ConfigMap/x", NoHealth)), row("Pod/b", Healthy)),
				row("ReplicaSet/old", Failing, row("Pod/c", Failing, with(row("ConfigMap/x", NoHealth), above)), row("Pod/d", Failing, with(row("ConfigMap/x", NoHealth), above))),
			},
			"\nReplicaSet/web\n  … 2 pods ready\nReplicaSet/old\n  Pod/c\n    ConfigMap/x\n  Pod/d\n    ConfigMap/x ↑\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := copyOf(c.forest)
			check(t, Fold(c.forest, false), c.want)
			if diff := cmp.Diff(before, c.forest); diff != "" {
				t.Errorf("the input changed: %s", diff)
			}
			check(t, Fold(c.forest, true), outline(c.forest))
		})
	}
}

func TestPlural(t *testing.T) {
	for kind, want := range map[string]string{
		"Pod": "pods", "ReplicaSet": "ReplicaSets", "Ingress": "ingresses", "NetworkPolicy": "NetworkPolicies",
		"Gateway": "gateways", "Endpoints": "endpoints", "": "s", "Box": "boxes", "Y": "ys",
	} {
		if got := plural(kind); got != want {
			t.Errorf("plural(%q) = %q, want %q", kind, got, want)
		}
	}
}

func TestDepth(t *testing.T) {
	forest := []*Node{
		row("Ingress/shop", Healthy,
			row("Service/web", Healthy,
				with(row("Deployment/web", Healthy, row("ReplicaSet/web", Healthy, row("Pod/a", Failing), row("Pod/b", Healthy))), asked)),
			row("Service/other", Healthy)),
	}
	before := copyOf(forest)
	check(t, Depth(forest, 0), "\nIngress/shop\n  Service/web\n    Deployment/web\n      … 3 more below\n  … 1 more below\n")
	check(t, Depth(forest, 1), "\nIngress/shop\n  Service/web\n    Deployment/web\n      ReplicaSet/web\n        … 2 more below\n  … 1 more below\n")
	check(t, Depth(forest, 3), outline(forest))
	check(t, Depth(forest, -1), outline(forest))
	if cut := Depth(forest, 0)[0].Children[0].Children[0].Children[0]; cut.Health != Failing || cut.Folded != 3 {
		t.Errorf("the cut row says %s for %d, want the worst health and all rows", cut.Health, cut.Folded)
	}
	if diff := cmp.Diff(before, forest); diff != "" {
		t.Errorf("the input changed: %s", diff)
	}
	check(t, Depth([]*Node{row("A/a", Healthy, row("B/b", Healthy, row("C/c", Healthy)))}, 1), "\nA/a\n  B/b\n    … 1 more below\n")
}

func TestOnlyProblems(t *testing.T) {
	forest := []*Node{
		row("Deployment/web", Healthy, row("ReplicaSet/a", Healthy, row("Pod/a", Warned), row("Pod/b", Healthy)), row("ReplicaSet/b", NoHealth)),
		row("Deployment/fine", Healthy, row("Pod/x", Healthy)),
		row("Service/s", Healthy, with(row("Pod/y", Healthy), codes("tree/orphan"))),
	}
	check(t, OnlyProblems(forest), "\nDeployment/web\n  ReplicaSet/a\n    Pod/a\nService/s\n  Pod/y\n")
}

func TestMark(t *testing.T) {
	at := func(s int64) func(*Node) {
		return func(n *Node) { created := time.Unix(s, 0); n.Created = &created }
	}
	prev := []*Node{row("ReplicaSet/web", Healthy, row("Pod/a", Healthy), row("Pod/b", Healthy, row("ConfigMap/moved", NoHealth), row("ConfigMap/x", NoHealth)), with(row("Pod/c", Healthy), at(1)))}
	next := []*Node{row("ReplicaSet/web", Healthy, row("Pod/a", Failing, row("ConfigMap/moved", NoHealth)), with(row("Pod/c", Healthy), at(2)), row("Pod/d", InProgress))}
	before := copyOf(next)

	marked := Mark(prev, next)
	check(t, marked, "\nReplicaSet/web\n  Pod/a (changed)\n    ConfigMap/moved\n  Pod/b (gone)\n    ConfigMap/x (gone)\n  Pod/c (changed)\n  Pod/d (new)\n")
	if diff := cmp.Diff(before, next); diff != "" {
		t.Errorf("the input changed: %s", diff)
	}
	check(t, Mark(marked, next), outline(next))
	check(t, Mark(nil, next), outline(next))
	check(t, Mark([]*Node{}, []*Node{row("Pod/a", Healthy)}), "\nPod/a (new)\n")
	check(t, Mark(next, nil), "\nReplicaSet/web (gone)\n  Pod/a (gone)\n    ConfigMap/moved (gone)\n  Pod/c (gone)\n  Pod/d (gone)\n")
}

func BenchmarkFoldTenThousand(b *testing.B) {
	root := row("Deployment/web", Healthy)
	for i := range 100 {
		set := row(fmt.Sprintf("ReplicaSet/%d", i), Healthy)
		for j := range 100 {
			set.Children = append(set.Children, with(row(fmt.Sprintf("Pod/%d-%d", i, j), Failing), status("Pending")))
		}
		root.Children = append(root.Children, set)
	}
	for b.Loop() {
		Fold([]*Node{root}, false)
	}
}
