package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Fold makes one row of siblings that say the same: healthy ones become
// "… 7 pods ready"; of three or more with the same trouble the first stays,
// followed by "… 6 more pods like it". What was asked for, what changed and
// what has findings of its own is never hidden. With all it folds nothing.
// The forest given is left as it is.
func Fold(forest []*Node, all bool) []*Node {
	if all {
		return forest
	}
	return resurface(foldSiblings(forest), forest)
}

// The fewest siblings that fold.
const (
	fewestCopies = 2 // healthy copies that a controller made
	fewestOthers = 4 // healthy siblings that have names of their own
	fewestAlike  = 3 // siblings in the same trouble
)

func fewestHealthy(kind string) int {
	switch kind {
	case "Pod", "ReplicaSet", "Job", "ControllerRevision", "EndpointSlice":
		return fewestCopies
	default:
		return fewestOthers
	}
}

func foldSiblings(siblings []*Node) []*Node {
	groups := map[string][]*Node{}
	for _, n := range siblings {
		if key := foldKey(n); key != "" {
			groups[key] = append(groups[key], n)
		}
	}
	var folded []*Node
	for _, n := range siblings {
		group := groups[foldKey(n)]
		switch {
		case wellAndQuiet(n) && len(group) >= fewestHealthy(n.Object.Kind):
			if n == group[len(group)-1] {
				folded = append(folded, healthyRow(group))
			}
		case len(group) >= fewestAlike && !wellAndQuiet(n):
			if n == group[0] {
				folded = append(folded, foldBelow(n), alikeRow(group))
			}
		default:
			folded = append(folded, foldBelow(n))
		}
	}
	return folded
}

func foldBelow(n *Node) *Node {
	below := *n
	below.Children = foldSiblings(n.Children)
	return &below
}

// foldKey is equal for siblings that may share a row, and empty for a node
// that must be seen.
func foldKey(n *Node) string {
	if !isOwnObject(n) || !quiet(n) {
		return ""
	}
	key := strings.Join([]string{n.Object.Group, n.Object.Kind, n.Object.Namespace, n.Relation, fmt.Sprint(n.Above, n.Guessed)}, "\x00")
	if wellAndQuiet(n) {
		return key + "\x00" + foldWords(n)
	}
	if n.Health == Healthy || n.Health == NoHealth {
		return "" // trouble below it, which its name leads to
	}
	return key + "\x00" + likeness(n)
}

// isOwnObject leaves out rows that are part of an object, such as containers.
func isOwnObject(n *Node) bool {
	return n.Folded == 0 && !n.Object.IsZero() && n.Title == n.Object.String()
}

// quiet says that nothing in the subtree was asked for or changed.
func quiet(n *Node) bool {
	return !n.Asked && n.Change == Same && !slices.ContainsFunc(n.Children, func(c *Node) bool { return !quiet(c) })
}

// wellAndQuiet is for rows of which only the number matters. Objects that
// cannot be unwell are told apart by name, unless their status is a common one
// ("kept for rollback").
func wellAndQuiet(n *Node) bool {
	return quiet(n) && (n.Health == Healthy || n.Health == NoHealth && n.Status != "") && allWell(n)
}

func allWell(n *Node) bool {
	return (n.Health == Healthy || n.Health == NoHealth) && len(n.Codes) == 0 &&
		!slices.ContainsFunc(n.Children, func(c *Node) bool { return !allWell(c) })
}

// likeness is what trouble looks like, names left out.
func likeness(n *Node) string {
	parts := []string{n.Object.Kind, string(n.Health), n.Status, n.Ready, strings.Join(n.Codes, ","), "("}
	for _, c := range n.Children {
		parts = append(parts, likeness(c))
	}
	return strings.Join(append(parts, ")"), "\x00")
}

func healthyRow(group []*Node) *Node {
	first := group[0]
	title := fmt.Sprintf("… %d %s %s", len(group), plural(first.Object.Kind), foldWords(first))
	return foldedRow(first, len(group), title)
}

func alikeRow(group []*Node) *Node {
	first, more := group[0], len(group)-1
	return foldedRow(first, more, fmt.Sprintf("… %d more %s like it", more, plural(first.Object.Kind)))
}

func foldedRow(like *Node, n int, title string) *Node {
	return &Node{
		Object:   object.Ref{Group: like.Object.Group, Version: like.Object.Version, Kind: like.Object.Kind, Namespace: like.Object.Namespace},
		Title:    title,
		Relation: like.Relation,
		Health:   like.Health,
		Above:    like.Above,
		Guessed:  like.Guessed,
		Folded:   n,
	}
}

func foldWords(n *Node) string {
	have, want, counted := strings.Cut(n.Ready, "/")
	switch {
	case n.Object.Kind == "Pod" && counted && have == want:
		return "ready"
	case n.Status == "":
		return "ok"
	default:
		return n.Status
	}
}

// plural is the English plural of a kind: "pods", "ReplicaSets", "ingresses".
func plural(kind string) string {
	if strings.IndexFunc(kind[min(1, len(kind)):], unicode.IsUpper) < 0 {
		kind = strings.ToLower(kind)
	}
	for _, ending := range []string{"ss", "x", "ch", "sh"} {
		if strings.HasSuffix(kind, ending) {
			return kind + "es"
		}
	}
	stem, ofY := strings.CutSuffix(kind, "y")
	switch {
	case strings.HasSuffix(kind, "s"):
		return kind
	case ofY && stem != "" && !strings.ContainsAny(stem[len(stem)-1:], "aeiou"):
		return stem + "ies"
	default:
		return kind + "s"
	}
}

// identity is what makes two nodes the same row of two forests.
type identity struct {
	object object.Ref
	title  string
}

func identify(n *Node) identity { return identity{n.Object.Key(), n.Title} }

// resurface keeps "shown above" true: where the row that it means has been
// hidden from the forest, the original takes its place.
func resurface(forest, original []*Node) []*Node {
	shown, originals := map[identity]bool{}, map[identity]*Node{}
	Walk(forest, func(n *Node, _ int) {
		if !n.Above {
			shown[identify(n)] = true
		}
	})
	Walk(original, func(n *Node, _ int) {
		if !n.Above {
			originals[identify(n)] = n
		}
	})
	var mend func(siblings []*Node)
	mend = func(siblings []*Node) {
		for i, n := range siblings {
			hidden := originals[identify(n)]
			if n.Above && n.Folded == 0 && hidden != nil && !shown[identify(n)] {
				siblings[i] = replaceAbove(n, hidden)
				Walk(siblings[i:i+1], func(n *Node, _ int) { shown[identify(n)] = shown[identify(n)] || !n.Above })
			}
			mend(siblings[i].Children)
		}
	}
	mend(forest)
	return forest
}

func replaceAbove(n, hidden *Node) *Node {
	whole := foldBelow(hidden)
	whole.Relation, whole.Why, whole.Guessed = n.Relation, cmp.Or(n.Why, hidden.Why), n.Guessed
	return whole
}
