package snapshot

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/leadsman-dev/leadsman/pkg/redact"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Journal writes down what happens, one line of JSON for each happening, so
// that Replay can tell it again. A line is whole or it is the last: a recording
// that was cut off at any moment can be read up to there. What is secret is
// left out, as Write leaves it out. It is safe for concurrent use.
type Journal struct {
	mu    sync.Mutex
	out   *bufio.Writer
	push  func() error // hands on what was written, so that a reader has it
	close func() error
	kinds []source.Kind
	told  map[string]int // what was redacted, numbered in order of appearance
	err   error          // why nothing more is written
}

// NewJournal begins a recording. An error of w is returned by the next Write.
func NewJournal(w io.Writer) *Journal {
	out := bufio.NewWriterSize(w, 64<<10)
	j := &Journal{out: out, push: out.Flush, close: out.Flush}
	j.begin()
	return j
}

// CreateJournal begins a recording in a file that only its owner can read, in
// place of one of that name; compressed, if the name ends in .gz. "-" is stdout.
func CreateJournal(path string, stdout io.Writer) (*Journal, error) {
	if path == "-" {
		return NewJournal(stdout), nil
	}
	f, err := createPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("cannot record: %w", err)
	}
	if !strings.HasSuffix(strings.ToLower(path), ".gz") {
		j := NewJournal(f)
		j.close = func() error { return cmp.Or(j.out.Flush(), f.Close()) }
		return j, nil
	}
	gz := gzip.NewWriter(f)
	j := &Journal{out: bufio.NewWriterSize(gz, 64<<10)}
	// A flush keeps what was learnt for compression: it costs a few bytes.
	j.push = func() error { return cmp.Or(j.out.Flush(), gz.Flush()) }
	j.close = func() error { return cmp.Or(j.out.Flush(), gz.Close(), f.Close()) }
	j.begin()
	return j, nil
}

// createPrivate makes the file anew, since one that is there may be readable
// by others or be a link to elsewhere. A pipe or device is written to as it is.
func createPrivate(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.Mode()&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeCharDevice) != 0:
		return os.OpenFile(path, os.O_WRONLY, 0)
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a directory", path)
	case err == nil:
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// Write adds what happened. A failure to write is returned once: the recording
// then ends, whole up to there, and further happenings are dropped without a
// word. What cannot be put into words is an error for itself; the recording
// goes on without it.
func (j *Journal) Write(h source.Happening) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.pending()
	}
	if h.Kinds != nil {
		j.kinds = h.Kinds
	}
	lines, err := j.lines(h)
	if err != nil {
		return fmt.Errorf("not recorded: %w", err)
	}
	for _, l := range lines {
		j.put(l)
	}
	j.flush()
	return j.pending()
}

// Close ends the recording.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	failed := j.err != nil
	if err := j.close(); err != nil && !failed {
		j.err = err
	}
	err := j.pending()
	j.err = errEnded
	return err
}

// errEnded stands for an error that was told.
var errEnded = errors.New("the recording has ended")

func (j *Journal) pending() error {
	if j.err == nil || errors.Is(j.err, errEnded) {
		return nil
	}
	err := j.err
	j.err = errEnded
	return fmt.Errorf("the recording ends here, what was recorded before can be replayed: %w", err)
}

func (j *Journal) begin() {
	head, err := json.Marshal(journalHead{APIVersion: ownVersion, Kind: recordingKind})
	j.err = err
	j.put(head)
	j.flush()
}

func (j *Journal) put(line []byte) {
	if j.err == nil {
		_, j.err = j.out.Write(append(line, '\n'))
	}
}

func (j *Journal) flush() {
	if j.err == nil {
		j.err = j.push()
	}
}

// partBytes is how long the objects of one line may be. The answer to a large
// query is written in several, so that no reader needs to hold a longer one.
const partBytes = 4 << 20

// lines are one line, or several where an answer is large.
func (j *Journal) lines(h source.Happening) ([][]byte, error) {
	e, err := j.entry(h)
	if err != nil {
		return nil, err
	}
	var lines [][]byte
	for a := e.Answer; a != nil && partOf(a.Objects) < len(a.Objects); a.Part++ {
		cut := partOf(a.Objects)
		first := e
		first.Answer = &answerEntry{Objects: a.Objects[:cut], Part: a.Part, More: true}
		line, err := json.Marshal(first)
		if err != nil {
			return nil, err
		}
		lines, a.Objects = append(lines, line), a.Objects[cut:]
	}
	line, err := json.Marshal(e)
	return append(lines, line), err
}

// partOf is how many of the objects fit into one line.
func partOf(objects []rawMessage) int {
	size := 0
	for i, o := range objects {
		if size += len(o); i > 0 && size > partBytes {
			return i
		}
	}
	return len(objects)
}

func (j *Journal) entry(h source.Happening) (journalEntry, error) {
	e := journalEntry{At: h.At.UTC(), Forget: h.Forget, Change: h.Change, Tick: nothing(h)}
	if h.Query != (source.Query{}) {
		q := h.Query
		e.Query = &queryEntry{q.Kind.Group, q.Kind.Kind, q.Namespace, q.Name, q.Labels, q.Fields, q.Metadata, q.Owned}
	}
	if h.Kinds != nil {
		table := tableOf(h.Kinds, scheme.Kinds())
		e.Kinds = &table
	}
	for _, g := range h.KindGaps {
		e.KindGaps = append(e.KindGaps, *plainGap(&g))
	}
	if l := h.Log; l != nil {
		q := l.Query
		e.Log = &logEntry{q.Namespace, q.Pod, q.UID, q.Container, q.Previous, q.Lines, plainGap(l.Gap), redact.Text(l.Text)}
	}
	if r := h.Answer; r != nil {
		e.Answer = &answerEntry{ResourceVersion: r.ResourceVersion, Gap: plainGap(r.Gap)}
		for _, o := range r.Objects {
			text, err := j.object(h.Query.Kind, o)
			if err != nil {
				return e, err
			}
			e.Answer.Objects = append(e.Answer.Objects, text)
		}
	}
	var err error
	if h.Object != nil {
		e.Object, err = j.object(h.Query.Kind, h.Object)
	}
	if n := h.Note; n != nil && err == nil {
		var content any
		if err := utiljson.Unmarshal(n.Document, &content); err != nil {
			return e, fmt.Errorf("the note about %s: %w", n.About, err)
		}
		e.Note = &noteEntry{About: n.About}
		e.Note.Document, err = json.Marshal(redactTree(content))
	}
	return e, err
}

func plainGap(g *source.Gap) *gap {
	written := gapOf(g)
	if written != nil {
		written.Detail = redact.Text(written.Detail)
	}
	return written
}

// object is an object as text, in as few words as tell the same.
func (j *Journal) object(gk schema.GroupKind, o source.Object) (rawMessage, error) {
	content, err := toMap(o)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", gk.Kind, o.GetName(), err)
	}
	version, kind := identity(gk, o, j.kinds).ToAPIVersionAndKind()
	content["apiVersion"], content["kind"] = version, kind
	if metadata, ok := content["metadata"].(map[string]any); ok {
		leanManagers(gk, metadata)
	}
	if err := j.redact(gk, content, o); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", gk.Kind, o.GetName(), err)
	}
	if source.MetadataOnly(o) || gk == secret {
		content["apiVersion"], content["kind"] = "meta.k8s.io/v1", "PartialObjectMetadata"
		content["of"] = typeMeta{Group: gk.Group, Kind: kind, APIVersion: version}
	}
	return json.Marshal(content)
}

// redact takes out what is secret. What a template had there is numbered: two
// revisions that differ in a password alone must stay two.
func (j *Journal) redact(gk schema.GroupKind, content map[string]any, o source.Object) error {
	redactObject(gk, content)
	switch {
	case gk.Group != "apps", source.MetadataOnly(o):
		return nil
	}
	full, err := toMap(o)
	if err == nil {
		if j.told == nil {
			j.told = map[string]int{}
		}
		for _, part := range []string{"spec", "data"} {
			content[part] = j.number(full[part], content[part])
			if content[part] == nil {
				delete(content, part)
			}
		}
	}
	return err
}

// numbered is what was recorded before.
var numbered = regexp.MustCompile(`^\(redacted\)#[0-9]+$`)

// number walks a tree beside its redacted copy, which has the same shape.
func (j *Journal) number(full, copied any) any {
	switch c := copied.(type) {
	case map[string]any:
		f, _ := full.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(c)) {
			c[key] = j.number(f[key], c[key])
		}
	case []any:
		if f, ok := full.([]any); ok && len(f) == len(c) {
			for i := range c {
				c[i] = j.number(f[i], c[i])
			}
		}
	case string:
		if f, ok := full.(string); ok && f != c {
			if numbered.MatchString(f) {
				return f
			}
			if _, seen := j.told[f]; !seen {
				j.told[f] = len(j.told) + 1
			}
			return strings.ReplaceAll(c, redact.Mark, fmt.Sprintf("%s#%d", redact.Mark, j.told[f]))
		}
	}
	return copied
}

// leanManagers drops managedFields, which are long, where nobody asks who wrote
// and when: that is asked of what is rolled out and of custom objects.
func leanManagers(gk schema.GroupKind, metadata map[string]any) {
	entries, _ := metadata["managedFields"].([]any)
	rolled := gk.Group == "apps" && (gk.Kind == "Deployment" || gk.Kind == "StatefulSet" || gk.Kind == "DaemonSet")
	custom := strings.Contains(gk.Group, ".") && !strings.HasSuffix(gk.Group, ".k8s.io")
	if !rolled && !custom {
		delete(metadata, "managedFields")
	}
	for _, e := range entries {
		if entry, ok := e.(map[string]any); ok {
			delete(entry, "fieldsV1")
		}
	}
}
