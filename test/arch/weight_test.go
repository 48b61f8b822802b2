package arch

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const (
	mostBytes = 32_000_000 // of a binary: what a person downloads and kubectl starts
	// What packages do before main starts is counted, not timed: a busy machine
	// makes a clock lie, an allocation is one everywhere.
	mostInitAllocs = 25_000
	mostInitBytes  = 4 << 20
)

// neverLinked are functions whose presence shows that the linker could not drop
// what it should: with them, reflection keeps every exported method of the
// Kubernetes API alive.
var neverLinked = []string{
	"text/template.(*Template).Execute",
	"html/template.(*Template).Execute",
	"k8s.io/kubectl/pkg/util/completion",
	"plugin.Open",
}

func TestBinariesStayLight(t *testing.T) {
	dir := t.TempDir()
	for _, name := range commands(t) {
		t.Run(name, func(t *testing.T) {
			released := build(t, dir, name, "-s -w")
			info, err := os.Stat(released)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > mostBytes {
				t.Errorf("%d bytes, more than %d; see what is linked with: go tool nm -size -sort size %s", info.Size(), mostBytes, name)
			}
			allocs, size := initWork(t, released)
			if allocs > mostInitAllocs || size > mostInitBytes {
				t.Errorf("%d allocations and %d bytes before main starts, more than %d and %d; see which package with: GODEBUG=inittrace=1 %s --version", allocs, size, mostInitAllocs, mostInitBytes, name)
			}
			t.Logf("%d bytes; before main: %d allocations, %d bytes", info.Size(), allocs, size)

			named := build(t, dir, name+".symbols", "-w")
			symbols, err := exec.Command("go", "tool", "nm", named).Output()
			if err != nil {
				t.Fatal(err)
			}
			for _, symbol := range neverLinked {
				if strings.Contains(string(symbols), " "+symbol) {
					t.Errorf("%s is linked in, and with it megabytes that nobody calls", symbol)
				}
			}
		})
	}
}

func commands(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob(root + "/cmd/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no commands found: %v", err)
	}
	for i := range dirs {
		dirs[i] = filepath.Base(dirs[i])
	}
	return dirs
}

// build builds a command as the release does; name may have an extension.
func build(t *testing.T, dir, name, ldflags string) string {
	t.Helper()
	out := filepath.Join(dir, name)
	command, _, _ := strings.Cut(name, ".")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", buildTag, "-gcflags=k8s.io/...=-l", "-gcflags=k8s.io/apimachinery/pkg/labels=", "-gcflags=google.golang.org/protobuf/...=-l", "-ldflags", ldflags, "-o", out, "./cmd/"+command)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return out
}

func initWork(t *testing.T, binary string) (allocs, size int) {
	t.Helper()
	cmd := exec.Command(binary, "--version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^init .* (\d+) bytes, (\d+) allocs$`).FindAllStringSubmatch(trace.String(), -1)
	if len(lines) == 0 {
		t.Fatalf("the runtime tells nothing of its inits: %s", trace.String())
	}
	for _, line := range lines {
		b, errB := strconv.Atoi(line[1])
		a, errA := strconv.Atoi(line[2])
		if errA != nil || errB != nil {
			t.Fatalf("cannot read %q", line[0])
		}
		allocs, size = allocs+a, size+b
	}
	return allocs, size
}
