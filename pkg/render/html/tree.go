package html

import (
	"io"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Tree writes the page of explain-tree: the verdict, the graph, and the tree as
// a list, from which the graph is drawn.
func Tree(w io.Writer, r *report.Report, _ term.Style) error {
	return render(w, r, "explain-tree", treeScript, func(p *page) {
		t := forest{page: p, places: map[place]int{}, about: map[object.Ref][]about{}}
		t.find()
		p.findings()
		p.section("tree", "The tree")
		if len(r.Tree) == 0 {
			p.put("<p>There is nothing to show.</p>\n")
		} else {
			p.put("<ul class=\"tree\" id=\"rows\" aria-labelledby=\"tree-h\">\n")
			t.list(r.Tree)
			p.put("</ul>\n")
		}
		p.end()
	})
}

// forest numbers the rows in their order.
type forest struct {
	*page
	next   int
	places map[place]int // where what is "shown above" is shown
	about  map[object.Ref][]about
}

type place struct {
	object object.Ref
	title  string
}

// about is a finding by its number on the page.
type about struct {
	code   string
	number int
}

func (t *forest) find() {
	row := 0
	report.Walk(t.report.Tree, func(n *report.Node, _ int) {
		if !n.Above {
			t.places[place{n.Object.Key(), n.Title}] = row
		}
		row++
	})
	for i, group := range prose.Grouped(t.report.Findings) {
		for _, f := range group {
			t.about[f.Object.Key()] = append(t.about[f.Object.Key()], about{f.Code, i})
		}
	}
}

func (t *forest) list(siblings []*report.Node) {
	for _, n := range siblings {
		t.row(n)
		if len(n.Children) > 0 {
			t.put("<ul>\n")
			t.list(n.Children)
			t.put("</ul>")
		}
		t.put("</li>\n")
	}
}

// row says everything about a node once; the picture takes it from here.
func (t *forest) row(n *report.Node) {
	number, health := t.next, healthTone(n.Health)
	t.next++
	kind, name := naming(n)
	t.put("<li data-tone=\"%s\" data-relation=\"%s\"", string(health), n.Relation)
	numbers := t.numbers(n)
	if len(numbers) > 0 {
		t.put(" data-findings=\"%s\"", strings.Join(numbers, " "))
	}
	to, above := t.places[place{n.Object.Key(), n.Title}]
	if above = above && n.Above; above {
		t.put(" data-to=\"%s\"", itoa(to))
	}
	if n.Asked {
		t.put(" data-asked")
	}
	if n.Guessed {
		t.put(" data-guessed")
	}
	t.put("><div class=\"row\" id=\"r%s\">", itoa(number))
	t.mark(health)
	t.put("<span class=\"kind\">%s</span> <span class=\"name\">%s</span>", kind, name)
	if n.Asked {
		t.put(" <span class=\"chip asked\">asked about</span>")
	}
	t.part("ready", n.Ready)
	t.part("status", statusOf(n))
	if !within(n.Why, n.Wide) {
		t.part("why", n.Why)
	}
	if n.Why == n.Wide || !within(n.Wide, n.Why) {
		t.part("wide", n.Wide)
	}
	if t.long {
		t.part("ns", n.Object.Namespace)
	}
	t.part("age", n.Age)
	if above {
		t.put(" <a class=\"above\" href=\"#r%s\">shown above</a>", itoa(to))
	}
	for _, f := range numbers {
		t.put(" <a class=\"chip %s\" href=\"#f%s\">why</a>", string(health), f)
	}
	if n.Learn != "" {
		t.put("<p class=\"lesson\">%s</p>", n.Learn)
	}
	t.put("</div>")
}

func (t *forest) part(class, text string) {
	if text != "" {
		t.put(" <span class=\"%s\">%s</span>", class, text)
	}
}

// within says whether every word of a text stands in another, too: the detail
// of -o wide often says the reason again.
func within(text, other string) bool {
	said := words(other)
	return !slices.ContainsFunc(words(text), func(w string) bool { return !slices.Contains(said, w) })
}

func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
}

func (t *forest) numbers(n *report.Node) []string {
	var numbers []string
	for _, a := range t.about[n.Object.Key()] {
		if slices.Contains(n.Codes, a.code) && !slices.Contains(numbers, itoa(a.number)) {
			numbers = append(numbers, itoa(a.number))
		}
	}
	return numbers
}

// naming cuts a title in two: "Pod", "web-1"; "container", "nginx".
func naming(n *report.Node) (kind, name string) {
	if n.Title == n.Object.String() {
		return n.Object.Kind, n.Object.Name
	}
	if at := strings.LastIndex(n.Title, " "); at > 0 && strings.HasSuffix(n.Title[:at], "container") {
		return n.Title[:at], n.Title[at+1:]
	}
	return "", n.Title
}

func statusOf(n *report.Node) string {
	if n.Status == "" && n.Health != report.NoHealth && n.Folded == 0 {
		return string(n.Health)
	}
	return n.Status
}

func healthTone(h report.Health) tone {
	switch h {
	case report.Healthy:
		return good
	case report.Failing:
		return bad
	case report.Warned:
		return warn
	case report.InProgress:
		return busy
	case report.Unseen:
		return unknown
	default:
		return plain
	}
}
