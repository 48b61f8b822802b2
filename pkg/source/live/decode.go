package live

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// form is how the objects of one read travel and what they become.
type form int

const (
	typed        form = iota // protobuf to the Go type
	metadataOnly             // protobuf to PartialObjectMetadata
	free                     // JSON to unstructured content
)

func (s *Source) formOf(q source.Query) form {
	switch {
	case q.Metadata || q.Kind == secret:
		return metadataOnly
	case scheme.Typed(q.Kind):
		return typed
	}
	return free
}

const (
	protobufType = "application/vnd.kubernetes.protobuf"
	jsonType     = "application/json"

	protobufMagic = "k8s\x00"
)

// accept lists JSON after protobuf, and the whole object after its metadata,
// for extension API servers that cannot do better.
func (f form) accept(kind string) string {
	as := ";as=" + kind + ";g=meta.k8s.io;v=v1"
	switch f {
	case typed:
		return protobufType + "," + jsonType
	case metadataOnly:
		return protobufType + as + "," + jsonType + as + "," + jsonType
	}
	return jsonType
}

func (f form) acceptList() string { return f.accept("PartialObjectMetadataList") }
func (f form) acceptOne() string  { return f.accept("PartialObjectMetadata") }

// decodeList decodes one page. The Go type is chosen by the kind that was
// asked for, whatever version the server answers in: fields that both know
// are read.
func (s *Source) decodeList(f form, k source.Kind, body []byte) (metav1.ListInterface, []source.Object, error) {
	list, err := s.newList(f, k)
	if err == nil {
		err = decodeInto(body, list)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %v", errMalformed, k.Title(), err)
	}
	listMeta, err := meta.ListAccessor(list)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %v", errMalformed, k.Title(), err)
	}
	var objects []source.Object
	// Each object by itself: one that is kept would hold its whole page.
	err = meta.EachListItemWithAlloc(list, func(o runtime.Object) error {
		object, ok := o.(source.Object)
		if !ok {
			return fmt.Errorf("%T has no metadata", o)
		}
		objects = append(objects, s.trim(k, object))
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %v", errMalformed, k.Title(), err)
	}
	return listMeta, objects, nil
}

func (s *Source) decodeOne(f form, k source.Kind, body []byte) (source.Object, error) {
	o, err := s.newObject(f, k)
	if err == nil {
		err = decodeInto(body, o)
	}
	object, ok := o.(source.Object)
	if err != nil || !ok || object.GetName() == "" {
		return nil, fmt.Errorf("%w: %s: %v", errMalformed, k.Title(), err)
	}
	return s.trim(k, object), nil
}

func (s *Source) trim(k source.Kind, o source.Object) source.Object {
	o = trim(k, o)
	if s.opts.Trim != nil {
		s.opts.Trim(o)
	}
	return o
}

func (s *Source) newList(f form, k source.Kind) (runtime.Object, error) {
	switch f {
	case metadataOnly:
		return &metav1.PartialObjectMetadataList{}, nil
	case free:
		return &unstructured.UnstructuredList{}, nil
	}
	gvk := s.known[k.GroupKind()].GVK()
	gvk.Kind += "List"
	return s.types().New(gvk)
}

func (s *Source) newObject(f form, k source.Kind) (runtime.Object, error) {
	switch f {
	case metadataOnly:
		return &metav1.PartialObjectMetadata{}, nil
	case free:
		return &unstructured.Unstructured{}, nil
	}
	return s.types().New(s.known[k.GroupKind()].GVK())
}

func decodeInto(body []byte, into runtime.Object) error {
	if raw, _, ok := unwrapProtobuf(body); ok {
		message, ok := into.(interface{ Unmarshal([]byte) error })
		if !ok {
			return fmt.Errorf("protobuf for %T", into)
		}
		_, list := into.(metav1.ListInterface)
		hideFieldSets(raw, list)
		return message.Unmarshal(raw)
	}
	if bytes.HasPrefix(body, []byte(protobufMagic)) {
		return errors.New("damaged protobuf")
	}
	switch into := into.(type) {
	case *unstructured.UnstructuredList:
		_, _, err := unstructured.UnstructuredJSONScheme.Decode(body, nil, into)
		return err
	case *unstructured.Unstructured:
		_, _, err := unstructured.UnstructuredJSONScheme.Decode(body, nil, into)
		return err
	}
	return utiljson.Unmarshal(body, into)
}

// unwrapProtobuf takes off the envelope of application/vnd.kubernetes.protobuf
// (apimachinery pkg/runtime/serializer/protobuf): a magic number, then a
// runtime.Unknown, whose own Unmarshal would copy the whole object. All its
// fields have a length: the type is the first, the object the second.
func unwrapProtobuf(body []byte) (raw []byte, kind string, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte(protobufMagic))
	const hasLength = 2 // the wire type
	for ok && len(rest) > 0 {
		tag, n := binary.Uvarint(rest)
		if n <= 0 || tag&7 != hasLength {
			return nil, "", false
		}
		length, m := binary.Uvarint(rest[n:])
		if m <= 0 || length > uint64(len(rest)-n-m) {
			return nil, "", false
		}
		rest = rest[n+m:]
		field := rest[:length:length]
		rest = rest[length:]
		switch tag >> 3 {
		case 1:
			var t runtime.TypeMeta
			if t.Unmarshal(field) != nil {
				return nil, "", false
			}
			kind = t.Kind
		case 2:
			raw = field
		}
	}
	return raw, kind, ok
}

// trim gives the object the identity that items of a list lack, and drops what
// no judgement reads: the field sets of managedFields, which are a third of a
// pod, and of Secrets the annotation that repeats their data.
func trim(k source.Kind, o source.Object) source.Object {
	if u, ok := o.(*unstructured.Unstructured); ok {
		managed, _, _ := unstructured.NestedFieldNoCopy(u.Object, "metadata", "managedFields")
		entries, _ := managed.([]any)
		for _, e := range entries {
			if entry, ok := e.(map[string]any); ok {
				delete(entry, "fieldsV1")
			}
		}
		return o
	}
	o.GetObjectKind().SetGroupVersionKind(k.GVK())
	managed := o.GetManagedFields()
	for i := range managed {
		managed[i].FieldsV1 = nil
	}
	if k.GroupKind() == secret {
		delete(o.GetAnnotations(), "kubectl.kubernetes.io/last-applied-configuration")
	}
	return o
}
