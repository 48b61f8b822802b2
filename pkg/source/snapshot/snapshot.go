// Package snapshot is dumps as a source of facts: what kubectl wrote, folders
// and archives of it, and the suite's own recordings, which it also writes,
// with what is secret taken out.
package snapshot

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Options are what Read may be told. The zero value is usable.
type Options struct {
	// Now is the moment of judgement for a dump that carries no time at all.
	Now time.Time
	// MaxFile, MaxTotal (bytes, after decompression) and MaxFiles bound what
	// is read. Zero means 1 GiB, 4 GiB and 100,000.
	MaxFile, MaxTotal int64
	MaxFiles          int
}

// Read reads dumps into a Store: files and folders of `kubectl get -o yaml` or
// json, `kubectl cluster-info dump`, archives of them (.tar, .tar.gz, .tgz,
// .gz), and what Write wrote; "-" is stdin. What cannot be understood is a gap
// that names the file, the document and the line; the rest is read. The error
// is for a path that cannot be opened and for a dump without any object.
//
// The moment of judgement is the recorded one, or the newest time that any
// object of the dump tells.
func Read(paths []string, stdin io.Reader, opts Options) (*source.Store, []source.Gap, error) {
	d := newDump(opts)
	w := &walker{limits: limitsOf(opts), member: d.read, refuse: d.refuse}
	for _, path := range paths {
		if err := w.walk(path, stdin); err != nil {
			return nil, nil, fmt.Errorf("cannot read the snapshot: %w", err)
		}
	}
	d.untold(paths)
	if d.documents == 0 {
		return nil, nil, fmt.Errorf("the snapshot %s holds no Kubernetes objects%s; make one with --save-snapshot, or with: kubectl get all,events -o yaml", strings.Join(paths, " "), firstReason(d.gaps))
	}
	return d.store(), source.SortGaps(d.gaps), nil
}

func firstReason(gaps []source.Gap) string {
	if len(gaps) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", gaps[0].Resource, gaps[0].Detail)
}
