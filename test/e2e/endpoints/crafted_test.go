package endpoints

import (
	"fmt"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// settling is how long a Service must have been left alone before its slices
// are accused, and some more.
const settling = 80 * time.Second

// craftedFaults are made by hand: slices that nobody keeps, and pods whose
// status nobody writes, since their node has no kubelet.
func craftedFaults() []fault {
	behind := unselected("web", "[{name: web, port: 80, targetPort: 8080}]")
	other := e2e.Deployment("other", app)
	target := func(address, name, uid, conditions string) string {
		return strings.Replace(slice("web-hand", address, "", "name: web, port: 8080"), "{addresses: ["+address+"]}",
			"{addresses: ["+address+"], conditions: {"+conditions+"}, targetRef: {kind: Pod, namespace: NAMESPACE, name: "+name+", uid: "+uid+"}}", 1)
	}
	hinted := func(zones ...string) string {
		var endpoints []string
		for i, zone := range zones {
			hints := ""
			if zone != "" {
				hints = ", hints: {forZones: [{name: " + zone + "}]}"
			}
			endpoints = append(endpoints, fmt.Sprintf("{addresses: [10.9.9.%d]%s}", i+1, hints))
		}
		return strings.Replace(slice("web-hand", "HERE", "", "name: web, port: 8080"), "{addresses: [HERE]}", strings.Join(endpoints, ", "), 1)
	}
	once := `{apiVersion: v1, kind: Pod, metadata: {name: once, labels: {app: other}}, spec: {restartPolicy: Never, containers: [{name: web, image: "busybox:1.36", command: ["true"]}]}}`
	// A controller deletes at once what it finds of its own; a finalizer holds it.
	held := func(manager string) string {
		return `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-held, finalizers: [example.com/hold], labels: {kubernetes.io/service-name: web, endpointslice.kubernetes.io/managed-by: ` + manager + `}}, addressType: IPv4, ports: [{name: web, port: 8080, protocol: TCP}], endpoints: [{addresses: [10.9.9.9]}]}`
	}
	const letGo = `-n NAMESPACE patch endpointslice web-held --type=merge -p '{"metadata":{"finalizers":null}}' || true`
	available := "--for=condition=Available deployment/web"
	return []fault{
		{name: "stale-mirror", severity: "error", settled: available, manifests: docs(web(), service("8080"), held("endpointslicemirroring-controller.k8s.io")), atTheEnd: letGo},
		{name: "slice-stale", severity: "error", patience: settling, settled: available, manifests: docs(web(), service("8080"), held("endpointslice-controller.k8s.io")), atTheEnd: letGo},
		{name: "uid-mismatch", severity: "error", patience: settling, manifests: docs(behind, other), settled: "--for=condition=Available deployment/other",
			then: []string{withPod("app=other", target("POD_ADDRESS", "POD_NAME", "3bfa0c32-8f5c-4f0e-9a4d-000000000002", "ready: true"))}},
		{name: "ip-mismatch", severity: "error", patience: settling, manifests: docs(behind, other), settled: "--for=condition=Available deployment/other",
			then: []string{withPod("app=other", target("10.9.9.9", "POD_NAME", "POD_UID", "ready: true"))}},
		{name: "terminal-pod-ip", severity: "error", patience: settling, manifests: docs(behind, once), settled: "--for=jsonpath={.status.phase}=Succeeded pod/once",
			then: []string{withPod("app=other", target("POD_ADDRESS", "POD_NAME", "POD_UID", "ready: true"))}},
		{name: "same-endpoint-two-slices", severity: "info", behind: true, unfixable: true, manifests: docs(web(), service("8080")), settled: available,
			then: []string{withPod("app=web", target("POD_ADDRESS", "POD_NAME", "POD_UID", "ready: true"))}},
		{name: "endpoints-diverge", severity: "warning", patience: settling, manifests: docs(web(), service("8080")), settled: available,
			then: []string{`patch endpoints web --type=merge -p '{"subsets":[{"addresses":[{"ip":"10.9.9.9"}],"ports":[{"name":"web","port":8080}]}]}'`}},
		{name: "endpoints-truncated", severity: "info", behind: true, unfixable: true, manifests: docs(web(), service("8080")), settled: available,
			then: []string{"annotate endpoints web endpoints.kubernetes.io/over-capacity=truncated"}},
		{name: "hints-ignored", severity: "info", unfixable: true, manifests: docs(behind, hinted("zone-a", ""))},
		{name: "zone-skew", severity: "warning", unfixable: true, manifests: docs(behind, hinted("zone-a", "zone-b", "zone-b", "zone-b"))},
		{name: "etp-local-gap", case_: "node", severity: "error", settled: available, ask: []string{"web", "--from", "node/NAMESPACE"}, atTheEnd: "delete node NAMESPACE",
			manifests: docs(bareNode, web(), service("8080", "type: NodePort", "externalTrafficPolicy: Local"))},
		{name: "duplicate-ip", severity: "error", atTheEnd: "delete node NAMESPACE", manifests: docs(bareNode, standIn("one"), standIn("two"), service("8080")),
			then: []string{runs("one", "10.9.9.9"), runs("two", "10.9.9.9")}},
		{name: "ip-family-mismatch", severity: "error", unfixable: true, atTheEnd: "delete node NAMESPACE", manifests: docs(bareNode, standIn("one"), service("8080")),
			then: []string{runs("one", "fd00::9")}},
		{name: "node-missing", severity: "error", manifests: docs(standIn("one"), service("8080")),
			then: []string{runs("one", "10.9.9.8")}},
	}
}

// bareNode has no kubelet. Its taint keeps everything else away, DaemonSets too.
const bareNode = `{apiVersion: v1, kind: Node, metadata: {name: NAMESPACE}, spec: {unschedulable: true, taints: [{key: leadsman.dev/no-kubelet, effect: NoExecute}]}}`

// standIn is a pod app=web on such a node. It ends at once when it is deleted:
// no kubelet would confirm that.
func standIn(name string) string {
	return `{apiVersion: v1, kind: Pod, metadata: {name: ` + name + `, labels: {app: web}}, spec: {nodeName: NAMESPACE, terminationGracePeriodSeconds: 0, tolerations: [{operator: Exists}], ` + app + `}}`
}

// runs is the command that writes what a kubelet would say of a pod that is ready.
func runs(name, address string) string {
	return `patch pod ` + name + ` --subresource=status --type=merge -p '{"status":{"phase":"Running","podIP":"` + address + `","podIPs":[{"ip":"` + address + `"}],"conditions":[{"type":"Ready","status":"True"},{"type":"ContainersReady","status":"True"}]}}'`
}

// withPod is withPodIP with the pod's name and UID as well.
func withPod(label, manifest string) string {
	for placeholder, variable := range map[string]string{"POD_ADDRESS": "$ip", "POD_NAME": "$name", "POD_UID": "$uid"} {
		manifest = strings.ReplaceAll(manifest, placeholder, `'"`+variable+`"'`)
	}
	return `get pod -l ` + label + ` -o jsonpath='{.items[0].status.podIP} {.items[0].metadata.name} {.items[0].metadata.uid}' | { read -r ip name uid || true; echo '` + manifest + `'; } | kubectl -n NAMESPACE apply -f -`
}
