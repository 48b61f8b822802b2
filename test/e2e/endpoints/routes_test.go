package endpoints

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// routeKinds are the kinds of the Gateway API that a route needs to lead to a
// Service; their content is not checked.
var routeKinds = map[string]string{
	"httproutes":      `{kind: HTTPRoute, plural: httproutes, singular: httproute}, versions: [{name: v1, `,
	"referencegrants": `{kind: ReferenceGrant, plural: referencegrants, singular: referencegrant}, versions: [{name: v1beta1, `,
}

// installRoutes installs what the cluster lacks of them, until the test ends.
func installRoutes(t *testing.T) {
	t.Helper()
	for plural, names := range routeKinds {
		crd := plural + ".gateway.networking.k8s.io"
		cmd := lab.Command(t.Context(), "create", "-f", "-")
		cmd.Stdin = strings.NewReader(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: ` + crd + `, annotations: {api-approved.kubernetes.io: unapproved}}, spec: {
  group: gateway.networking.k8s.io, scope: Namespaced, names: ` + names + `served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}`)
		out, err := cmd.CombinedOutput()
		switch {
		case err == nil:
			t.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				if _, err := lab.Kubectl(ctx, "delete", "crd", crd, "--wait=false"); err != nil {
					t.Log(err)
				}
			})
		case !strings.Contains(string(out), "AlreadyExists"):
			t.Fatalf("install %s: %v: %s", crd, err, out)
		}
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(300 * time.Millisecond) {
			if _, err := lab.Kubectl(t.Context(), "get", crd, "-A"); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	}
}

func TestRoutesThatLeadNowhereAreNamed(t *testing.T) {
	installRoutes(t)
	route := func(backend string) string {
		return `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: shop}, spec: {rules: [{backendRefs: [` + backend + `]}]}}`
	}
	fresh := []string{"--cache-dir", t.TempDir()} // kinds that were discovered before do not count
	for _, f := range []fault{
		{name: "route-backend-missing", severity: "error", ask: []string{}, says: "webb", manifests: docs(web(), service("8080"), route("{name: webb, port: 80}"))},
		{name: "route-port-missing", severity: "error", says: "8080", manifests: docs(web(), service("8080"), route("{name: web, port: 8080}"))},
	} {
		f.settled = "--for=condition=Available deployment/web"
		if f.ask == nil {
			f.ask = []string{"web"}
		}
		f.ask = append(f.ask, fresh...)
		t.Run(f.name, f.check)
	}
	t.Run("route-no-referencegrant", func(t *testing.T) {
		front := lab.Namespace(t, "ep-front")
		f := fault{name: "route-no-referencegrant", severity: "error"}
		namespace := lab.Namespace(t, "ep-"+f.name)
		apply(t, namespace, docs(web(), service("8080")))
		kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/web")
		apply(t, front, route(fmt.Sprintf("{name: web, namespace: %s, port: 80}", namespace)))
		ask := append([]string{"-n", namespace, "web"}, fresh...)
		answer, err := lab.until(t.Context(), 45*time.Second, f.differs, ask...)
		if err != nil {
			t.Fatalf("%v\n%s%s", err, answer.Report.Outline(), answer.Stderr)
		}
		f.mend(t, answer, ask)
	})
}
