package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster/process"
)

func TestStateIsReadAsItWasWritten(t *testing.T) {
	f := folder(t.TempDir())
	if s, err := f.loadState(); s != nil || err != nil {
		t.Fatalf("before the first cluster: %v, %v, want nothing", s, err)
	}
	want := &state{
		Binaries: binaries{Kube: "k", CoreDNS: "c"},
		Complete: true,
		Sysctls:  map[string]string{"kernel/panic": "1"},
		Components: []component{{
			Name: OnNode("lab-n1", Kubelet), Stopped: true,
			Command:  process.Command{Args: []string{"kubelet", "--x"}, Log: "l", Node: 7},
			Identity: process.Identity{PID: 8, Start: 9, Boot: "b"},
		}},
	}
	if err := f.saveState(want); err != nil {
		t.Fatal(err)
	}
	got, err := f.loadState()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("state = %+v, want %+v", got, want)
	}
	if c := got.find("lab-n1/kubelet"); c == nil || c.Identity.PID != 8 {
		t.Errorf("find = %+v", c)
	}
}

func TestOneProcessAtATimeChangesTheCluster(t *testing.T) {
	f := folder(t.TempDir())
	unlock, err := f.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	if _, err := f.lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second lock: %v, want to wait until the deadline", err)
	}
	unlock()
	again, err := f.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestAStateFolderThatNodesCoverIsRefused(t *testing.T) {
	t.Setenv("LEADSMAN_CLUSTER_DIR", "/var/lib/leadsman")
	if _, err := Dir(); err == nil || !strings.Contains(err.Error(), "LEADSMAN_CLUSTER_DIR") {
		t.Errorf("err = %v, want one that says what to set", err)
	}
}

func TestTheSourceKeyFollowsTheSourcesAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	key := func(salt string) string {
		t.Helper()
		k, err := sourceKey(dir, salt)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	write("go.mod", "module x")
	write("main.go", "package main")
	first := key("go1")
	write("main_test.go", "package main")
	write("README.md", "words")
	write("nested/go.mod", "module y")
	write("nested/main.go", "package main")
	if key("go1") != first {
		t.Error("tests, words or a nested module changed the key")
	}
	if key("go2") == first {
		t.Error("another Go version did not change the key")
	}
	write("main.go", "package main // changed")
	if key("go1") == first {
		t.Error("a changed source did not change the key")
	}
}

func TestEveryNodeConfigIsFilledIn(t *testing.T) {
	f := folder(t.TempDir())
	for _, n := range Nodes() {
		if err := f.writeNode(n); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(f.node(n, "cni", "10-pods.conflist"))
		if err != nil || !strings.Contains(string(data), n.PodCIDR) {
			t.Errorf("pods.conflist of %s lacks %s (%v)", n.Name, n.PodCIDR, err)
		}
	}
}

func TestTheManifestsAgreeWithTheNodesAndTheImages(t *testing.T) {
	all, err := allManifests()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{corednsImage, "clusterIP: " + dnsService, "kubernetes " + domain}
	for _, n := range Nodes() {
		want = append(want, "name: "+n.Name, "podCIDR: "+n.PodCIDR, "topology.kubernetes.io/zone: "+n.Zone)
	}
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("the manifests lack %q", w)
		}
	}
}
