package preflight

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// reference is something without which no new pod starts.
type reference struct {
	to    object.Ref
	key   string // in it, where one is named
	field string
}

// needed are the required references of the template. What is optional, and
// what the cluster makes by itself, is not among them.
func (s *subject) needed() []reference {
	var out []reference
	add := func(kind, name, key, field string, optional *bool) {
		if name != "" && (optional == nil || !*optional) {
			out = append(out, reference{coreRef(kind, s.ref.Namespace, name), key, "spec.template.spec." + field})
		}
	}
	for _, list := range []struct {
		name       string
		containers []corev1.Container
	}{{"containers", s.spec.Containers}, {"initContainers", s.spec.InitContainers}} {
		for i := range list.containers {
			environment(&list.containers[i], fmt.Sprintf("%s[%d]", list.name, i), add)
		}
	}
	for i := range s.spec.Volumes {
		v := &s.spec.Volumes[i]
		if !s.made(v.Name) && (v.PersistentVolumeClaim != nil || s.mounted(v.Name)) {
			volume(v, fmt.Sprintf("volumes[%d]", i), add)
		}
	}
	if name := cmp.Or(s.spec.ServiceAccountName, s.spec.DeprecatedServiceAccount); name != "default" {
		add("ServiceAccount", name, "", "serviceAccountName", nil)
	}
	if name := s.spec.PriorityClassName; name != "" && name != "system-node-critical" && name != "system-cluster-critical" {
		out = append(out, reference{object.New("scheduling.k8s.io/v1", "PriorityClass", "", name), "", "spec.template.spec.priorityClassName"})
	}
	if name := s.spec.RuntimeClassName; name != nil && *name != "" {
		out = append(out, reference{object.New("node.k8s.io/v1", "RuntimeClass", "", *name), "", "spec.template.spec.runtimeClassName"})
	}
	return slices.DeleteFunc(out, func(r reference) bool {
		return slices.ContainsFunc(s.opts.Along, func(o object.Ref) bool { return o.Key() == r.to.Key() })
	})
}

// mounted says whether a container uses the volume: the kubelet sets up no
// other (pkg/kubelet/volumemanager/populator, processPodVolumes). The scheduler
// looks at every claim all the same.
func (s *subject) mounted(volume string) bool {
	for _, c := range slices.Concat(s.spec.InitContainers, s.spec.Containers) {
		if slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume }) ||
			slices.ContainsFunc(c.VolumeDevices, func(d corev1.VolumeDevice) bool { return d.Name == volume }) {
			return true
		}
	}
	return false
}

type adder func(kind, name, key, field string, optional *bool)

func environment(c *corev1.Container, field string, add adder) {
	for i, e := range c.Env {
		if f := e.ValueFrom; f != nil && f.ConfigMapKeyRef != nil {
			add("ConfigMap", f.ConfigMapKeyRef.Name, f.ConfigMapKeyRef.Key, fmt.Sprintf("%s.env[%d].valueFrom.configMapKeyRef", field, i), f.ConfigMapKeyRef.Optional)
		} else if f != nil && f.SecretKeyRef != nil {
			add("Secret", f.SecretKeyRef.Name, "", fmt.Sprintf("%s.env[%d].valueFrom.secretKeyRef", field, i), f.SecretKeyRef.Optional)
		}
	}
	for i, e := range c.EnvFrom {
		if e.ConfigMapRef != nil {
			add("ConfigMap", e.ConfigMapRef.Name, "", fmt.Sprintf("%s.envFrom[%d].configMapRef", field, i), e.ConfigMapRef.Optional)
		}
		if e.SecretRef != nil {
			add("Secret", e.SecretRef.Name, "", fmt.Sprintf("%s.envFrom[%d].secretRef", field, i), e.SecretRef.Optional)
		}
	}
}

func volume(v *corev1.Volume, field string, add adder) {
	items := func(name string, items []corev1.KeyToPath, field string, optional *bool) {
		add("ConfigMap", name, "", field, optional)
		for _, item := range items {
			add("ConfigMap", name, item.Key, field, optional)
		}
	}
	switch {
	case v.ConfigMap != nil:
		items(v.ConfigMap.Name, v.ConfigMap.Items, field+".configMap", v.ConfigMap.Optional)
	case v.Secret != nil:
		add("Secret", v.Secret.SecretName, "", field+".secret", v.Secret.Optional)
	case v.PersistentVolumeClaim != nil:
		add("PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName, "", field+".persistentVolumeClaim", nil)
	case v.Projected != nil:
		for i, p := range v.Projected.Sources {
			at := fmt.Sprintf("%s.projected.sources[%d]", field, i)
			if p.ConfigMap != nil && p.ConfigMap.Name != "kube-root-ca.crt" && p.ConfigMap.Name != "openshift-service-ca.crt" {
				items(p.ConfigMap.Name, p.ConfigMap.Items, at+".configMap", p.ConfigMap.Optional)
			}
			if p.Secret != nil {
				add("Secret", p.Secret.Name, "", at+".secret", p.Secret.Optional)
			}
		}
	}
}

// references: what was not seen is not missing.
func (s *subject) references() {
	if s.w.Replicas == 0 && !s.is("DaemonSet") {
		return
	}
	said := map[reference]bool{}
	for _, r := range s.needed() {
		presence, gap := s.v.Presence(r.to)
		about := reference{to: r.to.Key()}
		switch presence {
		case index.Missing:
			if !said[about] {
				said[about] = true
				s.missing(r, gap)
			}
		case index.Present:
			about.key = r.key
			if r.key != "" && !said[about] {
				said[about] = true
				s.keyMissing(r)
			}
		}
	}
}

func (s *subject) missing(r reference, gap *source.Gap) {
	message := fmt.Sprintf("the new pods need %s %q, which does not exist", r.to.Kind, r.to.Name)
	if gap != nil {
		message += ": the server has no such kind"
	}
	close := source.Close(s.names(r.to), r.to.Name)
	if len(close) > 0 {
		message += "; there is " + joined(close)
	}
	s.say("reference-missing", finding.Error, message, []finding.Evidence{s.fact(r.field, r.to.Name)}, s.create(r.to))
}

func (s *subject) names(r object.Ref) []string {
	var names []string
	for _, it := range s.v.List(r.GroupKind(), r.Namespace) {
		names = append(names, it.Ref.Name)
	}
	return names
}

// create is how what is missing is made. Where a person must decide what goes
// into it, that is no command to run as it stands.
func (s *subject) create(r object.Ref) finding.Fix {
	const words = "create it, or correct the name in the pod template"
	switch r.Kind {
	case "ConfigMap":
		return manual(words + "; from a file: " + finding.Kubectl(r.Namespace, "create", "configmap", r.Name) + " --from-file=FILE")
	case "Secret":
		return manual(words + "; from a file: " + finding.Kubectl(r.Namespace, "create", "secret", "generic", r.Name) + " --from-file=FILE")
	case "ServiceAccount":
		return s.run(words, "create", "serviceaccount", r.Name)
	case "PriorityClass":
		return manual(words + "; " + finding.Kubectl("", "create", "priorityclass", r.Name) + " --value=VALUE")
	}
	return manual(words)
}

func (s *subject) keyMissing(r reference) {
	it, _ := s.v.Get(r.to)
	cm, ok := it.Object.(*corev1.ConfigMap)
	if !ok {
		return
	}
	var keys []string
	for k := range cm.Data {
		keys = append(keys, k)
	}
	for k := range cm.BinaryData {
		keys = append(keys, k)
	}
	if slices.Contains(keys, r.key) {
		return
	}
	slices.Sort(keys)
	message := fmt.Sprintf("the new pods need the key %q of ConfigMap %q, which has no such key", r.key, r.to.Name)
	if close := source.Close(keys, r.key); len(close) > 0 {
		message += "; there is " + joined(close)
	}
	s.say("reference-missing", finding.Error, message, []finding.Evidence{s.fact(r.field, r.to.Name+", key "+r.key), fact(it.Ref, "data", "keys "+joined(keys))},
		manual("add the key, or correct it in the pod template; the first with: "+finding.Kubectl(r.to.Namespace, "edit", "configmap/"+r.to.Name)))
}
