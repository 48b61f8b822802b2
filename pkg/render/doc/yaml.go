package doc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// toYAML rewrites JSON as YAML in blocks. The usual libraries sort the fields
// by name and write bidirectional overrides as they are.
func toYAML(data []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var w yamlWriter
	if err := w.value(d, 0); err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

type yamlWriter struct {
	bytes.Buffer
	inItem bool // the next line goes on behind "- "
}

func (w *yamlWriter) value(d *json.Decoder, indent int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return w.object(d, indent)
		}
		return w.array(d, indent)
	case string:
		w.WriteString(" " + scalar(t) + "\n")
	case nil:
		w.WriteString(" null\n")
	default: // json.Number, bool
		fmt.Fprintf(w, " %v\n", t)
	}
	return nil
}

func (w *yamlWriter) object(d *json.Decoder, indent int) error {
	if !d.More() {
		w.WriteString(" {}\n")
	}
	for first := true; d.More(); first = false {
		key, err := d.Token()
		if err != nil {
			return err
		}
		w.newLine(indent, first)
		w.WriteString(scalar(key.(string)) + ":")
		if err := w.value(d, indent+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// array puts its dashes in the column of the field that it belongs to, as
// kubectl does.
func (w *yamlWriter) array(d *json.Decoder, indent int) error {
	if !d.More() {
		w.WriteString(" []\n")
	}
	for first := true; d.More(); first = false {
		w.newLine(max(0, indent-1), first)
		w.WriteString("-")
		w.inItem = true
		if err := w.value(d, max(1, indent)); err != nil {
			return err
		}
		w.inItem = false
	}
	_, err := d.Token()
	return err
}

// newLine begins the line of a field or an item. The first one below a field
// ends that field's line; the first one of an item stands behind its dash.
func (w *yamlWriter) newLine(indent int, first bool) {
	switch {
	case first && w.inItem:
		w.WriteString(" ")
		w.inItem = false
		return
	case first && w.Len() > 0:
		w.WriteString("\n")
	}
	w.WriteString(strings.Repeat("  ", indent))
}

var (
	// plainScalar needs no quotes: it begins with a letter, so it is no number
	// and no date.
	plainScalar = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._/@+-]*( [A-Za-z0-9._/@+-]+)*$`)
	// keyword means something else in YAML 1.1 or 1.2.
	keyword = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)
)

func scalar(s string) string {
	if plainScalar.MatchString(s) && !keyword.MatchString(s) {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s)                                                           // a string always encodes
	longEscape := func(r rune) string { return fmt.Sprintf(`\U%08x`, r) } // YAML has no surrogates
	return string(escapeInvisible(bytes.TrimSuffix(b.Bytes(), []byte("\n")), longEscape))
}
