package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"
)

// document is one document of a file, as JSON or as YAML.
type document struct {
	number, line int // counted from one
	yaml         bool
	body         []byte
	err          error
}

// A file of more documents, or of more JSON that is none, is not read to its
// end: each costs memory, or another look at what follows it.
const (
	mostDocuments = 500_000
	mostBroken    = 50
)

var (
	errDocuments = fmt.Errorf("the file is not read on after %d documents: split it", mostDocuments)
	errBroken    = fmt.Errorf("the file is not read on after %d parts that are no JSON: mend it, or leave it out", mostBroken)
)

// documents splits a file. YAML is a superset of JSON, but JSON is told apart
// since it is far faster to read.
func documents(data []byte) []document {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		data = bytes.ToValidUTF8(data, []byte("\ufffd"))
	}
	if text := bytes.TrimLeft(data, " \t\r\n"); len(text) > 0 && text[0] == '{' {
		docs := splitJSON(data, mostDocuments)
		if docs[0].err != nil && len(data) < 1<<20 { // YAML may begin with a brace too
			if flow := splitYAML(data, mostDocuments); parses(flow[0].body) {
				return flow
			}
		}
		return docs
	}
	return splitYAML(data, mostDocuments)
}

func parses(doc []byte) bool {
	_, err := toJSON(doc)
	return err == nil
}

func splitJSON(data []byte, most int) []document {
	var docs []document
	line, broken := 1, 0
	for {
		skipped := len(data) - len(bytes.TrimLeft(data, " \t\r\n"))
		line += bytes.Count(data[:skipped], []byte("\n"))
		data = data[skipped:]
		if len(data) == 0 {
			return docs
		}
		doc := document{number: len(docs) + 1, line: line}
		switch {
		case broken == mostBroken:
			doc.err = errBroken
			return append(docs, doc)
		case len(docs) == most:
			doc.err = errDocuments
			return append(docs, doc)
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		var raw json.RawMessage
		doc.err = decoder.Decode(&raw)
		doc.body = raw
		end := int(decoder.InputOffset())
		if doc.err != nil {
			broken++
			if errors.Is(doc.err, io.ErrUnexpectedEOF) {
				doc.err = errors.New("the document is cut off")
			}
			end = len(data) // go on where the next document may begin
			if next := bytes.Index(data[1:], []byte("\n{")); next >= 0 {
				end = next + 2
			}
		}
		docs = append(docs, doc)
		line += bytes.Count(data[:end], []byte("\n"))
		data = data[end:]
	}
}

func splitYAML(data []byte, most int) []document {
	var docs []document
	start, startLine, line := 0, 1, 0
	flush := func(end int) {
		if body := data[start:end]; !blank(body) {
			docs = append(docs, document{number: len(docs) + 1, line: startLine, yaml: true, body: body})
		}
	}
	for at := 0; at < len(data); {
		next := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		line++
		text := data[at:next]
		if bytes.HasPrefix(text, []byte("---")) && (len(text) == 3 || bytes.IndexByte([]byte(" \t\r\n"), text[3]) >= 0) {
			flush(at)
			start, startLine = at+3, line
			if len(docs) == most {
				return append(docs, document{number: len(docs) + 1, line: line, err: errDocuments})
			}
		}
		at = next
	}
	flush(len(data))
	return docs
}

// blank says whether there is nothing but white space, comments and the marks
// of a document's end.
func blank(body []byte) bool {
	for text := range bytes.Lines(body) {
		if text = bytes.TrimSpace(text); len(text) > 0 && text[0] != '#' && string(text) != "..." {
			return false
		}
	}
	return true
}

// splitItems takes a List as kubectl prints it apart without parsing it, so
// that its items can be parsed one by one and in parallel. It declines what is
// laid out in another way.
func splitItems(doc []byte) (head []byte, items [][]byte, lines []int, ok bool) {
	at, line := 0, 0
	var item []byte
	inside := false
	flush := func() {
		if item != nil {
			items = append(items, item)
			item = nil
		}
	}
	for at < len(doc) {
		next := len(doc)
		if i := bytes.IndexByte(doc[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		text := doc[at:next]
		at = next
		first := text[0]
		switch {
		case !inside && string(bytes.TrimRight(text, " \r\n")) == "items:":
			if items != nil {
				return nil, nil, nil, false
			}
			inside = true
		case inside && bytes.HasPrefix(text, []byte("- ")):
			flush()
			lines = append(lines, line)
			item = append([]byte("  "), text[2:]...)
		case inside && (first == ' ' || first == '\n' || first == '\r') && item != nil:
			item = append(item, text...)
		case inside && first != '-':
			flush()
			inside = false
			head = append(head, text...)
		case inside:
			return nil, nil, nil, false
		default:
			head = append(head, text...)
		}
		line++
	}
	flush()
	return head, items, lines, len(items) > 0
}

var logStart = regexp.MustCompile(`(?m)^==== START logs for container (\S+) of pod ([^\s/]+)/(\S+) ====\r?\n`)

type dumpedLog struct{ container, namespace, pod, text string }

// cutLogs takes the logs out of what `kubectl cluster-info dump` writes, and
// leaves their lines empty so that line numbers stay true.
func cutLogs(data []byte) ([]byte, []dumpedLog) {
	var rest []byte
	var logs []dumpedLog
	for {
		m := logStart.FindSubmatchIndex(data)
		if m == nil {
			return append(rest, data...), logs
		}
		part := func(i int) string { return string(data[m[2*i]:m[2*i+1]]) }
		log := dumpedLog{container: part(1), namespace: part(2), pod: part(3)}
		end := fmt.Appendf(nil, "==== END logs for container %s of pod %s/%s ====", log.container, log.namespace, log.pod)
		text, after := data[m[1]:], []byte(nil)
		if i := bytes.Index(text, end); i >= 0 {
			text, after = text[:i], text[i+len(end):]
		}
		log.text = string(bytes.ToValidUTF8(text, []byte("\ufffd")))
		logs = append(logs, log)
		rest = append(rest, data[:m[0]]...)
		rest = append(rest, bytes.Repeat([]byte("\n"), 1+bytes.Count(text, []byte("\n")))...)
		data = after
	}
}
