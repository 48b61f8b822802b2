package endpoints

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// TestHealthyThingsThatLookBroken: none of these may be accused of anything.
func TestHealthyThingsThatLookBroken(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"nothing unusual":                  untouched,
		"one ready endpoint":               onlyFirstPod,
		"an undeclared numeric port":       both(targets(intstr.FromInt32(9090)), func(s *scene) { s.each(func(p *corev1.Pod) { p.Spec.Containers[0].Ports = nil }) }),
		"no selector, hand-made endpoints": func(s *scene) { s.manual("203.0.113.7") },
		"a hand-made node address":         func(s *scene) { s.manual("192.168.0.1") },
		"scaled to zero":                   func(s *scene) { s.pods, s.deploy.Spec.Replicas = nil, new(int32(0)) },
		"completed pods of a Job": func(s *scene) {
			s.each(func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded; own(p, "batch/v1", "Job", "once", "job") })
			s.deploy = nil
		},
		"a completed Job's pod beside others": canary(func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded; own(p, "batch/v1", "Job", "once", "job") }),
		"the port of a native sidecar":        func(s *scene) { s.each(intoInit(new(corev1.ContainerRestartPolicyAlways))) },
		"a StatefulSet's pod by name": func(s *scene) {
			s.svc.Spec.Selector = map[string]string{"statefulset.kubernetes.io/pod-name": "web-1"}
			s.pods[0].Labels["statefulset.kubernetes.io/pod-name"] = "web-1"
			s.deploy = nil
		},
		"pods that an operator makes": func(s *scene) {
			s.each(func(p *corev1.Pod) { own(p, "example.com/v1", "Cluster", "web", "c") })
			s.deploy = nil
		},
		"a default IngressClass":               ingress("{defaultBackend: {service: {name: web, port: {number: 80}}}}"),
		"a route from elsewhere, with a grant": manifest(route("{name: web, namespace: shop, port: 80}", "") + grant),
		"an ipBlock that matches no pod":       policy("ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}, {podSelector: {}}]}]"),
		"headless, publishing unready": func(s *scene) {
			s.svc.Spec.ClusterIP, s.svc.Spec.Ports[0].Port, s.svc.Spec.PublishNotReadyAddresses = "None", 8080, true
			unready(s.pods[0])
		},
		"hostNetwork pods on one address": func(s *scene) {
			s.each(func(p *corev1.Pod) {
				p.Spec.HostNetwork = true
				p.Status.PodIP = "192.168.0.1"
				p.Status.PodIPs[0].IP = "192.168.0.1"
			})
		},
		"several slices after a port is renamed": after(func(s *scene) {
			old := s.slices[0].DeepCopy()
			old.Name, old.Ports[0].Name = "web-old", new("former")
			s.slices = append(s.slices, old)
		}),
		"a placeholder slice without ports": after(func(s *scene) { s.slices = append(s.slices, s.slice("web-none", controllerName)) }),
		"a canary with the same ports":      canary(func(*corev1.Pod) {}),
		"another number for the same name":  func(s *scene) { s.pods[0].Spec.Containers[0].Ports[0].ContainerPort = 9090 },
		"a pod on its way out": func(s *scene) {
			s.pods[0].DeletionTimestamp = new(ago(-20 * time.Second))
			s.pods[0].DeletionGracePeriodSeconds = new(int64(30))
		},
		"a dead pod that is not sent to": func(s *scene) { s.pods[0].Status.Phase = corev1.PodFailed; unready(s.pods[0]); s.listDead() },
		"nil conditions":                 after(func(s *scene) { s.slices[0].Endpoints[0].Conditions = discoveryv1.EndpointConditions{} }),
		"a slice of names (FQDN) for others than kube-proxy": func(s *scene) {
			f := s.manual("db.example.com")
			f.AddressType, s.svc.Spec.ClusterIP, s.svc.Spec.Ports[0].Port = discoveryv1.AddressTypeFQDN, "None", 8080
		},
		"default/kubernetes": func(s *scene) {
			m := s.manual("192.168.0.1")
			s.svc.Name, s.svc.Namespace, m.Namespace = "kubernetes", "default", "default"
			m.Name, m.Labels[discoveryv1.LabelServiceName] = "kubernetes", "kubernetes"
		},
		"a name outside": external("db.example.com"),
		"dual stack, pods with one family of two": func(s *scene) {
			s.svc.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
			s.each(func(p *corev1.Pod) {
				p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: "fd00::" + p.Name[4:]})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy()
			change(s)
			r := s.judge(t)
			for _, f := range r.Findings {
				if f.Severity != finding.Info {
					t.Errorf("%s %s: %s", f.Severity, f.Code, f.Message)
				}
			}
			if r.Services[0].Verdict != report.OK {
				t.Errorf("the verdict is %s: %s", r.Services[0].Verdict, r.Services[0].Summary)
			}
		})
	}
}

// TestReadyWithoutPorts is the trap: a slice of ready endpoints without ports.
func TestReadyWithoutPorts(t *testing.T) {
	s := healthy()
	targets(intstr.FromString("htttp"))(s)
	r := s.judge(t)
	if !*s.slices[0].Endpoints[0].Conditions.Ready || len(s.slices[0].Ports) > 0 {
		t.Fatal("the scene is not the trap")
	}
	svc := r.Services[0]
	if svc.Verdict != report.Broken || svc.Ports[0].Ready != 0 || svc.Endpoints[0].State != report.EndpointNoPort {
		t.Errorf("%s, %d ready, %s", svc.Verdict, svc.Ports[0].Ready, svc.Endpoints[0].State)
	}
}

func TestSummaries(t *testing.T) {
	for want, change := range map[string]func(*scene){
		`Service/web reaches 2 of 2 pods on port 80 → 8080 (named "http").`:                                                                     untouched,
		`Service/web reaches 1 hand-made endpoint on port 80 → 5432.`:                                                                           both(func(s *scene) { s.manual("203.0.113.7") }, targets(intstr.FromInt32(5432))),
		`Service/web is another name for db.example.com.`:                                                                                       external("db.example.com"),
		`Service/web has nothing to reach: Deployment/web makes its pods and is scaled to 0.`:                                                   func(s *scene) { s.pods, s.deploy.Spec.Replicas = nil, new(int32(0)) },
		`Service/web reaches nothing: no pod carries the label that it selects; the pods of Deployment/web, which has its name, carry app=web.`: selector("app", "zebra"),
	} {
		s := healthy()
		change(s)
		if got := s.judge(t).Services[0].Summary; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestTheLabelOnTheDeploymentItself is the case for which the tool exists.
func TestTheLabelOnTheDeploymentItself(t *testing.T) {
	s := healthy()
	selector("app", "web", "service", "nginx")(s)
	s.deploy.Labels = map[string]string{"service": "nginx"}
	f := s.judge(t).Findings[0]
	if want := `no pod carries its whole selector: 2 pods of Deployment/web have app=web but no "service"; the label is on Deployment/web itself, not in spec.template.metadata.labels`; f.Message != want {
		t.Errorf("got %s", f.Message)
	}
	if want := `kubectl -n shop patch deployment web --type=merge -p '{"spec":{"template":{"metadata":{"labels":{"service":"nginx"}}}}}'`; f.Fix[0].Command != want {
		t.Errorf("got %s", f.Fix[0].Command)
	}
}

func TestTrafficThatArrivesAtANodeIsAnErrorThere(t *testing.T) {
	for name, want := range map[string]finding.Severity{"n1": "", "n2": finding.Error, "": finding.Warning} {
		s := healthy()
		local("external")(s)
		onlyFirstPod(s)
		if name != "" {
			s.opts.From = object.Ref{Version: "v1", Kind: "Node", Name: name}
		}
		f := find(s.judge(t).Findings, code("etp-local-gap"))
		switch {
		case f == nil && want != "":
			t.Errorf("from %q: silent", name)
		case f != nil && f.Severity != want:
			t.Errorf("from %q: %s %s", name, f.Severity, f.Message)
		}
	}
}

// A node that is down receives nothing, and a load balancer leaves out what is
// excluded from it.
func TestNodesThatReceiveNothingHaveNoGap(t *testing.T) {
	down := func(s *scene) { s.nodes[1].Status.Conditions[0].Status = corev1.ConditionUnknown }
	excluded := func(s *scene) { s.nodes[1].Labels[corev1.LabelNodeExcludeBalancers] = "" }
	balanced := func(s *scene) { s.svc.Spec.Type = corev1.ServiceTypeLoadBalancer }
	for name, c := range map[string]struct {
		change func(*scene)
		fires  bool
	}{
		"a node that is down":                    {down, false},
		"excluded from load balancers":           {both(excluded, balanced), false},
		"excluded, where nobody minds the label": {excluded, true},
	} {
		s := healthy()
		local("external")(s)
		onlyFirstPod(s)
		c.change(s)
		if f := find(s.judge(t).Findings, code("etp-local-gap")); (f != nil) != c.fires {
			t.Errorf("%s: %s", name, told(s.judge(t)))
		}
	}
}

func TestAnotherCopyOfTheApplicationIsNoWrongNamespace(t *testing.T) {
	elsewhere := func(namespace string) func(*scene) {
		return func(s *scene) {
			p := pod("web-9", "10.244.1.9", "n1")
			p.Namespace = namespace
			s.add(p)
		}
	}
	gone := func(s *scene) { s.pods, s.deploy = nil, nil }
	served := func(s *scene) {
		copied := s.svc.DeepCopy()
		copied.Namespace, copied.UID = "other", "svc-other"
		s.add(copied)
	}
	for name, c := range map[string]struct {
		change func(*scene)
		want   string
	}{
		"nobody's pods in one other namespace": {both(gone, elsewhere("other")), "wrong-namespace"},
		"a Service there selects them":         {both(gone, elsewhere("other"), served), "selector-no-match"},
		"several namespaces have such pods":    {both(gone, elsewhere("other"), elsewhere("third")), "selector-no-match"},
	} {
		s := healthy()
		c.change(s)
		f := find(s.judge(t).Findings, code(c.want))
		if f == nil || !strings.Contains(f.Message, "other") {
			t.Errorf("%s: %s", name, told(s.judge(t)))
		}
	}
}

func TestACrashIsSaidAtOnceAndAStartIsNot(t *testing.T) {
	young := func(change func(*corev1.ContainerStatus)) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			unready(p)
			p.CreationTimestamp = ago(10 * time.Second)
			p.Status.StartTime = new(ago(10 * time.Second))
			change(&p.Status.ContainerStatuses[0])
		}
	}
	for name, c := range map[string]struct {
		change func(*corev1.ContainerStatus)
		want   finding.Severity
	}{
		"it runs": {func(s *corev1.ContainerStatus) {
			s.State.Running.StartedAt = ago(5 * time.Second)
		}, finding.Info},
		"it has failed": {func(s *corev1.ContainerStatus) {
			s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", FinishedAt: ago(2 * time.Second)}}
		}, finding.Error},
		"it waits to be started again": {func(s *corev1.ContainerStatus) {
			s.RestartCount = 1
			s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
			s.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", FinishedAt: ago(2 * time.Second)}}
		}, finding.Error},
		"its image has no valid name": {func(s *corev1.ContainerStatus) {
			s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "InvalidImageName"}}
		}, finding.Error},
	} {
		s := healthy()
		s.each(young(c.change))
		if f := find(s.judge(t).Findings, code("none-ready")); f == nil || f.Severity != c.want {
			t.Errorf("%s: %s", name, told(s.judge(t)))
		}
	}
}
