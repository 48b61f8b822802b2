package html

import "strings"

// table is one of text. A title that begins with # is that of numbers.
type table struct {
	*page
	titles []string
}

// table begins one. Long tables can be searched.
func (p *page) table(titles ...string) *table {
	p.put("<div class=\"scroll\"><table class=\"long\">\n<thead><tr>")
	for _, title := range titles {
		name, numbers := strings.CutPrefix(title, "#")
		p.put("<th"+numeric(numbers)+">%s</th>", name)
	}
	p.put("</tr></thead>\n<tbody>\n")
	return &table{p, titles}
}

// row is one line, with the sign of its tone before the first cell.
func (t *table) row(tone tone, cells ...string) {
	t.linked(tone, "", cells...)
}

// linked is a row of which the first cell leads to a part of the page.
func (t *table) linked(tone tone, to string, cells ...string) {
	t.put("<tr data-tone=\"%s\">", string(tone))
	for i, text := range cells {
		_, number := strings.CutPrefix(t.titles[i], "#")
		t.put("<td" + numeric(number) + ">")
		if i == 0 && tone != "" {
			t.mark(tone)
			t.put(" ")
		}
		if i == 0 && to != "" {
			t.put("<a href=\"#%s\">%s</a></td>", to, text)
			continue
		}
		t.put("%s</td>", text)
	}
	t.put("</tr>\n")
}

func numeric(yes bool) markup {
	if yes {
		return ` class="num"`
	}
	return ""
}

func (t *table) close() { t.put("</tbody></table></div>\n") }
