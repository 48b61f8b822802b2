package dns

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

func TestServersThatBecameReadyJustNowMayNotBeReachedYet(t *testing.T) {
	for title, c := range map[string]struct {
		change func(*scene)
		code   string
	}{
		"long ago":      {func(*scene) {}, "dns/replica-unreachable-from-node"},
		"a new Service": {func(s *scene) { s.dns.CreationTimestamp = metav1.NewTime(now.Add(-5 * time.Second)) }, "dns/publish-lag"},
		"a new replica": {func(s *scene) {
			s.servers[1].Status.Conditions[0].LastTransitionTime = metav1.NewTime(now.Add(-5 * time.Second))
		}, "dns/publish-lag"},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			everyFault()["replica-unreachable-from-node"].fires(s)
			c.change(s)
			if r := s.explain(t); r.Findings[0].Code != c.code || (r.Verdict == report.Progressing) != (c.code == "dns/publish-lag") {
				t.Errorf("%s %v", r.Summary, codes(r.Findings))
			}
		})
	}
}

func TestAnUnsyncedReplicaIsTheCause(t *testing.T) {
	s := newScene()
	s.dnsSlice = slice(systemNamespace, "kube-dns", false, "10.244.0.2", "10.244.0.3")
	no := false
	s.replica(Replica{Ready: &no, ReadyText: "kubernetes", Log: []string{"[ERROR] plugin/kubernetes: Failed to watch: services is forbidden"}})
	r := s.explain(t)
	if r.Findings[0].Code != "dns/replica-unsynced" || len(r.Findings[0].Evidence) != 2 || !strings.Contains(r.Findings[0].Fix[0].Command, "clusterrolebinding") {
		t.Errorf("%v %+v", codes(r.Findings), r.Findings[0])
	}
	if !strings.Contains(r.Summary, "would be 10.97.34.93, but") {
		t.Error(r.Summary)
	}
}

func TestAServerWithoutReloadKeepsItsCorefile(t *testing.T) {
	for title, c := range map[string]struct {
		corefile string
		started  time.Duration
		want     bool
	}{
		"started before the change": {strings.Replace(stock, "    reload\n", "", 1), -time.Minute, true},
		"started after the change":  {strings.Replace(stock, "    reload\n", "", 1), time.Minute, false},
		"with the reload plugin":    {strings.Replace(stock, "    loop\n", "    loop\n    reload\n", 1), -time.Minute, false},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			changed := now.Add(-10 * time.Minute)
			s.corefile, s.managed = c.corefile, []metav1.ManagedFieldsEntry{{Time: &metav1.Time{Time: changed}}}
			s.servers[0].Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(changed.Add(c.started))}}}}
			s.replica(Replica{Told: true, LogRead: true})
			if got := slices.Contains(codes(s.explain(t).Findings), "dns/config-skew"); got != c.want {
				t.Errorf("found: %v", got)
			}
		})
	}
}

func TestOnlyADoubtfulReplicaIsAskedForItsState(t *testing.T) {
	changed := func(after time.Duration) func(*scene) {
		return func(s *scene) {
			s.managed = []metav1.ManagedFieldsEntry{{Manager: "kubectl", Time: &metav1.Time{Time: s.servers[0].CreationTimestamp.Add(after)}}}
		}
	}
	settled := changed(-time.Minute)
	right := func(s *scene, replica string) { s.say(replica, first, A, NoError, "10.97.34.93") }
	for title, c := range map[string]struct {
		change      func(*scene)
		state, logs string
	}{
		"none, where all is well":            {settled, "", ""},
		"all, where the Corefile changed":    {changed(time.Minute), "coredns-a coredns-b", "coredns-a coredns-b"},
		"all, where it is not known when":    {func(*scene) {}, "coredns-a coredns-b", "coredns-a coredns-b"},
		"for what it rejects, on forwarding": {all(settled, name("example.com.")), "coredns-a coredns-b", ""},
		"the one that is not ready":          {all(settled, func(s *scene) { s.servers[1].Status.Conditions = nil }), "coredns-b", "coredns-b"},
		"the one that answers otherwise":     {all(settled, func(s *scene) { s.say("coredns-a", first, A, NXDomain); right(s, "coredns-b") }), "coredns-a", "coredns-a"},
		"the one that fails":                 {all(settled, func(s *scene) { s.say("coredns-b", first, A, ServFail); right(s, "coredns-a") }), "coredns-b", "coredns-b"},
		"not the one that was asked before":  {func(s *scene) { s.replica(Replica{Told: true, LogRead: true}) }, "coredns-b", "coredns-b"},
		"the one that has a Corefile of its own": {all(settled, func(s *scene) {
			s.servers[0].Spec.Volumes[0].ConfigMap.Name = "old"
			s.servers[1].CreationTimestamp.Time = s.servers[1].CreationTimestamp.Add(time.Second)
		}), "coredns-a", "coredns-a"},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			c.change(s)
			var state, logs []string
			for _, server := range Live(s.view(), s.ask, s.seen).Servers {
				if server.AskState {
					state = append(state, server.Pod.Name)
				}
				if server.ReadLog {
					logs = append(logs, server.Pod.Name)
				}
			}
			if diff := cmp.Diff([]string{c.state, c.logs}, []string{strings.Join(state, " "), strings.Join(logs, " ")}); diff != "" {
				t.Error(diff)
			}
		})
	}
}
