package snapshot

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

const recordingKind = "Recording"

// longestLine and longestAnswer bound what a stranger's file may make us hold,
// in bytes.
const (
	longestLine   = 64 << 20
	longestAnswer = 1 << 30
)

// journalHead is the first line of a recording.
type journalHead struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// journalEntry is every other line: one source.Happening, or a part of one.
type journalEntry struct {
	At       time.Time       `json:"at"`
	Query    *queryEntry     `json:"query,omitempty"`
	Answer   *answerEntry    `json:"answer,omitempty"`
	Change   watch.EventType `json:"change,omitempty"`
	Object   rawMessage      `json:"object,omitempty"`
	Forget   bool            `json:"forget,omitempty"`
	Kinds    *kindTable      `json:"kinds,omitempty"`
	KindGaps []gap           `json:"kindGaps,omitempty"`
	Log      *logEntry       `json:"log,omitempty"`
	Note     *noteEntry      `json:"note,omitempty"`
	Tick     bool            `json:"tick,omitempty"` // time has passed, and nothing else
}

type queryEntry struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Labels    string `json:"labels,omitempty"`
	Fields    string `json:"fields,omitempty"`
	Metadata  bool   `json:"metadata,omitempty"`
	Owned     bool   `json:"owned,omitempty"`
}

// answerEntry is an answer, or a part of one: the parts are counted from zero,
// and all but the last say that there is more.
type answerEntry struct {
	ResourceVersion string       `json:"resourceVersion,omitempty"`
	Gap             *gap         `json:"gap,omitempty"`
	Objects         []rawMessage `json:"objects,omitempty"`
	Part            int          `json:"part,omitempty"`
	More            bool         `json:"more,omitempty"`
}

type logEntry struct {
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod"`
	UID       string `json:"uid,omitempty"`
	Container string `json:"container,omitempty"`
	Previous  bool   `json:"previous,omitempty"`
	Lines     int    `json:"lines,omitempty"`
	Gap       *gap   `json:"gap,omitempty"`
	Text      string `json:"text,omitempty"`
}

type noteEntry struct {
	About    string     `json:"about"`
	Document rawMessage `json:"document"`
}

// Replay tells again what a Journal wrote down.
type Replay struct {
	in     *bufio.Reader
	closer io.Closer
	d      *decoder
	line   int
	last   time.Time
	err    error // that ends it
}

// OpenJournal begins to read a recording, compressed or not.
func OpenJournal(r io.Reader) (*Replay, error) {
	in, err := unpack(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("cannot replay: %w", err)
	}
	p := &Replay{in: in, d: newDecoder()}
	text, err := p.next()
	if err != nil && len(text) == 0 {
		if errors.Is(err, io.EOF) {
			err = errors.New("the recording is empty")
		}
		return nil, fmt.Errorf("cannot replay: %w", err)
	}
	var head journalHead
	failed := json.Unmarshal(text, &head)
	switch {
	case failed != nil && err != nil && bytes.HasPrefix([]byte(`{"apiVersion":"`+ownVersion), text[:min(len(text), 15)]):
		return nil, fmt.Errorf("cannot replay: %w", p.cut())
	case failed != nil && (bytes.Contains(text, []byte("apiVersion")) || bytes.HasPrefix(text, []byte("---"))), head.Kind == "Snapshot":
		return nil, errors.New("cannot replay: this is no recording; if it is a snapshot, read it with --snapshot")
	case failed != nil, head.Kind != recordingKind:
		return nil, errors.New("cannot replay: the first line is not that of a recording, as --record writes it")
	case head.APIVersion != ownVersion:
		return nil, fmt.Errorf("cannot replay: the recording is of version %q, and only %s is known", head.APIVersion, ownVersion)
	}
	return p, nil
}

// OpenJournalFile opens a recording by name; "-" is stdin.
func OpenJournalFile(path string, stdin io.Reader) (*Replay, error) {
	if path == "-" {
		if stdin == nil {
			return nil, errors.New("cannot replay: there is no standard input")
		}
		return OpenJournal(stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot replay: %w", err)
	}
	p, err := OpenJournal(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	p.closer = f
	return p, nil
}

// Close closes the file that OpenJournalFile opened.
func (p *Replay) Close() error {
	if p.closer == nil {
		return nil
	}
	return p.closer.Close()
}

// Next is the next happening, io.EOF after the last, and io.ErrUnexpectedEOF,
// wrapped, where the recording breaks off within a line. A line that cannot be
// understood is an error that names it; Next may then be called for the one
// after it.
func (p *Replay) Next() (source.Happening, error) {
	if p.err != nil {
		return source.Happening{}, p.err
	}
	h, err := p.happening()
	switch {
	case err == nil:
		p.last = h.At
		return h, nil
	case errors.Is(err, errLine):
		return source.Happening{}, fmt.Errorf("line %d of the recording %w", p.line, err)
	}
	p.err = err
	return source.Happening{}, err
}

// errLine marks an error of one line, which the next may not have.
var errLine = errors.New("cannot be understood")

// happening reads one line, or all those of a large answer.
func (p *Replay) happening() (source.Happening, error) {
	var first source.Happening
	for part, size := 0, 0; ; part++ {
		text, end := p.next()
		if len(text) == 0 {
			if errors.Is(end, io.EOF) && part > 0 {
				end = p.cut()
			}
			return first, end
		}
		var e journalEntry
		if err := json.Unmarshal(text, &e); err != nil {
			switch {
			case errors.Is(end, errInflated):
				return first, end
			case end != nil:
				return first, p.cut()
			}
			return first, fmt.Errorf("%w: %w", errLine, err)
		}
		h, err := p.read(e)
		switch {
		case err != nil:
			return h, fmt.Errorf("%w: %w", errLine, err)
		case e.Answer == nil && part == 0:
			return h, nil
		case e.Answer == nil || e.Answer.Part != part || part > 0 && h.Query != first.Query:
			return h, fmt.Errorf("%w: a part of the answer to a query is missing before it", errLine)
		case part > 0:
			h.Answer.Objects = append(first.Answer.Objects, h.Answer.Objects...)
		}
		if !e.Answer.More {
			return h, nil
		}
		if size += len(text); size > longestAnswer {
			return h, fmt.Errorf("line %d of the recording: an answer of more than %d bytes is not read: it is none that --record wrote", p.line, longestAnswer)
		}
		first = h
	}
}

// next is the next line that is not blank. The last one may come with an
// error, where nothing marks its end.
func (p *Replay) next() ([]byte, error) {
	for {
		p.line++
		var text []byte
		for {
			part, err := p.in.ReadSlice('\n')
			if len(text)+len(part) > longestLine {
				return nil, fmt.Errorf("line %d of the recording is longer than %d bytes and is not read: it is none that --record wrote", p.line, longestLine)
			}
			text = append(text, part...)
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if text = bytes.TrimSpace(text); err != nil || len(text) > 0 {
				return text, p.ending(err, len(text) > 0)
			}
			break
		}
	}
}

// ending tells a file that ends from one whose compression breaks off.
func (p *Replay) ending(err error, within bool) error {
	switch {
	case err == nil, errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF) && !within:
		return p.cut()
	}
	return fmt.Errorf("the recording cannot be read on after line %d: %w", p.line-1, err)
}

// cut is the error of a recording that breaks off.
func (p *Replay) cut() error {
	until := ""
	if !p.last.IsZero() {
		until = " after " + p.last.Format(time.RFC3339)
	}
	return fmt.Errorf("the recording breaks off in line %d%s, and what came before is whole: %w", p.line, until, io.ErrUnexpectedEOF)
}

func (p *Replay) read(e journalEntry) (source.Happening, error) {
	h := source.Happening{At: e.At, Forget: e.Forget, Change: e.Change}
	if q := e.Query; q != nil {
		h.Query = source.Query{
			Kind: schema.GroupKind{Group: q.Group, Kind: q.Kind}, Namespace: q.Namespace, Name: q.Name,
			Labels: q.Labels, Fields: q.Fields, Metadata: q.Metadata, Owned: q.Owned,
		}
	}
	if e.Query == nil && (e.Answer != nil || e.Change != "" || e.Forget) {
		return h, errors.New("it does not say of which query it is")
	}
	if e.Answer != nil {
		h.Answer = &source.Result{ResourceVersion: e.Answer.ResourceVersion, Gap: e.Answer.Gap.gap()}
		for _, text := range e.Answer.Objects {
			o, err := p.object(h.Query.Kind, text)
			if err != nil {
				return h, err
			}
			h.Answer.Objects = append(h.Answer.Objects, o)
		}
	}
	if err := p.change(&h, e.Object); err != nil {
		return h, err
	}
	if e.Kinds != nil {
		h.Kinds = append([]source.Kind{}, e.Kinds.over(slices.Clone(p.d.builtin))...)
	}
	for _, g := range e.KindGaps {
		h.KindGaps = append(h.KindGaps, *g.gap())
	}
	if l := e.Log; l != nil {
		q := source.LogQuery{Namespace: l.Namespace, Pod: l.Pod, UID: l.UID, Container: l.Container, Previous: l.Previous, Lines: l.Lines}
		h.Log = &source.LogText{Query: q, Text: l.Text, Gap: l.Gap.gap()}
	}
	if n := e.Note; n != nil {
		h.Note = &source.Note{About: n.About, Document: json.RawMessage(n.Document)}
	}
	if !e.Tick && nothing(h) {
		return h, errors.New("it says nothing that is known: it may be from a newer version")
	}
	return h, nil
}

func nothing(h source.Happening) bool {
	return h.Answer == nil && h.Change == "" && !h.Forget && h.Kinds == nil && len(h.KindGaps) == 0 && h.Log == nil && h.Note == nil
}

// change reads what a watch told, and whether it can have told that.
func (p *Replay) change(h *source.Happening, text rawMessage) (err error) {
	switch h.Change {
	case "", source.Lost, source.Resumed:
		if len(text) > 0 {
			return errors.New("it has an object without a change")
		}
	case watch.Added, watch.Modified, watch.Deleted:
		if len(text) == 0 {
			return fmt.Errorf("%s without an object", h.Change)
		}
		h.Object, err = p.object(h.Query.Kind, text)
	default:
		return fmt.Errorf("a change %q is not known: it may be from a newer version", h.Change)
	}
	return err
}

// object decodes an object. Those who read it trust that it is of the kind
// that was asked for.
func (p *Replay) object(gk schema.GroupKind, text rawMessage) (source.Object, error) {
	var named struct {
		Of *typeMeta `json:"of"`
	}
	if err := json.Unmarshal(text, &named); err != nil {
		return nil, err
	}
	r := p.d.decode(item{body: text}, typeMeta{}, named.Of)
	if r.err != nil {
		return nil, r.err
	}
	if r.kind != gk || r.object.GetName() == "" {
		return nil, fmt.Errorf("a %s %q cannot answer a query for %s", cmp.Or(r.kind.String(), "nameless kind"), r.object.GetName(), gk)
	}
	return r.object, nil
}
