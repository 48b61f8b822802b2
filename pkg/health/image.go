package health

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/redact"
)

// image tells why an image is not there (kubelet pkg/kubelet/images,
// EnsureImageExists and evalCRIPullErr). The registry's words are judged
// without the image's own name, which may contain "denied" or "401".
func (p *patient) image(u unit, w *corev1.ContainerStateWaiting) Problem {
	text := w.Message
	if e := p.about(u, pullFailed); e != nil && (w.Reason == "ImagePullBackOff" && !strings.Contains(text, ": ")) {
		text = e.Message // before 1.32 the back-off does not repeat the error
	}
	name, sentence := classifyPull(w.Reason, text, u.spec.Image)
	facts := []finding.Evidence{
		p.fact(u.field()+".state.waiting.reason", w.Reason),
		p.fact(u.field()+".state.waiting.message", redact.Text(w.Message)),
	}
	if e := p.about(u, pullFailed); e != nil && text != w.Message {
		f := eventFact(e)
		f.Value = redact.Text(f.Value)
		facts = append(facts, f)
	}
	facts = append(facts, p.fact(u.specField()+".image", u.spec.Image))
	sentence = fmt.Sprintf(sentence, u.spec.Image)
	if absent := p.absentLogins(); name == "image-auth" && len(absent) > 0 {
		sentence += fmt.Sprintf("; Secret %q of its imagePullSecrets does not exist", absent[0].Value)
		facts = append(facts, absent...)
	}
	problem := p.problem(name, u, sentence, facts...)
	problem.Fix = p.imageFix(u, name)
	switch name {
	case "image-invalid", "image-never-pull", "image-signature":
		return problem.certain(true)
	case "image-not-found", "image-auth":
		return problem.certain(p.secondPull(u))
	}
	return problem.lasting(since(p.v, p.pulling(u)) > 5*time.Minute)
}

// absentLogins are the Secrets with logins that the pod names and that do not
// exist. The kubelet goes on without them, so they ail nothing by themselves.
func (p *patient) absentLogins() []finding.Evidence {
	var absent []finding.Evidence
	for i, s := range p.pod.Spec.ImagePullSecrets {
		secret := object.Ref{Version: "v1", Kind: "Secret", Namespace: p.pod.Namespace, Name: s.Name}
		if there, _ := p.v.Presence(secret); there == index.Missing {
			absent = append(absent, p.fact(fmt.Sprintf("spec.imagePullSecrets[%d].name", i), s.Name))
		}
	}
	return absent
}

func pullFailed(e *corev1.Event) bool {
	return e.Reason == "Failed" && strings.HasPrefix(e.Message, "Failed to pull image")
}

// secondPull says whether the pull failed twice: a push may be racing the first
// attempt, and the kubelet tries again after 10 seconds. Where no event tells of
// the attempts, time must; a first attempt may itself take long.
func (p *patient) secondPull(u unit) bool {
	failed, last := p.pullsFailed(u)
	switch {
	case failed >= 2:
		return true
	case failed == 1:
		return since(p.v, last) > 30*time.Second
	}
	return since(p.v, p.pulling(u)) > 30*time.Second
}

// pullsFailed counts the failed attempts. Each may have an event of its own,
// since registries put request numbers into their words.
func (p *patient) pullsFailed(u unit) (times int, last time.Time) {
	for _, e := range p.v.Events(p.pod.UID) {
		if pullFailed(e) && p.isAbout(u, e) {
			times, last = times+index.EventCount(e), index.EventTime(e)
		}
	}
	return times, last
}

// pulling is the earliest moment at which the kubelet can have begun to pull.
func (p *patient) pulling(u unit) time.Time {
	from := p.began()
	for _, other := range p.units {
		if other.status == nil {
			continue
		}
		if t := other.status.State.Terminated; t != nil && other.part == InitContainer {
			from = latest(from, t.FinishedAt.Time)
		}
	}
	if t := u.status.LastTerminationState.Terminated; t != nil {
		from = latest(from, t.FinishedAt.Time)
	}
	return from
}

var (
	rateWords     = regexp.MustCompile(`(?i)toomanyrequests|too many requests|\b429\b|pull rate limit`)
	authWords     = regexp.MustCompile(`(?i)unauthorized|access denied|\bdenied\b|forbidden|\b401\b|\b403\b|authentication required|authorization failed|no basic auth|insufficient_scope|failed to authorize`)
	ambiguousWord = regexp.MustCompile(`(?i)may require|repository does not exist or`)
	serverWords   = regexp.MustCompile(`(?i)\b50[0-4] [A-Z]|internal server error|bad gateway|service unavailable`)
	downWords     = regexp.MustCompile(`(?i)registry is unavailable|no such host|i/o timeout|connection refused|connection reset|network is unreachable|no route to host|tls handshake|x509:|deadline exceeded|timeout|server misbehaving|server gave HTTP response|\b50[0-4]\b|\bEOF\b`)
	absentWords   = regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|manifest_unknown|name_unknown|\b404\b|no match for platform|does not exist`)
	webAddress    = regexp.MustCompile(`https?://[^\s"]+`)
)

func classifyPull(reason, text, image string) (name, sentence string) {
	switch reason {
	case "InvalidImageName":
		return "image-invalid", "%q is not a valid image name"
	case "ErrImageNeverPull":
		return "image-never-pull", "image %q is not on the node, and imagePullPolicy Never forbids to pull it"
	case "SignatureValidationFailed":
		return "image-signature", "the signature of image %q was not accepted"
	case "RegistryUnavailable":
		return "image-registry-down", "the registry of image %q cannot be reached"
	}
	words := text
	if image != "" {
		words = strings.ReplaceAll(words, image, "")
		if bare, _, ok := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":"); ok && len(bare) > 2 {
			words = strings.ReplaceAll(words, image[strings.LastIndex(image, "/")+1:], "")
		}
	}
	words = webAddress.ReplaceAllString(words, "")
	switch {
	case rateWords.MatchString(words):
		return "image-rate-limit", "the registry refuses to serve image %q for now: its rate limit is reached"
	case strings.Contains(words, "signature validation failed"):
		return "image-signature", "the signature of image %q was not accepted"
	case ambiguousWord.MatchString(words) && authWords.MatchString(words):
		return "image-auth", "image %q does not exist, or needs a login: the registry does not say which"
	case authWords.MatchString(words):
		return "image-auth", "the registry does not let this pod pull image %q"
	case serverWords.MatchString(words):
		return "image-registry-down", "the registry of image %q answers with an error of its own"
	case downWords.MatchString(words):
		return "image-registry-down", "the registry of image %q cannot be reached"
	case absentWords.MatchString(words):
		return "image-not-found", "image %q does not exist in its registry"
	}
	return "image-pull", "image %q cannot be pulled"
}

func (p *patient) imageFix(u unit, name string) []finding.Fix {
	ns := p.pod.Namespace
	top, known := topOwner(p.v, p.pod, p.ref)
	switch name {
	case "image-not-found", "image-invalid", "image-never-pull", "image-signature":
		if good, ok := p.lastGoodImage(u); ok && known && editable(top) {
			return []finding.Fix{run("go back to the image that runs in another revision", ns, "set", "image", top.Arg(), u.spec.Name+"="+good)}
		}
		return []finding.Fix{manual(fmt.Sprintf("give container %q of %s an image that exists and may be pulled", u.spec.Name, top))}
	case "image-auth":
		if len(p.pod.Spec.ImagePullSecrets) == 0 {
			return []finding.Fix{manual("the pod has no imagePullSecrets: create a docker-registry Secret and name it in the pod template or its ServiceAccount, or correct the image's name")}
		}
		if absent := p.absentLogins(); len(absent) > 0 {
			return []finding.Fix{manual("create it with a login that may pull this image: " + finding.Kubectl(ns, "create", "secret", "docker-registry", absent[0].Value) + ", with the flags for its server, user and password")}
		}
		return []finding.Fix{manual("check that the Secret in imagePullSecrets holds a login that may pull this image, and that the image's name is right")}
	case "image-rate-limit":
		return []finding.Fix{manual("wait, pull with a login of your own (imagePullSecrets), or use a mirror")}
	}
	return []finding.Fix{manual("check from the node that the registry's name resolves and answers; the kubelet tries again by itself")}
}

// lastGoodImage is the image of the same container in the newest other revision
// of the Deployment that has ready pods.
func (p *patient) lastGoodImage(u unit) (string, bool) {
	rs, ok := ownerOf[*appsv1.ReplicaSet](p.v, p.pod)
	if !ok {
		return "", false
	}
	deployment, ok := index.Controller(rs)
	if !ok {
		return "", false
	}
	var others []*appsv1.ReplicaSet
	for it := range p.v.Owned(deployment.UID) {
		if o, ok := it.Object.(*appsv1.ReplicaSet); ok && o.UID != rs.UID && o.Status.ReadyReplicas > 0 {
			others = append(others, o)
		}
	}
	slices.SortStableFunc(others, func(a, b *appsv1.ReplicaSet) int { return cmp.Compare(revision(b), revision(a)) })
	for _, o := range others {
		for _, c := range slices.Concat(o.Spec.Template.Spec.InitContainers, o.Spec.Template.Spec.Containers) {
			if c.Name == u.spec.Name && c.Image != u.spec.Image && c.Image != "" {
				return c.Image, true
			}
		}
	}
	return "", false
}

func revision(rs *appsv1.ReplicaSet) int64 {
	n, _ := strconv.ParseInt(rs.Annotations["deployment.kubernetes.io/revision"], 10, 64)
	return n
}
