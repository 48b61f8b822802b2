package endpoints

import "github.com/leadsman-dev/leadsman/test/e2e"

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

func policy(spec string) string {
	return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: guard}, spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ` + spec + `}}`
}

func ingress(backend, extra string) string {
	return `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: shop}, spec: {` + extra + `rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: ` + backend + `}}]}}]}}`
}

func docs(manifests ...string) string { return e2e.Documents(manifests...) }
