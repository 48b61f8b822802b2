package live

import (
	"context"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// discovered is what discovery said, the built-in kinds first. Without an
// answer it is the built-in kinds and a gap.
type discovered struct {
	kinds  []source.Kind
	gaps   []source.Gap
	byKind map[schema.GroupKind]source.Kind
	fresh  bool // not from files that may be six hours old
}

// Kinds implements source.Source: one version of each kind, the built-in ones
// first, the others in the server's order. Of a built-in kind it is the
// version of its Go type where the server has that, else what the server
// prefers; a kind it does not serve is left out.
func (s *Source) Kinds(ctx context.Context) ([]source.Kind, []source.Gap) {
	if _, err := s.connect(); err != nil {
		return s.builtin, []source.Gap{{Resource: "discovery", Reason: source.ServerError, Detail: err.Error()}}
	}
	d, err := s.discover(ctx, false)
	if err != nil {
		return s.builtin, []source.Gap{{Resource: "discovery", Reason: source.TimedOut, Detail: err.Error()}}
	}
	return d.kinds, d.gaps
}

// Refresh asks the server for its kinds anew where the answer so far came from
// files, which may be six hours old: a kind that was defined since is found.
func (s *Source) Refresh(ctx context.Context) {
	if _, err := s.connect(); err != nil {
		return // the next read says it
	}
	if _, err := s.discover(ctx, true); err != nil {
		return // the end of ctx, which the caller sees itself
	}
}

// kindOf finds how a kind is served. A built-in kind does not wait for
// discovery; for a custom kind that the cached discovery lacks, the server is
// asked once.
func (s *Source) kindOf(ctx context.Context, gk schema.GroupKind) (source.Kind, bool, error) {
	if d := s.discovered.Load(); d != nil {
		if k, ok := d.byKind[gk]; ok {
			return k, true, nil
		}
	}
	if k, ok := s.known[gk]; ok {
		return k, true, nil
	}
	d, err := s.discover(ctx, false)
	if err == nil && !has(d, gk) && !d.fresh {
		d, err = s.discover(ctx, true)
	}
	if err != nil {
		return source.Kind{}, false, err
	}
	k, ok := d.byKind[gk]
	return k, ok, nil
}

func has(d *discovered, gk schema.GroupKind) bool {
	_, ok := d.byKind[gk]
	return ok
}

// otherVersion is where a kind is served now, after its path was not found.
func (s *Source) otherVersion(ctx context.Context, k source.Kind) (source.Kind, bool) {
	d, err := s.discover(ctx, false)
	if err == nil && d.byKind[k.GroupKind()].Version == k.Version && !d.fresh {
		d, err = s.discover(ctx, true)
	}
	if err != nil {
		return source.Kind{}, false
	}
	other, ok := d.byKind[k.GroupKind()]
	return other, ok && other.Version != k.Version
}

// discover asks once, or once more where the cached answer may be stale. Only
// the end of ctx is an error, and leaves nothing behind.
func (s *Source) discover(ctx context.Context, fresh bool) (*discovered, error) {
	release, err := hold(ctx, s.discovering)
	if err != nil {
		return nil, err
	}
	defer release()
	if d := s.discovered.Load(); d != nil && (d.fresh || !fresh) {
		return d, nil
	}
	answer, fromServer, err := s.ask(ctx, fresh)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	d := &discovered{fresh: fromServer}
	if err != nil {
		d.kinds, d.gaps = s.builtin, []source.Gap{s.discoveryGap(ctx, err)}
	} else {
		d.kinds, d.gaps = s.merge(answer)
	}
	d.byKind = make(map[schema.GroupKind]source.Kind, len(d.kinds))
	for _, k := range d.kinds {
		d.byKind[k.GroupKind()] = k
	}
	s.discovered.Store(d)
	return d, nil
}

func (s *Source) discoveryGap(ctx context.Context, err error) source.Gap {
	reason, detail, fatal := s.reasonFor(ctx, err, true)
	if fatal != nil {
		reason, detail = source.ServerError, fatal.Error()
	}
	return source.Gap{Resource: "discovery", Reason: reason, Detail: detail}
}

// answer is the groups in the server's order, and the resources of each version.
type answer struct {
	groups    []metav1.APIGroup
	resources map[schema.GroupVersion]*metav1.APIResourceList
	failed    map[schema.GroupVersion]error
}

// ask goes through the client that kubectl uses too: files that are at most six
// hours old at no request, else two requests for the aggregated documents,
// which then fill the files. Files that cannot be written are no fault.
func (s *Source) ask(ctx context.Context, fresh bool) (a answer, fromServer bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.conn.timeout)
	defer cancel()
	ctx = klog.NewContext(ctx, klog.New(quiet{klog.FromContext(ctx).GetSink()}))
	getter, err := s.getter.ToDiscoveryClient()
	if err != nil {
		return answer{}, true, configError(err)
	}
	if client, ok := getter.RESTClient().(*rest.RESTClient); ok && client != nil && client.Client != nil {
		client.Client.Transport = s.metered(client.Client.Transport)
	}
	if fresh {
		getter.Invalidate()
	}
	cached := discovery.ToCachedDiscoveryInterfaceWithContext(getter)
	groups, lists, err := discovery.ServerGroupsAndResourcesWithContext(ctx, cached)
	for try := 0; err != nil && len(groups) == 0; try++ { // client-go itself waits for a Retry-After alone
		pause, again := retryIn(err, try)
		if !again || apierrors.IsTooManyRequests(err) || sleep(ctx, pause) != nil {
			break
		}
		groups, lists, err = discovery.ServerGroupsAndResourcesWithContext(ctx, cached)
	}
	failed, partial := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partial {
		return answer{}, true, err
	}
	a = answer{resources: map[schema.GroupVersion]*metav1.APIResourceList{}, failed: failed}
	for _, g := range groups {
		a.groups = append(a.groups, *g)
	}
	for _, l := range lists {
		if gv, err := schema.ParseGroupVersion(l.GroupVersion); err == nil {
			a.resources[gv] = l
		}
	}
	return a, cached.FreshWithContext(ctx), nil
}

// metered counts the requests of discovery, once though the getter may keep
// its client from call to call.
func (s *Source) metered(next http.RoundTripper) http.RoundTripper {
	if m, ok := next.(*meter); ok && m.requests == &s.requests {
		return m
	}
	if next == nil {
		next = http.DefaultTransport
	}
	return &meter{next: next, requests: &s.requests, bytes: &s.bytes, answered: &s.answered}
}

// quiet keeps discovery from writing to standard error what becomes a gap.
type quiet struct{ klog.LogSink }

// Init implements logr.LogSink. The sink inside is everybody's, and already
// initialised: a second time would be a write under the readers' feet.
func (quiet) Init(klog.RuntimeInfo) {}

// Error implements logr.LogSink.
func (quiet) Error(error, string, ...any) {}

// WithName implements logr.LogSink.
func (q quiet) WithName(name string) klog.LogSink { return quiet{q.LogSink.WithName(name)} }

// WithValues implements logr.LogSink.
func (q quiet) WithValues(kv ...any) klog.LogSink { return quiet{q.LogSink.WithValues(kv...)} }

// merge orders the answer. A group that an extension API server fails to
// describe is a gap; its built-in kinds stay as they are known.
func (s *Source) merge(a answer) ([]source.Kind, []source.Gap) {
	served, order := map[schema.GroupKind]source.Kind{}, []schema.GroupKind{}
	for _, g := range a.groups {
		for _, version := range versionsOf(g) {
			list := a.resources[schema.GroupVersion{Group: g.Name, Version: version}]
			if list == nil {
				continue
			}
			for _, r := range list.APIResources {
				if strings.Contains(r.Name, "/") || r.Kind == "" {
					continue
				}
				k := kindFrom(g.Name, version, r)
				_, seen := served[k.GroupKind()]
				if !seen {
					order = append(order, k.GroupKind())
				}
				if !seen || s.known[k.GroupKind()].Version == version {
					served[k.GroupKind()] = k
				}
			}
		}
	}
	var kinds []source.Kind
	for _, k := range s.builtin {
		if now, ok := served[k.GroupKind()]; ok {
			kinds = append(kinds, now)
		} else if a.failed[k.GVK().GroupVersion()] != nil {
			kinds = append(kinds, k)
		}
	}
	for _, gk := range order {
		if _, builtin := s.known[gk]; !builtin {
			kinds = append(kinds, served[gk])
		}
	}
	return kinds, failures(a)
}

// versionsOf are a group's versions, the preferred one first.
func versionsOf(g metav1.APIGroup) []string {
	versions := []string{}
	if g.PreferredVersion.Version != "" {
		versions = append(versions, g.PreferredVersion.Version)
	}
	for _, v := range g.Versions {
		if !slices.Contains(versions, v.Version) {
			versions = append(versions, v.Version)
		}
	}
	return versions
}

func kindFrom(group, version string, r metav1.APIResource) source.Kind {
	k := source.Kind{
		Group: group, Version: version, Kind: r.Kind, Resource: r.Name, Singular: r.SingularName,
		Short: r.ShortNames, Namespaced: r.Namespaced, Listable: slices.Contains(r.Verbs, "list"),
	}
	if k.Singular == "" {
		k.Singular = strings.ToLower(r.Kind)
	}
	return k
}

// failures are the versions that could not be described, and the groups that
// aggregated discovery leaves without any since they are stale.
func failures(a answer) []source.Gap {
	var gaps []source.Gap
	for gv, err := range a.failed {
		gaps = append(gaps, source.Gap{Resource: gv.String(), Reason: source.ServerError, Detail: err.Error()})
	}
	for _, g := range a.groups {
		if len(g.Versions) == 0 && g.Name != "" {
			gaps = append(gaps, source.Gap{Resource: g.Name, Reason: source.ServerError, Detail: "the API server of this group does not answer: see kubectl get apiservices"})
		}
	}
	return source.SortGaps(gaps)
}
