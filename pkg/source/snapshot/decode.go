package snapshot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

type rawMessage = json.RawMessage

// decoder turns text into objects. decode may be called concurrently.
type decoder struct {
	types   *runtime.Scheme
	builtin []source.Kind
	known   map[schema.GroupKind]source.Kind
	typed   map[schema.GroupKind]bool
	custom  map[schema.GroupKind]source.Kind // as far as the objects tell
	defined map[schema.GroupKind]source.Kind // as a CustomResourceDefinition says
}

func newDecoder() *decoder {
	d := &decoder{
		types: scheme.New(), builtin: scheme.Kinds(),
		known: map[schema.GroupKind]source.Kind{}, typed: map[schema.GroupKind]bool{},
		custom: map[schema.GroupKind]source.Kind{}, defined: map[schema.GroupKind]source.Kind{},
	}
	for _, k := range d.builtin {
		d.known[k.GroupKind()] = k
		d.typed[k.GroupKind()] = scheme.Typed(k.GroupKind())
	}
	return d
}

// decoded is one object, or why it is none.
type decoded struct {
	kind   schema.GroupKind // under which it is kept
	object source.Object
	newest time.Time
	unread string // why only its metadata is of use
	err    error
}

func (d *decoder) decode(it item, fallback typeMeta, of *typeMeta) decoded {
	body := it.body
	if it.yaml {
		var err error
		if body, err = toJSON(body); err != nil {
			return decoded{err: err}
		}
	}
	var named struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := utiljson.Unmarshal(body, &named); err != nil {
		return decoded{err: err}
	}
	t := typeMeta{APIVersion: cmp.Or(named.APIVersion, fallback.APIVersion), Kind: cmp.Or(named.Kind, fallback.Kind)}
	r := decoded{newest: newestTime(body)}
	if of != nil && named.Kind == "PartialObjectMetadata" {
		r.kind = schema.GroupKind{Group: of.Group, Kind: of.Kind}
		r.object, r.err = metadataOf(body, schema.FromAPIVersionAndKind(of.APIVersion, of.Kind))
		return r
	}
	gv, err := schema.ParseGroupVersion(t.APIVersion)
	if err != nil || t.APIVersion == "" || t.Kind == "" {
		return decoded{err: errors.New("no apiVersion and kind: not a Kubernetes object")}
	}
	r.kind, r.unread = home(gv, t.Kind)
	r.object, r.err = d.object(body, gv.WithKind(t.Kind), r.kind, r.unread != "")
	if r.err == nil && r.object.GetName() == "" {
		r.err = fmt.Errorf("a %s without a name", t.Kind)
	}
	return r
}

var secret = schema.GroupKind{Kind: "Secret"}

func (d *decoder) object(body []byte, gvk schema.GroupVersionKind, home schema.GroupKind, unreadable bool) (source.Object, error) {
	if home == secret || unreadable {
		return metadataOf(body, gvk)
	}
	if !d.typed[home] {
		u := &unstructured.Unstructured{}
		if err := utiljson.Unmarshal(body, &u.Object); err != nil {
			return nil, err
		}
		u.SetGroupVersionKind(gvk)
		return u, trimFree(u)
	}
	o, err := d.types.New(d.known[home].GVK())
	if err != nil {
		return nil, err
	}
	if err := utiljson.Unmarshal(body, o); err != nil {
		return nil, fmt.Errorf("%s: %w", gvk.Kind, err)
	}
	if hpa, ok := o.(*autoscalingv2.HorizontalPodAutoscaler); ok && gvk.Version == "v1" {
		oneMetric(hpa, body)
	}
	object := o.(source.Object)
	object.GetObjectKind().SetGroupVersionKind(gvk)
	return trimmed(object), nil
}

func metadataOf(body []byte, gvk schema.GroupVersionKind) (source.Object, error) {
	o := &metav1.PartialObjectMetadata{}
	if err := utiljson.Unmarshal(body, o); err != nil {
		return nil, err
	}
	o.SetGroupVersionKind(gvk)
	if gvk.GroupKind() == secret {
		delete(o.Annotations, corev1.LastAppliedConfigAnnotation)
	}
	return trimmed(o), nil
}

// trimmed drops the field sets of managedFields, as a live read does.
func trimmed(o source.Object) source.Object {
	managed := o.GetManagedFields()
	for i := range managed {
		managed[i].FieldsV1 = nil
	}
	return o
}

// trimFree also sees to it that the metadata of a stranger has the types that
// its accessors expect.
func trimFree(u *unstructured.Unstructured) error {
	if _, ok := u.Object["metadata"].(map[string]any); !ok {
		return fmt.Errorf("a %s without metadata", u.GetKind())
	}
	managed, _, _ := unstructured.NestedFieldNoCopy(u.Object, "metadata", "managedFields")
	entries, _ := managed.([]any)
	for _, e := range entries {
		if entry, ok := e.(map[string]any); ok {
			delete(entry, "fieldsV1")
		}
	}
	return nil
}

// oneMetric keeps the target of autoscaling/v1 (k8s.io/kubernetes
// pkg/apis/autoscaling/v1 conversion).
func oneMetric(hpa *autoscalingv2.HorizontalPodAutoscaler, body []byte) {
	var v1 struct {
		Spec struct {
			Target *int32 `json:"targetCPUUtilizationPercentage"`
		} `json:"spec"`
	}
	if utiljson.Unmarshal(body, &v1) != nil || v1.Spec.Target == nil {
		return
	}
	hpa.Spec.Metrics = append(hpa.Spec.Metrics, autoscalingv2.MetricSpec{
		Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{
			Name:   corev1.ResourceCPU,
			Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: v1.Spec.Target},
		},
	})
}

// home is the kind under which an object of a retired API is kept, and why its
// content cannot be read where its fields were different then
// (kubernetes.io/docs/reference/using-api/deprecation-guide).
func home(gv schema.GroupVersion, kind string) (gk schema.GroupKind, unread string) {
	gk = schema.GroupKind{Group: gv.Group, Kind: kind}
	if gv.Group == "extensions" {
		switch kind {
		case "Deployment", "DaemonSet", "ReplicaSet":
			gk.Group = "apps"
		case "Ingress", "NetworkPolicy":
			gk.Group = "networking.k8s.io"
		}
	}
	different := gk == schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"} && gv.Version == "v1beta1" ||
		gk == schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"} && gv.Version == "v2beta1" ||
		gv.Group == "resource.k8s.io" && gv.Version != "v1"
	if different {
		unread = fmt.Sprintf("%s %s has other fields than today's version, so that only its metadata is read", gv, kind)
	}
	return gk, unread
}

// note learns from an object how its kind is called.
func (d *decoder) note(r decoded) {
	if _, builtin := d.known[r.kind]; !builtin {
		gvk := r.object.GetObjectKind().GroupVersionKind()
		plural, singular := meta.UnsafeGuessKindToResource(gvk)
		k, seen := d.custom[r.kind]
		if !seen {
			k = source.Kind{
				Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind,
				Resource: plural.Resource, Singular: singular.Resource, Listable: true,
			}
		}
		k.Namespaced = k.Namespaced || r.object.GetNamespace() != ""
		d.custom[r.kind] = k
		return
	}
	if u, ok := r.object.(*unstructured.Unstructured); ok && r.kind.Kind == "CustomResourceDefinition" {
		if k, ok := definedBy(u); ok {
			d.defined[k.GroupKind()] = k
		}
	}
}

func definedBy(crd *unstructured.Unstructured) (source.Kind, bool) {
	var def struct {
		Spec struct {
			Group string
			Scope string
			Names struct {
				Plural, Singular, Kind string
				ShortNames             []string
			}
			Versions []struct {
				Name            string
				Served, Storage bool
			}
		}
	}
	body, err := json.Marshal(crd.Object)
	if err != nil || json.Unmarshal(body, &def) != nil || def.Spec.Names.Kind == "" {
		return source.Kind{}, false
	}
	k := source.Kind{
		Group: def.Spec.Group, Kind: def.Spec.Names.Kind, Resource: def.Spec.Names.Plural,
		Singular: cmp.Or(def.Spec.Names.Singular, strings.ToLower(def.Spec.Names.Kind)), Short: def.Spec.Names.ShortNames,
		Namespaced: def.Spec.Scope == "Namespaced", Listable: true,
	}
	for _, v := range def.Spec.Versions {
		if v.Served && (k.Version == "" || v.Storage) {
			k.Version = v.Name
		}
	}
	return k, k.Version != ""
}

// kinds are those of the recordings, or the built-in ones, and then whatever
// else the objects are of.
func (d *decoder) kinds(headers []header) ([]source.Kind, []source.Gap) {
	var kinds []source.Kind
	have := map[schema.GroupKind]bool{}
	add := func(more []source.Kind) {
		for _, k := range more {
			if !have[k.GroupKind()] {
				have[k.GroupKind()] = true
				kinds = append(kinds, k)
			}
		}
	}
	for _, h := range headers {
		add(h.kinds(d.builtin))
	}
	if len(headers) > 0 {
		return kinds, nil
	}
	add(d.builtin)
	maps.Copy(d.custom, d.defined)
	others := slices.Collect(maps.Values(d.custom))
	slices.SortFunc(others, func(a, b source.Kind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
	})
	add(others)
	return kinds, nil
}

// newestTime is the latest moment that an object tells of. Only fields that
// look back are asked: a certificate's end is in the future.
func newestTime(body []byte) time.Time {
	best := ""
	for at := 0; ; {
		i := bytes.Index(body[at:], []byte(`Z"`))
		if i < 0 {
			break
		}
		end := at + i + 1
		at = end
		open := bytes.LastIndexByte(body[max(0, end-31):end], '"')
		if open < 0 {
			continue
		}
		start := max(0, end-31) + open + 1
		text := body[start:end]
		if len(text) < 20 || text[4] != '-' || text[10] != 'T' || string(text) <= best || !looksBack(body[:start-1]) {
			continue
		}
		if _, err := time.Parse(time.RFC3339, string(text)); err == nil {
			best = string(text)
		}
	}
	t, _ := time.Parse(time.RFC3339, best)
	return t
}

// looksBack reads the key that stands before a value.
func looksBack(before []byte) bool {
	before, ok := bytes.CutSuffix(bytes.TrimRight(before, " \t\r\n"), []byte(":"))
	if !ok {
		return false
	}
	before, ok = bytes.CutSuffix(bytes.TrimRight(before, " \t\r\n"), []byte(`"`))
	if !ok {
		return false
	}
	switch string(before[bytes.LastIndexByte(before, '"')+1:]) {
	case "creationTimestamp", "lastTransitionTime", "lastProbeTime", "lastUpdateTime", "lastHeartbeatTime",
		"firstTimestamp", "lastTimestamp", "eventTime", "lastObservedTime", "startedAt", "finishedAt", "startTime",
		"completionTime", "time", "renewTime", "acquireTime", "lastScheduleTime", "lastSuccessfulTime", "lastScaleTime":
		return true
	}
	return false
}
