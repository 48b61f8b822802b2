package live

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of fields on the wire (k8s.io/api, generated.proto). Every object
// has its metadata first, every list its items second.
const (
	metadataField      = 1
	itemsField         = 2
	managedFieldsField = 17 // of ObjectMeta
	fieldSetField      = 7  // fieldsV1 of ManagedFieldsEntry
	nobodysField       = 15 // of no message here: a decoder passes over it
)

// hideFieldSets makes the decoder pass over the field sets of managedFields,
// which are a third of what comes in and are read by nobody (see trim), instead
// of making objects of them that are thrown away: it gives them a number that no
// message has. The rest stays as it is, and where it is.
func hideFieldSets(message []byte, list bool) {
	if list {
		each(message, itemsField, func(_, item []byte) { hideFieldSets(item, false) })
		return
	}
	each(message, metadataField, func(_, metadata []byte) {
		each(metadata, managedFieldsField, func(_, entry []byte) {
			each(entry, fieldSetField, func(tag, _ []byte) {
				if len(tag) == 1 {
					tag[0] = byte(protowire.EncodeTag(nobodysField, protowire.BytesType))
				}
			})
		})
	})
}

// each visits the fields of a message that have a number and are of bytes, until
// something is no field: what is damaged is for the decoder to tell.
func each(message []byte, number protowire.Number, visit func(tag, value []byte)) {
	for len(message) > 0 {
		have, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		m := protowire.ConsumeFieldValue(have, kind, message[n:])
		if m < 0 {
			return
		}
		if have == number && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message[n:])
			visit(message[:n], value)
		}
		message = message[n+m:]
	}
}
