package release

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/release/archive"
)

// TestArchivesHoldWhatTheManifestsSay looks into what goreleaser made. "make
// release-snapshot" runs it; without LEADSMAN_DIST there is nothing to look at.
func TestArchivesHoldWhatTheManifestsSay(t *testing.T) {
	dist := os.Getenv("LEADSMAN_DIST")
	if dist == "" {
		t.Log("LEADSMAN_DIST names no folder of a release: make release-snapshot")
		return
	}
	var programs []string
	for _, plugin := range plugins {
		programs = append(programs, programOf(plugin))
	}
	var seen []string
	for _, platform := range platforms {
		for _, program := range programs {
			files, name := holds(t, dist, program, platform)
			expect(t, name, files, with(platform, program), "LICENSE", "README.md")
			runsHere(t, platform, files, program)
			seen = append(seen, name, name+".spdx.json")
		}
		files, name := holds(t, dist, "leadsman", platform)
		want := append(with(platform, programs...), "LICENSE", "README.md")
		for _, program := range programs {
			want = append(want, "completions/"+program+".bash", "completions/_"+program, "completions/"+program+".fish", "completions/"+program+".ps1")
		}
		expect(t, name, files, want)
		seen = append(seen, name, name+".spdx.json")
	}
	for _, name := range seen {
		if strings.HasSuffix(name, ".json") {
			checkBill(t, filepath.Join(dist, name))
		}
	}
	checkSums(t, dist, seen)
}

func with(platform string, programs ...string) []string {
	var names []string
	for _, p := range programs {
		if strings.HasPrefix(platform, "windows_") {
			p += ".exe"
		}
		names = append(names, p)
	}
	return names
}

// holds reads the only archive of a program for a platform.
func holds(t *testing.T, dist, program, platform string) (files []archive.File, name string) {
	t.Helper()
	kind := "tar.gz"
	if strings.HasPrefix(platform, "windows_") {
		kind = "zip"
	}
	found, err := filepath.Glob(filepath.Join(dist, program+"_v*_"+platform+"."+kind))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d archives of %s for %s, %v", len(found), program, platform, err)
	}
	files, err = archive.Read(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return files, filepath.Base(found[0])
}

// expect holds the files of an archive against their names, and says whether
// they look the same whoever made them.
func expect(t *testing.T, name string, files []archive.File, programs []string, others ...string) {
	t.Helper()
	want := append(slices.Clone(programs), others...)
	var got []string
	var changed time.Time
	for _, f := range files {
		got = append(got, f.Name)
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(path.Base(f.Name), "kubectl-") && path.Dir(f.Name) == "." {
			mode = 0o755
		}
		if f.Mode.Perm() != mode {
			t.Errorf("%s: %s has mode %v", name, f.Name, f.Mode)
		}
		if !changed.IsZero() && !f.Changed.Equal(changed) {
			t.Errorf("%s: %s is of %v, others of %v", name, f.Name, f.Changed, changed)
		}
		changed = f.Changed
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %v, not %v", name, got, want)
	}
}

// runsHere runs the program of this platform: it is what its name says, in the
// version that the archive's name says.
func runsHere(t *testing.T, platform string, files []archive.File, program string) {
	t.Helper()
	if platform != runtime.GOOS+"_"+runtime.GOARCH {
		return
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name, program) {
			continue
		}
		file := filepath.Join(t.TempDir(), f.Name)
		if err := os.WriteFile(file, f.Content, 0o755); err != nil {
			t.Fatal(err)
		}
		said, err := exec.Command(file, "--version").CombinedOutput()
		want := "kubectl " + strings.ReplaceAll(strings.TrimPrefix(program, "kubectl-"), "_", "-") + " version v"
		if err != nil || !strings.HasPrefix(string(said), want) {
			t.Errorf("%s --version: %v: %s", f.Name, err, said)
		}
	}
}

// checkBill reads a bill of materials as those do who look for vulnerabilities.
func checkBill(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		SPDXVersion  string
		CreationInfo struct{ Created time.Time }
		Packages     []struct {
			Name            string
			VersionInfo     string
			LicenseDeclared string
			ExternalRefs    []struct{ ReferenceLocator string }
		}
	}
	if err := json.Unmarshal(text, &bill); err != nil || bill.SPDXVersion != "SPDX-2.3" {
		t.Fatalf("%s is no SPDX 2.3: %v", file, err)
	}
	if bill.CreationInfo.Created.Year() < 2020 {
		t.Errorf("%s is of %v, not of the commit's time", file, bill.CreationInfo.Created)
	}
	for _, name := range []string{"k8s.io/client-go", "github.com/spf13/cobra", "stdlib"} {
		if !strings.Contains(string(text), `"pkg:golang/`+name+"@") {
			t.Errorf("%s does not name %s", file, name)
		}
	}
	for _, p := range bill.Packages {
		if p.LicenseDeclared == "" || p.Name == "" {
			t.Errorf("%s: %q has no licence", file, p.Name)
		}
	}
}

// checkSums holds checksums.txt against the files, and against what there should be.
func checkSums(t *testing.T, dist string, want []string) {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(dist, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		hash, name, _ := strings.Cut(lines.Text(), "  ")
		content, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != hash {
			t.Errorf("checksums.txt is wrong about %s", name)
		}
		listed = append(listed, name)
	}
	slices.Sort(want)
	slices.Sort(listed)
	if !slices.Equal(listed, want) {
		t.Errorf("checksums.txt lists %v, not %v", listed, want)
	}
}
