package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
)

// Difference is what sets the new template apart from the old one, in words,
// images first. Equal templates have none; the hash by which controllers tell
// their pods apart is no difference. Values that may be secret are never shown.
func Difference(old, new *corev1.PodTemplateSpec) []string {
	if old == nil || new == nil || index.SameTemplate(old, new) {
		return nil
	}
	old, new = index.Unhashed(old).DeepCopy(), index.Unhashed(new).DeepCopy() // what is told is erased
	d := &differ{}
	d.containers(old.Spec.Containers, new.Spec.Containers, "container")
	d.containers(old.Spec.InitContainers, new.Spec.InitContainers, "init container")
	d.pod(old, new)
	words := slices.Concat(d.images, d.others)
	wholeOld, wholeNew := old.DeepCopy(), new.DeepCopy()
	erase(old, new)
	words = append(words, leftovers(old, new)...)
	if len(words) == 0 { // such as volumes in another order
		words = leftovers(wholeOld, wholeNew)
	}
	return words
}

// differ collects what differs; images stand before all else.
type differ struct {
	images, others []string
}

func (d *differ) add(words ...string) { d.others = append(d.others, words...) }

// containers compares two lists of containers by name. The only container of a
// pod needs no name.
func (d *differ) containers(old, new []corev1.Container, what string) {
	alone := what == "container" && len(old) == 1 && len(new) == 1 && old[0].Name == new[0].Name
	for i := range new {
		c := &new[i]
		j := slices.IndexFunc(old, func(o corev1.Container) bool { return o.Name == c.Name })
		if j < 0 {
			d.add(fmt.Sprintf("%s %s added (%s)", what, c.Name, short(c.Image)))
			continue
		}
		prefix := ""
		if !alone {
			prefix = c.Name + ": "
		}
		d.container(prefix, &old[j], c)
	}
	for i := range old {
		if !slices.ContainsFunc(new, func(n corev1.Container) bool { return n.Name == old[i].Name }) {
			d.add(fmt.Sprintf("%s %s removed", what, old[i].Name))
		}
	}
	if order(old, new) {
		d.add(what + "s in another order")
	}
}

// order says that the same containers stand in another order.
func order(old, new []corev1.Container) bool {
	if len(old) != len(new) {
		return false
	}
	moved := false
	for i := range old {
		if !slices.ContainsFunc(new, func(n corev1.Container) bool { return n.Name == old[i].Name }) {
			return false
		}
		moved = moved || old[i].Name != new[i].Name
	}
	return moved
}

func (d *differ) container(prefix string, old, new *corev1.Container) {
	if old.Image != new.Image {
		d.images = append(d.images, prefix+"image "+images(old.Image, new.Image))
	}
	var words []string
	words = append(words, environment(old, new)...)
	words = append(words, resources("", old.Resources, new.Resources)...)
	words = append(words, probe("readiness", old.ReadinessProbe, new.ReadinessProbe)...)
	words = append(words, probe("liveness", old.LivenessProbe, new.LivenessProbe)...)
	words = append(words, probe("startup", old.StartupProbe, new.StartupProbe)...)
	words = append(words, command("command", old.Command, new.Command)...)
	words = append(words, command("args", old.Args, new.Args)...)
	words = append(words, changedNames("port", byName(old.Ports, portName), byName(new.Ports, portName))...)
	words = append(words, changedNames("mount", byName(old.VolumeMounts, mountName), byName(new.VolumeMounts, mountName))...)
	words = append(words, one("pull policy", string(old.ImagePullPolicy), string(new.ImagePullPolicy))...)
	words = append(words, differs("lifecycle hooks", old.Lifecycle, new.Lifecycle)...)
	words = append(words, differs("security context", old.SecurityContext, new.SecurityContext)...)
	words = append(words, one("working directory", old.WorkingDir, new.WorkingDir)...)
	for _, w := range words {
		d.add(prefix + w)
	}
}

func portName(p corev1.ContainerPort) string {
	return cmp.Or(p.Name, fmt.Sprint(p.ContainerPort)) + suffix(p.Protocol != "" && p.Protocol != corev1.ProtocolTCP, "/"+string(p.Protocol))
}

func mountName(m corev1.VolumeMount) string { return m.MountPath }

func suffix(yes bool, s string) string {
	if yes {
		return s
	}
	return ""
}

// images shows the tag or digest alone where nothing else differs.
func images(old, new string) string {
	a, b := split(old), split(new)
	switch {
	case a.name == b.name && a.digest == b.digest:
		return short(old) + " → " + cmp.Or(b.tag, "no tag")
	case a.name == b.name && a.tag == b.tag && a.digest != "" && b.digest != "":
		return fmt.Sprintf("%s digest %s → %s", tail(a.name), brief(a.digest), brief(b.digest))
	case a.name == b.name:
		return short(old) + " → " + strings.TrimPrefix(short(new), tail(b.name)+":")
	case tail(a.name) == tail(b.name): // another registry
		return clip(old, 60) + " → " + clip(new, 60)
	}
	return short(old) + " → " + short(new)
}

type image struct{ name, tag, digest string }

func split(s string) image {
	var i image
	i.name, i.digest, _ = strings.Cut(s, "@")
	if colon := strings.LastIndexByte(i.name, ':'); colon > strings.LastIndexByte(i.name, '/') {
		i.name, i.tag = i.name[:colon], i.name[colon+1:]
	}
	return i
}

// short is an image without its registry and path, and with the head of its digest.
func short(s string) string {
	i := split(s)
	out := tail(i.name)
	if i.tag != "" {
		out += ":" + i.tag
	}
	if i.digest != "" {
		out += "@" + brief(i.digest)
	}
	return clip(out, 60)
}

func tail(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func brief(digest string) string {
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) <= 7 {
		return clip(digest, 20)
	}
	return clip(algorithm, 8) + ":" + hex[:7]
}

// clip keeps an entry to one line, by runes.
func clip(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}
