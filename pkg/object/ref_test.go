package object

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseArgs(t *testing.T) {
	for _, tc := range []struct {
		name      string
		args      []string
		selecting bool
		want      []Arg
		wantErr   string
	}{
		{"a type and a name with a slash", []string{"deploy/web"}, false, []Arg{{"deploy", "web"}}, ""},
		{"several of them", []string{"deploy/web", "sts/db"}, false, []Arg{{"deploy", "web"}, {"sts", "db"}}, ""},
		{"a type and names", []string{"pod", "a", "b"}, false, []Arg{{"pod", "a"}, {"pod", "b"}}, ""},
		{"several types and a name", []string{"deploy,svc", "web"}, false, []Arg{{"deploy", "web"}, {"svc", "web"}}, ""},
		{"a type and a selector", []string{"pods"}, true, []Arg{{"pods", ""}}, ""},
		{"a type alone", []string{"pods"}, false, nil, "which pods? give a name (pods/NAME) or a selector (-l)"},
		{"nothing", nil, false, nil, "name an object, such as deployment/web"},
		{"a name and a selector", []string{"deploy/web"}, true, nil, "a name and a selector exclude each other: give TYPE -l SELECTOR or TYPE/NAME"},
		{"a slash too many", []string{"shop/deploy/web"}, false, nil, `"shop/deploy/web" is not of the form TYPE/NAME, such as deployment/web`},
		{"an empty name", []string{"deploy/"}, false, nil, `"deploy/" is not of the form TYPE/NAME, such as deployment/web`},
		{"the forms mixed", []string{"deploy", "svc/web"}, false, nil, `"deploy svc/web" is not of the form TYPE NAME, such as deployment web`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseArgs(tc.args, tc.selecting)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if message(err) != tc.wantErr {
				t.Errorf("error %q, want %q", message(err), tc.wantErr)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestTheVersionIsNotPartOfWhatAnObjectIs(t *testing.T) {
	old, now := New("autoscaling/v1", "HorizontalPodAutoscaler", "shop", "web"), New("autoscaling/v2", "HorizontalPodAutoscaler", "shop", "web")
	if old == now || old.Key() != now.Key() {
		t.Errorf("keys %v and %v", old.Key(), now.Key())
	}
}

func TestArgNamesTheGroupOnlyWhereTheKindIsNotEnough(t *testing.T) {
	for want, r := range map[string]Ref{
		"deployment/web":           New("apps/v1", "Deployment", "shop", "web"),
		"ingress/web":              New("networking.k8s.io/v1", "Ingress", "shop", "web"),
		"widget.example.com/thing": New("example.com/v1", "Widget", "shop", "thing"),
	} {
		if got := r.Arg(); got != want {
			t.Errorf("%v: %s, want %s", r, got, want)
		}
	}
}

func TestDocumentsNameAnObjectByAPIVersion(t *testing.T) {
	r := New("apps/v1", "Deployment", "shop", "web")
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"apiVersion":"apps/v1","kind":"Deployment","namespace":"shop","name":"web"}`; string(data) != want {
		t.Errorf("%s, want %s", data, want)
	}
	var back Ref
	if err := json.Unmarshal(data, &back); err != nil || back != r {
		t.Errorf("%v, %v", back, err)
	}
}
