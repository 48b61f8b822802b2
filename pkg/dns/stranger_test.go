package dns

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// madeBy gives a pod an owner, and a ConfigMap from which it has its Corefile.
func madeBy(p *corev1.Pod, kind, owner, config string) *corev1.Pod {
	controller, api := true, "apps/v1"
	p.OwnerReferences = nil
	delete(p.Labels, "pod-template-hash")
	if kind == "ReplicaSet" {
		p.Labels["pod-template-hash"] = "x1"
		owner += "-x1"
	}
	if kind != "" {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: api, Kind: kind, Name: owner, Controller: &controller}}
	}
	p.Spec.Volumes = []corev1.Volume{{Name: "c", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: config}}}}}
	return p
}

// stranger is a third server, whose Corefile denies the first name.
func stranger(kind, owner string) func(*scene) {
	return func(s *scene) {
		for _, p := range s.servers {
			madeBy(p, "ReplicaSet", "coredns", "coredns")
		}
		third := s.servers[0].DeepCopy()
		third.Name, third.UID = "other-1", systemNamespace+"/other-1"
		third.CreationTimestamp = metav1.NewTime(now.Add(-time.Minute)) // the newest
		s.servers = append(s.servers, madeBy(third, kind, owner, "other"))
		denies := strings.Replace(stock, "    loop\n", "    template ANY ANY "+first+" {\n        rcode NXDOMAIN\n    }\n", 1)
		s.configs = append(s.configs, &corev1.ConfigMap{ObjectMeta: meta(systemNamespace, "other"), Data: map[string]string{"Corefile": denies}})
	}
}

func TestAReplicaWithAnotherCorefileIsToldFromOneThatFails(t *testing.T) {
	answers := func(s *scene) {
		s.say("coredns-a", first, A, NoError, "10.97.34.93")
		s.say("coredns-b", first, A, NoError, "10.97.34.93")
		s.say("coredns-a", first, AAAA, NoData)
		s.say("coredns-b", first, AAAA, NoData)
		s.say("other-1", first, A, NXDomain)
		s.say("other-1", first, AAAA, NXDomain)
	}
	for title, c := range map[string]struct {
		change          func(*scene)
		code, says, fix string
	}{
		"of another Deployment": {all(stranger("ReplicaSet", "other"), answers), "dns/replica-divergent", "it is of Deployment/other, which mounts the Corefile of ConfigMap/other; the others mount that of ConfigMap/coredns",
			`patch deployment other --type=strategic -p '{"spec":{"template":{"spec":{"volumes":[{"name":"c","configMap":{"name":"coredns"}}]}}}}'`},
		"of a DaemonSet":          {all(stranger("DaemonSet", "other"), answers), "dns/replica-divergent", "it is of DaemonSet/other", "patch daemonset other"},
		"made by hand":            {all(stranger("", ""), answers), "dns/replica-divergent", "it has the Corefile of ConfigMap/other, the others that of ConfigMap/coredns", "delete pod other-1"},
		"of the same Deployment":  {all(stranger("ReplicaSet", "coredns"), answers), "dns/replica-divergent", "it has the Corefile of ConfigMap/other", "rollout status deployment/coredns"},
		"which was not seen":      {all(stranger("ReplicaSet", "other"), answers, func(s *scene) { s.configs = nil }), "dns/replica-divergent", "mounts the Corefile of ConfigMap/other", "patch deployment other"},
		"where nothing was asked": {stranger("ReplicaSet", "other"), "dns/config-skew", "Pod/other-1 may answer otherwise: it is of Deployment/other", "patch deployment other"},
		"of a new Service": {all(stranger("ReplicaSet", "other"), answers, func(s *scene) { s.services["redis"].CreationTimestamp = metav1.NewTime(now.Add(-3 * time.Second)) }),
			"dns/replica-divergent", "it is of Deployment/other", "patch deployment other"},
		"with the same text": {all(stranger("ReplicaSet", "other"), func(s *scene) { s.configs[0].Data["Corefile"] = stock }), "", "", ""},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			c.change(s)
			r := s.explain(t)
			switch {
			case c.code == "" && len(r.Findings) == 0:
			case len(r.Findings) != 1 || r.Findings[0].Code != c.code || !strings.Contains(r.Findings[0].Message, c.says) || !strings.Contains(r.Findings[0].Fix[0].Command, c.fix):
				t.Errorf("%+v", r.Findings)
			case r.Trace.Corefile != nil && r.Trace.Corefile.Object.Name != "coredns":
				t.Errorf("the Corefile of %s stands for all", r.Trace.Corefile.Object)
			}
		})
	}
}

func TestOnlyTheCellsOfTheStrangerDeviate(t *testing.T) {
	s := newScene()
	stranger("ReplicaSet", "other")(s)
	for _, replica := range []string{"coredns-a", "coredns-b"} {
		s.say(replica, first, A, NoError, "10.97.34.93")
	}
	s.say("other-1", first, A, NXDomain)
	for _, row := range s.explain(t).Trace.Grid.Rows {
		if row.Cells[0].Deviant != (row.Replica.Name == "other-1") {
			t.Errorf("%s: %+v", row.Replica, row.Cells)
		}
	}
}

func TestAReplicaIsHeldAgainstTheConfigMapThatItMounts(t *testing.T) {
	s := newScene()
	stranger("ReplicaSet", "other")(s)
	own := readText(s.configs[0].Data["Corefile"]).Hash
	s.seen.Replicas = []Replica{
		{Pod: podRef(s.servers[0]), UID: s.servers[0].UID, ConfigHash: readText(stock).Hash},
		{Pod: podRef(s.servers[2]), UID: s.servers[2].UID, ConfigHash: own},
	}
	for _, row := range s.explain(t).Trace.Grid.Rows {
		if row.Stale {
			t.Errorf("%s is called old", row.Replica)
		}
	}
	s.seen.Replicas[1].ConfigHash = "0123456789abcdef"
	r := s.explain(t)
	if !slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return f.Code == "dns/config-skew" && f.Object == podRef(s.servers[2]) && strings.Contains(f.Fix[0].Command, "rollout restart deployment/other")
	}) {
		t.Errorf("%+v", r.Findings)
	}
}

func TestWhatMakesAPodIsFound(t *testing.T) {
	named := func(kind, owner, name string) *corev1.Pod {
		p := pod("dns", name, "10.0.0.1", map[string]string{})
		return madeBy(p, kind, owner, "c")
	}
	hashed := pod("dns", "web-5d-abc", "10.0.0.1", map[string]string{"pod-template-hash": "5d"})
	for want, p := range map[object.Ref]*corev1.Pod{
		{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "dns", Name: "coredns"}: named("ReplicaSet", "coredns", "coredns-x1-a"),
		{Group: "apps", Version: "v1", Kind: "DaemonSet", Namespace: "dns", Name: "cache"}:    named("DaemonSet", "cache", "cache-1"),
		{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "dns", Name: "web"}:     hashed,
		{Version: "v1", Kind: "Pod", Namespace: "dns", Name: "alone"}:                         named("", "", "alone"),
	} {
		if got := workloadOf(p); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
}
