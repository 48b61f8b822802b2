package hostile

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/render/dot"
	renderhtml "github.com/leadsman-dev/leadsman/pkg/render/html"
	"github.com/leadsman-dev/leadsman/pkg/render/junit"
	"github.com/leadsman-dev/leadsman/pkg/render/mermaid"
	"github.com/leadsman-dev/leadsman/pkg/render/sarif"
	"github.com/leadsman-dev/leadsman/pkg/render/trace"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

var pages = map[string]render{
	"ExplainTree": renderhtml.Tree, "CheckEndpoints": renderhtml.Endpoints, "TraceDNS": renderhtml.Trace, "GuardRollout": renderhtml.Rollout,
}

// shapes are the elements of a page with the names of their attributes, and how
// many scripts, sheets and comments there are. Links lead nowhere else.
func shapes(t testing.TB, page string) (shapes map[string]bool, ours int) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	shapes = map[string]bool{}
	for n := range root.Descendants() {
		switch n.Type {
		case html.CommentNode:
			t.Errorf("a comment: %.80s", n.Data)
		case html.ElementNode:
			if slices.Contains([]string{"script", "style", "meta", "link", "base", "iframe", "img"}, n.Data) {
				ours++
			}
			for _, a := range n.Attr {
				shapes[n.Data+" "+a.Key] = true
				if strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"href", "src", "action", "xlink:href"}, a.Key) && !strings.HasPrefix(a.Val, "#") {
					t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
				}
			}
			shapes[n.Data] = true
		}
	}
	return shapes, ours
}

// invisible are what a reader cannot see, or a terminal acts on.
func invisible(text string) string {
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			return fmt.Sprintf("%U", r)
		}
	}
	return ""
}

func FuzzHTML(f *testing.F) {
	seeds(f)
	known := map[string]bool{}
	scripts := map[string]int{}
	for pick := range 256 {
		part := kind(uint8(pick))
		for _, texts := range [][]string{{"x"}, {"x", "two\nlines"}} {
			s, n := shapes(f, written(f, pages[part], full(part, uint8(pick), texts...), term.Style{}))
			maps.Copy(known, s)
			scripts[part] = n
		}
	}
	f.Fuzz(func(t *testing.T, pick uint8, a, b string) {
		part := kind(pick)
		page := pages[part]
		out := written(t, page, full(part, pick, a, b), term.Style{})
		got, ours := shapes(t, out)
		for shape := range got {
			if !known[shape] {
				t.Errorf("%s: <%s> is not of ours", part, shape)
			}
		}
		if ours != scripts[part] {
			t.Errorf("%s: %d scripts, sheets and the like, not %d", part, ours, scripts[part])
		}
		if sign := invisible(out[strings.Index(out, "<main>"):strings.LastIndex(out, "<script>")]); sign != "" {
			t.Errorf("%s: %s is there as it came", part, sign)
		}
		bounded(t, out, written(t, page, full(part, pick, "x"), term.Style{}), a, b)
	})
}

func FuzzJUnit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, pick uint8, a, b string) {
		part := kind(pick)
		out := written(t, junit.Render, full(part, pick, a, b), term.Style{})
		d := xml.NewDecoder(strings.NewReader(out))
		d.Strict = true
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in\n%s", part, err, out)
			}
			switch e := token.(type) {
			case xml.StartElement:
				if !slices.Contains([]string{"testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"}, e.Name.Local) {
					t.Errorf("%s: <%s>", part, e.Name.Local)
				}
				for _, at := range e.Attr {
					if !slices.Contains([]string{"name", "classname", "time", "tests", "failures", "errors", "skipped", "message", "type"}, at.Name.Local) {
						t.Errorf("%s: <%s %s>", part, e.Name.Local, at.Name.Local)
					}
				}
			case xml.Comment, xml.Directive:
				t.Errorf("%s: %v", part, e)
			case xml.ProcInst:
				if e.Target != "xml" {
					t.Errorf("%s: <?%s?>", part, e.Target)
				}
			}
		}
		if sign := invisible(out); sign != "" {
			t.Errorf("%s: %s gets through", part, sign)
		}
	})
}

// FuzzDocuments: JSON, YAML, lines of JSON and SARIF are read back by other
// programs, and say what the report says.
func FuzzDocuments(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, pick uint8, a, b string) {
		part := kind(pick)
		r := full(part, pick, a, b)
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		asJSON := written(t, doc.JSON, r, term.Style{})
		var want, got bytes.Buffer
		if json.Compact(&want, data) != nil || json.Compact(&got, []byte(asJSON)) != nil || !same(t, want.Bytes(), got.Bytes()) {
			t.Errorf("%s: -o json says something else", part)
		}
		asYAML, err := yaml.YAMLToJSON([]byte(written(t, doc.YAML, r, term.Style{})))
		if err != nil || !same(t, want.Bytes(), asYAML) {
			t.Errorf("%s: -o yaml says something else (%v)", part, err)
		}
		var line bytes.Buffer
		if err := doc.ReportLine(&line, r); err != nil || bytes.Count(line.Bytes(), []byte("\n")) != 1 || !json.Valid(line.Bytes()) {
			t.Errorf("%s: no line of JSON (%v)", part, err)
		}
		log := written(t, sarif.Render, r, term.Style{})
		if !json.Valid([]byte(log)) {
			t.Errorf("%s: SARIF that is no JSON", part)
		}
		for _, out := range []string{asJSON, written(t, doc.YAML, r, term.Style{}), line.String(), log} {
			if sign := control(out); sign != "" {
				t.Errorf("%s: %s gets through", part, sign)
			}
		}
	})
}

// control is what a terminal acts on.
func control(text string) string {
	for _, r := range text {
		if r != '\n' && unicode.IsControl(r) {
			return fmt.Sprintf("%U", r)
		}
	}
	return ""
}

func same(t *testing.T, a, b []byte) bool {
	t.Helper()
	var one, other any
	if err := json.Unmarshal(a, &one); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal(b, &other); err != nil {
		t.Error(err)
	}
	first, _ := json.Marshal(one)
	second, _ := json.Marshal(other)
	return bytes.Equal(first, second)
}

// dotLine is every form of line that a graph may have; a quoted string ends at
// the first quote that no backslash escapes.
var dotLine = regexp.MustCompile(`^(digraph tree \{|\}|  (graph|node|edge) \[.*\];|  n\d+( -> n\d+)? \[label=Q(, (color=Q|penwidth=2|peripheries=2|style=Q|style=dashed))*\];)$`)

func FuzzDot(f *testing.F) {
	seeds(f)
	quoted := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	f.Fuzz(func(t *testing.T, pick uint8, a, b string) {
		for line := range strings.Lines(written(t, dot.Render, full("ExplainTree", pick, a, b), term.Style{})) {
			bare := quoted.ReplaceAllString(strings.TrimSuffix(line, "\n"), "Q")
			if !dotLine.MatchString(bare) || strings.Contains(bare, `"`) {
				t.Errorf("the line %q", line)
			}
			if sign := invisible(line); sign != "" {
				t.Errorf("%s gets through", sign)
			}
		}
	})
}

var (
	chartLine = regexp.MustCompile("^(flowchart LR|  n\\d+\\[\"[^\"\\[\\]{}|<>;%&`\\\\]*\"\\]:::[a-z]+|  n\\d+ (-->|-\\.->)(\\|\"[^\"|<>;%&`\\\\]*\"\\|)? n\\d+|  classDef [a-z]+ [a-z0-9#:,-]+)$")
	entity    = regexp.MustCompile(`#\d+;`)
)

func FuzzMermaid(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, pick uint8, a, b string) {
		for line := range strings.Lines(written(t, mermaid.Render, full("ExplainTree", pick, a, b), term.Style{})) {
			bare := strings.ReplaceAll(entity.ReplaceAllString(strings.TrimSuffix(line, "\n"), ""), "<br/>", "")
			if !chartLine.MatchString(bare) {
				t.Errorf("the line %q", line)
			}
		}
		harmless := verbs(written(t, trace.Mermaid, full("TraceDNS", pick, "x", "y"), term.Style{}))
		out := written(t, trace.Mermaid, full("TraceDNS", pick, "x"+a, "y"+b), term.Style{})
		for verb := range verbs(out) {
			if !harmless[verb] {
				t.Errorf("a line that begins with %q is not of ours", verb)
			}
		}
		if strings.ContainsAny(entity.ReplaceAllString(out, ""), ";%`{}\"") || strings.Contains(strings.ReplaceAll(out, "<br/>", ""), "<") {
			t.Errorf("a sign that Mermaid reads: %s", out)
		}
	})
}

// verbs are the words with which the lines of a chart begin.
func verbs(chart string) map[string]bool {
	verbs := map[string]bool{}
	for line := range strings.Lines(chart) {
		if words := strings.Fields(line); len(words) > 0 {
			verbs[regexp.MustCompile(`[^A-Za-z]`).ReplaceAllString(words[0], "")] = true
		}
	}
	return verbs
}
