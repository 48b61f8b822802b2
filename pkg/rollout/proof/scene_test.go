package proof

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func after(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

// scene is a Deployment web of four pods, of which one may be missing, behind a
// Service web. Pods whose name begins with o are of its old revision, those with
// n of its new one; others are no pods of it.
type scene struct {
	t        *Tracker
	deploy   *appsv1.Deployment
	services []*corev1.Service
	pods     map[string]bool
	hidden   map[source.Query]source.Gap
	at       time.Time
	silent   bool // nothing is told of the services
}

func newScene() *scene {
	labels := map[string]string{"app": "web"}
	unavailable, surge := intstr.FromInt32(1), intstr.FromInt32(1)
	return &scene{
		t: New(), pods: map[string]bool{}, hidden: map[source.Query]source.Gap{}, at: start,
		deploy: &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "d", Generation: 1},
			Spec: appsv1.DeploymentSpec{
				Replicas: new(int32(4)), Selector: &metav1.LabelSelector{MatchLabels: labels},
				Strategy: appsv1.DeploymentStrategy{Type: "RollingUpdate", RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &unavailable, MaxSurge: &surge}},
				Template: template("new", labels),
			},
		},
		services: []*corev1.Service{service("web", labels)},
	}
}

func template(image string, labels map[string]string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: image, ReadinessProbe: &corev1.Probe{}}}},
	}
}

func service(name string, selector map[string]string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: corev1.ServiceSpec{
			Selector: selector, ClusterIP: "10.0.0.1", IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol},
			Ports: []corev1.ServicePort{{Name: "http", Port: 80}},
		},
	}
}

var (
	slicesOfShop   = source.Query{Kind: sliceKind, Namespace: "shop"}
	deployments    = source.Query{Kind: workloadKinds[0], Namespace: "shop"}
	servicesOfShop = source.Query{Kind: serviceKind, Namespace: "shop"}
)

// play carries out a script, a line for each event: the millisecond and what
// happened. "web-a o1 o2~ n1-" writes the slice web-a: o2 is terminating and n1 not
// ready. "answer a o1 | b n1" answers the query for slices.
func (s *scene) play(t testing.TB, script string) {
	t.Helper()
	for l := range strings.Lines(script) {
		words := strings.Fields(l)
		if len(words) < 2 {
			continue
		}
		ms, err := strconv.Atoi(words[0])
		if err != nil {
			t.Fatal(err)
		}
		s.at = after(ms)
		s.event(words[1], words[2:])
	}
}

func (s *scene) event(what string, words []string) {
	tell := func(h source.Happening) { h.At = s.at; s.t.Happened(h) }
	switch what {
	case "answer":
		answer := source.Result{}
		for _, part := range strings.Split(strings.Join(words, " "), "|") {
			if f := strings.Fields(part); len(f) > 0 {
				answer.Objects = append(answer.Objects, s.slice(f[0], f[1:]))
			}
		}
		if !s.silent {
			services := source.Result{}
			for _, svc := range s.services {
				services.Objects = append(services.Objects, svc)
			}
			tell(source.Happening{Query: servicesOfShop, Answer: &services})
		}
		tell(source.Happening{Query: slicesOfShop, Answer: &answer})
		s.learn()
	case "forbidden":
		gap := source.Gap{Resource: "endpointslices", Kind: sliceKind, Namespace: "shop", Reason: source.Forbidden}
		s.hidden[slicesOfShop] = gap
		tell(source.Happening{Query: slicesOfShop, Answer: &source.Result{Gap: &gap}})
		s.learn()
	case "lost":
		tell(source.Happening{Query: slicesOfShop, Change: source.Lost})
	case "resumed":
		tell(source.Happening{Query: slicesOfShop, Change: source.Resumed})
	case "unwatched": // the Deployment alone
		tell(source.Happening{Query: deployments, Answer: &source.Result{}})
		tell(source.Happening{Query: deployments, Change: source.Lost})
	case "rewatched":
		tell(source.Happening{Query: deployments, Change: source.Resumed})
	case "forget":
		tell(source.Happening{Query: slicesOfShop, Forget: true})
	case "gone":
		tell(source.Happening{Query: slicesOfShop, Change: watch.Deleted, Object: s.slice(words[0], nil)})
	case "learn":
		s.learn()
	case "scale", "strategy":
		s.deploy = s.deploy.DeepCopy()
		s.deploy.Generation++
		if what == "scale" {
			n, _ := strconv.Atoi(words[0])
			s.deploy.Spec.Replicas = new(int32(n))
		} else {
			s.deploy.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.DeploymentStrategyType(words[0])}
		}
		tell(source.Happening{Query: deployments, Change: watch.Modified, Object: s.deploy})
	case "unservice":
		tell(source.Happening{Query: servicesOfShop, Change: watch.Deleted, Object: s.services[0]})
		s.services = s.services[1:]
	case "nothing":
	default:
		tell(source.Happening{Query: slicesOfShop, Change: watch.Modified, Object: s.slice(what, words)})
	}
}

// slice is named after its Service and, behind a dot, its family and whether it
// is somebody else's: "web-a", "web-a.6", "web-a.x".
func (s *scene) slice(name string, endpoints []string) *discoveryv1.EndpointSlice {
	base, manner, _ := strings.Cut(name, ".")
	service, _, _ := strings.Cut(base, "-")
	es := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{
			discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: controller,
		}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080))}},
	}
	for m := range strings.SplitSeq(manner, "") {
		switch m {
		case "6":
			es.AddressType = discoveryv1.AddressTypeIPv6
		case "q":
			es.AddressType = discoveryv1.AddressTypeFQDN
		case "x":
			es.Labels[discoveryv1.LabelManagedBy] = "somebody"
		case "m":
			es.Ports[0].Name = new("metrics")
		case "p":
			es.Ports = nil
		case "2":
			es.Ports = append(es.Ports, discoveryv1.EndpointPort{Name: new("metrics")})
		}
	}
	for _, word := range endpoints {
		pod := strings.TrimRight(word, "~-?")
		s.pods[pod] = true
		e := discoveryv1.Endpoint{Addresses: []string{"ip-" + pod}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod, UID: types.UID(pod)}}
		switch {
		case strings.HasSuffix(word, "~"):
			e.Conditions = discoveryv1.EndpointConditions{Ready: new(false), Serving: new(true), Terminating: new(true)}
		case strings.HasSuffix(word, "-"):
			e.Conditions = discoveryv1.EndpointConditions{Ready: new(false), Serving: new(false), Terminating: new(false)}
		case !strings.HasSuffix(word, "?"): // which stands for conditions that nobody set
			e.Conditions = discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(false)}
		}
		es.Endpoints = append(es.Endpoints, e)
	}
	return es
}

// view is what the scene looks like to a judge.
func (s *scene) view() (*index.View, *workload.Workload) {
	st := source.NewStore(s.at)
	st.Put(workloadKinds[0], s.deploy)
	controls := true
	owned := func(name string, kind string, uid types.UID) []metav1.OwnerReference {
		return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, UID: uid, Controller: &controls}}
	}
	rsKind := object.Ref{Group: "apps", Kind: "ReplicaSet"}.GroupKind()
	for i, hash := range []string{"old", "new"} {
		t := s.deploy.Spec.Template.DeepCopy()
		t.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
		if hash == "old" {
			t.Spec.Containers[0].Image = "old"
		}
		st.Put(rsKind, &appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "shop", Name: "web-" + hash, UID: types.UID("rs-" + hash), OwnerReferences: owned("web", "Deployment", "d"),
				Labels: t.Labels, Annotations: map[string]string{workload.RevisionAnnotation: fmt.Sprint(i + 1)},
			},
			Spec: appsv1.ReplicaSetSpec{Template: *t},
		})
	}
	for pod := range s.pods {
		hash := map[byte]string{'o': "old", 'n': "new"}[pod[0]]
		if hash == "" {
			continue
		}
		st.Put(object.Ref{Kind: "Pod"}.GroupKind(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: pod, UID: types.UID(pod), OwnerReferences: owned("web-"+hash, "ReplicaSet", types.UID("rs-"+hash)),
			Labels: map[string]string{"app": "web"},
		}, Status: corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: "ip-" + pod}}}})
	}
	for _, svc := range s.services {
		st.Put(serviceKind, svc)
	}
	for _, q := range []source.Query{slicesOfShop, servicesOfShop} {
		if gap, ok := s.hidden[q]; ok {
			st.Answer(q, source.Result{Gap: &gap})
		} else {
			st.Cover(q)
		}
	}
	v := index.New(st.Contents())
	w, ok := workload.Of(v, object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web"})
	if !ok {
		panic("the view holds no Deployment")
	}
	return v, w
}

func (s *scene) learn() { s.t.Learn(s.view()) }

func (s *scene) proofs() []report.Proof {
	v, w := s.view()
	s.t.Learn(v, w)
	return s.t.Proofs(v, w, start, s.at)
}

// words tells proofs shortly.
func words(proofs []report.Proof) string {
	var lines []string
	for _, p := range proofs {
		line := fmt.Sprintf("%s: %s, %d now, %d to %d, floor %d", title(p), p.Verdict, p.Now, p.Min, p.Max, p.Floor)
		if p.Below > 0 || len(p.Broken) > 0 {
			line += fmt.Sprintf(", below %d times for %.2f s, area %.2f", len(p.Broken), p.Below, p.Area)
		}
		if p.Gaps > 0 {
			line += fmt.Sprintf(", unseen %.1f s", p.Gaps)
		}
		if p.Why != "" {
			line += ", " + p.Why
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
