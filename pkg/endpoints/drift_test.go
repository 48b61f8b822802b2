package endpoints

import (
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// No template carries what the StatefulSet controller puts on each pod.
func TestASelectorOfOnePodOfASetIsNoDrift(t *testing.T) {
	s := healthy()
	stateful("web")(s)
	s.svc.Spec.Selector = map[string]string{"app": "web", "statefulset.kubernetes.io/pod-name": s.pods[0].Name}
	s.pods[0].Labels["statefulset.kubernetes.io/pod-name"] = s.pods[0].Name
	for _, p := range s.pods {
		own(p, "apps/v1", "StatefulSet", "db", "sts")
	}
	if r := s.judge(t); find(r.Findings, code("rollout-label-drift")) != nil {
		t.Errorf("it is accused: %s", told(r))
	}
}

// Where the controller manager no longer holds its Lease, one Service is enough.
func TestAnExpiredLeaseBlamesTheController(t *testing.T) {
	for name, c := range map[string]struct {
		renewed time.Duration // ago
		blamed  bool
	}{
		"expired": {2 * time.Minute, true},
		"held":    {5 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy()
			s.without = true
			s.add(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "kube-controller-manager", Namespace: "kube-system"},
				Spec: coordinationv1.LeaseSpec{LeaseDurationSeconds: new(int32(15)), RenewTime: &metav1.MicroTime{Time: now.Add(-c.renewed)}}})
			r := s.judge(t)
			got := find(r.Findings, code("controller-stalled"))
			if (got != nil) != c.blamed {
				t.Fatalf("blamed: %t; %s", got != nil, told(r))
			}
			if stale := find(r.Findings, code("slice-stale")); c.blamed && (stale == nil || stale.CausedBy == nil) {
				t.Errorf("what follows from it is not told so: %s", told(r))
			}
		})
	}
}
