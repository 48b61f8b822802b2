package rollout

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

const (
	mostEvents = 20
	logLines   = 6 // of a failing container that are shown
)

// events are those of the workload, its current revision and its new pods since
// the rollout began; alike ones are one.
func events(v *index.View, wl *workload.Workload, since time.Time) []report.Happened {
	var folded []report.Happened
	at := map[string]int{}
	add := func(uid types.UID, ref object.Ref) {
		for _, e := range v.Events(uid) {
			if index.EventTime(e).Before(since.Add(-time.Second)) { // event times are whole seconds
				continue
			}
			key := e.Type + "\x00" + e.Reason + "\x00" + ref.Kind + "\x00" + likeness(e.Message, ref.Name)
			i, ok := at[key]
			if !ok {
				i = len(folded)
				at[key] = i
				folded = append(folded, report.Happened{Object: ref, Type: cmp.Or(e.Type, corev1.EventTypeNormal), Reason: e.Reason, Message: e.Message})
			}
			f := &folded[i]
			f.Times += index.EventCount(e)
			f.Objects++
			if index.EventTime(e).After(f.At) {
				f.At = index.EventTime(e)
			}
		}
	}
	add(wl.Object.GetUID(), wl.Ref)
	if wl.Current != nil {
		add(wl.Current.Object.Object.GetUID(), wl.Current.Object.Ref)
	}
	for _, p := range wl.Pods {
		if p.New {
			add(p.UID, object.Ref{Version: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name})
		}
	}
	slices.SortStableFunc(folded, func(a, b report.Happened) int { return a.At.Compare(b.At) })
	return folded[max(0, len(folded)-mostEvents):]
}

var numbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)?|[0-9a-f]{8,}`)

// likeness is a message without what differs from pod to pod.
func likeness(message, name string) string {
	return numbers.ReplaceAllString(strings.ReplaceAll(message, name, "*"), "#")
}

// logKey names one container.
type logKey struct {
	pod       types.UID
	container string
}

// tails are the last lines of failing containers. The kubelet may lose the log
// of the run before: what was seen once is kept.
func (t *target) tails(v *index.View, wl *workload.Workload, rows []report.RolloutPod) []report.LogTail {
	var out []report.LogTail
	for _, row := range rows {
		if !row.New || row.State != report.PodFailing {
			continue
		}
		i := slices.IndexFunc(wl.Pods, func(p workload.Pod) bool { return p.Name == row.Object.Name })
		if i < 0 {
			continue
		}
		p := wl.Pods[i]
		for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
			key := logKey{p.UID, c.Name}
			for _, previous := range []bool{false, true} {
				if text, ok := v.Log(p.UID, c.Name, previous); ok && strings.TrimSpace(text) != "" {
					t.logs[key] = report.LogTail{Pod: row.Object, Container: c.Name, Previous: previous, Lines: lastLines(text)}
				}
			}
			if tail, ok := t.logs[key]; ok {
				out = append(out, tail)
			}
		}
	}
	return out
}

func lastLines(text string) []string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return lines[max(0, len(lines)-logLines):]
}
