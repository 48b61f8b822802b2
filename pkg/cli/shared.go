package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/redact"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/live"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Shared are the flags that every plugin has beside kubectl's own.
type Shared struct {
	Snapshot     []string
	SaveSnapshot string
	Color        term.ColorMode
	Learn        bool
	Explain      string
	PrintRBAC    bool
	FailOn       FailOn

	// Trim drops, in place, what the plugin's judgement does not read of an
	// object. A recording is made without it.
	Trim func(source.Object)
}

// AddFlags adds them. FailOn keeps the value it has as its default.
func (s *Shared) AddFlags(flags *pflag.FlagSet) {
	s.Color = term.ColorAuto
	flags.StringArrayVar(&s.Snapshot, "snapshot", nil, "Read a dump instead of a cluster: a file or directory of 'kubectl get -o yaml|json', a 'kubectl cluster-info dump' folder, a .tar.gz, or - for standard input. May be given several times.")
	flags.StringVar(&s.SaveSnapshot, "save-snapshot", "", "Also write all that was read to this file, with Secrets and token-like values removed; --snapshot reads it back.")
	flags.Var(&s.Color, "color", "When to use colour: auto, always or never. NO_COLOR and TERM=dumb mean never.")
	flags.BoolVar(&s.Learn, "learn", false, "Add one plain sentence about each kind and relation.")
	flags.StringVar(&s.Explain, "explain", "", "Print the page of a finding, such as tree/oom, or 'all' for a list, and exit.")
	flags.BoolVar(&s.PrintRBAC, "print-rbac", false, "Print the ClusterRole that this command needs, and exit.")
	flags.Var(&s.FailOn, "fail-on", "Exit with code 2 when a finding is at least this severe: error, warning or never.")
}

// Session is one run's source of facts and what it cost.
type Session struct {
	source.Source
	Watcher source.Watcher // nil for a snapshot

	recorder *snapshot.Recorder
	save     string
	live     *live.Source
	replay   *source.Store // nil for a cluster
	started  time.Time
	now      func() time.Time
}

// Open makes the source that the flags ask for. A cluster is not touched
// before the first read.
func (e *Env) Open(_ context.Context, s *Shared) (*Session, error) {
	session := &Session{started: e.Now(), now: e.Now, save: s.SaveSnapshot}
	if len(s.Snapshot) > 0 {
		store, _, err := snapshot.Read(s.Snapshot, e.Streams.In, snapshot.Options{Now: e.Now()})
		if err != nil {
			return nil, err
		}
		session.Source, session.replay = store, store // what of it could not be read is among its gaps
	} else {
		trim := s.Trim
		if s.SaveSnapshot != "" {
			trim = nil
		}
		clock := e.clusterClock()
		session.live = live.New(listening{e.Config, clock}, live.Options{Warnings: e.warnOnce(), Now: clock.Now, Trim: trim})
		session.Source, session.Watcher = session.live, session.live
	}
	if s.SaveSnapshot != "" {
		session.recorder = snapshot.NewRecorder(session.Source)
		session.Source = session.recorder
	}
	return session, nil
}

// Refresh asks a cluster for its kinds anew, and says whether that could help.
func (s *Session) Refresh(ctx context.Context) bool {
	if s.live == nil || ctx.Err() != nil {
		return false
	}
	s.live.Refresh(ctx)
	return true
}

// deprecatedOnPurpose begins the warning about Endpoints, which are read to see
// whether what still reads them is told the same as the EndpointSlices say.
const deprecatedOnPurpose = "v1 Endpoints is deprecated"

// warnOnce writes each of the server's warnings to standard error once.
func (e *Env) warnOnce() func(string) {
	var mu sync.Mutex
	seen := sets.New[string]()
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if !seen.Has(text) && !strings.HasPrefix(text, deprecatedOnPurpose) {
			seen.Insert(text)
			fmt.Fprintf(e.Streams.Err, "Warning: %s\n", term.Escape(redact.Text(text)))
		}
	}
}

// Keep records the answers to live questions in the snapshot that was asked for.
func (s *Session) Keep(a source.Answers) {
	if s.recorder != nil {
		s.recorder.Store().PutAnswers(a)
	}
}

// Replayed are the answers to live questions that a snapshot holds.
func (s *Session) Replayed() []source.Answers {
	if s.replay == nil {
		return nil
	}
	return s.replay.Answers()
}

// ErrNowhere says that no namespace of a snapshot has the object.
var ErrNowhere = errors.New("in which namespace is it? give -n NAMESPACE")

// NamespaceOf is the namespace in which a snapshot has the only object of this
// kind and name; ErrNowhere if none has it.
func (s *Session) NamespaceOf(ctx context.Context, ref object.Ref) (string, error) {
	result, err := s.Read(ctx, source.Query{Kind: ref.GroupKind(), Metadata: true})
	if err != nil {
		return "", err
	}
	var found []string
	for _, other := range result.Objects {
		if other.GetName() == ref.Name && !slices.Contains(found, other.GetNamespace()) {
			found = append(found, other.GetNamespace())
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("the snapshot has no %s; %w", ref, ErrNowhere)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s is in several namespaces of the snapshot: choose with -n one of %s", ref, strings.Join(found, ", "))
}

// Close writes the snapshot that was asked for.
func (s *Session) Close() error {
	if s.recorder == nil {
		return nil
	}
	return snapshot.Save(s.save, s.recorder.Store().Contents())
}

// Budget is what the answer cost so far.
func (s *Session) Budget() report.Budget {
	b := report.Budget{Seconds: s.now().Sub(s.started).Seconds(), Snapshot: s.live == nil}
	if s.live != nil {
		b.Requests, b.Bytes = s.live.Budget()
	}
	return b
}

// Namespace is the one that the flags and the kubeconfig choose. A snapshot
// has no kubeconfig: without -n it is "", every namespace of the dump.
func (e *Env) Namespace(s *Shared, all bool) (string, error) {
	switch {
	case all:
		return "", nil
	case e.Config.Namespace != nil && *e.Config.Namespace != "":
		return *e.Config.Namespace, nil
	case len(s.Snapshot) > 0:
		return "", nil
	}
	namespace, _, err := e.Config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("cannot read the kubeconfig: %w; check KUBECONFIG or give --kubeconfig", err)
	}
	return namespace, nil
}
