package endpoints

import (
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// The real path: what fails only through the Service's own address is not the pods' fault.
func TestTheRealPathIsToldApart(t *testing.T) {
	client := object.Ref{Kind: "Pod", Namespace: "shop", Name: "client"}
	through := func(outcome Outcome) func(*scene) {
		return func(s *scene) {
			s.opts.Observations = append(s.opts.Observations, Observation{Service: object.Ref{Kind: "Service", Namespace: "shop", Name: "web"}, Port: "80", Number: 80, Probe: Path, From: client, Outcome: outcome})
		}
	}
	direct := func(outcome Outcome) func(*scene) {
		return func(s *scene) {
			saw(Path, outcome)(s)
			s.opts.Observations[len(s.opts.Observations)-1].From = client
		}
	}
	t.Run("kube-proxy", func(t *testing.T) {
		s := healthy()
		both(direct(Answered), through(TimedOut))(s)
		got := find(s.judge(t).Findings, code("path-fails"))
		if got == nil || !strings.Contains(got.Message, "Service's own address timed out, although its pods answer") || !strings.Contains(got.Fix[0].Description, "kube-proxy") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("seen on the row", func(t *testing.T) {
		s := healthy()
		both(direct(Answered), through(Answered))(s)
		r := s.judge(t)
		if seen := r.Services[0].Endpoints[0].Observed; seen != "from Pod/client answered" || find(r.Findings, code("path-fails")) != nil {
			t.Errorf("%q; %s", seen, told(r))
		}
	})
	t.Run("a policy is blamed once", func(t *testing.T) {
		s := healthy()
		both(policy("ingress: []"), direct(TimedOut), through(TimedOut))(s)
		r := s.judge(t)
		got := find(r.Findings, code("netpol-denies"))
		if got == nil || got.Severity != finding.Error || strings.Count(got.Message, "confirmed") != 1 || find(r.Findings, code("path-fails")) != nil {
			t.Errorf("%+v; %s", got, told(r))
		}
	})
	t.Run("no means", func(t *testing.T) {
		s := healthy()
		direct(NoMeans)(s)
		if r := s.judge(t); r.Services[0].Endpoints[0].Observed != "" || find(r.Findings, code("path-fails")) != nil {
			t.Errorf("%s", told(r))
		}
	})
}
