package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// mutableTags: a tag may name another image tomorrow. That is said of :latest
// and of no tag at all, and of any tag under which the pods run two images.
func (s *subject) mutableTags() {
	said := map[string]bool{}
	list, fields := containersOf(s.spec)
	for i, c := range list {
		if c.Image == "" || strings.Contains(c.Image, "@") || said[c.Image] {
			continue
		}
		said[c.Image] = true
		ids, evidence := s.imageIDs(c.Name, c.Image)
		floating := tag(c.Image) == "latest"
		evidence = append([]finding.Evidence{s.fact(fields[i]+".image", c.Image)}, evidence...)
		pin := manual(fmt.Sprintf("name the image of container %q by a version or a digest", c.Name))
		if len(ids) > 0 && strings.Contains(ids[0], ":") {
			pin = s.run("pin the image that runs now", "set", "image", s.ref.Arg(), c.Name+"="+repository(c.Image)+"@"+ids[0])
		}
		switch {
		case len(ids) > 1:
			s.say("mutable-tag", finding.Warning, fmt.Sprintf("the pods run %d different images under the one name %q: the tag was moved, and which one a new pod gets depends on its node", len(ids), c.Image), evidence,
				manual(fmt.Sprintf("name the image of container %q by a digest, so that all pods run the same", c.Name)))
		case floating && len(ids) == 1:
			s.say("mutable-tag", finding.Info, fmt.Sprintf("image %q may be another one tomorrow; all pods run the same one now", c.Image), evidence, pin)
		case floating:
			s.say("mutable-tag", finding.Warning, fmt.Sprintf("image %q may be another one tomorrow, or on another node: going back to this revision does not bring this image back", c.Image), evidence, pin)
		}
	}
}

// tag is an image's tag; without one it is latest.
func tag(image string) string {
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[i+1:]
	}
	return "latest"
}

func repository(image string) string {
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[:i]
	}
	return image
}

// imageIDs are the different digests that pods run under one name, and an
// example of each. Nodes of another architecture, and other ways of writing
// down what was pulled, have other digests for one and the same image.
func (s *subject) imageIDs(container, image string) (ids []string, evidence []finding.Evidence) {
	comparable := ""
	for _, p := range s.w.Pods {
		i := slices.IndexFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Name == container && c.Image == image })
		j := slices.IndexFunc(p.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return c.Name == container && c.ImageID != "" })
		if i < 0 || j < 0 || !p.Live() {
			continue
		}
		_, digest, pulled := strings.Cut(p.Status.ContainerStatuses[j].ImageID, "@")
		kind := fmt.Sprint(pulled, s.platform(p.Spec.NodeName))
		if comparable = cmp.Or(comparable, kind); kind != comparable {
			continue
		}
		if !pulled {
			digest = "image ID " + strings.TrimPrefix(p.Status.ContainerStatuses[j].ImageID, "sha256:") // of this node: no digest to pull by
			digest = strings.ReplaceAll(digest, ":", " ")
		}
		if !slices.Contains(ids, digest) {
			ids = append(ids, digest)
			evidence = append(evidence, fact(coreRef("Pod", p.Namespace, p.Name), fmt.Sprintf("status.containerStatuses[%d].imageID", j), p.Status.ContainerStatuses[j].ImageID))
		}
	}
	return ids, evidence
}

func (s *subject) platform(node string) string {
	it, ok := s.v.Get(coreRef("Node", "", node))
	if n, typed := it.Object.(*corev1.Node); ok && typed {
		return n.Status.NodeInfo.OperatingSystem + "/" + n.Status.NodeInfo.Architecture
	}
	return ""
}
