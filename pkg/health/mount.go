package health

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// A pod names ConfigMaps and Secrets of its own namespace only.
var (
	objectAbsent = regexp.MustCompile(`(configmap|secret|persistentvolumeclaim)s? "([^"]+)" not found`)
	keyAbsent    = regexp.MustCompile(`couldn't find key (.+) in (ConfigMap|Secret) [^/\s]+/([^\s"]+)`)
	volumeKey    = regexp.MustCompile(`references non-existent (?:config|secret) key: (\S+)`)
	forVolume    = regexp.MustCompile(`for volume "([^"]+)"`)
)

var kindNames = map[string]string{"configmap": "ConfigMap", "secret": "Secret", "persistentvolumeclaim": "PersistentVolumeClaim"}

// config judges a container whose environment cannot be put together (kubelet
// pkg/kubelet, makeEnvironmentVariables).
func (p *patient) config(u unit, w *corev1.ContainerStateWaiting) (Problem, bool) {
	field := u.field() + ".state.waiting.message"
	if strings.Contains(w.Message, "failed to sync") && strings.Contains(w.Message, "cache") {
		return Problem{}, false // the kubelet has not read the object yet
	}
	if m := keyAbsent.FindStringSubmatch(w.Message); m != nil {
		ref := core(m[2], p.pod.Namespace, m[3])
		return p.keyMissing(u, ref, m[1], p.fact(field, w.Message)), true
	}
	if m := objectAbsent.FindStringSubmatch(w.Message); m != nil {
		ref := core(kindNames[m[1]], p.pod.Namespace, m[2])
		problem := p.problem("config-object-missing", u, fmt.Sprintf("container %q cannot start: %s %q, which it reads its environment from, does not exist", u.spec.Name, ref.Kind, ref.Name), p.fact(field, w.Message))
		return p.confirmed(problem, ref)
	}
	return p.cannotRun(u, w.Message, field), true
}

// confirmed asks the view: what was created since is no problem any more, what
// was not seen stays a suspicion.
func (p *patient) confirmed(problem Problem, ref object.Ref) (Problem, bool) {
	presence, _ := p.v.Presence(ref)
	if presence == index.Present {
		return Problem{}, false
	}
	problem.Missing = ref
	problem.Fix = []finding.Fix{manual(fmt.Sprintf("create %s %q in namespace %s, or correct the name in the pod template; it is tried again by itself", ref.Kind, ref.Name, ref.Namespace))}
	return problem.certain(presence == index.Missing && since(p.v, p.began()) >= 30*time.Second), true
}

func (p *patient) keyMissing(u unit, ref object.Ref, key string, evidence finding.Evidence) Problem {
	message := fmt.Sprintf("%s %q has no key %q", ref.Kind, ref.Name, key)
	if u.spec.Name != "" {
		message = fmt.Sprintf("container %q cannot start: %s", u.spec.Name, message)
	}
	problem := p.problem("config-key-missing", u, message, evidence).certain(true)
	if cm, ok := p.v.Get(ref); ok {
		if c, ok := cm.Object.(*corev1.ConfigMap); ok && has(c, key) {
			problem = problem.certain(false) // added since; the kubelet has not tried again yet
		}
	}
	problem.Fix = []finding.Fix{manual(fmt.Sprintf("add key %q to %s %q, or correct the key in the pod template", key, ref.Kind, ref.Name))}
	return problem
}

func has(c *corev1.ConfigMap, key string) bool {
	_, text := c.Data[key]
	_, binary := c.BinaryData[key]
	return text || binary
}

// beforeStart judges what holds a bound pod up before its first container runs:
// volumes and the sandbox. Both are told by events alone.
func (p *patient) beforeStart() []Problem {
	if p.pod.Spec.NodeName == "" || p.anyStarted() {
		return nil
	}
	if ps := p.volumes(); len(ps) > 0 {
		return ps
	}
	if c, _ := p.condition(corev1.PodReadyToStartContainers); c != nil && c.Status == corev1.ConditionTrue {
		return nil
	}
	e := lastEvent(p.v, p.pod, reasonIs("FailedCreatePodSandBox", "NetworkNotReady"))
	if e == nil || p.overtaken(e) {
		return nil
	}
	problem := p.whole("sandbox", fmt.Sprintf("node %s cannot set up the pod's sandbox: %s", p.pod.Spec.NodeName, clip(e.Message, 160)), eventFact(e)).lasting(since(p.v, p.began()) > time.Minute)
	if m := noHandler.FindStringSubmatch(e.Message); m != nil && p.pod.Spec.RuntimeClassName != nil {
		problem.Message = fmt.Sprintf("node %s has no runtime handler %q, which the pod's RuntimeClass %q asks for", p.pod.Spec.NodeName, m[1], *p.pod.Spec.RuntimeClassName)
		problem.Evidence = append(problem.Evidence, p.fact("spec.runtimeClassName", *p.pod.Spec.RuntimeClassName))
		problem.Fix = []finding.Fix{manual(fmt.Sprintf("configure the handler in the container runtime of node %s, give the RuntimeClass a nodeSelector for the nodes that have it, or correct runtimeClassName in the pod template", p.pod.Spec.NodeName))}
		return []Problem{problem.certain(index.EventCount(e) >= 2)}
	}
	problem.Node = p.pod.Spec.NodeName
	problem.Fix = []finding.Fix{manual("the message names the part that fails, usually the network plugin (CNI) or the container runtime of node " + p.pod.Spec.NodeName)}
	return []Problem{problem}
}

func (p *patient) anyStarted() bool {
	return slices.ContainsFunc(p.units, func(u unit) bool {
		return u.status != nil && (u.status.State.Running != nil || u.status.State.Terminated != nil || u.status.RestartCount > 0)
	})
}

// noHandler is what containerd and CRI-O say of a RuntimeClass whose handler
// they do not have.
var noHandler = regexp.MustCompile(`(?:no runtime for|failed to find runtime handler) "?([^"\s]+)"?`)

// overtaken: an event of ten minutes ago, when the kubelet would have repeated
// it, or one that success followed, is history. Events are limited to one per 5
// minutes for each source and object (client-go tools/record, defaultSpamQPS).
func (p *patient) overtaken(e *corev1.Event) bool {
	at := index.EventTime(e)
	if since(p.v, at) > 10*time.Minute {
		return true
	}
	after := lastEvent(p.v, p.pod, reasonIs("Pulling", "Pulled", "Created", "Started"))
	return after != nil && index.EventTime(after).After(at)
}

func (p *patient) volumes() []Problem {
	e := lastEvent(p.v, p.pod, func(e *corev1.Event) bool {
		// "Unable to attach or mount volumes … timed out" says less than the event before it.
		return reasonIs("FailedMount", "FailedAttachVolume", "FailedMapVolume")(e) && !strings.Contains(e.Message, "timed out waiting for the condition") && !strings.Contains(e.Message, "context deadline exceeded")
	})
	if e == nil {
		e = lastEvent(p.v, p.pod, reasonIs("FailedMount", "FailedAttachVolume", "FailedMapVolume"))
	}
	if e == nil || p.overtaken(e) || strings.Contains(e.Message, "failed to sync") && strings.Contains(e.Message, "cache") || strings.Contains(e.Message, tooEarly) {
		return nil
	}
	if strings.Contains(e.Message, "Multi-Attach error") {
		return []Problem{p.multiAttach(e)}
	}
	if m := volumeKey.FindStringSubmatch(e.Message); m != nil {
		if ref := p.volumeSource(e.Message); !ref.IsZero() {
			return []Problem{p.keyMissing(unit{spec: &corev1.Container{}}, ref, strings.TrimSuffix(m[1], `"`), eventFact(e))}
		}
	}
	if m := objectAbsent.FindStringSubmatch(e.Message); m != nil {
		ref := core(kindNames[m[1]], p.pod.Namespace, m[2])
		problem := p.whole("mount-object-missing", fmt.Sprintf("the pod cannot start: %s %q, which it mounts, does not exist", ref.Kind, ref.Name), eventFact(e))
		if problem, ok := p.confirmed(problem, ref); ok {
			return []Problem{problem}
		}
		return nil
	}
	problem := p.whole("mount-failed", "a volume of the pod cannot be mounted: "+clip(e.Message, 200), eventFact(e)).lasting(since(p.v, p.began()) > 2*time.Minute)
	if strings.Contains(e.Message, wrongHostPath) {
		problem = problem.certain(index.EventCount(e) >= 3)
		problem.Template = true
		problem.Fix = []finding.Fix{manual("what is at that path on node " + p.pod.Spec.NodeName + " is not of the type that the volume asks for; correct hostPath.path or hostPath.type in the pod template")}
		return []Problem{problem}
	}
	if m := noDriver.FindStringSubmatch(e.Message); m != nil {
		return []Problem{p.driverAbsent(problem, m[1], index.EventCount(e) >= 2)}
	}
	problem.Fix = []finding.Fix{manual("the message names the volume and its driver; see that the driver runs on node " + p.pod.Spec.NodeName + " and that the storage answers")}
	return []Problem{problem}
}

// tooEarly is what the API server answers a kubelet that asks for a token before
// the server itself has heard where the pod was bound
// (plugin/pkg/admission/noderestriction, admitServiceAccount). It asks again.
const tooEarly = "node requested token bound to a pod scheduled on a different node"

// noDriver is the kubelet's word for a CSI driver that has not registered itself
// with it (pkg/volume/csi, newCsiDriverClient).
var noDriver = regexp.MustCompile(`driver name (\S+) not found in the list of registered CSI drivers`)

// driverAbsent: a driver that is installed registers itself once its pod on the
// node runs. One that is not in the cluster does not come by itself. A CSIDriver
// may be left out by who installs one (storage.k8s.io/v1, CSIDriver), so the nodes
// have the last word.
func (p *patient) driverAbsent(problem Problem, name string, again bool) Problem {
	driver := object.New("storage.k8s.io/v1", "CSIDriver", "", name)
	presence, _ := p.v.Presence(driver)
	problem.Message = fmt.Sprintf("a volume of the pod cannot be mounted: its CSI driver %q is not registered on node %s", name, p.pod.Spec.NodeName)
	if presence == index.Present || p.elsewhere(name) {
		problem.Fix = []finding.Fix{manual(fmt.Sprintf("see that the driver's pod on node %s runs (its DaemonSet may not tolerate the node's taints)", p.pod.Spec.NodeName)), run("see which drivers the node has", "", "get", "csinode", p.pod.Spec.NodeName, "-o", "yaml")}
		return problem
	}
	problem.Missing = driver
	problem.Fix = []finding.Fix{manual(fmt.Sprintf("install the driver %s, or use another kind of volume in the pod template", name)), run("see which drivers there are", "", "get", "csidrivers")}
	switch {
	case presence != index.Missing:
	case !p.v.Answered(everyCSINode):
		problem.Ask = []source.Query{everyCSINode}
	default:
		problem.Message = fmt.Sprintf("a volume of the pod cannot be mounted: the cluster has no CSI driver %q", name)
		problem.Template = again && since(p.v, p.began()) >= 30*time.Second // it may be installed beside its first user
		return problem.certain(problem.Template)
	}
	return problem
}

var everyCSINode = source.Query{Kind: schema.GroupKind{Group: "storage.k8s.io", Kind: "CSINode"}}

// elsewhere says whether a CSI driver is registered on any node.
func (p *patient) elsewhere(driver string) bool {
	return slices.ContainsFunc(index.Typed[*storagev1.CSINode](p.v, everyCSINode.Kind, ""), func(n *storagev1.CSINode) bool {
		return slices.ContainsFunc(n.Spec.Drivers, func(d storagev1.CSINodeDriver) bool { return d.Name == driver })
	})
}

// wrongHostPath is what the kubelet says of a node's path that is not what the
// volume asks for (pkg/volume/hostpath, checkTypeInternal). It does not pass by
// itself.
const wrongHostPath = "hostPath type check failed"

// volumeSource is the ConfigMap or Secret behind the volume that a message names.
func (p *patient) volumeSource(message string) object.Ref {
	m := forVolume.FindStringSubmatch(message)
	if m == nil {
		return object.Ref{}
	}
	for _, vol := range p.pod.Spec.Volumes {
		switch {
		case vol.Name != m[1]:
		case vol.ConfigMap != nil:
			return core("ConfigMap", p.pod.Namespace, vol.ConfigMap.Name)
		case vol.Secret != nil:
			return core("Secret", p.pod.Namespace, vol.Secret.SecretName)
		}
	}
	return object.Ref{}
}
