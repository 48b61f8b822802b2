package snapshot

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// dump gathers what the files of a snapshot say.
type dump struct {
	opts      Options
	decoder   *decoder
	kept      *source.Store
	documents int // that were understood
	unread    int // that were not
	gaps      []source.Gap

	headers []header // of own recordings
	logs    []dumpedLog
	cover   coverage
	newest  time.Time
}

func newDump(opts Options) *dump {
	return &dump{opts: opts, decoder: newDecoder(), kept: source.NewStore(opts.Now), cover: newCoverage()}
}

// mostTold is how much of what could not be read is told one by one.
const mostTold = 100

func (d *dump) refuse(name, why string) {
	d.tell(source.Gap{Resource: name, Reason: source.Malformed, Detail: why})
}

func (d *dump) tell(g source.Gap) {
	if d.unread++; d.unread <= mostTold {
		d.gaps = append(d.gaps, g)
	}
}

// untold says how much more there is than was told.
func (d *dump) untold(paths []string) {
	if more := d.unread - mostTold; more > 0 {
		d.gaps = append(d.gaps, source.Gap{
			Resource: strings.Join(paths, " "), Reason: source.Malformed,
			Detail: fmt.Sprintf("%d more files, documents or objects could not be read either", more),
		})
	}
}

// read takes in one file.
func (d *dump) read(name string, data []byte) {
	if bytes.Contains(data, []byte("==== START logs for container ")) {
		var logs []dumpedLog
		data, logs = cutLogs(data)
		d.logs = append(d.logs, logs...)
		d.documents += len(logs)
	}
	if strings.EqualFold(path.Base(filepath.ToSlash(name)), "logs.txt") {
		return
	}
	d.cover.file(name)
	file := &file{dump: d, name: name}
	for _, doc := range documents(data) {
		file.document(doc)
	}
}

// file is the state while one file is read.
type file struct {
	*dump
	name string
	own  bool // a recording of the suite's: it says itself what it covers
}

func (f *file) malformed(doc document, line int, err error) *source.Gap {
	gap := source.Gap{Resource: f.name, Reason: source.Malformed, Detail: fmt.Sprintf("document %d, line %d: %v", doc.number, line, err)}
	f.tell(gap)
	return &gap
}

// list is a document's own fields; a single object is a list of one.
type list struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name     string `json:"name"`
		Continue string `json:"continue"`
	} `json:"metadata"`
	Of *typeMeta `json:"of"` // own recordings: the kind of metadata-only items

	items []item
}

type typeMeta struct {
	Group      string `json:"group,omitempty"`
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
}

// item is one object, still as text.
type item struct {
	body []byte
	yaml bool
	line int
}

func (f *file) document(doc document) {
	l, single, err := parseDocument(doc)
	if err != nil {
		f.malformed(doc, doc.line, err)
		return
	}
	if l.APIVersion == ownVersion {
		if err := f.ownDocument(l, single); err != nil {
			f.malformed(doc, doc.line, err)
			return
		}
		f.documents++
		return
	}
	results := f.decodeAll(l)
	var failed *source.Gap
	var seen []decoded
	for i, r := range results {
		if r.err != nil {
			failed = f.malformed(doc, l.items[i].line, r.err)
			continue
		}
		if r.unread != "" {
			f.tell(source.Gap{Resource: f.name, Kind: r.kind, Namespace: r.object.GetNamespace(), Name: r.object.GetName(), Reason: source.Malformed, Detail: r.unread})
		}
		f.kept.Put(r.kind, r.object)
		f.decoder.note(r)
		seen = append(seen, r)
		if !f.own && r.newest.After(f.newest) {
			f.newest = r.newest
		}
	}
	if failed == nil || len(seen) > 0 {
		f.documents++
	}
	if f.own {
		return
	}
	if single != nil {
		f.cover.single(f.decoder, seen)
	} else if l.Metadata.Continue == "" {
		f.cover.list(f.decoder, f.name, l, seen, failed)
	}
}

// parseDocument reads a document's own fields and takes its items apart. For
// a single object it is also given back whole.
func parseDocument(doc document) (list, []byte, error) {
	if doc.err != nil {
		return list{}, nil, doc.err
	}
	body := doc.body
	if doc.yaml {
		if head, parts, lines, ok := splitItems(body); ok {
			if l, err := parseHead(head); err == nil && l.isList() {
				for i, p := range parts {
					l.items = append(l.items, item{p, true, doc.line + lines[i]})
				}
				return l, nil, nil
			}
		}
		var err error
		if body, err = toJSON(body); err != nil {
			return list{}, nil, err
		}
	}
	var whole struct {
		list
		Items rawMessage `json:"items"`
	}
	if err := utiljson.Unmarshal(body, &whole); err != nil {
		return list{}, nil, err
	}
	l := whole.list
	if !l.isList() {
		l.items = []item{{body, false, doc.line}}
		return l, body, nil
	}
	var raws []rawMessage
	if len(whole.Items) > 0 {
		if err := utiljson.Unmarshal(whole.Items, &raws); err != nil {
			return list{}, nil, fmt.Errorf("items: %w", err)
		}
	}
	for _, r := range raws {
		l.items = append(l.items, item{r, false, doc.line})
	}
	return l, nil, nil
}

func parseHead(head []byte) (l list, err error) {
	body, err := toJSON(head)
	if err == nil {
		err = utiljson.Unmarshal(body, &l)
	}
	return l, err
}

func (l list) isList() bool {
	return strings.HasSuffix(l.Kind, "List") && l.Metadata.Name == ""
}

// itemKind is what the items of a typed list are, where they do not say it.
func (l list) itemKind() typeMeta {
	if l.Kind == "List" || !l.isList() {
		return typeMeta{}
	}
	return typeMeta{APIVersion: l.APIVersion, Kind: strings.TrimSuffix(l.Kind, "List")}
}

// decodeAll decodes items, many of them on all processors.
func (f *file) decodeAll(l list) []decoded {
	results := make([]decoded, len(l.items))
	workers := min(runtime.GOMAXPROCS(0), 1+len(l.items)/16)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(l.items); i += workers {
				results[i] = f.decoder.decode(l.items[i], l.itemKind(), l.Of)
				l.items[i].body = nil
			}
		})
	}
	wg.Wait()
	return results
}

// store is the Store of all that was read.
func (d *dump) store() *source.Store {
	now := d.newest
	if now.IsZero() {
		now = d.opts.Now
	}
	kinds, gaps := d.decoder.kinds(d.headers)
	for i, h := range d.headers {
		if i == 0 || h.Now.After(now) {
			now = h.Now
		}
		gaps = append(gaps, h.kindGaps()...)
	}
	d.kept.SetNow(now)
	if all := append(gaps, d.gaps...); len(all) > 0 {
		gaps = source.SortGaps(all)
	}
	d.kept.SetKinds(kinds, gaps)
	d.cover.declare(d.kept)
	for _, h := range d.headers {
		h.declare(d.kept)
	}
	d.putLogs()
	return d.kept
}

// putLogs gives the logs of a cluster-info dump the UID of their pod.
func (d *dump) putLogs() {
	for _, l := range d.logs {
		q := source.LogQuery{Namespace: l.namespace, Pod: l.pod, Container: l.container}
		found := d.kept.Find(source.Query{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: l.namespace, Name: l.pod})
		if len(found) == 1 {
			q.UID = string(found[0].GetUID())
		}
		text := source.LogText{Query: q, Text: tail(l.text, maxLog)}
		for _, failure := range []string{"Request log error: ", "Create log request error: "} {
			if why, ok := strings.CutPrefix(l.text, failure); ok {
				text.Text = ""
				text.Gap = &source.Gap{Resource: "pods/log", Namespace: l.namespace, Name: l.pod, Reason: source.ServerError, Detail: strings.TrimSpace(why)}
			}
		}
		d.kept.PutLog(text)
	}
}

const maxLog = 64 << 10

// tail is the end of a text, from the beginning of a line.
func tail(text string, size int) string {
	if len(text) <= size {
		return text
	}
	text = text[len(text)-size:]
	if _, rest, ok := strings.Cut(text, "\n"); ok {
		return rest
	}
	return strings.ToValidUTF8(text, "")
}
