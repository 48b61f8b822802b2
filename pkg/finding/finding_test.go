package finding

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

func TestTheRootCauseComesFirst(t *testing.T) {
	pod, node := object.Ref{Kind: "Pod", Name: "web"}, object.Ref{Kind: "Node", Name: "n1"}
	depth := map[string]int{"x/deep": 0, "x/shallow": 1}
	fs := []Finding{
		{Code: "x/note", Severity: Info, Object: pod},
		{Code: "x/follows", Severity: Error, Object: pod, CausedBy: &Cause{Code: "x/deep", Object: node}},
		{Code: "x/warns", Severity: Warning, Object: pod},
		{Code: "x/shallow", Severity: Error, Object: pod},
		{Code: "x/deep", Severity: Error, Object: node},
	}
	Sort(fs, func(f Finding) int { return depth[f.Code] })
	var order []string
	for _, f := range fs {
		order = append(order, f.Code)
	}
	want := []string{"x/deep", "x/shallow", "x/warns", "x/follows", "x/note"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

func TestWorst(t *testing.T) {
	if _, any := Worst(nil); any {
		t.Error("nothing has a worst")
	}
	if worst, _ := Worst([]Finding{{Severity: Info}, {Severity: Error}, {Severity: Warning}}); worst != Error {
		t.Errorf("the worst is %s", worst)
	}
}
