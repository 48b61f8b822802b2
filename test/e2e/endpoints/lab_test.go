package endpoints

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var lab *Lab

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		opened, remove, err := open(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer remove()
		lab = opened
		if !slices.ContainsFunc(os.Args, func(a string) bool { return strings.Contains(a, "test.parallel") }) {
			if err := flag.Set("test.parallel", "8"); err != nil { // the tests mostly wait
				return 1
			}
		}
		return m.Run()
	}())
}

func TestTheClustersOwnServicesAreWell(t *testing.T) {
	for namespace, service := range map[string]string{"default": "kubernetes", "kube-system": "kube-dns"} {
		answer, err := lab.askJSON(t.Context(), "-n", namespace, service)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Report.Verdict != "ok" || len(answer.Report.Errors()) > 0 || answer.Exit != 0 {
			t.Errorf("%s/%s:\n%s", namespace, service, answer.Report.Outline())
		}
	}
}

func apply(t testing.TB, namespace, manifests string) {
	t.Helper()
	if err := lab.Apply(t.Context(), namespace, manifests); err != nil {
		t.Fatal(err)
	}
}

func kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := lab.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
