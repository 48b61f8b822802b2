package junit

import (
	"fmt"
	"strings"
)

// xml is the document. It is written by hand: encoding/xml would add more to
// the binary than all of this package, and the text is safe before it comes here.
func (d *suites) xml() string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	fmt.Fprintf(&b, "<testsuites%s%s time=\"%s\">\n", attribute("name", d.name), d.tally.xml(), d.time)
	for _, s := range d.suites {
		fmt.Fprintf(&b, "  <testsuite%s%s>\n", attribute("name", s.name), s.tally.xml())
		for _, c := range s.cases {
			c.xml(&b)
		}
		b.WriteString("  </testsuite>\n")
	}
	b.WriteString("</testsuites>\n")
	return b.String()
}

func (t test) xml(b *strings.Builder) {
	fmt.Fprintf(b, "    <testcase%s%s", attribute("name", t.name), attribute("classname", t.class))
	if t.time != "" {
		b.WriteString(attribute("time", t.time))
	}
	if t.failure == nil && t.fault == nil && t.skipped == nil && t.out == "" {
		b.WriteString("/>\n")
		return
	}
	b.WriteString(">\n")
	for _, o := range []struct {
		element string
		*outcome
	}{{"failure", t.failure}, {"error", t.fault}} {
		if o.outcome != nil {
			fmt.Fprintf(b, "      <%s%s%s>%s</%[1]s>\n", o.element, attribute("message", o.message), attribute("type", o.kind), escape(o.text))
		}
	}
	if t.skipped != nil {
		fmt.Fprintf(b, "      <skipped%s/>\n", attribute("message", t.skipped.message))
	}
	if t.out != "" {
		fmt.Fprintf(b, "      <system-out>%s</system-out>\n", escape(t.out))
	}
	b.WriteString("    </testcase>\n")
}

func attribute(name, value string) string { return " " + name + `="` + escape(value) + `"` }

func (n tally) xml() string {
	text := fmt.Sprintf(` tests="%d" failures="%d" errors="%d"`, n.tests, n.failures, n.errors)
	if n.skipped > 0 {
		text += fmt.Sprintf(` skipped="%d"`, n.skipped)
	}
	return text
}

// escape replaces what XML reads; control characters are gone already, and a
// line feed is one in text.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(text)
}
