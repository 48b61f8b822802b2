package rollout

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

func image(t *testing.T, namespace, target string) string {
	t.Helper()
	return kubectl(t, namespace, "get", target, "-o", "jsonpath={.spec.template.spec.containers[0].image}")
}

// Each kind goes back to the revision that was healthy, and nothing but the
// template changes.
func TestAFailedRolloutGoesBackWhenToldTo(t *testing.T) {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			namespace := lab.Namespace(t, "gr-back-"+strings.ToLower(kind))
			target := strings.ToLower(kind) + "/web"
			var spec []string
			if kind != "DaemonSet" {
				spec = []string{"replicas: 2"}
			}
			apply(t, namespace, e2e.Documents(manifest(kind, pod(good), spec...), e2e.Service("web", "ports: [{port: 80, targetPort: 8080}]")))
			rolled(t, namespace, target)
			kubectl(t, namespace, "annotate", target, "kept=yes")
			w := watch(t, "-n", namespace, target, "-o", "ndjson", "--await", "--timeout", "2m", "--stable-for", "1s", "--on-failure=rollback", "--yes", "--delete-trapped-pod")
			w.until(`"phase":"awaited"`, 20*time.Second)
			kubectl(t, namespace, "set", "image", target, "app=netapp:v99")
			r, code := w.end(2 * time.Minute)
			if code != 7 || r.Rollouts[0].WayBack == nil || r.Rollouts[0].WayBack.Done == "" {
				t.Errorf("exit code %d, %+v\n%s", code, r.Rollouts[0].WayBack, r.Outline())
			}
			if got := image(t, namespace, target); got != "netapp:v1" {
				t.Errorf("the image is %s", got)
			}
			if got := kubectl(t, namespace, "get", target, "-o", "jsonpath={.metadata.annotations.kept}"); got != "yes" {
				t.Errorf("the annotation is %q", got)
			}
			rolled(t, namespace, target)
			t.Logf("%.1f s: %s", w.Took.Seconds(), r.Outline())
		})
	}
}

func TestAFailedRolloutIsPausedWhenToldTo(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-pause")
	apply(t, namespace, web("2"))
	rolled(t, namespace, "deployment/web")
	kubectl(t, namespace, "set", "image", "deployment/web", "app=netapp:v99")
	r, code := watch(t, "-n", namespace, "deployment/web", "-o", "json", "--on-failure=pause").end(time.Minute)
	if code != 2 || r.Rollouts[0].WayBack == nil || r.Rollouts[0].WayBack.Done != "paused" {
		t.Errorf("exit code %d, %+v", code, r.Rollouts[0].WayBack)
	}
	if got := kubectl(t, namespace, "get", "deployment/web", "-o", "jsonpath={.spec.paused}"); got != "true" {
		t.Errorf("paused is %q", got)
	}
}

// What is not ours to change is left alone, and the right command is named.
func TestGoingBackIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ annotate, says, command string }{
		"what Helm owns":      {"annotate deployment web meta.helm.sh/release-name=shop meta.helm.sh/release-namespace=default && kubectl -n NAMESPACE label deployment web app.kubernetes.io/managed-by=Helm", "Helm", "helm rollback shop"},
		"what Argo CD tracks": {"annotate deployment web argocd.argoproj.io/tracking-id=shop:apps/Deployment:NAMESPACE/web", "Argo", "argocd"},
		"what Flux applies":   {"label deployment web kustomize.toolkit.fluxcd.io/name=shop kustomize.toolkit.fluxcd.io/namespace=flux-system", "Flux", "flux"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := lab.Namespace(t, "gr-owned")
			apply(t, namespace, web("2"))
			rolled(t, namespace, "deployment/web")
			shell(t, "kubectl -n "+namespace+" "+strings.ReplaceAll(c.annotate, "NAMESPACE", namespace))
			kubectl(t, namespace, "set", "image", "deployment/web", "app=netapp:v99")
			r, code := watch(t, "-n", namespace, "deployment/web", "-o", "json", "--on-failure=rollback", "--yes").end(time.Minute)
			b := r.Rollouts[0].WayBack
			if code != 2 || b == nil || !strings.Contains(b.Refused, c.says) || !strings.Contains(b.Command, c.command) {
				t.Errorf("exit code %d, %+v", code, b)
			}
			if got := image(t, namespace, "deployment/web"); got != "netapp:v99" {
				t.Errorf("the image is %s", got)
			}
		})
	}
}

func TestAFirstDeployHasNoWayBack(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-first")
	apply(t, namespace, e2e.Deployment("web", pod(with("netapp:v1", "netapp:v99"))))
	r, code := watch(t, "-n", namespace, "deployment/web", "-o", "json", "--on-failure=rollback", "--yes").end(time.Minute)
	if b := r.Rollouts[0].WayBack; code != 2 || b == nil || !strings.Contains(b.Refused, "first revision") {
		t.Errorf("exit code %d, %+v", code, b)
	}
}

// Somebody rolls forward at the very moment when the rollback is decided. The
// newer rollout must win, whichever of the two writes comes first.
func TestANewerRolloutIsNeverRolledBack(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-race")
	apply(t, namespace, web("2"))
	rolled(t, namespace, "deployment/web")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kubectl(t, namespace, "set", "image", "deployment/web", "app=netapp:v99")
	w := watch(t, "-n", namespace, "deployment/web", "-o", "ndjson", "--on-failure=rollback", "--yes", "--timeout", "1m")
	go func() { // a hand that deploys as soon as it sees the failure
		for ctx.Err() == nil {
			if strings.Contains(w.stdout.String(), "rollout/image-not-found") {
				for i := 0; ctx.Err() == nil && i < 40; i++ {
					_, _ = tryKubectl(ctx, namespace, "set", "env", "deployment/web", "TRY="+string(rune('a'+i%26)))
				}
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	r, code := w.end(90 * time.Second)
	cancel()
	got := image(t, namespace, "deployment/web")
	b := r.Rollouts[0].WayBack
	done := b != nil && b.Done != ""
	switch {
	case code == 5 || code == 8: // given up: the newer rollout took its place
		if done && code == 8 && got == "netapp:v1" {
			t.Errorf("exit code %d, yet the image is %s: %+v", code, got, b)
		}
	case code == 7 && got == "netapp:v1": // it went back before anybody else wrote
	default:
		t.Errorf("exit code %d, image %s, %+v\n%s", code, got, b, r.Outline())
	}
	t.Logf("exit code %d, image %s: %s", code, got, r.Outline())
}
