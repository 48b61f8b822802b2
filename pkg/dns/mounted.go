package dns

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// readCorefile reads the Corefile as the DNS pods mount it.
func (w *world) readCorefile() {
	sources, owner, key := w.corefileSources(w.serverPod())
	if _, ok := sources.Files[sources.Path]; !ok {
		w.recognise()
		return
	}
	w.core = ParseCorefile(sources)
	w.core.Object, w.core.Key = owner, key
	for _, m := range w.core.Missing {
		w.notes = append(w.notes, fmt.Sprintf("The Corefile imports %s, which is in no ConfigMap that was seen: what it says is not part of this answer.", m))
	}
	for _, u := range w.core.Unknowns {
		w.notes = append(w.notes, fmt.Sprintf("The Corefile uses %s, of which the value or the effect cannot be read from the pod's spec.", u))
	}
}

// corefileSources are the files that a DNS pod sees; without a pod, those that
// are usual.
func (w *world) corefileSources(pod *corev1.Pod) (s Sources, owner object.Ref, key string) {
	s.Files = map[string]string{}
	if pod == nil {
		for _, name := range []string{"coredns", "dns-default"} {
			for _, ns := range []string{systemNamespace, openshiftDNS} {
				r := object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: ns, Name: name}
				if cm, ok := w.configMap(r); ok && cm.Data["Corefile"] != "" {
					s.Path, s.Files = "/etc/coredns/Corefile", map[string]string{"/etc/coredns/Corefile": cm.Data["Corefile"]}
					return s, r, "Corefile"
				}
			}
		}
		return s, owner, ""
	}
	at := -1
	for i, c := range pod.Spec.Containers {
		if conf := flag(c, "-conf", "--conf"); conf != "" {
			at, s.Path = i, conf
			break
		}
	}
	if at < 0 {
		at = 0
		if len(pod.Spec.Containers) == 0 {
			return s, owner, ""
		}
	}
	c := pod.Spec.Containers[at]
	s.Env = envOf(c)
	for _, m := range c.VolumeMounts {
		for _, cm := range mounted(pod, m.Name) {
			r := object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: pod.Namespace, Name: cm.name}
			content, ok := w.configMap(r)
			if !ok {
				continue
			}
			for _, k := range sortedKeys(content.Data) {
				file := k
				if len(cm.items) > 0 {
					if file = cm.items[k]; file == "" {
						continue
					}
				}
				p := path.Join(m.MountPath, file)
				if m.SubPath != "" {
					if m.SubPath != file {
						continue
					}
					p = m.MountPath
				}
				s.Files[p] = content.Data[k]
				if s.Path == p || s.Path == "" && k == "Corefile" {
					s.Path, owner, key = p, r, k
				}
			}
		}
	}
	return s, owner, key
}

type configVolume struct {
	name  string
	items map[string]string
}

// mounted are the ConfigMaps of a volume.
func mounted(pod *corev1.Pod, volume string) []configVolume {
	var out []configVolume
	add := func(name string, items []corev1.KeyToPath) {
		cv := configVolume{name: name, items: map[string]string{}}
		for _, i := range items {
			cv.items[i.Key] = i.Path
		}
		out = append(out, cv)
	}
	for _, v := range pod.Spec.Volumes {
		if v.Name != volume && volume != "" {
			continue
		}
		if v.ConfigMap != nil {
			add(v.ConfigMap.Name, v.ConfigMap.Items)
		}
		if v.Projected != nil {
			for _, s := range v.Projected.Sources {
				if s.ConfigMap != nil && s.ConfigMap.Name != "kube-root-ca.crt" {
					add(s.ConfigMap.Name, s.ConfigMap.Items)
				}
			}
		}
	}
	return out
}

func flag(c corev1.Container, names ...string) string {
	words := append(slices.Clone(c.Command), c.Args...)
	for i, word := range words {
		for _, n := range names {
			if v, ok := strings.CutPrefix(word, n+"="); ok {
				return v
			}
			if word == n && i+1 < len(words) {
				return words[i+1]
			}
		}
	}
	return ""
}

func envOf(c corev1.Container) func(string) (string, bool) {
	known := map[string]string{}
	hidden := len(c.EnvFrom) > 0
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			known[e.Name] = e.Value
		}
	}
	return func(name string) (string, bool) {
		v, ok := known[name]
		if ok {
			return v, true
		}
		from := slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name })
		return "", !hidden && !from && !strings.HasPrefix(name, "KUBERNETES_") // unset is empty
	}
}

func (w *world) configMap(r object.Ref) (*corev1.ConfigMap, bool) {
	it, ok := w.v.Get(r)
	cm, typed := it.Object.(*corev1.ConfigMap)
	return cm, ok && typed
}

// recognise says what answers where there is no Corefile to read.
func (w *world) recognise() {
	image := func(part string) bool {
		return slices.ContainsFunc(w.replicas, func(p *corev1.Pod) bool {
			return slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool { return strings.Contains(c.Image, part) })
		})
	}
	var servers []string
	if text, ok := w.seen.ResolvConf.said(); ok {
		servers = ParseResolvConf(text).Nameservers
	}
	servers = append(servers, w.kubelet.ClusterDNS...)
	switch {
	case slices.Contains(servers, gkeCloudDNS):
		w.managed = "GKE Cloud DNS"
		w.note("Cloud DNS answers at %s, outside of the cluster: there are no DNS pods and no Corefile, so who answers and how cannot be seen from here.", gkeCloudDNS)
	case image("kube-dns") || image("dnsmasq"):
		w.managed = "kube-dns"
		w.note("The DNS pods run kube-dns (dnsmasq), not CoreDNS: there is no Corefile, and what it forwards is set in ConfigMap/kube-dns.")
	case len(w.replicas) > 0:
		w.note("The Corefile of the DNS pods was not seen, so which plugin answers is not known: the Kubernetes DNS specification is taken as the rule.")
	case w.dnsService != nil && len(w.dnsService.Spec.Selector) == 0:
		w.managed = "a managed DNS service"
		w.note("Service/%s has no selector: what answers runs outside of what the API server shows.", w.dnsService.Name)
	}
}

func (w *world) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}
