package endpoints

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func TestDocumentsFollowThePublishedSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/schema/check-endpoints.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*report.Report{"healthy": healthy(), "partial": partial(), "mixed": mixed(), "crowd": crowd(), "list": list()} {
		var b bytes.Buffer
		if err := doc.JSON(&b, r, term.Style{}); err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
