package endpoints

import (
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

func selectionFaults() []fault {
	far := `selector: {matchLabels: {purpose: billing-archive}}`
	return []fault{
		{name: "selector-no-match", severity: "error", manifests: docs(e2e.Deployment("other", app, far, labelled("purpose: billing-archive")), selects("role: NAMESPACE")), unfixable: true},
		{name: "scaled-to-zero", severity: "info", manifests: docs(web("replicas: 0"), service("8080"))},
		{name: "label-case", severity: "error", says: "case", manifests: docs(web(), selects("app: Web"))},
		{name: "label-typo", severity: "error", manifests: docs(e2e.Deployment("frontend", app), selects("app: frontnd"))},
		{name: "label-typo", case_: "key", severity: "error", manifests: docs(web("selector: {matchLabels: {app: web}}", labelled("app: web, tier: front")), selects("tyer: front"))},
		{name: "label-partial", severity: "error", says: "service", manifests: docs(web(), selects("app: web, service: nginx"))},
		{name: "label-key-alias", severity: "error", manifests: docs(web(), selects("app.kubernetes.io/name: web"))},
		{name: "label-on-workload-only", severity: "error", manifests: docs(web(), selects("tier: front")), then: []string{"label deployment web tier=front"}},
		{name: "wrong-namespace", severity: "error", manifests: selects("app: NAMESPACE"), unfixable: true,
			elsewhere: `{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: NAMESPACE}}, spec: {terminationGracePeriodSeconds: 1, ` + app + `}}`},
		{name: "rollout-label-drift", settled: "--for=condition=Available deployment/web",
			manifests: docs(web("strategy: {rollingUpdate: {maxUnavailable: 0}}", "selector: {matchLabels: {app: web}}", labelled("app: web, tier: front")), selects("tier: front")),
			then:      []string{`patch deployment web --type=merge -p '{"spec":{"template":{"metadata":{"labels":{"tier":"back"}},"spec":{"containers":[{"name":"web","image":"netapp:v2","env":[{"name":"READY_AFTER","value":"1h"}],"readinessProbe":{"httpGet":{"path":"/readyz","port":8080},"periodSeconds":1},"ports":[{"name":"http","containerPort":8080}]}]}}}}'`}},
		{name: "pinned-revision", severity: "error", manifests: docs(web(), selects("app: web, pod-template-hash: 5d4b9c7f6"))},
		{name: "selector-overlap", manifests: docs(web("selector: {matchLabels: {app: web, part: front}}", labelled("app: web, part: front")),
			e2e.Deployment("backend", `containers: [{name: db, image: "redis:7", ports: [{containerPort: 6379}]}]`, "selector: {matchLabels: {app: web, part: back}}", labelled("app: web, part: back")), selects("app: web"))},
		{name: "only-completed-pods", severity: "info", unfixable: true,
			manifests: docs(e2e.Job("web", `{restartPolicy: Never, containers: [{name: web, image: "busybox:1.36", command: ["true"]}]}`), selects("batch.kubernetes.io/job-name: web")), settled: "--for=condition=Complete job/web"},
		{name: "selectorless-empty", severity: "warning", manifests: unselected("web", "[{port: 80}]"), unfixable: true},
	}
}

func sliceFaults() []fault {
	behind := unselected("web", "[{name: web, port: 80, targetPort: 8080}]")
	other := e2e.Deployment("other", app)
	return []fault{
		{name: "stale-after-selector-removed", severity: "error", manifests: docs(web(), service("8080")), settled: "--for=condition=Available deployment/web",
			then: []string{`patch svc web --type=json -p '[{"op":"remove","path":"/spec/selector"}]'`}},
		{name: "manual-ip-foreign", severity: "error", unfixable: true, manifests: docs(behind, other), settled: "--for=condition=Available deployment/other",
			then: []string{withPodIP("app=other", slice("web-hand", "POD_ADDRESS", "", "name: web, port: 6379"))}},
		{name: "manual-ip-nobody", severity: "warning", unfixable: true, manifests: docs(behind, slice("web-hand", "10.244.1.251", "", "name: web, port: 8080"))},
		{name: "slice-orphan", severity: "warning", ask: []string{}, manifests: docs(web(), service("8080"), slice("left-over", "10.244.1.252", "kubernetes.io/service-name: gone", "name: web, port: 8080"))},
		{name: "slice-unlabelled", severity: "error", behind: true, unfixable: true, manifests: docs(behind,
			`{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-hand}, addressType: IPv4, ports: [{name: web, port: 8080, protocol: TCP}], endpoints: [{addresses: [10.9.9.9]}]}`)},
		{name: "slice-port-name", severity: "error", unfixable: true, manifests: docs(behind, slice("web-hand", "10.9.9.9", "", "name: htp, port: 8080"))},
		{name: "targetref-gone", severity: "error", unfixable: true, patience: 75 * time.Second, manifests: docs(behind, other, unselected("aside", "[{port: 80}]")), settled: "--for=condition=Available deployment/other",
			then: []string{withPodIP("app=other", strings.Replace(slice("web-hand", "POD_ADDRESS", "", "name: web, port: 8080"), "{addresses: [POD_ADDRESS]}", "{addresses: [POD_ADDRESS], targetRef: {kind: Pod, namespace: NAMESPACE, name: ghost, uid: 3bfa0c32-8f5c-4f0e-9a4d-000000000001}}", 1))}},
		{name: "no-pod-ip", severity: "error", unfixable: true, manifests: docs(e2e.Deployment("web", `{nodeSelector: {disk: golden}, `+app+`}`), service("8080"))},
	}
}

func portFaults() []fault {
	twice := `containers: [{name: web, image: "netapp:v1", ports: [{name: http, containerPort: 8080}]}, {name: admin, image: "nginx:1.25", ports: [{name: http, containerPort: 80}]}]`
	early := `{initContainers: [{name: first, image: "busybox:1.36", command: ["true"], ports: [{name: setup, containerPort: 9000}]}], ` + app + `}`
	return []fault{
		{name: "named-port-missing", severity: "error", manifests: docs(web(), service("metrics"))},
		{name: "named-port-typo", severity: "error", says: "http", manifests: docs(web(), service("htpp"))},
		{name: "named-port-partial", severity: "warning", behind: true, unfixable: true, settled: "--for=condition=Available deployment/web",
			manifests: docs(web("strategy: {rollingUpdate: {maxUnavailable: 0}}"), service("http")),
			then:      []string{`patch deployment web --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/ports/0/name","value":"other"},{"op":"add","path":"/spec/template/spec/containers/0/env","value":[{"name":"READY_AFTER","value":"1h"}]}]'`}},
		{name: "named-port-protocol", severity: "error", manifests: docs(web(), e2e.Service("web", "ports: [{name: web, port: 80, targetPort: http, protocol: UDP}]"))},
		{name: "named-port-duplicate", severity: "warning", unfixable: true, manifests: docs(e2e.Deployment("web", twice), service("http"))},
		{name: "named-port-init", severity: "error", unfixable: true, manifests: docs(e2e.Deployment("web", early), service("setup"))},
		{name: "port-undeclared", severity: "warning", manifests: docs(web(), service("8081"))},
		{name: "ports-swapped", severity: "error", manifests: docs(web(), e2e.Service("web", "ports: [{port: 8080, targetPort: 80}]"))},
		{name: "protocol-mismatch", severity: "warning", manifests: docs(web(), e2e.Service("web", "ports: [{port: 80, targetPort: 8080, protocol: UDP}]"))},
		{name: "headless-remap", severity: "warning", manifests: docs(web(), service("8080", "clusterIP: None")), unfixable: true},
		{name: "ports-merged-by-patch", severity: "warning", behind: true, unfixable: true,
			manifests: docs(e2e.Deployment("web", `containers: [{name: dns, image: "netapp:v1", ports: [{containerPort: 8080}, {containerPort: 8080, protocol: UDP}]}]`),
				e2e.Service("web", "ports: [{name: tcp, port: 53, targetPort: 8080}, {name: udp, port: 53, targetPort: 8080, protocol: UDP}]")),
			then: []string{`patch svc web --type=json -p '[{"op":"remove","path":"/spec/ports/1"}]'`}},
	}
}

func readinessFaults() []fault {
	never := server("{name: READY_AFTER, value: 1h}", `, readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}`)
	elsewhere := server("", `, readinessProbe: {tcpSocket: {port: 9999}, periodSeconds: 1}`)
	sidecar := `containers: [{name: web, image: "netapp:v1", ports: [{name: http, containerPort: 8080}]}, {name: agent, image: "busybox:1.36", command: [sleep, "100000"], readinessProbe: {exec: {command: ["false"]}, periodSeconds: 1}}]`
	onlyFirst := `containers: [{name: web, image: "netapp:v1", ports: [{name: http, containerPort: 8080}], readinessProbe: {exec: {command: [sh, -c, 'test "$(hostname)" = web-0']}, periodSeconds: 1}}]`
	slow := `{terminationGracePeriodSeconds: 60, ` + server("{name: DRAIN, value: 50s}", "") + `}`
	return []fault{
		{name: "none-ready", severity: "error", says: "ready", unfixable: true, patience: 150 * time.Second, manifests: docs(e2e.Deployment("web", never), service("8080"))},
		{name: "readiness-gate", severity: "error", says: "example.com/warm", unfixable: true, manifests: docs(e2e.Deployment("web", `{readinessGates: [{conditionType: example.com/warm}], `+app+`}`), service("8080"))},
		{name: "probe-port-wrong", severity: "error", says: "9999", unfixable: true, manifests: docs(e2e.Deployment("web", elsewhere), service("8080"))},
		{name: "sidecar-not-ready", severity: "error", says: "agent", unfixable: true, manifests: docs(e2e.Deployment("web", sidecar), service("8080"))},
		{name: "partial-ready", severity: "warning", unfixable: true, patience: 150 * time.Second, manifests: docs(e2e.StatefulSet("web", onlyFirst, "replicas: 2", "podManagementPolicy: Parallel"), service("8080"))},
		{name: "terminating-only", severity: "warning", behind: true, unfixable: true, settled: "--for=condition=Ready pod/web", manifests: docs(e2e.Pod("web", slow), service("8080")), then: []string{"delete pod web --wait=false"}},
		{name: "unready-published", severity: "warning", manifests: docs(e2e.Deployment("web", never), service("8080", "publishNotReadyAddresses: true"))},
		{name: "no-readiness-probe", severity: "info", unfixable: true, manifests: docs(e2e.Deployment("web", server("", "")), service("8080"))},
	}
}

func routingFaults() []fault {
	external := func(name, target string) string {
		return `{apiVersion: v1, kind: Service, metadata: {name: ` + name + `}, spec: {type: ExternalName, externalName: ` + target + `}}`
	}
	return []fault{
		{name: "etp-local-gap", manifests: docs(web(), service("8080", "type: NodePort", "externalTrafficPolicy: Local"))},
		{name: "itp-local-gap", severity: "error", manifests: docs(web(), service("8080", "internalTrafficPolicy: Local"))},
		{name: "proxy-name-label", severity: "warning", manifests: docs(web(), service("8080")), then: []string{"label svc web service.kubernetes.io/service-proxy-name=other"}},
		{name: "lb-pending", case_: "young", severity: "info", unfixable: true, manifests: docs(web(), service("8080", "type: LoadBalancer"))},
		{name: "externalname-loop", severity: "error", unfixable: true, manifests: docs(external("web", "api.NAMESPACE.svc.cluster.local"), external("api", "web.NAMESPACE.svc.cluster.local"))},
		{name: "externalname-dead", severity: "error", unfixable: true, manifests: external("web", "nosuch.NAMESPACE.svc.cluster.local")},
		{name: "statefulset-service-missing", severity: "error", ask: []string{}, unfixable: true, manifests: docs(
			e2e.StatefulSet("db", app), e2e.Service("web", "selector: {app: db}", "ports: [{port: 80, targetPort: 8080}]"))},
	}
}

func doorFaults() []fault {
	client := `{apiVersion: v1, kind: Pod, metadata: {name: client, labels: {role: guest}}, spec: {terminationGracePeriodSeconds: 1, containers: [{name: c, image: "busybox:1.36", command: [sleep, "100000"]}]}}`
	return []fault{
		{name: "netpol-denies", severity: "warning", unfixable: true, manifests: docs(web(), service("8080"), policy("ingress: []"))},
		{name: "netpol-uses-service-port", severity: "error", manifests: docs(web(), service("8080"), policy("ingress: [{ports: [{port: 80}]}]"))},
		{name: "netpol-source", severity: "warning", unfixable: true, ask: []string{"web", "--from", "pod/client"},
			manifests: docs(web(), service("8080"), client, policy("ingress: [{from: [{podSelector: {matchLabels: {role: member}}}], ports: [{port: 8080}]}]"))},
		{name: "netpol-unknown", severity: "info", behind: true, unfixable: true, manifests: docs(
			e2e.Deployment("web", `{hostNetwork: true, containers: [{name: web, image: "netapp:v1", env: [{name: LISTEN, value: ":28082"}], ports: [{name: http, containerPort: 28082}]}]}`), service("http"), policy("ingress: []"))},
		{name: "blast-radius", behind: true, unfixable: true, manifests: docs(web(), selects("app: Web"),
			`{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: NAMESPACE}, webhooks: [{name: check.example.com, sideEffects: None, admissionReviewVersions: [v1], timeoutSeconds: 1, failurePolicy: Fail,
  clientConfig: {service: {name: web, namespace: NAMESPACE}}, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: nowhere}}, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}]}`),
			atTheEnd: "delete validatingwebhookconfiguration NAMESPACE"},
		{name: "ingress-service-missing", severity: "error", ask: []string{}, unfixable: true, manifests: docs(web(), service("8080"), ingress("{name: webb, port: {number: 80}}", ""))},
		{name: "ingress-port-missing", severity: "error", manifests: docs(web(), service("8080"), ingress("{name: web, port: {number: 8080}}", ""))},
		{name: "ingress-class-missing", severity: "error", unfixable: true, behind: true, manifests: docs(web(), service("8080"), ingress("{name: web, port: {number: 80}}", "ingressClassName: nosuch, "))},
	}
}

func liveFaults() []fault {
	probe := []string{"web", "--probe"}
	manners := func(env string) string { return docs(e2e.Deployment("web", server(env, "")), service("8080")) }
	tools := `{shareProcessNamespace: false, containers: [{name: web, image: "netapp:v1", command: [sh, -c, "LISTEN=$(POD_IP):8080 exec testserver"], ports: [{containerPort: 8080}], env: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}]}`
	kubelet := `{hostNetwork: true, containers: [{name: web, image: "busybox:1.36", command: [sleep, "100000"], ports: [{name: http, containerPort: 10250}]}]}`
	return []fault{
		{name: "plaintext-to-tls", severity: "warning", ask: probe, unfixable: true, settled: "--for=condition=Available deployment/web", manifests: docs(e2e.Deployment("web", kubelet), service("http"))},
		{name: "nothing-listening", severity: "error", says: "8080", ask: probe, unfixable: true, settled: "--for=condition=Available deployment/web", manifests: manners("{name: LISTEN, value: none}"), patience: time.Minute},
		{name: "nothing-listening", case_: "elsewhere", severity: "error", says: "9090", ask: probe, settled: "--for=condition=Available deployment/web", manifests: manners(`{name: LISTEN, value: ":9090"}`)},
		{name: "listens-loopback", severity: "error", ask: probe, unfixable: true, settled: "--for=condition=Available deployment/web", manifests: manners(`{name: LISTEN, value: "127.0.0.1:8080"}`)},
		{name: "listens-podip-only", severity: "info", behind: true, ask: probe, unfixable: true, settled: "--for=condition=Available deployment/web", manifests: docs(e2e.Deployment("web", tools), service("8080"))},
	}
}
