// Package hostile writes reports full of strangers' text in every format, and
// reads them back with real parsers: whatever a name, a label, a message, a log
// line or a DNS answer says, it stays text.
package hostile

import (
	"bytes"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// filler writes a text into everything of a report that a stranger may have
// written, the names of objects among it, and picks the words that are ours.
type filler struct {
	texts []string
	pick  uint8
	n     int
}

func (f *filler) text() string {
	f.n++
	return f.texts[f.n%len(f.texts)]
}

// words are what fields of our own words may hold.
var words = map[reflect.Type][]string{
	reflect.TypeFor[report.Verdict]():       {"ok", "broken", "progressing", "unknown"},
	reflect.TypeFor[report.Health]():        {"ok", "broken", "warning", "progressing", "unknown", "none"},
	reflect.TypeFor[report.Change]():        {"", "new", "changed", "gone"},
	reflect.TypeFor[finding.Severity]():     {"error", "warning", "info"},
	reflect.TypeFor[report.Phase]():         {"failed", "rolling", "complete", "before", "paused", "unknown", "rolled-back"},
	reflect.TypeFor[report.PodState]():      {"failing", "pending", "ready", "available", "terminating"},
	reflect.TypeFor[report.ProofVerdict]():  {"held", "broken", "not-provable", "held-with-gaps"},
	reflect.TypeFor[report.EndpointState](): {"matched", "missing", "stale", "foreign", "manual", "no-port", "unseen"},
	reflect.TypeFor[report.Claim]():         {"computed", "observed", "unproven"},
	reflect.TypeFor[report.HopState]():      {"ok", "broken", "unknown"},
	reflect.TypeFor[report.RungState]():     {"stops", "passed", "not asked", "unknown"},
}

func (f *filler) fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		if own, ok := words[v.Type()]; ok {
			f.n++
			v.SetString(own[(f.n+int(f.pick))%len(own)])
		} else {
			v.SetString(f.text())
		}
	case reflect.Bool:
		f.n++
		v.SetBool((f.n+int(f.pick))%3 == 0)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.pick % 7))
	case reflect.Float64:
		v.SetFloat(float64(f.pick))
	case reflect.Pointer:
		if depth < 9 {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		if depth < 9 {
			n := max(1, 2-depth/3) // two of what is near the top, one below
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				f.fill(v.Index(i), depth+2)
			}
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1767225600+int64(f.n), 0).UTC()))
			return
		}
		for i := range v.NumField() {
			f.fill(v.Field(i), depth)
		}
	}
}

// kinds are the documents of the four plugins; one of them is written for each
// input, so that a fuzzer gets far.
var kinds = []string{"ExplainTree", "CheckEndpoints", "TraceDNS", "GuardRollout"}

func kind(pick uint8) string { return kinds[int(pick)%len(kinds)] }

// full is a report of one plugin.
func full(part string, pick uint8, texts ...string) *report.Report {
	f := &filler{texts: texts, pick: pick}
	r := &report.Report{}
	f.fill(reflect.ValueOf(r).Elem(), 0)
	r.APIVersion, r.Kind = report.APIVersion, part
	if part != "ExplainTree" {
		r.Tree = nil
	}
	if part != "CheckEndpoints" {
		r.Services = nil
	}
	if part != "TraceDNS" {
		r.Trace = nil
	}
	if part != "GuardRollout" {
		r.Rollouts = nil
	}
	return r
}

// seeds are what somebody would try.
func seeds(f *testing.F) {
	for i, text := range []string{
		"web-1", "\x1b[2J\x1b]0;owned\a", "a\r\nb\n\nc", "\u202e\u2066\u200b\ufeff\u2028", "\xff\xfe\xc3(", "",
		`"><script>alert(1)</script><img src=x onerror=alert(1)>`, "</script><!--", `' onmouseover='x`, "&lt;&#x3c;&amp;", "]]></failure><x/>", "<![CDATA[", "<?xml?>",
		`"]; evil [label="x`, `\`, `\N\"`, "a\n}\nsubgraph x {", `"] --> n9["x`, "%%{init: {}}%%", "end", "click n0 href \"javascript:x\"", "`**md**` [x](javascript:y)",
		"::error::x", "::stop-commands::y", "\n::add-mask::z", "##[error]x", "%0A::error::", "{{.}} ${x} $(id) `id`", "- a: b\n? c", "!!python/object:x", "*a &b", "\x00\x01\x7f\u0085\u009b31m",
		"\U000e0041\ufe0f\u0301\u0301\u0301\u0301\u0301", "名前 عربى",
	} {
		for k := range kinds {
			f.Add(uint8(4*i+k), text, "x"+text)
		}
	}
}

type render func(io.Writer, *report.Report, term.Style) error

func written(t testing.TB, to render, r *report.Report, style term.Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := to(&b, r, style); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bounded fails where a text makes a document much longer than it is itself.
func bounded(t *testing.T, out, harmless string, text ...string) {
	t.Helper()
	size := 0
	for _, s := range text {
		size += len(s)
	}
	// Each of the few thousand places holds the text once or twice, escaped: ten
	// bytes for one.
	if most := 4*len(harmless) + 60_000*(size+10); len(out) > most {
		t.Errorf("%d bytes became %d, of %d", size, len(out), len(harmless))
	}
}
