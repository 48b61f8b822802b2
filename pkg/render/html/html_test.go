package html

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type renderer func(io.Writer, *report.Report, term.Style) error

type example struct {
	render renderer
	report *report.Report
}

// pages are the reports of all four commands, with the sheet and the script
// left out of their golden files.
func pages() map[string]example {
	one := services()
	one.Services, one.Target = one.Services[:1], "service/web"
	fleet := roll()
	fleet.Summary = ""
	done := *fleet.Rollouts[0]
	done.Phase, done.Verdict, done.Proof, done.Logs, done.Back, done.Pods = report.PhaseComplete, report.OK, nil, nil, nil, nil
	fleet.Rollouts = append(fleet.Rollouts, &done)
	empty := &report.Report{APIVersion: report.APIVersion, Kind: "ExplainTree", Verdict: report.OK}
	return map[string]example{
		"tree": {Tree, shop()}, "tree-empty": {Tree, empty}, "tree-hostile": {Tree, tamper(shop())},
		"service": {Endpoints, one}, "services": {Endpoints, services()}, "services-hostile": {Endpoints, tamper(services())},
		"trace": {Trace, lookup()}, "trace-hostile": {Trace, tamper(lookup())},
		"rollout": {Rollout, roll()}, "rollouts": {Rollout, fleet}, "rollout-hostile": {Rollout, tamper(roll())},
	}
}

func write(t *testing.T, render renderer, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b, r, term.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEachReportIsAPage(t *testing.T) {
	for name, c := range pages() {
		t.Run(name, func(t *testing.T) {
			got := body(write(t, c.render, c.report))
			golden := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("rewrite with -update (-want +got)\n%s", diff)
			}
		})
	}
}

// body is what is written for this report; the document and what is the same in
// every page have tests of their own.
func body(page string) string {
	_, rest, _ := strings.Cut(page, "<main>\n")
	body, _, _ := strings.Cut(rest, "</main>")
	return body
}

// Tags and attributes are ours: what strangers wrote adds none.
func TestHostileTextStaysText(t *testing.T) {
	shape := regexp.MustCompile(`<(/?[a-zA-Z!][^\s>/]*)((?:[^>"]|"[^"]*")*)>`)
	attribute := regexp.MustCompile(`^(\s+[a-zA-Z-]+(="[^"<>]*")?)*\s*/?$`)
	for name, c := range pages() {
		if !strings.HasSuffix(name, "-hostile") {
			continue
		}
		html := write(t, c.render, c.report)
		body := body(html)
		for _, tag := range shape.FindAllStringSubmatch(body, -1) {
			if slices.Contains([]string{"script", "img", "!--", "style", "iframe"}, strings.TrimPrefix(tag[1], "/")) || !attribute.MatchString(tag[2]) {
				t.Errorf("%s: a tag that is not ours: %s", name, tag[0])
			}
			if regexp.MustCompile(`\son[a-z]+=`).MatchString(regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag[2], `""`)) {
				t.Errorf("%s: a handler: %s", name, tag[0])
			}
		}
		for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			if !strings.HasPrefix(link[1], "#") {
				t.Errorf("%s: a link that leads out of the page: %s", name, link[1])
			}
		}
		for _, sign := range []string{"\u202e", "\u2028", "\u2029", "\u200b", "\x00", "\x1b", "\xff"} {
			if strings.Contains(html, sign) {
				t.Errorf("%s: %q is there as it came", name, sign)
			}
		}
		if n := strings.Count(html, "</script>"); n != 2 {
			t.Errorf("%s: %d scripts end, not ours alone", name, n)
		}
		if n := strings.Count(html, "<!--"); n != 0 {
			t.Errorf("%s: a comment begins", name)
		}
	}
}

func TestThePageHoldsTheDocument(t *testing.T) {
	for name, c := range pages() {
		html := write(t, c.render, c.report)
		_, rest, _ := strings.Cut(html, `<script type="application/json" id="report">`)
		data, _, found := strings.Cut(rest, "</script>")
		var want bytes.Buffer
		if err := doc.JSON(&want, c.report, term.Style{}); err != nil {
			t.Fatal(err)
		}
		var got, wanted any
		if err := json.Unmarshal([]byte(data), &got); err != nil || !found {
			t.Fatalf("%s: %v", name, err)
		}
		if err := json.Unmarshal(want.Bytes(), &wanted); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s: not what -o json says\n%s", name, diff)
		}
	}
}

func TestThePageAsksNoNetwork(t *testing.T) {
	for name, c := range pages() {
		html := write(t, c.render, c.report)
		policy := regexp.MustCompile(`Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; script-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'none'"`)
		if !policy.MatchString(html) {
			t.Errorf("%s: no policy that forbids it", name)
		}
		// A sheet or script that could end its element, or fetch.
		for _, code := range [][]byte{styles, script, treeScript} {
			text, err := inflate(code)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"</", "<!--", "@import", "url(http", "fetch(", "XMLHttpRequest", "WebSocket", "innerHTML", "eval(", "import("} {
				if strings.Contains(text, word) {
					t.Errorf("%s: what is embedded says %s", name, word)
				}
			}
		}
		if strings.Contains(body(html), " style=") {
			t.Errorf("%s: a style attribute, which the policy forbids", name)
		}
	}
}

// Whoever changes web/ builds it again: make web.
func TestWhatIsEmbeddedIsBuiltFromItsSources(t *testing.T) {
	sum := sha256.New()
	sources, err := filepath.Glob("../../../web/src/*")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	slices.Sort(sources)
	for _, path := range append([]string{"../../../web/build.mjs", "../../../web/package-lock.json"}, sources...) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), "../../../web/")
		sum.Write([]byte(name + "\x00"))
		sum.Write(data)
		sum.Write([]byte{0})
	}
	want := hex.EncodeToString(sum.Sum(nil))
	for name, packed := range map[string][]byte{"page.css": styles, "page.js": script, "tree.js": treeScript} {
		text, err := inflate(packed)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text[:min(len(text), 200)], want) {
			t.Errorf("assets/%s.gz is not built from web/ as it is: make web", name)
		}
		if max := 20 << 10; len(packed) > max {
			t.Errorf("assets/%s.gz has %d bytes, more than %d: it is in every binary", name, len(packed), max)
		}
	}
	licence, err := os.ReadFile("assets/LICENSE.d3-hierarchy")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := inflate(treeScript); !strings.Contains(text, strings.TrimSpace(string(licence))) {
		t.Error("the licence of d3-hierarchy wants its text in every copy")
	}
}

func TestTheSameReportGivesTheSamePage(t *testing.T) {
	for name, c := range pages() {
		first := write(t, c.render, c.report)
		if again := write(t, c.render, c.report); again != first {
			t.Errorf("%s differs from itself", name)
		}
	}
}
