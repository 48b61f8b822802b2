package report

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

const planted = "password=hunter2"

// fill puts a text into every string of a value, but in the names of objects.
func fill(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[object.Ref]() || v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(planted)
	case reflect.Pointer:
		if depth < 12 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		if depth < 12 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(v.Index(0), depth+1)
			fill(v.Index(1), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth+1)
		}
	}
}

// Whatever field a report has or will have, nothing secret in it gets through.
func TestEveryTextOfAReportIsCleaned(t *testing.T) {
	var r Report
	fill(reflect.ValueOf(&r).Elem(), 0)
	before, err := json.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(before), planted); n < 100 {
		t.Fatalf("planted %d times only", n)
	}
	after, err := json.Marshal(Clean(&r))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(after), "hunter2") {
		t.Errorf("a secret got through: %.2000s", after)
	}
	if now, _ := json.Marshal(&r); string(now) != string(before) {
		t.Error("the report itself was changed")
	}
}

func TestWhatHoldsNoSecretIsTheSame(t *testing.T) {
	r := &Report{Summary: "Deployment/web is well.", Tree: []*Node{{Title: "Deployment/web", Why: "env REDIS_URL names it"}}}
	if Clean(r) != r {
		t.Error("a report without a secret was copied")
	}
	if Clean(nil) != nil {
		t.Error("no report became one")
	}
	named := &Report{Target: "x", Tree: []*Node{{Object: object.Ref{Kind: "Pod", Name: "basic-token-eyJhbGciOiJI.eyJzdWIiOiIx"}}}}
	if Clean(named) != named {
		t.Error("an object was renamed")
	}
}

func BenchmarkCleanTenThousandPods(b *testing.B) {
	r := &Report{}
	for range 10_000 {
		r.Tree = append(r.Tree, &Node{Title: "Pod/frontend-7d4b9c5d6f-xk2lp", Relation: "owner", Why: "ownerReferences name it", Health: Healthy, Status: "Running", Ready: "1/1"})
	}
	for b.Loop() {
		Clean(r)
	}
}

// What is looked at first without reflection is all that there is.
func TestEachTextOfAPodIsCleaned(t *testing.T) {
	for i := range reflect.TypeFor[RolloutPod]().NumField() {
		var pod RolloutPod
		field := reflect.ValueOf(&pod).Elem().Field(i)
		if fill(field, 0); field.Kind() != reflect.String {
			continue
		}
		r := Clean(&Report{Rollouts: []*Rollout{{Pods: []RolloutPod{{Node: "well"}, pod}}}})
		if text, _ := json.Marshal(r); strings.Contains(string(text), "hunter2") {
			t.Errorf("a secret in %s got through", reflect.TypeFor[RolloutPod]().Field(i).Name)
		}
	}
}
