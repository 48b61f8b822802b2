package checkendpoints

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// A client that is not there is an error; one that merely was not seen is none.
func TestAClientThatDoesNotExistIsAnError(t *testing.T) {
	client := object.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "nobody"}
	store := source.NewStore(time.Unix(0, 0))
	if err := clientIsThere(index.New(store.Contents()), client); err != nil {
		t.Error(err)
	}
	store.Cover(source.Query{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: "shop"})
	err := clientIsThere(index.New(store.Contents()), client)
	if err == nil || !strings.Contains(err.Error(), `pod "nobody" in namespace "shop"`) {
		t.Error(err)
	}
	if err := clientIsThere(index.New(store.Contents()), object.Ref{}); err != nil {
		t.Error(err)
	}
}
