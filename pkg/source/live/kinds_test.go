package live

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func titles(kinds []source.Kind) string {
	var all []string
	for _, k := range kinds {
		all = append(all, k.Title()+" "+k.Version)
	}
	return strings.Join(all, ", ")
}

func TestKindsAreTheBuiltInOnesThatAreServedAndThenTheOthers(t *testing.T) {
	c := newCluster(t)
	stale := version("v1beta1")
	stale.Freshness = apidiscovery.DiscoveryFreshnessStale
	c.serveDiscovery(
		[]apidiscovery.APIGroupDiscovery{group("", version("v1", "configmaps:ConfigMap", "pods:Pod"))},
		[]apidiscovery.APIGroupDiscovery{
			group("zebra.io", version("v2", "zebras:Zebra"), version("v1", "zebras:Zebra", "foals:Foal")),
			group("metrics.k8s.io", stale),
			group("autoscaling", version("v1", "horizontalpodautoscalers:HorizontalPodAutoscaler"), version("v2", "horizontalpodautoscalers:HorizontalPodAutoscaler")),
			group("policy", version("v1beta1", "poddisruptionbudgets:PodDisruptionBudget")),
			group("apple.io", version("v1", "apples:Apple")),
		})
	s := c.source(t, Options{})
	kinds, gaps := s.Kinds(context.Background())
	want := "pods v1, configmaps v1, horizontalpodautoscalers.autoscaling v2, poddisruptionbudgets.policy v1beta1, " +
		"zebras.zebra.io v2, foals.zebra.io v1, apples.apple.io v1"
	if diff := cmp.Diff(want, titles(kinds)); diff != "" {
		t.Error(diff)
	}
	wantGaps := []source.Gap{{Resource: "metrics.k8s.io", Reason: source.ServerError, Detail: "the API server of this group does not answer: see kubectl get apiservices"}}
	if diff := cmp.Diff(wantGaps, gaps); diff != "" {
		t.Error(diff)
	}
	s.Kinds(context.Background())
	if requests, _ := s.Budget(); requests != 2 {
		t.Errorf("%d requests", requests)
	}
}

func TestABuiltInKindIsReadWithoutDiscovery(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/pods", inProtobuf(t, podList("1", "")))
	if _, err := c.source(t, Options{}).Read(context.Background(), source.Query{Kind: pods}); err != nil {
		t.Fatal(err)
	}
	if calls := c.called(); len(calls) != 1 {
		t.Errorf("calls: %q", calls)
	}
}

func TestAnOldServersVersionIsReadIntoTheGoType(t *testing.T) {
	c := newCluster(t)
	c.serveDiscovery(nil, []apidiscovery.APIGroupDiscovery{group("policy", version("v1beta1", "poddisruptionbudgets:PodDisruptionBudget"))})
	c.mux.HandleFunc("/apis/policy/v1beta1/poddisruptionbudgets", inJSON(`{"kind":"PodDisruptionBudgetList","apiVersion":"policy/v1beta1","metadata":{},"items":[{"metadata":{"name":"p"},"spec":{"minAvailable":1}}]}`))
	r, err := c.source(t, Options{}).Read(context.Background(), source.Query{Kind: schema.GroupKind{Group: "policy", Kind: "PodDisruptionBudget"}})
	if err != nil || r.Gap != nil || len(r.Objects) != 1 {
		t.Fatal(err, r)
	}
	pdb := r.Objects[0].(*policyv1.PodDisruptionBudget)
	if pdb.APIVersion != "policy/v1beta1" || pdb.Spec.MinAvailable.IntValue() != 1 {
		t.Errorf("%+v", pdb)
	}
}

func TestFilesOfTheDiscoveryCacheCostNoRequestAndAreAskedOnceMoreForAnUnknownKind(t *testing.T) {
	c := newCluster(t)
	c.serveDiscovery([]apidiscovery.APIGroupDiscovery{group("", version("v1", "pods:Pod"))},
		[]apidiscovery.APIGroupDiscovery{group("example.com", version("v1", "widgets:Widget"))})
	c.mux.HandleFunc("/apis/example.com/v1/widgets", inJSON(`{"kind":"WidgetList","apiVersion":"example.com/v1","metadata":{},"items":[]}`))
	dir := t.TempDir()
	write := func(path, body string) {
		file := filepath.Join(dir, "discovery", path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("servergroups.json", `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"","versions":[{"groupVersion":"v1","version":"v1"}],"preferredVersion":{"groupVersion":"v1","version":"v1"}}]}`)
	write("v1/serverresources.json", `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[{"name":"pods","kind":"Pod","namespaced":true,"verbs":["list"]}]}`)
	s := New(&getter{config: &rest.Config{Host: c.URL}, dir: dir}, Options{})
	kinds, gaps := s.Kinds(context.Background())
	if titles(kinds) != "pods v1" || gaps != nil || len(c.called()) != 0 {
		t.Errorf("%s, %v, %q", titles(kinds), gaps, c.called())
	}
	r, err := s.Read(context.Background(), source.Query{Kind: schema.GroupKind{Group: "example.com", Kind: "Widget"}})
	if err != nil || r.Gap != nil {
		t.Fatal(err, r.Gap)
	}
	r, err = s.Read(context.Background(), source.Query{Kind: schema.GroupKind{Group: "example.com", Kind: "Gadget"}})
	if err != nil || r.Gap == nil || r.Gap.Reason != source.NotServed {
		t.Fatal(err, r.Gap)
	}
	if calls := c.called(); len(calls) != 3 { // /api, /apis, the widgets
		t.Errorf("calls: %q", calls)
	}
}

func TestAServerWithoutAggregatedDiscovery(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api", inJSON(`{"kind":"APIVersions","versions":["v1"]}`))
	c.mux.HandleFunc("/apis", inJSON(`{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"example.com","versions":[{"groupVersion":"example.com/v1","version":"v1"}]}]}`))
	c.mux.HandleFunc("/api/v1", inJSON(`{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods","kind":"Pod","namespaced":true,"verbs":["list"]}]}`))
	c.mux.HandleFunc("/apis/example.com/v1", status(503, "ServiceUnavailable", "", "away"))
	kinds, gaps := c.source(t, Options{}).Kinds(context.Background())
	if titles(kinds) != "pods v1" || len(gaps) != 1 || gaps[0].Resource != "example.com/v1" {
		t.Errorf("%s, %+v", titles(kinds), gaps)
	}
}

func TestWithoutDiscoveryTheBuiltInKindsRemain(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/", status(403, "Forbidden", "", "no discovery for you"))
	s := c.source(t, Options{})
	kinds, gaps := s.Kinds(context.Background())
	if len(kinds) != len(s.builtin) || len(gaps) != 1 || gaps[0].Reason != source.Forbidden {
		t.Errorf("%d kinds, %+v", len(kinds), gaps)
	}
}

func TestACacheThatCannotBeWrittenIsNoFault(t *testing.T) {
	c := newCluster(t)
	c.serveDiscovery([]apidiscovery.APIGroupDiscovery{group("", version("v1", "pods:Pod"))}, nil)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	kinds, gaps := New(&getter{config: &rest.Config{Host: c.URL}, dir: file}, Options{}).Kinds(context.Background())
	if titles(kinds) != "pods v1" || gaps != nil {
		t.Errorf("%s, %+v", titles(kinds), gaps)
	}
}
