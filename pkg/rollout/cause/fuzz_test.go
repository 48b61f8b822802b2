package cause

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Whatever objects hold, a rollout is judged to the end, and twice the same.
func FuzzJudge(f *testing.F) {
	for _, fault := range faults() {
		var docs [3][]byte // a workload's status, a pod and an event
		kind := uint8(0)
		for _, o := range fault.fires.objects {
			switch o := o.(type) {
			case *appsv1.Deployment:
				docs[0], _ = json.Marshal(o)
			case *appsv1.StatefulSet:
				kind, docs[0] = 1, must(o)
			case *appsv1.DaemonSet:
				kind, docs[0] = 2, must(o)
			case *corev1.Pod:
				docs[1] = must(o)
			case *corev1.Event:
				docs[2] = must(o)
			}
		}
		f.Add(kind, docs[0], docs[1], docs[2], int32(len(docs[1])))
	}
	f.Fuzz(func(t *testing.T, kind uint8, workloadDoc, podDoc, eventDoc []byte, pause int32) {
		p, e := &corev1.Pod{}, &corev1.Event{}
		_, _ = json.Unmarshal(podDoc, p), json.Unmarshal(eventDoc, e)
		p.Namespace, e.Namespace, p.UID = "shop", "shop", "fuzzed"
		if e.InvolvedObject.Name == "" {
			e.InvolvedObject.UID = "fuzzed"
		}
		s := fuzzed(kind, workloadDoc, p).with(e)
		v, w := s.view(t, now)
		later, wLater := s.view(t, now.Add(time.Duration(pause)*time.Second))
		judge := func() [][]Cause {
			m := NewMemory(now)
			return [][]Cause{m.Judge(v, w), m.Judge(later, wLater)}
		}
		if a, b := judge(), judge(); !reflect.DeepEqual(a, b) {
			t.Errorf("two answers:\n%v\n%v", a, b)
		}
		Needs(v, w)
		for _, p := range w.Pods {
			Waiting(v, w, p)
		}
	})
}

func must(o source.Object) []byte {
	doc, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return doc
}

// fuzzed makes the pod one of the workload's, as far as names go.
func fuzzed(kind uint8, doc []byte, p *corev1.Pod) scene {
	label := func(owner types.UID, kind, hash string) {
		if p.Labels == nil {
			p.Labels = map[string]string{}
		}
		p.Labels[appsv1.ControllerRevisionHashLabelKey] = hash
		o := deployment()
		o.UID, o.Name = owner, "x"
		own(p, o, kind)
	}
	switch kind % 3 {
	case 1:
		s := statefulSet()
		_ = json.Unmarshal(doc, s)
		s.Name, s.Namespace, s.UID = "db", "shop", "sts-db"
		label(s.UID, "StatefulSet", "db-h2")
		return ordered(s, p, dbPod("db-0", 1))
	case 2:
		s := daemonSet(2)
		_ = json.Unmarshal(doc, s)
		s.Name, s.Namespace, s.UID = "agent", "shop", "ds-agent"
		label(s.UID, "DaemonSet", "h2")
		return everywhere(s, p, agent("agent-a", 1))
	}
	d := deployment()
	_ = json.Unmarshal(doc, d)
	d.Name, d.Namespace, d.UID = "web", "shop", "deploy-web"
	label("rs-web-2", "ReplicaSet", "")
	return of(d, replicaSet(1, 2), replicaSet(2, 1), pod("web-1-a", 1), p)
}
