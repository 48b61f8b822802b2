package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// scene is a set of objects, and what must be drawn when one of them is asked
// about.
type scene struct {
	name      string
	manifests string
	then      []string // kubectl commands that follow
	asks      []ask
}

// ask is one question: the arguments, and the edges that the tree must hold,
// each as "RELATION KIND/NAME": the name of the relation and one end of it. The
// name may end in * for a generated one.
type ask struct {
	args  string
	draws []string
}

func scenes() []scene {
	return slices.Concat(workloadScenes(), templateScenes(), networkScenes(), gatewayScenes(), deviceScenes(), storageScenes(), scalingScenes(), rightsScenes(), controlScenes(), toolScenes())
}

func TestEveryRelationIsDrawn(t *testing.T) {
	installKinds(t)
	t.Run("scene", func(t *testing.T) {
		for _, s := range scenes() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				s.check(t)
			})
		}
	})
}

func (s scene) check(t *testing.T) {
	namespace := lab.Namespace(t, "relation-"+s.name)
	cleanUp(t, namespace, s.then)
	fill := func(text string) string { return strings.ReplaceAll(text, "NAMESPACE", namespace) }
	if err := lab.Apply(t.Context(), namespace, fill(s.manifests)); err != nil {
		t.Fatal(err)
	}
	for _, command := range s.then {
		if !strings.HasPrefix(command, atTheEnd) {
			kubectl(t, append([]string{"-n", namespace}, strings.Fields(fill(command))...)...)
		}
	}
	for _, a := range s.asks {
		answer, err := lab.Until(t.Context(), 20*time.Second, func(got Answer) error { return a.lacks(got.Report, fill) },
			append([]string{"-n", namespace}, strings.Fields(fill(a.args))...)...)
		if err != nil {
			t.Errorf("asked about %s: %v\n%s%s%s", fill(a.args), err, answer.Report.Outline(), drawn(answer.Report), answer.Stderr)
		}
	}
}

func (a ask) lacks(r Report, fill func(string) string) error {
	edges := r.Edges()
	for _, d := range a.draws {
		relation, object, _ := strings.Cut(fill(d), " ")
		prefix, generated := strings.CutSuffix(object, "*")
		is := func(n Node) bool {
			name := n.Object.String()
			return name == object || generated && strings.HasPrefix(name, prefix)
		}
		if !slices.ContainsFunc(edges, func(e Edge) bool { return e.Below.Relation == relation && (is(e.Above) || is(e.Below)) }) {
			return fmt.Errorf("no edge %s with %s", relation, object)
		}
	}
	return nil
}

func drawn(r Report) string {
	var b strings.Builder
	for _, n := range r.Rows() {
		fmt.Fprintf(&b, "    %s by %s: %s\n", n.Title, or(n.Relation, "-"), n.Why)
	}
	return b.String()
}

func TestEveryRowOfTheTableHasAScene(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(Root(), "pkg", "relation", "relations.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Relations []struct{ Name string }
	}
	if err := yaml.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, s := range scenes() {
		for _, a := range s.asks {
			for _, d := range a.draws {
				relation, _, _ := strings.Cut(d, " ")
				tested[relation] = true
			}
		}
	}
	if len(table.Relations) == 0 {
		t.Error("the table is empty")
	}
	for _, row := range table.Relations {
		if !tested[row.Name] {
			t.Errorf("relation %s is in no scene", row.Name)
		}
	}
}

// installKinds adds the custom kinds that the table knows and the cluster does
// not, and removes those again.
func installKinds(t *testing.T) {
	t.Helper()
	for _, k := range customKinds() {
		cmd := lab.Cluster.Command(t.Context(), "create", "-f", "-")
		cmd.Stdin = strings.NewReader(k.definition())
		out, err := cmd.CombinedOutput()
		switch {
		case err == nil:
			t.Cleanup(func() { kubectlAtEnd(t, "delete", "crd", k.crd(), "--wait=false") })
		case !strings.Contains(string(out), "AlreadyExists"):
			t.Fatalf("install %s: %v: %s", k.crd(), err, out)
		}
	}
	for _, k := range customKinds() {
		eventually(t, 30*time.Second, func() error {
			_, err := lab.Kubectl(context.WithoutCancel(t.Context()), "get", k.crd(), "-A")
			return err
		})
	}
}

type customKind struct {
	kind, plural, group, version string
	cluster                      bool
}

func (k customKind) crd() string { return k.plural + "." + k.group }

// definition accepts any content. The annotation is what the API server asks
// of the groups below k8s.io.
func (k customKind) definition() string {
	scope := "Namespaced"
	if k.cluster {
		scope = "Cluster"
	}
	return fmt.Sprintf(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: %s, annotations: {api-approved.kubernetes.io: unapproved}}, spec: {
  group: %s, scope: %s, names: {kind: %s, plural: %s, singular: %s},
  versions: [{name: %s, served: true, storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}`,
		k.crd(), k.group, scope, k.kind, k.plural, strings.ToLower(k.kind), k.version)
}

func customKinds() []customKind {
	const gateway, snapshot = "gateway.networking.k8s.io", "snapshot.storage.k8s.io"
	return []customKind{
		{"GatewayClass", "gatewayclasses", gateway, "v1", true},
		{"Gateway", "gateways", gateway, "v1", false},
		{"HTTPRoute", "httproutes", gateway, "v1", false},
		{"GRPCRoute", "grpcroutes", gateway, "v1", false},
		{"TCPRoute", "tcproutes", gateway, "v1alpha2", false},
		{"TLSRoute", "tlsroutes", gateway, "v1alpha2", false},
		{"UDPRoute", "udproutes", gateway, "v1alpha2", false},
		{"ReferenceGrant", "referencegrants", gateway, "v1beta1", false},
		{"BackendTLSPolicy", "backendtlspolicies", gateway, "v1", false},
		{"VolumeSnapshot", "volumesnapshots", snapshot, "v1", false},
		{"VolumeSnapshotContent", "volumesnapshotcontents", snapshot, "v1", true},
		{"VolumeSnapshotClass", "volumesnapshotclasses", snapshot, "v1", true},
		{"VerticalPodAutoscaler", "verticalpodautoscalers", "autoscaling.k8s.io", "v1", false},
		{"ScaledObject", "scaledobjects", "keda.sh", "v1alpha1", false},
		{"Application", "applications", "argoproj.io", "v1alpha1", false},
		{"Kustomization", "kustomizations", "kustomize.toolkit.fluxcd.io", "v1", false},
		{"HelmRelease", "helmreleases", "helm.toolkit.fluxcd.io", "v2", false},
		{"Database", "databases", "shop.example.com", "v1", false},
	}
}
