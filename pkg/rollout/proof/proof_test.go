package proof

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestProofs(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*scene)
		script string
		want   string
	}{
		"nothing happens": {nil, `
			0 answer web-a o1 o2 o3 o4
			9000 nothing`,
			"web: held, 4 now, 4 to 4, floor 3"},
		"a roll that goes down to its floor holds": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1 o2 o3 o4~ n1-
			2000 web-a o1 o2 o3 n1
			3000 web-a o1 o2 n1 n2
			4000 web-a o1 n1 n2 n3
			5000 web-a n1 n2 n3 n4`,
			"web: held, 4 now, 3 to 4, floor 3"},
		"a dip of 20 ms between two events is seen": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1 o2 o3~ o4~
			1020 web-a o1 o2 o3~ o4~ n1 n2
			9000 nothing`,
			"web: broken, 4 now, 2 to 4, floor 3, below 1 times for 0.02 s, area 0.02"},
		"a dip within one burst, at the same moment, counts too": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1 o2
			1000 web-a o1 o2 n1 n2`,
			"web: broken, 4 now, 2 to 4, floor 3, below 1 times for 0.00 s, area 0.00"},
		"an outage that goes on is counted up to now": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a
			3000 nothing`,
			"web: broken, 0 now, 0 to 4, floor 3, below 1 times for 2.00 s, area 6.00"},
		"unready endpoints do not serve": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1 o2 o3- o4-
			2000 web-a o1 o2 o3 o4`,
			"web: broken, 4 now, 2 to 4, floor 3, below 1 times for 1.00 s, area 1.00"},
		"conditions that nobody set mean ready": {nil, `
			0 answer web-a o1? o2? o3? o4?
			2000 nothing`,
			"web: held, 4 now, 4 to 4, floor 3"},
		"an endpoint in two slices is one": {nil, `
			0 answer web-a o1 o2 o3 o4 | web-b o3 o4
			1000 web-a o1 o2
			2000 nothing`,
			"web: held, 4 now, 4 to 4, floor 3"},
		"an endpoint that moves, added before it is taken away, is never missed": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-b o1 o2 o3 o4
			1001 gone web-a`,
			"web: held, 4 now, 4 to 4, floor 3"},
		"an endpoint that moves, taken away first, is missed, as kube-proxy misses it": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 gone web-a
			1010 web-b o1 o2 o3 o4`,
			"web: broken, 4 now, 0 to 4, floor 3, below 1 times for 0.01 s, area 0.03"},
		"names of hosts are no endpoints": {nil, `
			0 answer web-a o1 o2 o3 o4 | web-q.q h1 h2
			2000 nothing`,
			"web: held, 4 now, 4 to 4, floor 3"},
		"somebody else's slice is no witness of a pod": {nil, `
			0 answer web-a o1 o2 o3 o4 | web-x.x o1 o2 o3 o4
			1000 web-a o1 o2
			2000 nothing`,
			"web: broken, 2 now, 2 to 4, floor 3, below 1 times for 1.00 s, area 1.00"},
		"pods of another workload do not make up for what is lost": {nil, `
			0 answer web-a o1 o2 o3 o4 z1 z2
			1000 web-a o1 o2 z1 z2
			2000 nothing`,
			"web: broken, 2 now, 2 to 4, floor 3, below 1 times for 1.00 s, area 1.00"},

		"a workload that was degraded before is held to what it had": {nil, `
			0 answer web-a o1 o2
			1000 web-a o1 o2 n1-
			2000 web-a o1 n1
			3000 web-a n1 n2`,
			"web: held, 2 now, 2 to 2, floor 3"},
		"and to its floor once that is reached": {nil, `
			0 answer web-a o1 o2
			1000 web-a o1 o2 n1
			2000 web-a o1 n1
			3000 web-a n1 n2 n3`,
			"web: broken, 3 now, 2 to 3, floor 3, below 1 times for 1.00 s, area 1.00"},
		"a first deploy starts from nothing": {nil, `
			0 answer web-a
			1000 web-a n1
			2000 web-a n1 n2 n3 n4
			3000 nothing`,
			"web: held, 4 now, 0 to 4, floor 3"},
		"what never served cannot be lost": {nil, `
			0 answer web-a o1- o2-
			2000 nothing`,
			"web: not-provable, 0 now, 0 to 0, floor 3, " + nothingServed},
		"pods of others alone prove nothing of these": {nil, `
			0 answer web-a z1 z2
			2000 nothing`,
			"web: not-provable, 0 now, 0 to 0, floor 3, none of the endpoints that served is known to be a pod of deployment/web"},

		"scaling down is no loss, also where it is judged later": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 scale 2
			1010 web-a o1 o2 o3~ o4~
			1020 web-a o1 o2
			1100 learn
			3000 nothing`,
			"web: held, 2 now, 2 to 4, floor 1"},
		"scaling down is no loss, also where it comes in after what it causes": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			1000 unwatched
			1500 resumed
			1501 web-a o1 o2
			2000 rewatched
			2001 scale 2
			2100 learn
			3000 nothing`,
			"web: held-with-gaps, 2 now, 2 to 4, floor 1, unseen 0.5 s"},
		"scaling up asks for more once it is there": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 scale 8
			1001 learn
			2000 web-a o1 o2 o3 o4 n1 n2
			3000 web-a o1 o2 n1 n2 n3 n4 n5
			4000 web-a n1 n2 n3 n4 n5 n6 n7 n8`,
			"web: held, 8 now, 4 to 8, floor 7"},
		"and is held to it from then on": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 scale 8
			1001 learn
			2000 web-a o1 o2 o3 o4 n1 n2 n3
			3000 web-a o1 o2 o3 n1 n2 n3
			4000 web-a o1 o2 o3 n1 n2 n3 n4`,
			"web: broken, 7 now, 4 to 7, floor 7, below 1 times for 1.00 s, area 1.00"},

		"Recreate without a moment of nothing": {func(s *scene) { s.deploy.Spec.Strategy.Type = "Recreate" }, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1
			2000 web-a n1`,
			"web: held, 1 now, 1 to 4, floor 1"},
		"Recreate promises nothing, and nothing is downtime": {func(s *scene) { s.deploy.Spec.Strategy.Type = "Recreate" }, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1~ o2~
			4000 web-a n1`,
			"web: broken, 1 now, 0 to 4, floor 1, below 1 times for 3.00 s, area 3.00"},
		"Recreate where another workload serves meanwhile": {func(s *scene) { s.deploy.Spec.Strategy.Type = "Recreate" }, `
			0 answer web-a o1 o2 o3 o4 z1
			1000 web-a z1
			4000 web-a n1 z1`,
			"web: held, 2 now, 1 to 5, floor 1"},
		"Recreate of what was scaled to zero": {func(s *scene) { s.deploy.Spec.Strategy.Type = "Recreate" }, `
			0 answer web-a
			4000 web-a n1
			5000 nothing`,
			"web: held, 1 now, 0 to 1, floor 1"},

		"a watch that was away for long": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			4000 resumed
			5000 nothing`,
			"web: held-with-gaps, 4 now, 4 to 4, floor 3, unseen 3.0 s"},
		"a watch that was away for a moment in which nothing changed": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			1200 resumed
			2000 web-a o1 o2 o3
			5000 nothing`,
			"web: held, 3 now, 3 to 4, floor 3, unseen 0.2 s"},
		"a watch that was away for a moment in which something changed": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			1200 resumed
			1201 web-a o1 o2 o3
			5000 nothing`,
			"web: held-with-gaps, 3 now, 3 to 4, floor 3, unseen 0.2 s"},
		"a watch that expired and was read anew": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			2000 forget
			2500 resumed
			3000 answer web-a o1 o2 o3 | web-b n1
			5000 nothing`,
			"web: held-with-gaps, 4 now, 4 to 4, floor 3, unseen 2.0 s"},
		"a loss outweighs a gap": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			4000 resumed
			4001 web-a o1 o2
			5000 web-a o1 o2 n1 n2`,
			"web: broken, 4 now, 2 to 4, floor 3, below 1 times for 1.00 s, area 1.00, unseen 3.0 s"},
		"a watch that never came back": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			6000 nothing`,
			"web: held-with-gaps, 4 now, 4 to 4, floor 3, unseen 5.0 s"},
		"a watch that began late": {nil, `
			2000 answer web-a o1 o2 o3 o4
			6000 nothing`,
			"web: held-with-gaps, 4 now, 4 to 4, floor 3, unseen 2.0 s"},
		"a permission that is taken away midway": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 forbidden
			3000 nothing`,
			"web: held-with-gaps, 4 now, 4 to 4, floor 3, unseen 2.0 s"},

		"no permission": {nil, `
			0 forbidden
			3000 nothing`,
			"web: not-provable, 0 now, 0 to 0, floor 0, EndpointSlices cannot be seen (forbidden)"},
		"nobody watched": {nil, `
			3000 learn`,
			"web: not-provable, 0 now, 0 to 0, floor 0, its EndpointSlices were not watched in that time"},
		"no Service": {func(s *scene) { s.services = []*corev1.Service{service("db", map[string]string{"app": "db"})} }, `
			0 answer db-a z1`,
			": not-provable, 0 now, 0 to 0, floor 0, no Service selects the pods of deployment/web"},
		"a Service without a selector": {func(s *scene) { s.services[0].Spec.Selector = nil }, `
			0 answer web-a.x o1 o2 o3 o4`,
			": not-provable, 0 now, 0 to 0, floor 0, Service web leads to the pods but has no selector: somebody else keeps its endpoints, and they do not follow readiness"},
		"a Service that is only a name": {func(s *scene) {
			s.services[0].Spec.Type, s.services[0].Spec.ExternalName = corev1.ServiceTypeExternalName, "web.example.com"
		}, `
			0 answer`,
			"web: not-provable, 0 now, 0 to 0, floor 0, it is only a name for web.example.com: no endpoints stand behind it"},
		"no readiness probe": {func(s *scene) { s.deploy.Spec.Template.Spec.Containers[0].ReadinessProbe = nil }, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a n1 n2 n3 n4`,
			"web: not-provable, 4 now, 4 to 4, floor 3, no container has a readiness probe: its pods count as ready as soon as they run, whether they answer or not"},
		"no readiness probe, and a loss all the same": {func(s *scene) { s.deploy.Spec.Template.Spec.Containers[0].ReadinessProbe = nil }, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a
			2000 web-a n1 n2 n3 n4`,
			"web: broken, 4 now, 0 to 4, floor 3, below 1 times for 1.00 s, area 3.00"},

		"two Services, of which one loses": {func(s *scene) {
			s.services = append(s.services, service("admin", map[string]string{"app": "web"}))
		}, `
			0 answer web-a o1 o2 o3 o4 | admin-a o1 o2 o3 o4
			1000 web-a o1 o2 o3 n1
			1001 admin-a o1 o2 n1
			1002 admin-a o1 n1
			3002 admin-a o1 n1 n2`,
			"admin: broken, 3 now, 2 to 4, floor 3, below 1 times for 2.00 s, area 2.00\nweb: held, 4 now, 4 to 4, floor 3"},
		"a Service of the old version alone loses all": {func(s *scene) {
			s.services = append(s.services, service("old", map[string]string{"app": "web"}))
		}, `
			0 answer web-a o1 o2 o3 o4 | old-a o1 o2 o3 o4
			1000 old-a
			2000 nothing`,
			"old: broken, 0 now, 0 to 4, floor 3, below 1 times for 1.00 s, area 3.00\nweb: held, 4 now, 4 to 4, floor 3"},
		"a Service that is deleted": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 unservice
			1100 gone web-a
			2000 nothing`,
			"web: broken, 0 now, 0 to 4, floor 3, below 1 times for 0.90 s, area 2.70, the Service was deleted at 12:00:01.000 UTC"},

		"both families agree": {dual, `
			0 answer web-a o1 o2 o3 o4 | web-b.6 o1 o2 o3 o4
			1000 web-a o1 o2 n1
			1005 web-b.6 o1 o2 n1
			2000 nothing`,
			"web: held, 3 now, 3 to 4, floor 3"},
		"the families do not agree": {dual, `
			0 answer web-a o1 o2 o3 o4 | web-b.6 o1 o2 o3 o4
			1000 web-b.6 o1 o2
			2000 nothing`,
			"web (IPv4): held, 4 now, 4 to 4, floor 3\nweb (IPv6): broken, 2 now, 2 to 4, floor 3, below 1 times for 1.00 s, area 1.00"},
		"a family that no pod has says nothing": {dual, `
			0 answer web-a o1 o2 o3 o4 | web-b.6
			2000 nothing`,
			"web: held, 4 now, 4 to 4, floor 3"},
		"the ports do not agree, as where the new pods call one otherwise": {func(s *scene) {
			s.services[0].Spec.Ports = append(s.services[0].Spec.Ports, corev1.ServicePort{Name: "metrics", Port: 90})
		}, `
			0 answer web-a.2 o1 o2 o3 o4
			1000 web-b n1 n2 n3 n4
			1000 gone web-a.2
			2000 nothing`,
			"web (port http): held, 4 now, 4 to 8, floor 3\nweb (port metrics): broken, 0 now, 0 to 4, floor 3, below 1 times for 1.00 s, area 3.00"},
		"a headless Service without ports": {func(s *scene) {
			s.services[0].Spec.Ports, s.services[0].Spec.ClusterIP = nil, corev1.ClusterIPNone
			s.services[0].Spec.IPFamilies = nil
		}, `
			0 answer web-a.p o1 o2 o3 o4
			1000 web-a.p o1 o2
			2000 web-a.p o1 o2 n1`,
			"web: broken, 3 now, 2 to 4, floor 3, below 1 times for 1.00 s, area 1.00"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			if tt.change != nil {
				tt.change(s)
			}
			s.play(t, tt.script)
			if got := words(s.proofs()); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func dual(s *scene) {
	s.services[0].Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
}

func TestSummariesArePlain(t *testing.T) {
	for name, tt := range map[string]struct {
		change       func(*scene)
		script, want string
	}{
		"held": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1 o2 o3 n1-`, "served by 3 to 4 endpoints, floor 3"},
		"broken": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1 o2
			1020 web-a o1 o2 n1 n2`, "served by 2 to 4 endpoints, floor 3; below it for 20 ms, first at 12:00:01.000 UTC"},
		"nothing but what shuts down": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1~ o2~
			3000 web-a
			3500 web-a n1 n2 n3 n4`, "served by 0 to 4 endpoints, floor 3; none at all for 2.5 s, first at 12:00:01.000 UTC; for 2 s of that, pods that were shutting down could still answer"},
		"Recreate": {func(s *scene) { s.deploy.Spec.Strategy.Type = "Recreate" }, `
			0 answer web-a o1 o2 o3 o4
			1000 web-a
			3500 web-a n1`, "served by 0 to 4 endpoints, at least 1 is needed; none at all for 2.5 s, first at 12:00:01.000 UTC; strategy Recreate ends all old pods before it starts new ones"},
		"gaps": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			4200 resumed
			5000 nothing`, "served by 4 endpoints, floor 3; not watched for 3.2 s"},
		"degraded": {nil, `
			0 answer web-a o1
			1000 web-a o1 n1 n2`, "served by 1 to 3 endpoints, floor 3; only 1 served when it began, 3 since 12:00:01.000 UTC"},
		"scaled": {nil, `
			0 answer web-a o1 o2 o3 o4
			1000 scale 8
			1001 learn
			2000 web-a o1 o2 o3 o4 n1 n2 n3`, "served by 4 to 7 endpoints, floor 3, later 7"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			if tt.change != nil {
				tt.change(s)
			}
			s.play(t, tt.script)
			if got := s.proofs()[0].Summary; got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestLimitsSayWhatIsSpecial(t *testing.T) {
	local, near := corev1.ServiceInternalTrafficPolicyLocal, "PreferClose"
	for want, change := range map[string]func(*corev1.ServiceSpec){
		"publishNotReadyAddresses":       func(s *corev1.ServiceSpec) { s.PublishNotReadyAddresses = true },
		"headless":                       func(s *corev1.ServiceSpec) { s.ClusterIP = corev1.ClusterIPNone },
		"internalTrafficPolicy is Local": func(s *corev1.ServiceSpec) { s.InternalTrafficPolicy = &local },
		"externalTrafficPolicy is Local": func(s *corev1.ServiceSpec) { s.ExternalTrafficPolicy = "Local" },
		"trafficDistribution":            func(s *corev1.ServiceSpec) { s.TrafficDistribution = &near },
	} {
		plain, special := newScene(), newScene()
		change(&special.services[0].Spec)
		for s, told := range map[*scene]bool{plain: false, special: true} {
			s.play(t, "0 answer web-a o1 o2 o3 o4")
			if all := strings.Join(s.proofs()[0].Limits, "\n"); strings.Contains(all, want) != told {
				t.Errorf("%s: told %v\n%s", want, !told, all)
			}
		}
	}
}

func TestTheCurveTellsTheHandOver(t *testing.T) {
	s := newScene()
	s.play(t, `
		0 answer web-a o1 o2 o3 o4
		1000 web-a o1 o2 o3 n1- o4
		2000 web-a o1 o2 o3 n1
		3000 web-a o1 n1 n2 n3 z1`)
	var got [][2]int
	for _, p := range s.proofs()[0].Curve {
		got = append(got, [2]int{p.Old, p.New})
	}
	if want := [][2]int{{4, 0}, {3, 1}, {1, 3}}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v", got)
	}
}

func TestALongCurveKeepsItsEndsAndItsDips(t *testing.T) {
	var curve []curvePoint
	for i := range 10_000 {
		curve = append(curve, curvePoint{at: after(i), old: 100 + i%7})
	}
	curve[6543].old = 3
	got := thin(curve)
	lowest := got[0].Old
	for i, p := range got {
		lowest = min(lowest, p.Old)
		if i > 0 && p.At.Before(got[i-1].At) {
			t.Fatalf("out of order at %d", i)
		}
	}
	if len(got) > mostPoints || lowest != 3 || !got[0].At.Equal(after(0)) || !got[len(got)-1].At.Equal(after(9999)) {
		t.Errorf("%d points, lowest %d", len(got), lowest)
	}
}
