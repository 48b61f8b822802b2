package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
)

// kubeAPI is as much of an API server as a debug container needs.
type kubeAPI struct {
	refuse string // why it lets no container in
	state  corev1.ContainerState
	log    string

	dry, real int
	added     corev1.EphemeralContainer
}

func (k *kubeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/ephemeralcontainers"):
		var patch struct {
			Metadata struct{ UID string }
			Spec     struct{ EphemeralContainers []corev1.EphemeralContainer }
		}
		body, _ := io.ReadAll(r.Body)
		if json.Unmarshal(body, &patch) != nil || patch.Metadata.UID != "u1" || len(patch.Spec.EphemeralContainers) != 1 {
			w.WriteHeader(http.StatusConflict)
			return
		}
		if k.refuse != "" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"code":403}`, k.refuse)
			return
		}
		if r.URL.Query().Get("dryRun") == "All" {
			k.dry++
		} else {
			k.real++
		}
		k.added = patch.Spec.EphemeralContainers[0]
		fmt.Fprint(w, "{}")
	case strings.HasSuffix(r.URL.Path, "/log"):
		fmt.Fprint(w, k.log)
	default:
		pod := corev1.Pod{}
		pod.Status.EphemeralContainerStatuses = []corev1.ContainerStatus{{Name: k.added.Name, State: k.state}}
		_ = json.NewEncoder(w).Encode(pod)
	}
}

func (k *kubeAPI) debug(t *testing.T) (Debug, Result) {
	t.Helper()
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	p := New(func() (*rest.Config, error) { return &rest.Config{Host: server.URL}, nil })
	return p.DebugContainer(t.Context(), Container{Namespace: "shop", Pod: "web", Container: "app"}, "u1", "busybox", "redis")
}

func TestADebugContainerIsTriedDryAddedOnceAndRead(t *testing.T) {
	k := &kubeAPI{
		state: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}},
		log:   "nameserver 10.96.0.10\n\n=leadsman:hosts=0\n127.0.0.1 localhost\n\n=leadsman:libc=0\n/lib/ld-musl-x86_64.so.1\n\n=leadsman:lookup=\nName: redis\nAddress: 10.0.0.1\n=leadsman:nslookup=0\n",
	}
	d, r := k.debug(t)
	if r.Outcome != Answered || k.dry != 1 || k.real != 1 || d.Container != k.added.Name {
		t.Fatalf("%+v %+v, %d dry, %d real", d, r, k.dry, k.real)
	}
	if d.Resolver.Conf.Text != "nameserver 10.96.0.10\n" || d.Resolver.Libc != "" || !strings.Contains(d.Nslookup.Text, "10.0.0.1") {
		t.Errorf("%+v", d)
	}
	if s := k.added.SecurityContext; s == nil || !*s.RunAsNonRoot || *s.AllowPrivilegeEscalation || k.added.TargetContainerName != "app" {
		t.Errorf("%+v", k.added)
	}
}

func TestADebugContainerThatIsNotLetInIsNotAdded(t *testing.T) {
	k := &kubeAPI{refuse: "violates PodSecurity"}
	if d, r := k.debug(t); r.Outcome != Forbidden || d.Container != "" || k.real != 0 {
		t.Errorf("%+v %+v", d, r)
	}
}

func TestADebugContainerThatDoesNotStartSaysWhy(t *testing.T) {
	for name, state := range map[string]corev1.ContainerState{
		"ErrImagePull": {Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "not found"}},
		"no such file": {Terminated: &corev1.ContainerStateTerminated{Reason: "StartError", ExitCode: 128, Message: "sh: no such file"}},
	} {
		k := &kubeAPI{state: state}
		if d, r := k.debug(t); r.Outcome != Unable || d.Container == "" || !strings.Contains(r.Detail, name) {
			t.Errorf("%s: %+v %+v", name, d, r)
		}
	}
}
