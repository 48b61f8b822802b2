package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
)

// Debug is the ephemeral container that was added to a pod.
type Debug struct {
	Container string // "" where none was added
	Resolver  Resolver
	Getent    Said
	Nslookup  Said
}

// nobody may do what the script needs, and is let in by the strictest Pod
// Security Standard.
const nobody = 65534

// DebugContainer adds an ephemeral container to a pod (pods/ephemeralcontainers),
// which prints the pod's resolv.conf and hosts, looks the name up, and ends. It
// cannot be taken out of the pod again. The server is asked first, as a dry run,
// whether it would let it in. uid is the precondition: another pod of the same
// name is left alone.
func (p *Prober) DebugContainer(ctx context.Context, in Container, uid types.UID, image, name string) (Debug, Result) {
	container := "leadsman-dns-" + rand.String(5)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": uid},
		"spec":     map[string]any{"ephemeralContainers": []any{ephemeral(container, in.Container, image, name)}},
	})
	if err != nil {
		return Debug{}, failed(err)
	}
	for _, query := range []string{"?dryRun=All", ""} {
		if r := p.patchPod(ctx, in, "ephemeralcontainers"+query, patch); r.Outcome != Answered {
			return Debug{}, r
		}
	}
	d := Debug{Container: container}
	if r := p.ended(ctx, in, container); r.Outcome != Answered {
		return d, r
	}
	page, r := p.log(ctx, Container{Namespace: in.Namespace, Pod: in.Pod, Container: container}, url.Values{"limitBytes": {fmt.Sprint(mostPage)}})
	if r.Outcome != Answered {
		return d, r
	}
	files, found := cutLast(page.Body, lookupMark)
	d.Resolver = parseResolver(files)
	d.Resolver.Libc, d.Resolver.Why = "", "" // they are the image's, not the client's
	d.Getent, d.Nslookup = parseLookup(found)
	return d, r
}

func ephemeral(container, target, image, name string) corev1.EphemeralContainer {
	no, yes, user := false, true, int64(nobody)
	return corev1.EphemeralContainer{
		TargetContainerName: target,
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: container, Image: image,
			Command: []string{"sh", "-c", "(" + lookAround + ")\necho; echo " + lookupMark + "\n" + lookup, "sh", name, "5"},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes, RunAsUser: &user,
				Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
		},
	}
}

func (p *Prober) patchPod(ctx context.Context, in Container, subresource string, patch []byte) Result {
	c, err := p.once()
	if err != nil {
		return failed(err)
	}
	req, err := p.get(ctx, c.config, fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/%s", url.PathEscape(in.Namespace), url.PathEscape(in.Pod), subresource))
	if err != nil {
		return failed(err)
	}
	req.Method, req.Body, req.ContentLength = http.MethodPatch, io.NopCloser(bytes.NewReader(patch)), int64(len(patch))
	req.Header.Set("Content-Type", string(types.StrategicMergePatchType))
	req.Header.Set("Accept", "application/json")
	p.requests.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostPage))
	if err != nil {
		return failed(err)
	}
	return judgeAPI(resp.StatusCode, body)
}

// lookAgain is after how long a debug container is first asked whether it has
// ended; each time it is given half as much again, up to two seconds.
const lookAgain = 200 * time.Millisecond

// ended waits until a container has ended, whatever its exit code, or until it
// is plain that it will not start.
func (p *Prober) ended(ctx context.Context, in Container, container string) Result {
	for pause := lookAgain; ; pause = min(pause*3/2, 2*time.Second) {
		page, r := p.page(ctx, fmt.Sprintf("/api/v1/namespaces/%s/pods/%s", url.PathEscape(in.Namespace), url.PathEscape(in.Pod)), mostPage, judgeAPI)
		if r.Outcome != Answered {
			return r
		}
		var pod corev1.Pod
		if err := json.Unmarshal([]byte(page.Body), &pod); err != nil {
			return failed(err)
		}
		waits := ""
		for _, s := range pod.Status.EphemeralContainerStatuses {
			switch t, w := s.State.Terminated, s.State.Waiting; {
			case s.Name != container:
			case t != nil && (t.Reason == "StartError" || t.ExitCode == 128):
				return Result{Outcome: Unable, Detail: strings.TrimSpace("the debug container did not start: " + t.Message)}
			case t != nil:
				return Result{Outcome: Answered}
			case w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing":
				waits = strings.TrimSpace(w.Reason + " " + w.Message)
			}
		}
		if waits != "" {
			return Result{Outcome: Unable, Detail: "the debug container does not start: " + waits}
		}
		select {
		case <-ctx.Done():
			return Result{Outcome: TimedOut, Detail: "the debug container did not end in time"}
		case <-time.After(pause):
		}
	}
}
