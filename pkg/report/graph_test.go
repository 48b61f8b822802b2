package report

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGraph(t *testing.T) {
	forest := []*Node{
		row("Ingress/a", NoHealth, row("Service/s", Healthy, row("Pod/p", Healthy))),
		row("Deployment/d", Healthy,
			with(row("Pod/p", Healthy), above),
			with(row("Secret/pruned", NoHealth), above),
			&Node{Title: "… 2 more below", Folded: 2}, row("Deployment/e", Healthy, &Node{Title: "… 2 more below", Folded: 2})),
	}
	nodes, edges := Graph(forest)
	var got []string
	for i, n := range nodes {
		got = append(got, fmt.Sprint(i, " ", n.Title))
	}
	for _, e := range edges {
		got = append(got, fmt.Sprint(e.From, "→", e.To))
	}
	want := []string{
		"0 Ingress/a", "1 Service/s", "2 Pod/p", "3 Deployment/d", "4 Secret/pruned", "5 … 2 more below", "6 Deployment/e", "7 … 2 more below",
		"0→1", "1→2", "3→2", "3→4", "3→5", "3→6", "6→7",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
