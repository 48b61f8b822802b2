package explaintree

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// typed is what a command line becomes, without a run.
func typed(t *testing.T, args ...string) (options, error) {
	t.Helper()
	env := &cli.Env{
		Streams: term.Streams{In: &bytes.Buffer{}, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}},
		Config:  genericclioptions.NewConfigFlags(true), Display: "kubectl explain-tree", Now: time.Now,
	}
	var got options
	cmd := command(env, func(_ context.Context, o options) error { got = o; return nil })
	cmd.SetArgs(args)
	return got, cmd.ExecuteContext(t.Context())
}

func TestWhatIsTypedNamesTheObjects(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want []object.Arg
	}{
		{"a type and a name", []string{"deploy/web"}, []object.Arg{{Type: "deploy", Name: "web"}}},
		{"flags behind the names", []string{"pod", "a", "b", "-n", "shop"}, []object.Arg{{Type: "pod", Name: "a"}, {Type: "pod", Name: "b"}}},
		{"a selector", []string{"pods", "-l", "app=web"}, []object.Arg{{Type: "pods"}}},
		{"all of a type everywhere", []string{"deployments", "-A"}, []object.Arg{{Type: "deployments"}}},
		{"nothing, of a dump", []string{"--snapshot", "dump.yaml"}, nil},
		{"nothing, of a manifest", []string{"-f", "web.yaml"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := typed(t, tc.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.args); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatExcludesEachOtherIsSaid(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no object", nil, "name an object, such as deployment/web"},
		{"an unknown format", []string{"deploy/web", "-o", "xml"}, "-o xml is none of tree, wide, name, json, yaml, dot, mermaid, html"},
		{"watching a dump", []string{"deploy/web", "-w", "--snapshot", "dump.yaml"}, "-w follows a cluster; a snapshot does not change"},
		{"watching a document", []string{"deploy/web", "-w", "-o", "json"}, "-w draws the tree again and again; use it with -o tree or wide"},
		{"a manifest and a name", []string{"deploy/web", "-f", "web.yaml"}, "-f names the objects itself; leave the arguments and -l out"},
		{"a negative depth", []string{"deploy/web", "--depth", "-2"}, "--depth must be a number of levels, or -1 for all"},
		{"a severity that is none", []string{"deploy/web", "--fail-on", "maybe"}, `invalid argument "maybe" for "--fail-on" flag: must be error, warning or never`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := typed(t, tc.args...)
			if err == nil || err.Error() != tc.want {
				t.Errorf("said %v, want %s", err, tc.want)
			}
		})
	}
}
