package endpoints

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	discoveryclient "k8s.io/client-go/kubernetes/typed/discovery/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/endpointslice"
	endpointutil "k8s.io/endpointslice/util"
	"k8s.io/klog/v2"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// writer stands for the API server: it keeps what the reconciler creates.
type writer struct {
	kubernetes.Interface
	discoveryclient.DiscoveryV1Interface
	discoveryclient.EndpointSliceInterface
	written []*discoveryv1.EndpointSlice
}

func (w *writer) DiscoveryV1() discoveryclient.DiscoveryV1Interface { return w }
func (w *writer) EndpointSlices(string) discoveryclient.EndpointSliceInterface {
	return w
}

func (w *writer) Create(_ context.Context, s *discoveryv1.EndpointSlice, _ metav1.CreateOptions) (*discoveryv1.EndpointSlice, error) {
	s.Name = fmt.Sprintf("%s%d", s.GenerateName, len(w.written))
	w.written = append(w.written, s)
	return s, nil
}

type nodeLister struct {
	corelisters.NodeLister
	nodes []*corev1.Node
}

func (l nodeLister) Get(name string) (*corev1.Node, error) {
	for _, n := range l.nodes {
		if n.Name == name {
			return n, nil
		}
	}
	return nil, errors.NewNotFound(corev1.Resource("nodes"), name)
}

// reconcile is the oracle: the slices that the controller itself writes.
func (s *scene) reconcile(t *testing.T) []*discoveryv1.EndpointSlice {
	t.Helper()
	w := &writer{}
	r := endpointslice.NewReconciler(w, nodeLister{nodes: s.nodes}, 3, endpointutil.NewEndpointSliceTracker(), nil, record.NewFakeRecorder(100), controllerName)
	var chosen []*corev1.Pod
	for _, p := range s.pods {
		if labels.SelectorFromSet(s.svc.Spec.Selector).Matches(labels.Set(p.Labels)) {
			chosen = append(chosen, p)
		}
	}
	if err := r.Reconcile(klog.Background(), s.svc, chosen, nil, time.Time{}); err != nil && len(s.nodes) == 2 {
		t.Fatal(err)
	}
	return w.written
}

func (s *scene) scramble(r *rand.Rand) {
	chance := func(n int) bool { return r.IntN(n) == 0 }
	s.svc.Spec.Selector = map[string]string{"app": "web"}
	s.svc.Spec.PublishNotReadyAddresses = chance(4)
	s.svc.Spec.IPFamilies = [][]corev1.IPFamily{{corev1.IPv4Protocol}, {corev1.IPv6Protocol}, {corev1.IPv4Protocol, corev1.IPv6Protocol}, nil}[r.IntN(4)]
	s.svc.Spec.ClusterIP = []string{"10.96.0.1", "None", "fd00::1"}[r.IntN(3)]
	s.svc.Spec.Ports = nil
	for i := range r.IntN(4) {
		s.svc.Spec.Ports = append(s.svc.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("p", i), Port: int32(80 + i), Protocol: []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP}[r.IntN(2)],
			TargetPort: []intstr.IntOrString{intstr.FromInt32(8080), intstr.FromString("http"), intstr.FromString("side"), intstr.FromString("nope")}[r.IntN(4)]})
	}
	if len(s.svc.Spec.Ports) == 0 {
		s.svc.Spec.ClusterIP = "None"
	}
	s.pods = nil
	for i := range r.IntN(12) {
		p := pod(fmt.Sprint("web-", i), fmt.Sprintf("10.244.1.%d", i+1), []string{"n1", "n2"}[r.IntN(2)])
		if chance(3) {
			p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: fmt.Sprintf("fd00::%x", i+1)})
		}
		if chance(5) {
			p.Status.PodIP, p.Status.PodIPs = "", nil
		}
		if chance(4) {
			unready(p)
		}
		if chance(6) {
			p.DeletionTimestamp = new(ago(time.Minute))
		}
		if chance(8) {
			p.Status.Phase = corev1.PodSucceeded
		}
		if chance(6) {
			p.Labels["app"] = "other"
		}
		if chance(4) {
			p.Spec.Containers[0].Ports[0].ContainerPort = 9000
		}
		if chance(3) {
			intoInit([]*corev1.ContainerRestartPolicy{nil, new(corev1.ContainerRestartPolicyAlways)}[r.IntN(2)])(p)
			p.Spec.InitContainers[0].Ports[0].Name = "side"
		}
		s.pods = append(s.pods, p)
	}
}

// TestAgreesWithTheController: of what the controller writes nothing is ever
// called stale or missing, and taking anything away is noticed.
func TestAgreesWithTheController(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := healthy()
		s.scramble(r)
		s.slices, s.synced = s.reconcile(t), true
		for _, sl := range s.slices {
			sl.UID, sl.CreationTimestamp = types.UID(sl.Name), ago(time.Hour)
		}
		result := s.judge(t)
		for _, name := range []string{"slice-stale", "ip-mismatch", "uid-mismatch", "targetref-gone", "terminal-pod-ip", "slice-orphan", "slice-port-name", "same-endpoint-two-slices"} {
			if f := find(result.Findings, code(name)); f != nil {
				t.Fatalf("seed %d: %s: %s", seed, name, f.Message)
			}
		}
		resolved, ready := 0, 0
		for _, sl := range s.slices {
			resolved += len(sl.Endpoints) * max(len(sl.Ports), flag(len(s.svc.Spec.Ports) == 0))
			for i := range sl.Endpoints {
				ready += flag(conditionsOf(&sl.Endpoints[i]).ready) * max(len(sl.Ports), flag(len(s.svc.Spec.Ports) == 0))
			}
		}
		gotAll, gotReady := 0, 0
		for _, e := range result.Services[0].Endpoints {
			if e.State == report.EndpointMatched {
				gotAll++
				gotReady += flag(e.Ready)
			}
		}
		if gotAll != resolved || gotReady != ready {
			t.Fatalf("seed %d: %d matched, %d ready; the controller wrote %d, %d ready", seed, gotAll, gotReady, resolved, ready)
		}
		s.lose(t, seed, r)
	}
}

func (s *scene) lose(t *testing.T, seed uint64, r *rand.Rand) {
	full := slices.IndexFunc(s.slices, func(sl *discoveryv1.EndpointSlice) bool {
		return len(sl.Endpoints) > 0 && (len(sl.Ports) > 0 || len(s.svc.Spec.Ports) == 0)
	})
	if full < 0 {
		return
	}
	sl := s.slices[full]
	i := r.IntN(len(sl.Endpoints))
	want := "slice-stale"
	switch r.IntN(4) {
	case 0:
		sl.Endpoints = slices.Delete(sl.Endpoints, i, i+1)
	case 1:
		sl.Endpoints[i].Conditions.Serving = new(!*sl.Endpoints[i].Conditions.Serving)
	case 2:
		sl.Endpoints[i].TargetRef.UID, want = "earlier", "uid-mismatch"
	case 3:
		sl.Endpoints[i].Addresses[0], want = "10.9.9.9", "ip-mismatch"
	}
	if result := s.judge(t); find(result.Findings, code(want)) == nil {
		t.Fatalf("seed %d: no %s\n%s", seed, want, told(result))
	}
}

// TestTargetPortIsTheControllers holds the rewritten rule against the original.
func TestTargetPortIsTheControllers(t *testing.T) {
	for seed := range uint64(500) {
		s := healthy()
		s.scramble(rand.New(rand.NewPCG(seed, 1)))
		for _, p := range s.pods {
			for i := range s.svc.Spec.Ports {
				want, err := endpointslice.FindPort(p, &s.svc.Spec.Ports[i])
				got, ok := targetPort(p, &s.svc.Spec.Ports[i])
				if ok != (err == nil) || int(got) != want {
					t.Fatalf("seed %d: got %d %v, want %d %v", seed, got, ok, want, err)
				}
			}
		}
	}
}
