// Package html writes reports as pages: each is one file that asks no network,
// says the verdict first, and is whole without JavaScript. With it, the tree
// becomes a picture that can be moved, folded, searched and filtered.
package html

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// The looks and the behaviour of the pages, built from web/ by `make web`.
var (
	//go:embed assets/page.css.gz
	styles []byte
	//go:embed assets/page.js.gz
	script []byte
	//go:embed assets/tree.js.gz
	treeScript []byte
)

// page is written from top to bottom.
type page struct {
	out    *bufio.Writer
	report *report.Report
	long   bool // objects with their namespaces, where the report spans several
}

// render writes a page around its body. The document of -o json lies in it.
func render(w io.Writer, r *report.Report, plugin string, code []byte, body func(*page)) error {
	css, err := inflate(styles)
	if err != nil {
		return err
	}
	js, err := inflate(code)
	if err != nil {
		return err
	}
	data, err := document(r)
	if err != nil {
		return err
	}
	p := &page{out: bufio.NewWriter(w), report: r, long: severalNamespaces(r)}
	p.put("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	p.put("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n", hash(css), hash(js))
	p.put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n")
	p.put("<title>%s %s · %s</title>\n", toneOf(r).sign(), r.Target, plugin)
	p.put("<style>")
	p.out.WriteString(css)
	p.put("</style>\n</head>\n<body>\n<main>\n")
	p.verdict(plugin)
	body(p)
	p.budget()
	p.put("</main>\n<script type=\"application/json\" id=\"report\">")
	p.out.WriteString(data)
	p.put("</script>\n<script>")
	p.out.WriteString(js)
	p.put("</script>\n</body>\n</html>\n")
	return p.out.Flush()
}

// markup is text that is HTML already. All other text is a stranger's.
type markup string

// put writes HTML of our own, and in place of each %s text of anybody, escaped.
// Attributes that hold such text stand in double quotes. It takes no values of
// other types: each call would cost twice as much of the binary.
func (p *page) put(ours markup, text ...string) {
	rest := string(ours)
	for _, t := range text {
		before, after, _ := strings.Cut(rest, "%s")
		p.out.WriteString(before)
		p.out.WriteString(escape(t))
		rest = after
	}
	p.out.WriteString(rest)
}

// escape makes text of strangers text of a page: what cannot be seen becomes
// its code, so that no name can turn the writing round, and what HTML would
// act on becomes an entity.
func escape(text string) string { return entities.Replace(term.Escape(text)) }

// lines writes text of several lines.
func (p *page) lines(text string) { p.out.WriteString(entities.Replace(term.EscapeLines(text))) }

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "`", "&#96;")

// document is what -o json prints, in the form that cannot end its element.
// Outside of strings JSON has none of these signs.
func document(r *report.Report) (string, error) {
	var pretty, small bytes.Buffer
	if err := doc.JSON(&pretty, r, term.Style{}); err != nil {
		return "", err
	}
	if err := json.Compact(&small, pretty.Bytes()); err != nil {
		return "", fmt.Errorf("the report of %s as JSON: %w", r.Target, err)
	}
	return jsonEntities.Replace(small.String()), nil
}

var jsonEntities = strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "\u2028", `\u2028`, "\u2029", `\u2029`)

// hash names the one script, or sheet, that the page may have.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func inflate(packed []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("read what the page is made of: %w", err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("read what the page is made of: %w", err)
	}
	return string(text), nil
}

// tone is a state as a page shows it: a colour, and a sign and a word that say
// the same without it.
type tone string

const (
	good    tone = "ok"
	busy    tone = "busy"
	warn    tone = "warn"
	bad     tone = "bad"
	unknown tone = "unknown"
	plain   tone = "none"
)

func (t tone) sign() string { return look(t)[0] }

// word is what a screen reader says for the sign.
func (t tone) word() string { return look(t)[1] }

func look(t tone) [2]string {
	switch t {
	case good:
		return [2]string{"✓", "ok"}
	case busy:
		return [2]string{"⋯", "in progress"}
	case warn:
		return [2]string{"!", "warning"}
	case bad:
		return [2]string{"✗", "broken"}
	case unknown:
		return [2]string{"?", "unknown"}
	default:
		return [2]string{"·", ""}
	}
}

// mark writes the sign of a tone.
func (p *page) mark(t tone) {
	if t == plain {
		p.put("<span class=\"sign none\" aria-hidden=\"true\">·</span>")
		return
	}
	p.put("<span class=\"sign %s\" role=\"img\" aria-label=\"%s\">%s</span>", string(t), t.word(), t.sign())
}

func verdictTone(v report.Verdict) tone {
	switch v {
	case report.OK:
		return good
	case report.Broken:
		return bad
	case report.Progressing:
		return busy
	default:
		return unknown
	}
}

// section opens a part of the page, with a heading.
func (p *page) section(id, title string) {
	p.put("<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n", id, id, id, title)
}

func (p *page) end() { p.put("</section>\n") }

// lessons are what --learn adds.
func (p *page) lessons(all []report.Lesson) {
	if len(all) == 0 {
		return
	}
	p.put("<dl class=\"learn\">\n")
	for _, l := range all {
		p.put("<div><dt>%s</dt><dd>%s</dd></div>\n", l.Term, l.Text)
	}
	p.put("</dl>\n")
}

// command is one that can be copied.
func (p *page) command(text string) {
	p.put("<pre class=\"cmd\" tabindex=\"0\"><code>")
	p.lines(text)
	p.put("</code></pre>\n")
}

// headline is the finding that the verdict speaks of.
func headline(r *report.Report) bool {
	_, ok := prose.Headline(r)
	return ok
}
