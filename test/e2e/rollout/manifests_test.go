package rollout

import (
	"strings"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// good is a server that says when it is ready, and drains before it ends.
const good = `{name: app, image: "netapp:v1", ports: [{containerPort: 8080}], env: [{name: VERSION, value: "1"}, {name: DRAIN, value: 3s}], readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}}`

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

// env is the good server with more of an environment.
func env(pairs ...string) string {
	more := ""
	for i := 0; i+1 < len(pairs); i += 2 {
		more += ", {name: " + pairs[i] + ", value: \"" + pairs[i+1] + "\"}"
	}
	return with(", {name: DRAIN, value: 3s}", ", {name: DRAIN, value: 3s}"+more)
}

// having is the good server with another field.
func having(field string) string { return with(`{name: app, `, `{name: app, `+field+`, `) }
