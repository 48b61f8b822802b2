package report

import (
	"fmt"
	"slices"
)

// Depth keeps what is at most n steps from a node that was asked for, and the
// way from the root to it. What is cut off leaves a row with its number behind.
// Where nothing was asked for, steps count from the roots. A negative n keeps
// everything. The forest given is left as it is.
func Depth(forest []*Node, n int) []*Node {
	if n < 0 {
		return forest
	}
	above := n
	if slices.ContainsFunc(forest, leadsToAsked) {
		above = -1
	}
	var kept []*Node
	for _, root := range forest {
		kept = append(kept, within(root, n, above)...)
	}
	return kept
}

// within prunes one node. left is how many steps may still be taken when it is
// reached from above; negative, it is too far away, unless the way to an asked
// node leads through it.
func within(n *Node, steps, left int) []*Node {
	left = max(left, steps-stepsToAsked(n))
	if left < 0 && !leadsToAsked(n) {
		return nil
	}
	kept := *n
	kept.Children = nil
	var cut []*Node
	for _, c := range n.Children {
		pruned := within(c, steps, left-1)
		if pruned == nil {
			cut = append(cut, c)
		}
		kept.Children = append(kept.Children, pruned...)
	}
	if len(cut) > 0 {
		kept.Children = append(kept.Children, cutRow(cut))
	}
	return []*Node{&kept}
}

// far is farther than any tree is deep.
const far = 1 << 30

func stepsToAsked(n *Node) int {
	if n.Asked {
		return 0
	}
	nearest := far
	for _, c := range n.Children {
		nearest = min(nearest, stepsToAsked(c)+1)
	}
	return nearest
}

func leadsToAsked(n *Node) bool { return n.Asked || slices.ContainsFunc(n.Children, leadsToAsked) }

func cutRow(cut []*Node) *Node {
	row := &Node{Health: NoHealth}
	Walk(cut, func(n *Node, _ int) {
		row.Folded += max(n.Folded, 1)
		if severity(n.Health) > severity(row.Health) {
			row.Health = n.Health
		}
	})
	row.Title = fmt.Sprintf("… %d more below", row.Folded)
	return row
}

func severity(h Health) int {
	return slices.Index([]Health{NoHealth, Healthy, Unseen, InProgress, Warned, Failing}, h)
}

// OnlyProblems keeps the nodes that are not well or have findings, and the way
// from the roots to them. The forest given is left as it is.
func OnlyProblems(forest []*Node) []*Node {
	var kept []*Node
	for _, n := range forest {
		below := OnlyProblems(n.Children)
		if len(below) == 0 && len(n.Codes) == 0 && severity(n.Health) <= severity(Healthy) {
			continue
		}
		problem := *n
		problem.Children = below
		kept = append(kept, &problem)
	}
	return kept
}
