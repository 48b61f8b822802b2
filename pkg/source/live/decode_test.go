package live

import (
	"bytes"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

// The envelope is read as apimachinery reads it, however it is cut off.
func TestProtobufEnvelope(t *testing.T) {
	whole := &runtime.Unknown{
		TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "Pod"}, Raw: bytes.Repeat([]byte("pod"), 100),
		ContentEncoding: "none", ContentType: protobufType,
	}
	encoded, err := whole.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := unwrapProtobuf(encoded); ok {
		t.Error("without its magic number it is taken for protobuf")
	}
	encoded = append([]byte(protobufMagic), encoded...)
	for n := len(protobufMagic); n <= len(encoded); n++ {
		var want runtime.Unknown
		known := want.Unmarshal(encoded[len(protobufMagic):n]) == nil
		raw, kind, ok := unwrapProtobuf(encoded[:n])
		if ok != known || ok && (kind != want.Kind || !bytes.Equal(raw, want.Raw)) {
			t.Fatalf("the first %d of %d bytes: %v %q %d bytes, want %v %q %d bytes", n, len(encoded), ok, kind, len(raw), known, want.Kind, len(want.Raw))
		}
	}
	if _, _, ok := unwrapProtobuf(append([]byte(protobufMagic), 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)); ok {
		t.Error("a length beyond the end is taken")
	}
}
