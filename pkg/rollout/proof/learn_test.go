package proof

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func TestAServiceSelectsByTemplateOrByPods(t *testing.T) {
	pod := func(hash string, labels map[string]string) workload.Pod {
		return workload.Pod{Hash: hash, Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: labels}}}
	}
	for name, tt := range map[string]struct {
		kind             string
		selector         map[string]string
		selected, single bool
	}{
		"the template's labels":          {"Deployment", map[string]string{"app": "web"}, true, false},
		"the labels of old pods":         {"Deployment", map[string]string{"app": "web", "version": "1"}, true, false},
		"other labels":                   {"Deployment", map[string]string{"app": "db"}, false, false},
		"nothing":                        {"Deployment", nil, false, false},
		"one pod of a StatefulSet":       {"StatefulSet", map[string]string{"app": "web", appsv1.StatefulSetPodNameLabel: "web-0"}, true, true},
		"one pod of another StatefulSet": {"StatefulSet", map[string]string{"app": "db", appsv1.StatefulSetPodNameLabel: "db-0"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &workload.Workload{
				Ref: object.Ref{Kind: tt.kind}, Template: &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web", "version": "2"}}},
				Pods: []workload.Pod{pod("a", map[string]string{"app": "web", "version": "1"}), pod("b", map[string]string{"app": "web", "version": "2"})},
			}
			if selected, single := selects(service("x", tt.selector), w, labelsOf(w)); selected != tt.selected || single != tt.single {
				t.Errorf("%v, %v", selected, single)
			}
		})
	}
}

func TestPromises(t *testing.T) {
	rolling := func(replicas, unavailable int) workload.Workload {
		return workload.Workload{Replicas: replicas, Strategy: workload.Strategy{Type: "RollingUpdate", MaxUnavailable: unavailable}}
	}
	for name, tt := range map[string]struct {
		w      workload.Workload
		floor  int
		anyone bool
	}{
		"a rolling update keeps what it may not take": {rolling(10, 2), 8, false},
		"a single replica that may be taken":          {rolling(1, 1), 1, true},
		"a single replica that may not":               {rolling(1, 0), 1, false},
		"nothing is asked of nothing":                 {rolling(0, 1), 0, false},
		"Recreate":                                    {workload.Workload{Replicas: 4, Strategy: workload.Strategy{Type: "Recreate"}}, 1, true},
		"OnDelete, one at a time":                     {workload.Workload{Replicas: 4, Strategy: workload.Strategy{Type: "OnDelete"}}, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			var k known
			k.promised(&tt.w, start)
			if p := k.promises[0]; p.floor != tt.floor || p.anyone != tt.anyone {
				t.Errorf("%+v", p)
			}
		})
	}
}

// A DaemonSet's floor moves with its nodes, which no generation counts.
func TestANodeThatGoesLowersTheFloorOfADaemonSet(t *testing.T) {
	s := newScene()
	s.play(t, "0 answer web-a o1 o2 o3 o4")
	daemons := func(nodes int32, at time.Time) *workload.Workload {
		d := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "ds"}, Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: nodes}}
		s.t.Happened(source.Happening{At: at, Query: source.Query{Kind: workloadKinds[2]}, Change: "MODIFIED", Object: d})
		w := &workload.Workload{
			Ref: object.Ref{Group: "apps", Version: "v1", Kind: "DaemonSet", Namespace: "shop", Name: "web"}, Object: d,
			Template: &s.deploy.Spec.Template, Replicas: int(nodes), Strategy: workload.Strategy{Type: "RollingUpdate", MaxUnavailable: 1},
		}
		for _, name := range []string{"o1", "o2", "o3", "o4"} {
			w.Pods = append(w.Pods, workload.Pod{Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}, Hash: "old"})
		}
		return w
	}
	v, _ := s.view()
	s.t.Learn(v, daemons(4, after(0)))
	w := daemons(2, after(1000))
	s.play(t, `
		1100 web-a o1 o2 o3
		1200 web-a o1 o2
		2000 nothing`)
	v, _ = s.view()
	s.t.Learn(v, w)
	if p := s.t.Proofs(v, w, start, s.at)[0]; p.Verdict != report.Held || p.Min != 2 || p.Floor != 1 {
		t.Errorf("%+v", p)
	}
}

func TestASinglePodsServiceProvesNothing(t *testing.T) {
	s := newScene()
	s.play(t, "0 answer web-a o1 o2 o3 o4")
	v, w := s.view()
	w.Ref.Kind = "StatefulSet"
	s.services[0].Spec.Selector[appsv1.StatefulSetPodNameLabel] = "web-0"
	s.t.Learn(v, w)
	if p := s.t.Proofs(v, w, start, s.at); len(p) != 1 || p[0].Verdict != report.NotProvable {
		t.Errorf("%+v", p)
	}
	s.services = append(s.services, service("all", map[string]string{"app": "web"}))
	s.play(t, "10 answer web-a o1 o2 o3 o4 | all-a o1 o2 o3 o4")
	v, w = s.view()
	w.Ref.Kind = "StatefulSet"
	s.t.Learn(v, w)
	if p := s.t.Proofs(v, w, start, s.at); len(p) != 1 || p[0].Service.Name != "all" || p[0].Verdict != report.Held {
		t.Errorf("%+v", p)
	}
}

func TestWhatIsNoConcernOfAProofIsPassedOver(t *testing.T) {
	s := newScene()
	s.play(t, "0 answer web-a o1 o2 o3 o4")
	events := s.t.event
	for _, h := range []source.Happening{
		{Query: source.Query{Kind: object.Ref{Kind: "Pod"}.GroupKind(), Namespace: "shop"}, Change: "MODIFIED", Object: &corev1.Pod{}},
		{Query: source.Query{Kind: sliceKind, Namespace: "shop", Labels: "a=b"}, Change: "MODIFIED", Object: s.slice("web-a", nil)},
		{Log: &source.LogText{}}, {Note: &source.Note{}},
	} {
		h.At = after(10)
		s.t.Happened(h)
	}
	if s.t.event != events {
		t.Error("something was taken notice of")
	}
}
