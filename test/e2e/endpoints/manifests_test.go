package endpoints

import (
	"strings"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// app is a pod spec of a server that listens on 8080, calls its port "http" and
// says when it is ready.
const app = `containers: [{name: web, image: "netapp:v1", ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}}]`

// labelled is a template's metadata.
func labelled(pairs string) string {
	return "metadata: {labels: {" + pairs + "}}"
}

// web is a Deployment app=web of that server.
func web(spec ...string) string { return e2e.Deployment("web", app, spec...) }

// service is the Service web: port 80 to the given targetPort.
func service(target string, spec ...string) string {
	return e2e.Service("web", append([]string{"ports: [{name: web, port: 80, targetPort: " + target + "}]"}, spec...)...)
}

// selects is a Service web with its own selector.
func selects(pairs string) string {
	return service("8080", "selector: {"+pairs+"}")
}

func unselected(name, ports string) string {
	return `{apiVersion: v1, kind: Service, metadata: {name: ` + name + `}, spec: {ports: ` + ports + `}}`
}

// slice is a hand-made EndpointSlice of the Service web.
func slice(name, address, labels, port string) string {
	if labels == "" {
		labels = "kubernetes.io/service-name: web"
	}
	return `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: ` + name + `, labels: {` + labels + `}}, addressType: IPv4, ports: [{` + port + `, protocol: TCP}], endpoints: [{addresses: [` + address + `]}]}`
}

func policy(spec string) string {
	return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: guard}, spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ` + spec + `}}`
}

func ingress(backend, extra string) string {
	return `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: shop}, spec: {` + extra + `rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: ` + backend + `}}]}}]}}`
}

// server is app with other manners: env is YAML of its environment.
func server(env, rest string) string {
	return `containers: [{name: web, image: "netapp:v1", ports: [{name: http, containerPort: 8080}], env: [` + env + `]` + rest + `}]`
}

func docs(manifests ...string) string { return e2e.Documents(manifests...) }

// withPodIP is a shell command that prints the manifest with the IP of the first
// pod that carries the label.
func withPodIP(label, manifest string) string {
	return `get pod -l ` + label + ` -o jsonpath='{.items[0].status.podIP}' | { read -r ip || true; echo '` + strings.ReplaceAll(manifest, "POD_ADDRESS", `'"$ip"'`) + `'; } | kubectl -n NAMESPACE apply -f -`
}
