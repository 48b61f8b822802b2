package report

// Edge joins two nodes of a Graph by their places in it. Below is the node as
// it stands under From: it says how it is related and why.
type Edge struct {
	From, To int
	Below    *Node
}

// Graph is the forest with each node once, in the order of the rows; a node
// that was shown above is an edge to where it was shown.
func Graph(forest []*Node) ([]*Node, []Edge) {
	var g graph
	g.places = map[identity]int{}
	Walk(forest, func(n *Node, _ int) {
		if !n.Above && n.Folded == 0 {
			g.places[identify(n)] = -1 // it has a row of its own
		}
	})
	g.add(-1, forest)
	for i := range g.edges {
		if to, ok := g.places[identify(g.edges[i].Below)]; ok && g.edges[i].To < 0 {
			g.edges[i].To = to
		}
	}
	return g.nodes, g.edges
}

type graph struct {
	nodes  []*Node
	edges  []Edge
	places map[identity]int
}

func (g *graph) add(parent int, siblings []*Node) {
	for _, n := range siblings {
		at := -1
		if _, elsewhere := g.places[identify(n)]; !n.Above || !elsewhere {
			at = len(g.nodes)
			g.nodes = append(g.nodes, n)
			if n.Folded == 0 {
				g.places[identify(n)] = at
			}
		}
		if parent >= 0 {
			g.edges = append(g.edges, Edge{From: parent, To: at, Below: n})
		}
		if at >= 0 {
			g.add(at, n.Children)
		}
	}
}
