// Package release installs what a release makes, with the real krew, and looks
// into its archives.
package release

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const root = "../.."

var (
	plugins   = []string{"explain-tree", "check-endpoints", "guard-rollout", "trace-dns"}
	platforms = []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64", "windows_arm64"}
)

// krew is an installation of krew of its own, with an index that serves the
// archives of this commit.
type krew struct {
	t       *testing.T
	ctx     context.Context
	program string
	home    string // KREW_ROOT
	index   string // a git repository
	dist    string // the archives
	env     []string
}

// TestEachWayToInstall builds the plugins once and installs them in each way.
func TestEachWayToInstall(t *testing.T) {
	dist := dist(t)
	for _, tc := range []struct {
		name string
		test func(*krew)
	}{
		{"installs the plugins from our index", fromIndex},
		{"installs a manifest with a local archive", fromArchive},
		{"installs on every platform", onEveryPlatform},
		{"has a checker, which takes the manifests", checked},
	} {
		t.Run("krew "+tc.name, func(t *testing.T) { tc.test(newKrew(t, dist)) })
	}
	t.Run("the Action installs and reports", func(t *testing.T) { runAction(t, dist) })
}

func fromIndex(k *krew) {
	if said := k.run("index", "list"); !strings.Contains(said, "leadsman") {
		k.t.Fatalf("the index is not listed: %s", said)
	}
	for _, plugin := range plugins {
		if said := k.run("search", plugin); !strings.Contains(said, "leadsman/"+plugin) {
			k.t.Errorf("%s is not found: %s", plugin, said)
		}
		if said := k.run("install", "leadsman/"+plugin); !strings.Contains(said, "--print-rbac") {
			k.t.Errorf("the caveats of %s are not shown: %s", plugin, said)
		}
		k.runs(plugin)
	}
	if said := k.run("list"); strings.Count(said, "leadsman/") != len(plugins) {
		k.t.Errorf("not all are listed: %s", said)
	}
	for _, plugin := range plugins {
		k.run("uninstall", plugin)
		k.isGone(plugin)
	}
}

func fromArchive(k *krew) {
	for _, plugin := range plugins {
		archive, err := filepath.Glob(filepath.Join(k.dist, programOf(plugin)+"_v*_"+runtime.GOOS+"_"+runtime.GOARCH+".*"))
		if err != nil || len(archive) == 0 {
			k.t.Fatalf("no archive of %s for this platform, %v", plugin, err)
		}
		k.run("install", "--manifest", k.manifest(plugin), "--archive", archive[0])
		k.runs(plugin)
		k.run("uninstall", plugin)
		k.isGone(plugin)
	}
}

func onEveryPlatform(k *krew) {
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "_")
		k.env = []string{"KREW_OS=" + goos, "KREW_ARCH=" + goarch}
		for _, plugin := range plugins {
			k.run("install", "--manifest", k.manifest(plugin))
			if found, err := filepath.Glob(filepath.Join(k.home, "store", plugin, "v*", "LICENSE")); err != nil || len(found) != 1 {
				k.t.Errorf("%s of %s comes with %d licences", plugin, platform, len(found))
			}
			k.run("uninstall", plugin)
		}
	}
}

func checked(k *krew) {
	out := k.t.TempDir()
	k.command("go", "run", "./krew", "-dist", k.dist, "-out", out)
	checker := tool(k.t, "krew", "validate-krew-manifest")
	for _, plugin := range plugins {
		said := k.command(checker, "-skip-install", "-manifest", filepath.Join(out, "plugins", plugin+".yaml"))
		if !strings.Contains(said, "no overlapping") {
			k.t.Errorf("%s: %s", plugin, said)
		}
	}
}

func newKrew(t *testing.T, dist string) *krew {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	k := &krew{t: t, ctx: ctx, program: tool(t, "krew", "krew"), home: filepath.Join(t.TempDir(), "krew"), index: t.TempDir(), dist: dist}
	server := httptest.NewServer(http.FileServer(http.Dir(k.dist)))
	t.Cleanup(server.Close)
	k.command("go", "run", "./krew", "-dist", k.dist, "-out", k.index, "-from", server.URL)
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "plugins"},
		{"-c", "user.name=test", "-c", "user.email=test@example.invalid", "commit", "-qm", "plugins"},
	} {
		k.command("git", append([]string{"-C", k.index}, args...)...)
	}
	k.run("index", "add", "leadsman", "file://"+k.index)
	return k
}

func (k *krew) manifest(plugin string) string {
	return filepath.Join(k.index, "plugins", plugin+".yaml")
}

// run runs krew and returns all that it says.
func (k *krew) run(args ...string) string {
	k.t.Helper()
	return k.command(k.program, args...)
}

func (k *krew) command(program string, args ...string) string {
	k.t.Helper()
	cmd := exec.CommandContext(k.ctx, program, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "KREW_ROOT="+k.home, "KREW_NO_UPGRADE_CHECK=1",
		"PATH="+filepath.Join(k.home, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, k.env...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		k.t.Fatalf("%s %s: %v: %s", filepath.Base(program), strings.Join(args, " "), err, said)
	}
	return string(said)
}

// runs says whether the plugin runs under the name that krew links, and
// completes; through kubectl where there is one.
func (k *krew) runs(plugin string) {
	k.t.Helper()
	linked := filepath.Join(k.home, "bin", programOf(plugin))
	if runtime.GOOS == "windows" {
		linked += ".exe"
	}
	if said := k.command(linked, "--version"); !strings.HasPrefix(said, "kubectl "+plugin+" version ") {
		k.t.Errorf("%s --version: %s", linked, said)
	}
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		k.t.Logf("there is no kubectl here: only krew's link of %s was run", plugin)
		return
	}
	if said := k.command(kubectl, plugin, "--version"); !strings.HasPrefix(said, "kubectl "+plugin+" version ") {
		k.t.Errorf("kubectl %s --version: %s", plugin, said)
	}
	// What the caveats advise.
	completes := filepath.Join(k.home, "bin", "kubectl_complete-"+strings.ReplaceAll(plugin, "-", "_"))
	if err := os.Symlink(filepath.Base(linked), completes); err != nil {
		k.t.Fatal(err)
	}
	if said := k.command(kubectl, "__complete", plugin, "--fail-on", "wa"); !strings.Contains(said, "warning\n:4\n") {
		k.t.Errorf("kubectl completes %s with %q", plugin, said)
	}
	if err := os.Remove(completes); err != nil {
		k.t.Fatal(err)
	}
}

func (k *krew) isGone(plugin string) {
	k.t.Helper()
	left, err := filepath.Glob(filepath.Join(k.home, "bin", programOf(plugin)+"*"))
	if err != nil || len(left) > 0 {
		k.t.Errorf("%v is left of %s", left, plugin)
	}
}
