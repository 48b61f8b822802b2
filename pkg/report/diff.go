package report

import (
	"slices"
	"time"
)

// Mark says in next how each node differs from prev, the frame before it.
// Nodes that are gone stay for this one frame, where they stood. Before the
// first frame (a nil prev) nothing is new. Neither forest is changed; prev may
// itself come from Mark.
func Mark(prev, next []*Node) []*Node {
	if prev == nil {
		return next
	}
	return marker{old: byIdentity(prev), now: byIdentity(next)}.siblings(prev, next)
}

type marker struct {
	old, now map[identity]*Node
}

func byIdentity(forest []*Node) map[identity]*Node {
	nodes := map[identity]*Node{}
	Walk(forest, func(n *Node, _ int) {
		if !n.Above && n.Change != Removed {
			nodes[identify(n)] = n
		}
	})
	return nodes
}

func (m marker) siblings(prev, next []*Node) []*Node {
	marked := make([]*Node, 0, len(next))
	for _, n := range next {
		marked = append(marked, m.node(n))
	}
	for i, p := range prev {
		if gone := m.gone(p); gone != nil {
			marked = slices.Insert(marked, min(i, len(marked)), gone)
		}
	}
	return marked
}

func (m marker) node(n *Node) *Node {
	marked := *n
	marked.Change = Same
	var before []*Node
	if !n.Above {
		was := m.old[identify(n)]
		switch {
		case was == nil:
			marked.Change = Added
		case differs(was, n):
			marked.Change = Altered
		}
		if was != nil {
			before = was.Children
		}
	}
	marked.Children = m.siblings(before, n.Children)
	return &marked
}

// gone is what remains of a node of prev that next has nowhere, and nil where
// it has it or where it had been gone before. What hung on it and has only
// moved is left to its new place.
func (m marker) gone(p *Node) *Node {
	if p.Above || p.Change == Removed || m.now[identify(p)] != nil {
		return nil
	}
	gone := *p
	gone.Change, gone.Asked, gone.Children = Removed, false, nil
	for _, c := range p.Children {
		if c := m.gone(c); c != nil {
			gone.Children = append(gone.Children, c)
		}
	}
	return &gone
}

// differs compares what a row says, except for its age. Another time of
// creation is another object of the same name.
func differs(a, b *Node) bool {
	return a.Health != b.Health || a.Status != b.Status || a.Ready != b.Ready || a.Why != b.Why ||
		!slices.Equal(a.Codes, b.Codes) || !sameTime(a.Created, b.Created)
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}
