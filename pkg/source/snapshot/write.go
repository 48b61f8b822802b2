package snapshot

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/leadsman-dev/leadsman/pkg/redact"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Save writes a snapshot to a file that only its owner can read: whole, or not
// at all. A name that ends in .gz is compressed; .tgz and .tar.gz become an
// archive of one file.
func Save(path string, c source.Contents) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return saveInto(path, c)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".snapshot-*") // 0600
	if err != nil {
		return fmt.Errorf("cannot save the snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("cannot save the snapshot: %w", err)
		}
	}()
	if err := writeAs(f, path, c); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// saveInto writes to what is no file, such as a pipe or /dev/null, which must
// not be replaced by one.
func saveInto(path string, c source.Contents) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		err = errors.Join(writeAs(f, path, c), f.Close())
	}
	if err != nil {
		return fmt.Errorf("cannot save the snapshot: %w", err)
	}
	return nil
}

func writeAs(f io.Writer, path string, c source.Contents) error {
	name := strings.ToLower(path)
	switch {
	case strings.HasSuffix(name, ".tgz"), strings.HasSuffix(name, ".tar.gz"):
		var body bytes.Buffer
		if err := Write(&body, c); err != nil {
			return err
		}
		gz := gzip.NewWriter(f)
		tw := tar.NewWriter(gz)
		if err := tw.WriteHeader(&tar.Header{Name: "snapshot.yaml", Mode: 0o600, Size: int64(body.Len()), ModTime: c.Now}); err != nil {
			return err
		}
		if _, err := body.WriteTo(tw); err != nil {
			return err
		}
		return cmp.Or(tw.Close(), gz.Close())
	case strings.HasSuffix(name, ".gz"):
		gz := gzip.NewWriter(f)
		return cmp.Or(Write(gz, c), gz.Close())
	}
	return Write(f, c)
}

// Write writes what a Store holds as YAML documents that kubectl users can
// read: a header, a List for each kind, the logs, the answers to live
// questions. What is secret is left out
// (see redact.go). The same contents give the same bytes.
func Write(w io.Writer, c source.Contents) error {
	out := &writer{w: bufio.NewWriter(w)}
	out.header(c)
	for _, gk := range slices.SortedFunc(maps.Keys(c.Objects), compareKinds) {
		out.objects(gk, c)
	}
	for _, l := range c.Logs {
		out.log(l)
	}
	for _, a := range c.Answers {
		out.answers(a)
	}
	return cmp.Or(out.err, out.w.Flush())
}

func compareKinds(a, b schema.GroupKind) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
}

type writer struct {
	w   *bufio.Writer
	err error
}

func (w *writer) header(c source.Contents) {
	h := header{APIVersion: ownVersion, Kind: "Snapshot", Now: c.Now, Kinds: tableOf(c.Kinds, scheme.Kinds())}
	for _, g := range c.KindGap {
		h.KindGaps = append(h.KindGaps, *plainGap(&g))
	}
	for _, a := range c.Asked {
		q := a.Query
		h.Asked = append(h.Asked, asked{
			Group: q.Kind.Group, Kind: q.Kind.Kind, Namespace: q.Namespace, Name: q.Name, Labels: q.Labels,
			Fields: q.Fields, Metadata: q.Metadata, ResourceVersion: a.ResourceVersion, Gap: plainGap(a.Gap),
		})
	}
	w.document(h)
}

func (w *writer) log(l source.LogText) {
	q := l.Query
	w.document(containerLog{
		APIVersion: ownVersion, Kind: "ContainerLog", Namespace: q.Namespace, Pod: q.Pod, UID: q.UID, Container: q.Container,
		Previous: q.Previous, Lines: q.Lines, Gap: plainGap(l.Gap), Text: redact.Text(l.Text),
	})
}

func (w *writer) answers(a source.Answers) {
	var body map[string]any
	if err := utiljson.Unmarshal(a.Document, &body); err != nil {
		w.fail(fmt.Errorf("the answers about %s: %w", a.About, err))
		return
	}
	redactTree(body)
	w.document(map[string]any{"apiVersion": ownVersion, "kind": "Answers", "about": a.About, "answers": body})
}

// objects writes the objects of a kind: those that were read in full as a v1
// List, the others as lists of metadata that name the kind.
func (w *writer) objects(gk schema.GroupKind, c source.Contents) {
	var full []source.Object
	partial := map[typeMeta][]source.Object{}
	for _, o := range c.Objects[gk] {
		if !source.MetadataOnly(o) && gk != secret { // of which a read gives metadata alone
			full = append(full, o)
			continue
		}
		version, kind := identity(gk, o, c.Kinds).ToAPIVersionAndKind()
		of := typeMeta{Group: gk.Group, Kind: kind, APIVersion: version}
		partial[of] = append(partial[of], o)
	}
	if len(full) > 0 {
		w.raw("---\napiVersion: v1\nkind: List\nitems:\n")
		for _, o := range full {
			w.item(gk, o, c.Kinds, nil)
		}
	}
	for _, of := range slices.SortedFunc(maps.Keys(partial), func(a, b typeMeta) int { return cmp.Compare(a.APIVersion, b.APIVersion) }) {
		w.raw("---\napiVersion: meta.k8s.io/v1\nkind: PartialObjectMetadataList\n")
		w.yaml(map[string]any{"of": map[string]any{"group": of.Group, "kind": of.Kind, "apiVersion": of.APIVersion}})
		w.raw("items:\n")
		for _, o := range partial[of] {
			w.item(gk, o, c.Kinds, &of)
		}
	}
}

// identity is the kind that the object itself states, or the one under which
// it is kept.
func identity(gk schema.GroupKind, o source.Object, kinds []source.Kind) schema.GroupVersionKind {
	if gvk := o.GetObjectKind().GroupVersionKind(); gvk.Version != "" && gvk.Kind == gk.Kind {
		return gvk
	}
	for _, k := range append(slices.Clone(kinds), scheme.Kinds()...) {
		if k.GroupKind() == gk {
			return k.GVK()
		}
	}
	return gk.WithVersion("v1")
}

func (w *writer) item(gk schema.GroupKind, o source.Object, kinds []source.Kind, of *typeMeta) {
	content, err := toMap(o)
	if err != nil {
		w.fail(fmt.Errorf("%s/%s: %w", gk.Kind, o.GetName(), err))
		return
	}
	content["apiVersion"], content["kind"] = identity(gk, o, kinds).ToAPIVersionAndKind()
	if of != nil {
		content["apiVersion"], content["kind"] = "meta.k8s.io/v1", "PartialObjectMetadata"
	}
	redactObject(gk, content)
	w.yaml([]any{content})
}

func (w *writer) document(v any) {
	content, err := toMap(v)
	if err != nil {
		w.fail(err)
		return
	}
	w.raw("---\n")
	w.yaml(content)
}

func toMap(v any) (map[string]any, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	content := map[string]any{}
	return content, utiljson.Unmarshal(body, &content)
}

func (w *writer) yaml(v any) {
	body, err := yaml.Marshal(v)
	if err != nil {
		w.fail(err)
		return
	}
	w.raw(string(body))
}

func (w *writer) raw(text string) {
	if w.err == nil {
		_, w.err = w.w.WriteString(text)
	}
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
