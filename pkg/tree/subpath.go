package tree

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// part is one file or folder of a volume that a container mounts alone.
type part struct {
	mount  corev1.VolumeMount
	volume *corev1.Volume
	field  string // of the mount
}

// parts are the mounts of a pod, or of a template, that name a subPath.
func parts(it index.Item) []part {
	var spec *corev1.PodSpec
	if pod, ok := it.Object.(*corev1.Pod); ok {
		spec = &pod.Spec
	} else if template := index.PodTemplate(it.Object); template != nil {
		spec = &template.Spec
	} else {
		return nil
	}
	var out []part
	add := func(list string, containers []corev1.Container) {
		for i := range containers {
			for j, m := range containers[i].VolumeMounts {
				at := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
				if m.SubPath != "" && at >= 0 {
					out = append(out, part{m, &spec.Volumes[at], fmt.Sprintf("%s.%s[%d].volumeMounts[%d]", relation.PodSpecPath(it.Ref.GroupKind()), list, i, j)})
				}
			}
		}
	}
	add("containers", spec.Containers)
	add("initContainers", spec.InitContainers)
	return out
}

// file is where a volume takes what it holds from: all keys of an object, or
// the paths that are listed.
type file struct {
	from     object.Ref
	paths    []string
	all      bool // every key is a file
	optional bool
}

// sources are what a volume is made of, and nil where something in it is not
// known before the kubelet makes it.
func sources(namespace string, v *corev1.Volume) []file {
	of := func(kind, name string, items []corev1.KeyToPath, optional *bool) file {
		f := file{from: object.Ref{Version: "v1", Kind: kind, Namespace: namespace, Name: name}, all: len(items) == 0, optional: optional != nil && *optional}
		for _, i := range items {
			f.paths = append(f.paths, i.Path)
		}
		return f
	}
	switch {
	case v.ConfigMap != nil:
		return []file{of("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Items, v.ConfigMap.Optional)}
	case v.Secret != nil:
		return []file{of("Secret", v.Secret.SecretName, v.Secret.Items, v.Secret.Optional)}
	case v.Projected == nil:
		return nil
	}
	var all []file
	for _, s := range v.Projected.Sources {
		switch {
		case s.ConfigMap != nil:
			all = append(all, of("ConfigMap", s.ConfigMap.Name, s.ConfigMap.Items, s.ConfigMap.Optional))
		case s.Secret != nil:
			all = append(all, of("Secret", s.Secret.Name, s.Secret.Items, s.Secret.Optional))
		case s.ServiceAccountToken != nil:
			all = append(all, file{paths: []string{s.ServiceAccountToken.Path}})
		case s.DownwardAPI != nil:
			var f file
			for _, i := range s.DownwardAPI.Items {
				f.paths = append(f.paths, i.Path)
			}
			all = append(all, f)
		default:
			return nil
		}
	}
	return all
}

// needSubPaths asks for the whole of a ConfigMap of which a container mounts one
// key: of all others the metadata is enough.
func needSubPaths(g *relation.Graph, _ []object.Ref) []source.Query {
	var qs []source.Query
	for _, it := range g.View.Every() {
		for _, m := range parts(it) {
			for _, f := range sources(it.Ref.Namespace, m.volume) {
				target, ok := g.View.Get(f.from)
				q := source.Query{Kind: f.from.GroupKind(), Namespace: f.from.Namespace, Name: f.from.Name}
				if ok && f.all && !f.optional && f.from.Kind == "ConfigMap" && source.MetadataOnly(target.Object) && !slices.Contains(qs, q) {
					qs = append(qs, q)
				}
			}
		}
	}
	return qs
}

// checkSubPaths finds mounts of one file of a volume that has no such file. The
// kubelet makes an empty folder in its place (pkg/kubelet,
// makeMounts), and the program finds that.
func (p *Pass) checkSubPaths(it index.Item, said map[keyAt]bool) {
	for _, m := range parts(it) {
		wanted := path.Clean(m.mount.SubPath)
		from, paths := p.files(it.Ref.Namespace, m.volume)
		if from.IsZero() || wanted == "." || strings.HasPrefix(wanted, "..") || p.excused(it, relation.Edge{}) || said[keyAt{from.Key(), wanted}] ||
			slices.ContainsFunc(paths, func(has string) bool { return has == wanted || strings.HasPrefix(has, wanted+"/") }) {
			continue
		}
		said[keyAt{from.Key(), wanted}] = true
		f := finding.Finding{
			Code: "tree/reference-missing", Severity: finding.Warning, Object: it.Ref,
			Message: fmt.Sprintf("mounts %q of %s alone at %s, which has no such key: the container finds an empty folder there", wanted, from, m.mount.MountPath),
			Evidence: []finding.Evidence{
				evidence(it.Ref, m.field+subPath, m.mount.SubPath),
				evidence(it.Ref, m.field+".mountPath", m.mount.MountPath),
				evidence(from, "data", "files "+strings.Join(paths, ", ")),
			},
			Fix: []finding.Fix{{Description: fmt.Sprintf("correct %s, or add that key to %s; pods that run keep the empty folder until they are made anew", m.field+subPath, from)}},
		}
		if close := source.Close(paths, wanted); len(close) > 0 {
			f.Message += "; there is " + strings.Join(close, ", ")
			if plainFile.MatchString(close[0]) && it.Ref.Kind != "Pod" && it.Ref.Kind != "Job" && it.Ref.Kind != "ReplicaSet" {
				f.Fix = slices.Insert(f.Fix, 0, finding.Fix{Description: "mount " + close[0] + ", if that is what was meant",
					Command: finding.Kubectl(it.Ref.Namespace, "patch", it.Ref.Arg(), "--type=json", "-p",
						finding.JSON([]any{map[string]any{"op": "replace", "path": finding.Pointer(m.field + subPath), "value": close[0]}}))})
			}
		}
		p.folders = append(p.folders, len(p.findings))
		p.report(f)
	}
}

const subPath = ".subPath"

// plainFile is what may stand in a command as it is.
var plainFile = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)

// files are the paths that a volume holds, and the first object that they come
// from: none where not all of them are known. Of a Secret they are known only
// where they are listed, since its keys are not read.
func (p *Pass) files(namespace string, v *corev1.Volume) (from object.Ref, paths []string) {
	for _, f := range sources(namespace, v) {
		if f.from.IsZero() {
			paths = append(paths, f.paths...)
			continue
		}
		target, ok := p.View.Get(f.from)
		cm, whole := target.Object.(*corev1.ConfigMap)
		switch {
		case !ok || f.optional || f.all && !whole:
			return object.Ref{}, nil
		case f.all:
			paths = append(paths, keysOf(cm)...)
		default:
			paths = append(paths, f.paths...)
		}
		if from.IsZero() {
			from = f.from
		}
	}
	return from, paths
}

// linkEmptyFolders makes a mount of a file that is not there the cause of a
// container that fails with words that name the place: a folder cannot be
// mounted over a file, run, or read as one.
func (p *Pass) linkEmptyFolders() {
	mounts := map[object.Ref][]*finding.Finding{}
	for _, i := range p.folders {
		f := &p.findings[i]
		mounts[f.Object.Key()] = append(mounts[f.Object.Key()], f)
	}
	if len(mounts) == 0 {
		return
	}
	for i := range p.findings {
		f := &p.findings[i]
		if !failsToRun[f.Code] {
			continue
		}
		if c := p.emptyFolder(*f, mounts); c != nil {
			c.Severity, f.CausedBy = finding.Error, &finding.Cause{Code: c.Code, Object: c.Object}
		}
	}
}

// emptyFolder is the mount of which the words of a failure speak.
func (p *Pass) emptyFolder(f finding.Finding, mounts map[object.Ref][]*finding.Finding) *finding.Finding {
	for _, maker := range p.makers(f.Object) {
		for _, c := range mounts[maker] {
			if slices.ContainsFunc(f.Evidence, func(e finding.Evidence) bool { return namesPath(e.Value, c.Evidence[1].Value) }) {
				return c
			}
		}
	}
	return nil
}

// makers are an object and the owners whose templates it was made from, the
// nearest first. A cycle ends where it closes.
func (p *Pass) makers(r object.Ref) []object.Ref {
	var all []object.Ref
	for !slices.Contains(all, r.Key()) {
		all = append(all, r.Key())
		if owners := p.Graph.Owners(r); len(owners) > 0 {
			r = owners[0].Ref
		}
	}
	return all
}

var failsToRun = map[string]bool{"tree/run-error": true, "tree/crash-app": true, "tree/init-crash": true, "tree/sidecar-crash": true}

// namesPath says whether a text names a path, or something in it.
func namesPath(text, at string) bool {
	at = path.Clean(at)
	for at != "/" {
		_, after, found := strings.Cut(text, at)
		if !found {
			return false
		}
		if after == "" || !strings.ContainsAny(after[:1], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") {
			return true
		}
		text = after
	}
	return false
}
