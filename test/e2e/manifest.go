package e2e

import (
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// Deployment is the manifest of a Deployment whose pods are labelled app=NAME.
// pod is the pod's spec and spec what the Deployment's own spec has beside it,
// both as YAML. It panics on bad YAML, as the test is wrong then.
func Deployment(name, pod string, spec ...string) string {
	return workload("apps/v1", "Deployment", name, pod, spec)
}

// StatefulSet is like Deployment.
func StatefulSet(name, pod string, spec ...string) string {
	return workload("apps/v1", "StatefulSet", name, pod, append(spec, "serviceName: "+name))
}

// DaemonSet is like Deployment.
func DaemonSet(name, pod string, spec ...string) string {
	return workload("apps/v1", "DaemonSet", name, pod, spec)
}

// ReplicaSet is like Deployment.
func ReplicaSet(name, pod string, spec ...string) string {
	return workload("apps/v1", "ReplicaSet", name, pod, spec)
}

func workload(apiVersion, kind, name, pod string, spec []string) string {
	labels := map[string]any{"app": name}
	full := fields(spec...)
	if _, ok := full["selector"]; !ok {
		full["selector"] = map[string]any{"matchLabels": labels}
	}
	template := map[string]any{"metadata": map[string]any{"labels": labels}}
	if meta, ok := full["metadata"]; ok { // of the template
		template["metadata"] = meta
		delete(full, "metadata")
	}
	template["spec"] = podSpec(pod)
	full["template"] = template
	return document(apiVersion, kind, name, map[string]any{"spec": full})
}

// Job is the manifest of a Job.
func Job(name, pod string, spec ...string) string {
	full := fields(spec...)
	full["template"] = map[string]any{"spec": podSpec(pod)}
	return document("batch/v1", "Job", name, map[string]any{"spec": full})
}

// Pod is the manifest of a bare pod, labelled app=NAME.
func Pod(name, pod string) string {
	return document("v1", "Pod", name, map[string]any{"spec": podSpec(pod)})
}

// Service is the manifest of a Service in front of the pods labelled app=NAME.
func Service(name string, spec ...string) string {
	full := fields(spec...)
	if _, ok := full["ports"]; !ok {
		full["ports"] = []any{map[string]any{"port": 80}}
	}
	if _, ok := full["selector"]; !ok {
		full["selector"] = map[string]any{"app": name}
	}
	return document("v1", "Service", name, map[string]any{"spec": full})
}

// podSpec ends pods quickly, so that a test's namespace does not linger.
func podSpec(text string) map[string]any {
	spec := fields(text)
	if _, ok := spec["terminationGracePeriodSeconds"]; !ok {
		spec["terminationGracePeriodSeconds"] = 1
	}
	return spec
}

func fields(texts ...string) map[string]any {
	all := map[string]any{}
	for _, text := range texts {
		if err := yaml.Unmarshal([]byte(text), &all); err != nil {
			panic(fmt.Sprintf("manifest %q: %v", text, err))
		}
	}
	return all
}

func document(apiVersion, kind, name string, rest map[string]any) string {
	rest["apiVersion"], rest["kind"] = apiVersion, kind
	rest["metadata"] = map[string]any{"name": name, "labels": map[string]any{"app": name}}
	text, err := json.Marshal(rest)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Documents joins manifests to one file.
func Documents(manifests ...string) string { return strings.Join(manifests, "\n---\n") }
