package endpoints

import (
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// A proxy of one family does not see a slice of the other: nothing is reached,
// though a ready address stands there. DNS sees it where the Service is headless.
func TestASliceOfAnotherFamilyReachesNobody(t *testing.T) {
	v6 := func(s *scene) {
		sl := s.manual("fd00::5")
		sl.AddressType = discoveryv1.AddressTypeIPv6
	}
	s := healthy()
	v6(s)
	r := s.judge(t)
	if find(r.Findings, code("ip-family-mismatch")) == nil || r.Services[0].Verdict != report.Broken || !strings.Contains(r.Services[0].Summary, "reaches nothing") {
		t.Error(told(r))
	}
	s = healthy()
	v6(s)
	s.svc.Spec.ClusterIP = "None"
	if r := s.judge(t); find(r.Findings, code("ip-family-mismatch")) != nil {
		t.Error(told(r))
	}
}

func TestAnAddressIsNoExternalName(t *testing.T) {
	for name, dead := range map[string]bool{"10.9.8.7": true, "fd00::5": true, "10.9.8.7.nip.io": false, "example.com.": false} {
		s := healthy()
		external(name)(s)
		if r := s.judge(t); (find(r.Findings, code("externalname-dead")) != nil) != dead {
			t.Errorf("%s: %s", name, told(r))
		}
	}
}

// What would be wrong once the selector is right is told at once.
func TestTheNextFaultBehindASelectorIsToldToo(t *testing.T) {
	s := healthy()
	s.svc.Spec.Selector = map[string]string{"app": "frontend"}
	podLabels("app", "frontned")(s)
	s.svc.Spec.Ports[0].TargetPort = intstr.FromString("htpp")
	r := s.judge(t)
	if find(r.Findings, code("label-typo")) == nil || find(r.Findings, code("named-port-typo")) == nil {
		t.Error(told(r))
	}
	if !strings.Contains(r.Services[0].Summary, "spelt") {
		t.Error(r.Services[0].Summary)
	}
}

// A port that another Service port leads to is not what a missing one means.
func TestNoPortIsProposedThatAnotherLeadsTo(t *testing.T) {
	s := healthy()
	second := s.svc.Spec.Ports[0]
	s.svc.Spec.Ports[0].Name, second.Name, second.Port, second.TargetPort = "web", "metrics", 9090, intstr.FromString("metrics")
	s.svc.Spec.Ports = append(s.svc.Spec.Ports, second)
	f := find(s.judge(t).Findings, code("named-port-missing"))
	if f == nil || len(f.Fix) != 1 || f.Fix[0].Command != "" {
		t.Errorf("%+v", f)
	}
}
