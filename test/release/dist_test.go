package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func programOf(plugin string) string { return "kubectl-" + strings.ReplaceAll(plugin, "-", "_") }

// tool is the path of a tool that one of the modules in tools/ pins, built.
func tool(t *testing.T, module, name string) string {
	t.Helper()
	cmd := exec.Command("go", "tool", "-modfile=tools/"+module+"/go.mod", "-n", name)
	cmd.Dir = root
	path, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot build %s: %v", name, err)
	}
	return strings.TrimSpace(string(path))
}

// dist is the folder with the archives: LEADSMAN_DIST, what "make
// release-snapshot" made; without it, archives in the same form that hold the
// real plugins for this platform and nothing for the others.
func dist(t *testing.T) string {
	t.Helper()
	if made := os.Getenv("LEADSMAN_DIST"); made != "" {
		return made
	}
	bin, out := t.TempDir(), t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-tags", "kustomize_disable_go_plugin_support", "-gcflags=k8s.io/...=-l", "-gcflags=k8s.io/apimachinery/pkg/labels=", "-gcflags=google.golang.org/protobuf/...=-l", "-ldflags", "-s -w", "-o", bin+"/", "./cmd/...")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	licence := read(t, filepath.Join(root, "LICENSE"))
	var sums bytes.Buffer
	for _, platform := range platforms {
		all := map[string][]byte{"LICENSE": licence}
		put := func(program string, files map[string][]byte) {
			path := pack(t, filepath.Join(out, program+"_v0.0.1-test_"+platform), platform, files)
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(read(t, path)), filepath.Base(path))
		}
		for _, plugin := range plugins {
			name, content := programOf(plugin), []byte("not for this platform\n")
			if strings.HasPrefix(platform, "windows_") {
				name += ".exe"
			}
			if platform == runtime.GOOS+"_"+runtime.GOARCH {
				content = read(t, filepath.Join(bin, name))
			}
			all[name] = content
			put(programOf(plugin), map[string][]byte{name: content, "LICENSE": licence})
		}
		put("leadsman", all)
	}
	if err := os.WriteFile(filepath.Join(out, "checksums.txt"), sums.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// pack writes a .zip for Windows and a .tar.gz for others, and returns its path.
func pack(t *testing.T, path, platform string, files map[string][]byte) string {
	t.Helper()
	var b bytes.Buffer
	var err error
	if strings.HasPrefix(platform, "windows_") {
		path += ".zip"
		err = packZip(&b, files)
	} else {
		path += ".tar.gz"
		err = packTar(&b, files)
	}
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func packZip(b *bytes.Buffer, files map[string][]byte) error {
	w := zip.NewWriter(b)
	for name, content := range files {
		f, err := w.Create(name)
		if err != nil {
			return err
		}
		if _, err := f.Write(content); err != nil {
			return err
		}
	}
	return w.Close()
}

func packTar(b *bytes.Buffer, files map[string][]byte) error {
	zipped, err := gzip.NewWriterLevel(b, gzip.BestSpeed)
	if err != nil {
		return err
	}
	w := tar.NewWriter(zipped)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return zipped.Close()
}
