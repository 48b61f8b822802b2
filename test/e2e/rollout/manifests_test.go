package rollout

import (
	"strings"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// good is a server that says when it is ready, and drains before it ends.
const good = `{name: app, image: "netapp:v1", ports: [{containerPort: 8080}], env: [{name: VERSION, value: "1"}, {name: DRAIN, value: 3s}], readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}}`

const (
	recreate = "strategy: {type: Recreate}"
	careful  = "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"
)

func manifest(kind, pod string, spec ...string) string {
	switch kind {
	case "StatefulSet":
		return e2e.StatefulSet("web", pod, spec...)
	case "DaemonSet":
		return e2e.DaemonSet("web", pod, spec...)
	}
	return e2e.Deployment("web", pod, spec...)
}

func pod(containers ...string) string {
	return "containers: [" + strings.Join(containers, ", ") + "]\nterminationGracePeriodSeconds: 5"
}

// web is a Deployment of the good server with its Service.
func web(replicas string, spec ...string) string {
	return e2e.Documents(
		e2e.Deployment("web", pod(good), append([]string{"replicas: " + replicas}, spec...)...),
		e2e.Service("web", "ports: [{port: 80, targetPort: 8080}]"))
}

// with is the good server with one thing changed: old is replaced by new.
func with(pairs ...string) string {
	c := strings.NewReplacer(pairs...).Replace(good)
	if c == good {
		panic("nothing is changed by " + strings.Join(pairs, " → "))
	}
	return c
}
